"""One row of every kind in each of two clinics, reached by verbs, so that sweeps have something to point at."""

from datetime import date, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

from charting.models import (
    Addendum,
    ChartSettings,
    ClinicalNote,
    Draft,
    Finding,
    FindingKind,
    NoteTemplate,
    PerioExam,
    PerioPath,
)
from charting.perio import ToothFigures
from clinic.access.actor import Actor
from clinic.catalogue import load_starter
from clinic.models import (
    AccessEvent,
    ApiToken,
    Document,
    Fee,
    FeeSchedule,
    HandedOver,
    LetterTemplate,
    Mail,
    MedicalHistory,
    Notification,
    NotificationChoices,
    PatientLink,
    PortalAccess,
    ProcedureCode,
    StoredFile,
    Unmerge,
    User,
)
from scheduling.models import (
    Appointment,
    AppointmentTypeCode,
    Block,
    ContactAttempt,
    DayNote,
    Feed,
    FreedSlot,
    FrontDesk,
    HoursException,
    Offer,
    OfferLetter,
    Reminder,
    Series,
    TimeWish,
    WaitlistEntry,
)
from tests.cast import PASSWORD


def furnish(cast):
    """Fill the cast's clinic with at least one row of each model."""
    by, start = cast.system, datetime(2026, 12, 1, 9, tzinfo=ZoneInfo("America/New_York"))
    load_starter(by)
    MedicalHistory.write(patient=cast.ada, content={}, by=by, seen_number=0)
    AccessEvent.objects.create(clinic=cast.clinic, kind="view", patient=cast.ada, route="x", via="page")
    HoursException(provider=cast.drill, date=date(2026, 12, 24), reason="Holiday").record(by=by)
    AppointmentTypeCode(
        appointment_type=cast.exam, procedure_code=ProcedureCode.objects.filter(clinic=cast.clinic).first()
    ).record(by=by)
    Block.place(
        by=by,
        provider=cast.bridge,
        starts_at=start + timedelta(hours=4),
        ends_at=start + timedelta(hours=5),
        title="Meeting",
    )
    Block.place(
        by=by,
        operatory=cast.operatories[1],
        starts_at=start + timedelta(hours=4),
        ends_at=start + timedelta(hours=5),
        title="Repair",
    )
    Mail.write(Mail.Kind.LOCKED, address=f"desk@{cast.domain}.example", key=cast.domain)
    cast.ada.account.change(by=by, holder=cast.ada)
    cast.ada.change(by=by, guarantor_patient=cast.grace, primary_provider=cast.drill, primary_hygienist=cast.holly)
    visit = Appointment.book(
        by=by,
        patient=cast.ada,
        operatory=cast.operatories[0],
        provider=cast.drill,
        appointment_type=cast.exam,
        starts_at=start,
    )
    FrontDesk().record(by=by)
    front_desk(cast, start)
    messages(cast, visit, start)
    chart(cast)
    notes(cast, visit)
    paper = Document.add(
        by=by, patient=cast.ada, kind="letter", content=b"Dear Ada", name="a.txt", back=b"Over", back_name="b.txt"
    )
    StoredFile._write(
        BytesIO(b"x"), by=by, drawn_from=paper.file, use="preview", media_type="image/webp", size=1, sha256="0" * 64
    )
    LetterTemplate(kind="welcome", title="Welcome", body="Dear {addressee}", is_starter=True).record(by=by)
    ApiToken.issue(by=cast.manager, name="kiosk")
    schedule = FeeSchedule(name="Harbour Health", since=date(2026, 1, 1)).record(by=by)
    Fee(schedule=schedule, procedure_code=ProcedureCode.objects.filter(clinic=cast.clinic).first(), amount=90).record(
        by=by
    )
    if not PortalAccess.objects.filter(clinic=cast.clinic).exists():
        user = User.objects.create_user(f"portal@{cast.domain}.example", PASSWORD, name="Portal")
        PortalAccess.grant(user=user, patient=cast.ada, relationship="self", by=by)
    told = MedicalHistory.objects.filter(clinic=cast.clinic).first()
    HandedOver(clinic=cast.clinic, row=told.pk, of_table=told._meta.label, origin=cast.ada, patient=cast.ada).save()
    Unmerge(clinic=cast.clinic, patient=cast.grace, survivor=cast.ada, merged_at=start).save()
    access = PortalAccess.objects.filter(clinic=cast.clinic).first()
    ApiToken.issue(by=Actor(user=access.user, clinic=cast.clinic, patient=access.patient, hat="portal"), name="app")
    return visit


def front_desk(cast, start):
    """Of two patients each a series, a wish to come sooner, and a time that a visit left; one is offered; and a call."""
    by, later = cast.system, start + timedelta(days=7)
    exam = {"operatory": cast.operatories[0], "provider": cast.drill, "appointment_type": cast.exam}
    for number, patient in enumerate((cast.grace, cast.ada)):
        starts = [later + timedelta(hours=number, weeks=week) for week in range(3)]
        Series.book(by=by, patient=patient, every_weeks=1, visits=[{**exam, "starts_at": at} for at in starts])
        far = Appointment.book(by=by, patient=patient, starts_at=later + timedelta(days=60, hours=number), **exam)
        WaitlistEntry.add(
            by=by, patient=patient, appointment_type=cast.exam, provider=cast.drill, appointment=far,
            from_day=date(2026, 11, 1))  # fmt: skip
    for days in range(2):
        DayNote(clinic=cast.clinic, date=start.date() + timedelta(days=days), text="On call").record(by=by)
    first, second = (series.standing()[0] for series in Series.objects.filter(clinic=cast.clinic).order_by("pk"))
    first.cancel(by=by, because="Ill")
    second.cancel(by=by, because="Ill")
    FreedSlot.objects.get(appointment=first).advance(by=by)
    Feed.open(by=by, name="Phone", provider=cast.drill)
    Feed.open(by=by, name="Door", operatory=cast.operatories[0])
    ContactAttempt.log(by=by, patient=cast.grace, appointment=first, about="missed", outcome="no_answer")


def chart(cast):
    """What is charted, and what somebody is typing."""
    by = cast.dentist
    ChartSettings(deep_pocket_mm=4).record(by=by)
    FindingKind(code="mih", name="Chalky molar", words="chalky").record(by=by)
    for patient in (cast.ada, cast.grace):
        Finding.enter(by=by, patient=patient, provider=cast.drill, items=[
            {"tooth": "19", "condition": "caries", "surfaces": "O"}, {"tooth": "1", "condition": "missing"}])
        Draft.keep(by=by, patient=patient, kind=Draft.Kind.NOTE, content={"body": "Half a sen"}, window="one", number=1)
        PerioExam.start(by=by, patient=patient, provider=cast.drill, teeth={"3": ToothFigures(pd=[3] * 6)})
    whole = "1-16 facial\n17-32 facial\n17-32 lingual\n1-16 lingual"
    PerioPath(name="As we do it", legs=whole).record(by=cast.manager)


def notes(cast, visit):
    """Notes of two patients: one signed and added to, one that waits for a co-signature, and the newest not signed."""
    begun = NoteTemplate(name="Recall", kind="hygiene", short_code="rc", body="Plaque: {plaque|light|none}").record(by=cast.manager)
    words = {"kind": "progress", "body": "Filled tooth 14."}
    signed = ClinicalNote.write(by=cast.dentist, patient=cast.grace, **words).sign(by=cast.dentist)
    Addendum.write(by=cast.dentist, note=signed, body="Shade A2.")
    ClinicalNote.write(by=cast.actor("assistant"), patient=cast.ada, **words).sign(by=cast.actor("assistant"))
    ClinicalNote.write(by=cast.manager, patient=cast.ada, appointment=visit, template=begun, **words)


def messages(cast, visit, start):
    """What was sent to patients, what they answered, and what a person was told."""
    revoked, _ = PatientLink.issue(cast.ada, "visit", expires_at=start)
    revoked.revoke()
    reminder = Reminder.ask(visit, now=start - timedelta(days=1))
    OfferLetter.write(Offer.objects.filter(clinic=cast.clinic).first())
    for message in (reminder, OfferLetter.objects.get(clinic=cast.clinic)):
        message.link, _ = PatientLink.issue(cast.ada, message.PURPOSE, expires_at=start)
        message.save()
    TimeWish(clinic=cast.clinic, appointment=visit, visit_at=visit.starts_at, wish="Later").save()
    NotificationChoices.of(cast.desk).choose(by=cast.desk, version=0, choices={"another_time": "bell"})
    Notification.tell(cast.clinic, "another_time", key=f"house:{visit.pk}", url=f"/visits/{visit.pk}/")
