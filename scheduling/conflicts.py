"""What stands in the way of visits: read after the database has refused one, and to plan several ahead."""
from functools import reduce
from operator import or_

from django.db.models import Q

from clinic.db.guards import LONGEST
from clinic.db.prepared import Prepared
from scheduling.models.block import Block
from scheduling.models.provider_time import ProviderTime
from scheduling.refusals import Conflict


def of(visit):
    """Everything that holds the chair, the patient or a provider's minutes at the time of this visit, and blocks."""
    return of_all([visit])[visit.pk]


def of_all(visits, besides=()):
    """{visit's key: its conflicts} of visits that were refused or are only drafted; four queries, whatever their number.

    `besides`: visits that will have moved away by then. A visit that is double booked on purpose meets no conflict of chair
    or providers; an ordinary one does, also with a knowing double booking.
    """
    own = {visit.pk for visit in [*visits, *besides]}
    found = {visit.pk: [] for visit in visits}
    for look in (_with_chairs, _with_patients, _with_providers, _with_blocks):
        for visit, conflict in look(visits, own):
            found[visit.pk].append(conflict)
    return found


def anything_else(visit):
    """Whether a visit that no constraint refused may meet a block, a knowing double booking or the same person's visit under
    another record: then `of` tells which.

    One query, mostly with the answer no. Whose minutes the visit takes is read from its provider time, written just before.
    """
    return bool(ANYTHING_ELSE(
        visit=visit.pk, clinic=visit.clinic_id, operatory=visit.operatory_id, patient=visit.patient_id,
        person=_person(visit.patient), starts_at=visit.chair_starts_at, ends_at=visit.chair_ends_at,
        earliest=visit.chair_starts_at - LONGEST))


def _whatever_touches(blank):
    """Blocks, shared chairs and shared minutes that touch a visit's chair time, of any provider who takes part in it, and
    visits of those who are merged with its patient."""
    visits = ProviderTime._meta.get_field("appointment").related_model
    visit, clinic = blank("visit", visits, "id"), blank("clinic", visits, "clinic")
    operatory = blank("operatory", visits, "operatory")
    starts_at, ends_at = blank("starts_at", visits, "starts_at"), blank("ends_at", visits, "ends_at")
    earliest, treats = blank("earliest", visits, "starts_at"), ProviderTime.objects.filter(appointment=visit).values("provider")
    blocks = Block.objects.current().filter(clinic=clinic).overlapping(starts_at, ends_at).filter(
        Q(operatory=operatory) | Q(provider__in=treats)).order_by()
    chairs = visits.objects.holding().exclude(pk=visit).filter(
        clinic=clinic, operatory=operatory, shared_chair=True, chair_starts_at__lt=ends_at, chair_starts_at__gt=earliest,
        chair_ends_at__gt=starts_at).order_by()
    minutes = ProviderTime.objects.exclude(appointment=visit).filter(
        clinic=clinic, provider__in=treats, is_shared=True, starts_at__lt=ends_at, starts_at__gt=earliest,
        ends_at__gt=starts_at)
    person, patients = blank("person", visits, "patient"), visits.objects.holding().exclude(status__in=visits.DONE).exclude(
        patient=blank("patient", visits, "patient")).filter(
        clinic=clinic, starts_at__lt=ends_at, starts_at__gt=earliest, ends_at__gt=starts_at).order_by()
    return blocks.values("pk").union(
        chairs.values("pk"), minutes.values("pk"), patients.filter(patient=person).values("pk"),
        patients.filter(patient__merged_into=person).values("pk"))[:1]


ANYTHING_ELSE = Prepared(_whatever_touches)


def _with_chairs(visits, own):
    asked = [visit for visit in visits if not visit.shared_chair]
    for row in chairs_taken(asked).exclude(pk__in=own):
        for visit in asked:
            held = row.chair_starts_at, row.chair_ends_at
            if row.operatory_id == visit.operatory_id and _touch(*held, visit.chair_starts_at, visit.chair_ends_at):
                yield visit, Conflict(row.pk, "operatory", visit.operatory.name, *held)


def chairs_taken(visits):
    """Visits that hold the chair of one of these at its time (index `scheduling_appointment_of_op`)."""
    return _visits().holding().filter(_any(
        Q(clinic=visit.clinic_id, operatory=visit.operatory_id, **_overlapping(
            "chair_starts_at", "chair_ends_at", visit.chair_starts_at, visit.chair_ends_at)) for visit in visits))


def _with_patients(visits, own):
    model = ProviderTime._meta.get_field("appointment").related_model
    rows = _visits().holding().exclude(status__in=model.DONE).exclude(pk__in=own).filter(_any(
        Q(patient=_person(visit.patient)) | Q(patient__merged_into=_person(visit.patient))
        for visit in visits)).filter(_any(
            Q(clinic=visit.clinic_id, **_overlapping("starts_at", "ends_at", visit.starts_at, visit.ends_at))
            for visit in visits)).select_related("patient")
    for row in rows:
        for visit in visits:
            same = _person(row.patient) == _person(visit.patient)
            if same and _touch(row.starts_at, row.ends_at, visit.starts_at, visit.ends_at):
                yield visit, Conflict(row.pk, "patient", visit.patient.name, row.starts_at, row.ends_at)


def _person(patient):
    """The key under which a patient is one person with those who are merged: a constraint sees rows, not persons."""
    return patient.merged_into_id or patient.pk


def _with_providers(visits, own):
    spans = [(visit, *span) for visit in visits if not visit.shared_provider for span in visit.provider_spans()]
    for row in minutes_taken(spans).exclude(appointment__in=own).select_related("provider"):
        for visit, provider_id, start, end in spans:
            if str(row.provider_id) == str(provider_id) and _touch(row.starts_at, row.ends_at, start, end):
                yield visit, Conflict(row.appointment_id, "provider", row.provider.name, row.starts_at, row.ends_at)


def minutes_taken(spans):
    """Provider time that touches one of these [(visit, provider id, start, end)] (index `scheduling_providertime_of`)."""
    return ProviderTime.objects.filter(_any(
        Q(clinic=visit.clinic_id, provider=provider_id, **_overlapping("starts_at", "ends_at", start, end))
        for visit, provider_id, start, end in spans))


def _with_blocks(visits, own):
    """Blocks of the operatory or of a provider's minutes; they live in a table of their own (decision 3)."""
    blocks = Block.objects.current().filter(_any(
        Q(clinic=visit.clinic_id, starts_at__lt=visit.chair_ends_at, ends_at__gt=visit.chair_starts_at)
        & (Q(operatory=visit.operatory_id) | Q(provider__in=[part[0] for part in visit.parts]))
        for visit in visits)).order_by("starts_at").select_related("operatory", "provider")
    for block in blocks:
        for visit in visits:
            held = block.starts_at, block.ends_at
            if block.operatory_id == visit.operatory_id and _touch(*held, visit.chair_starts_at, visit.chair_ends_at):
                yield visit, Conflict(None, "operatory", block.operatory.name, *held, block.pk)
            for provider_id, start, end in visit.provider_spans():
                if str(block.provider_id) == str(provider_id) and _touch(*held, start, end):
                    yield visit, Conflict(None, "provider", block.provider.name, *held, block.pk)


def _visits():
    return ProviderTime._meta.get_field("appointment").related_model.objects.order_by("starts_at")


def _any(conditions):
    return reduce(or_, conditions, Q(pk__in=[]))


def _touch(starts_at, ends_at, other_starts_at, other_ends_at):
    return starts_at < other_ends_at and ends_at > other_starts_at


def _overlapping(start, end, starts_at, ends_at):
    """The filter for rows that touch this time, bounded on both sides for the index on `start`."""
    return {f"{start}__lt": ends_at, f"{start}__gt": starts_at - LONGEST, f"{end}__gt": starts_at}
