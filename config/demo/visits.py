"""Writes visits in bulk in the shape that `Appointment.book` and its verbs leave behind; a test compares the two."""
from clinic.db.records import record_bulk
from config.demo.opening import BECAUSE
from scheduling.models import Appointment, ProviderTime, VisitStep

Status = Appointment.Status
# The steps at which the verbs hold or give back time; at the others it stays as it is.
HOLDS_ANEW = {Status.SCHEDULED, Status.CANCELLED, Status.NO_SHOW, Status.COMPLETED}


def build(*, id, clinic, patient_id, operatory, provider, appointment_type, starts_at, ends_at, steps, doctor=None, note="",
          is_walk_in=False, because=""):
    """(appointment, its provider time, its steps), unsaved. `steps`: [(status, at, user id)], the booking first."""
    visit = Appointment(
        id=id, clinic=clinic, patient_id=patient_id, operatory=operatory, provider=provider,
        appointment_type=appointment_type, starts_at=starts_at, ends_at=ends_at, note=note, is_walk_in=is_walk_in)
    visit.parts = visit._parts_from(None, doctor)
    spans = []
    for status, at, _ in steps:
        visit.status, visit.status_at = status, at
        visit.cancel_reason = because if status == Status.CANCELLED else ""
        if status in HOLDS_ANEW:
            visit._set_chair_time()
            spans = list(visit.provider_spans()) if visit.holds_time else []
    visit.created_at, visit.updated_at = steps[0][1], visit.status_at
    visit._change_reason = because or BECAUSE
    times = [
        ProviderTime(clinic=clinic, appointment=visit, provider_id=who, starts_at=start, ends_at=end)
        for who, start, end in spans]
    notes = [VisitStep(clinic=clinic, appointment=visit, status=status, at=at, by_id=user) for status, at, user in steps]
    return visit, times, notes


def write(built, by):
    """Save what `build` made; the database refuses overlaps as it always does."""
    visits, times, steps = [], [], []
    for visit, its_times, its_steps in built:
        visits.append(visit)
        times += its_times
        steps += its_steps
    record_bulk(visits, by=by, because=BECAUSE)
    ProviderTime.objects.bulk_create(times, batch_size=500)
    VisitStep.objects.bulk_create(steps, batch_size=500)
    return visits
