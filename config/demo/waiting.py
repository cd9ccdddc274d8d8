"""A few demo patients on the waitlist, and calls that were made, so that nobody opens an empty list first."""
from clinic.models import Patient
from config.demo.opening import acting
from scheduling.models import Appointment, AppointmentType, ContactAttempt, WaitlistEntry

WISHES = [
    {"weekdays": [1, 3], "part_of_day": "afternoon", "note": "After work, can be here within an hour"},
    {"is_urgent": True, "notice_hours": 1, "note": "A filling came out"},
    {"part_of_day": "morning", "notice_hours": 24},
    {},
]


def put_on_the_waitlist(house, now):
    """Two of them have a later visit that would come sooner."""
    desk = acting(house, "receptionist")
    ahead = list(Appointment.objects.filter(clinic=house.clinic).upcoming(now).select_related("patient", "appointment_type")[40:60])
    later = list({visit.patient_id: visit for visit in reversed(ahead)}.values())[:2]  # of two patients, at whatever hour this runs
    kinds = AppointmentType.objects.filter(clinic=house.clinic).current()
    without = Patient.objects.current().filter(
        clinic=house.clinic, status=Patient.Status.ACTIVE).exclude(pk__in=[visit.patient_id for visit in later])[:len(WISHES)]
    people = [(visit.patient, visit.appointment_type, visit) for visit in later]
    people += [(patient, kinds[index], None) for index, patient in enumerate(without[:len(WISHES) - len(people)])]
    for wish, (patient, kind, visit) in zip(WISHES, people, strict=False):
        WaitlistEntry.add(by=desk, patient=patient, appointment_type=kind, appointment=visit, **wish)
    for visit in Appointment.objects.filter(clinic=house.clinic).to_rebook(now).select_related("patient")[:3]:
        ContactAttempt.log(
            by=desk, patient=visit.patient, appointment=visit, about=ContactAttempt.About.MISSED,
            outcome=ContactAttempt.Outcome.NO_ANSWER)
