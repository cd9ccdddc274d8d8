"""What a new practice needs before its first visit: rooms, those who treat, their hours, the usual kinds of visits."""
from django.db import transaction

from clinic.models import Operatory, ProcedureCode, Provider
from scheduling.models import AppointmentType, AppointmentTypeCode, WorkingHours

LOOK = [{"who": "provider", "from": 0, "minutes": 60}, {"who": "doctor", "from": 40, "minutes": 10}]
DOCTORS = [Provider.Kind.DENTIST, Provider.Kind.ORTHODONTIST]
# name, minutes, buffer after, colour, who may do it, pattern, codes
TYPES = [
    ("New patient exam", 60, 0, 1, DOCTORS, [], ["D0150", "D0210"]),
    ("Check-up", 30, 0, 2, DOCTORS, [], ["D0120"]),
    ("Cleaning and check-up", 60, 10, 3, [Provider.Kind.HYGIENIST], LOOK, ["D1110", "D0120"]),
    ("Child's cleaning", 40, 10, 4, [Provider.Kind.HYGIENIST], [], ["D1120", "D1206"]),
    ("Filling", 60, 10, 5, DOCTORS, [], ["D2391"]),
    ("Crown", 90, 10, 6, DOCTORS, [], ["D2740"]),
    ("Root canal", 90, 10, 7, DOCTORS, [], ["D3330"]),
    ("Extraction", 40, 10, 8, DOCTORS, [], ["D7140"]),
    ("Emergency", 30, 0, 9, DOCTORS, [], ["D0140"]),
]


@transaction.atomic
def open_schedule(*, by, operatories, dentists, hygienists, spans, weekdays=range(5)):
    """Add rooms, providers with these hours, and the starter types, all that are not there yet by name.

    `spans`: [(start, end)] of a working day in wall time; the gap between two is the break. Returns how many rows.
    """
    made = []
    for number in range(1, operatories + 1):
        made += _add(Operatory, by, name=f"Operatory {number}", sequence=number)
    for sequence, (name, kind) in enumerate([(name, Provider.Kind.DENTIST) for name in dentists] + [
            (name, Provider.Kind.HYGIENIST) for name in hygienists], start=1):
        added = _add(Provider, by, name=name, short_name=name[:24], kind=kind, sequence=sequence, colour=(sequence - 1) % 12 + 1)
        made += added
        for provider in added:
            made += [
                WorkingHours(provider=provider, weekday=weekday, starts=starts, ends=ends).record(by=by)
                for weekday in weekdays for starts, ends in spans]
    codes = {row.code: row for row in ProcedureCode.objects.filter(clinic=by.clinic_id)}
    for sequence, (name, minutes, buffer, colour, kinds, pattern, usual) in enumerate(TYPES, start=1):
        added = _add(AppointmentType, by, name=name, minutes=minutes, buffer_after=buffer, colour=colour,
                     kinds=[str(kind) for kind in kinds], pattern=pattern, sequence=sequence)
        made += added
        made += [
            AppointmentTypeCode(appointment_type=kind, procedure_code=codes[code]).record(by=by)
            for kind in added for code in usual if code in codes]
    return len(made)


def _add(model, by, *, name, **values):
    if model.objects.filter(clinic=by.clinic_id, name=name).exists():
        return []
    return [model(name=name, **values).record(by=by, because="Schedule opened")]
