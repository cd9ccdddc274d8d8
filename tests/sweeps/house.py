"""One row of every kind in each of two clinics, reached by verbs, so that sweeps have something to point at."""

from datetime import date, datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

from django.utils import timezone

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
from clinic.access.actor import Actor, permissions_of
from clinic.catalogue import load_starter
from clinic.files.examine import examine
from clinic.models import (
    AccessEvent,
    ApiToken,
    DiagnosisCode,
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
    PortalInvitation,
    ProcedureCode,
    SignInCode,
    StoredFile,
    Unmerge,
    User,
)
from milestones.models import (
    Adjustment,
    Approval,
    Comment,
    Evidence,
    Milestone,
    MilestoneAlert,
    MilestoneNews,
    MilestoneSnooze,
    NewsMessage,
    Task,
    TaskUpdate,
    TimeEntry,
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
from tests.pictures import picture
from treatment.models import (
    CareTeamMember,
    Consent,
    Goal,
    GoalIntervention,
    Intervention,
    Phase,
    PlanReview,
    Procedure,
    ProcedureNote,
    ReviewReminder,
    SessionIntervention,
    TreatmentPlan,
)
from treatment.starter import load_rules


def furnish(cast):
    """Fill the cast's clinic with at least one row of each model."""
    by, start = cast.system, datetime(2026, 12, 1, 9, tzinfo=ZoneInfo("America/New_York"))
    load_starter(by)
    ProcedureCode.objects.filter(clinic=cast.clinic).first().change(by=by, effective_from=date(2026, 1, 1))
    DiagnosisCode.load(
        [("K02", "Dental caries", False), ("K02.9", "Dental caries, unspecified", True)], date(2026, 4, 1))
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
    letter = PortalInvitation.invite(
        by=by, patient=cast.grace, name="Gil", email=f"gil@{cast.domain}.example", relationship="proxy").letter
    letter.link, _ = PatientLink.issue(cast.grace, "portal", expires_at=start)
    letter.save()
    gil = User.objects.create_user(f"gil@{cast.domain}.example", name="Gil")
    PortalAccess.grant(user=gil, patient=cast.grace, relationship="proxy", by=by)
    SignInCode.objects.create(expires_at=start)
    told = MedicalHistory.objects.filter(clinic=cast.clinic).first()
    HandedOver(clinic=cast.clinic, row=told.pk, of_table=told._meta.label, origin=cast.ada, patient=cast.ada).save()
    Unmerge(clinic=cast.clinic, patient=cast.grace, survivor=cast.ada, merged_at=start).save()
    access = PortalAccess.objects.filter(clinic=cast.clinic).first()
    PortalInvitation(
        clinic=cast.clinic, patient=cast.ada, name="Ada", email="ada@home.example", access=access,
        expires_at=timezone.now()).record(by=by)
    ApiToken.issue(by=Actor(user=access.user, clinic=cast.clinic, patient=access.patient, hat="portal"), name="app")
    plans(cast, visit, paper)
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
    for patient, days in ((cast.ada, 0), (cast.grace, 30)):  # the closed exams stand between the two
        Finding.enter(by=by, patient=patient, provider=cast.drill, items=[
            {"tooth": "19", "condition": "caries", "surfaces": "O"}, {"tooth": "1", "condition": "missing"}])
        Draft.keep(by=by, patient=patient, kind=Draft.Kind.NOTE, content={"body": "Half a sen"}, window="one", number=1)
        PerioExam.start(
            by=by, patient=patient, provider=cast.drill, teeth={"3": ToothFigures(pd=[3] * 6)},
            exam_date=cast.clinic.today() - timedelta(days=days))
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


def plans(cast, visit, paper):
    """Of two patients each a plan of procedures that is begun, with its declined alternative, and a plan of goals under way."""
    load_rules(by=cast.system)
    hers = Document.add(by=cast.dentist, patient=cast.grace, kind="consent", content=b"Signed", name="signed.txt")
    theirs = Appointment.objects.holding().filter(patient=cast.grace).first()
    for patient, session, scan in ((cast.grace, theirs, hers), (cast.ada, visit, paper)):
        work(cast, patient, session, scan)
        care(cast, patient, session)
        milestones(cast, patient)
        adjustments(cast, patient)
    ReviewReminder.write_due()
    MilestoneAlert.write_due()
    NewsMessage.write_due()
    told = NewsMessage.objects.filter(clinic=cast.clinic).first()
    told.link, _ = PatientLink.issue(told.patient, "news", expires_at=timezone.now())
    told.save()


def drawn_up(cast, patient, title):
    """A draft that everybody writes whose role may write plans: what a role may is not hidden by whose plan it is."""
    plan = TreatmentPlan.draw_up(
        by=cast.dentist, patient=patient, title=title, provider=cast.drill, start_date=cast.clinic.today(),
        next_review_date=cast.clinic.today())
    for role in ("assistant", "hygienist", "manager"):
        CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user(role), is_writer=True)
    return plan


def work(cast, patient, visit, paper):
    """Fillings, of which one is begun, and a crown that is fitted."""
    by, codes = cast.dentist, {row.code: row for row in ProcedureCode.objects.filter(clinic=cast.clinic)}
    plan, beside = (drawn_up(cast, patient, title) for title in ("Crown on 14", "Extraction of 14"))
    urgent = Phase.add(by=by, plan=plan, name="Urgent")
    filling, crown = (Procedure.add(by=by, plan=plan, procedure_code=codes[code], phase=urgent, **said) for code, said in (
        ("D2392", {"tooth": "30", "surfaces": "MO", "estimated_visits": 3}), ("D2740", {"tooth": "14"})))
    for code, said in (("D4341", {"quadrant": "UR"}), ("D5110", {"arch": "upper"}), ("D6930", {"tooth": "3", "last_tooth": "5"}),
                       ("D1110", {})):
        Procedure.add(by=by, plan=plan, procedure_code=codes[code], **said)
    Procedure.add(by=by, plan=beside, procedure_code=codes["D7140"], tooth="14")
    beside.set_beside(plan, by=by)
    for one in (plan, beside):
        one.present(by=by)
    agreed = {"by": by, "plan": plan, "procedures": [filling, crown], "signed_by": "patient", "signature_name": patient.name,
              "explained": "Risks and costs", "now": timezone.now()}
    Consent.take(**agreed, signature=examine(picture("PNG"), "signature.png")).withdraw(by=by, because="Thinks again")
    Consent.take(**agreed, paper=paper)
    Consent.take(**agreed)
    plan.accept(by=by)
    filling.book_into(by=by, appointment=visit)
    filling.work_on(by=by, appointment=visit)
    crown.complete(by=by)
    ProcedureNote.link(by=by, note=ClinicalNote.objects.filter(patient=patient).first(), procedures=[crown])


def care(cast, patient, visit):
    """A tree of goals with what serves them, an entry of a session, and a review."""
    by, plan = cast.dentist, drawn_up(cast, patient, "Less fear").activate(by=cast.dentist)
    Goal.set_out(by=by, plan=plan, goal_type="long_term", description="Come to each visit")
    top = Goal.set_out(by=by, plan=plan, goal_type="long_term", description="Sleep before a visit", priority=2)
    goal = Goal.set_out(by=by, plan=plan, goal_type="short_term", description="Breathe slowly", parent=top, priority=2)
    own = Intervention.objects.filter(clinic=cast.clinic).first() or Intervention.define(by=by, name="Story of the tooth")
    for intervention in (Intervention.objects.get(name="Deep breathing", clinic=None), own):
        serving = GoalIntervention.add(by=by, goal=goal, intervention=intervention, frequency="weekly")
    goal.record_progress(by=by, progress_note="Begun", progress_value="One minute", rating=4, appointment=visit, used=[serving])
    SessionIntervention.tick(by=by, appointment=visit, goal_intervention=serving, effectiveness_rating=4)
    PlanReview.hold(by=by, plan=plan, summary="Going well", next_review_date=cast.clinic.today() + timedelta(days=1))


def milestones(cast, patient):
    """Beside the standard ones, of which one is achieved: one of a phase, and one that a goal leads to and for which is paid."""
    by, work, care = cast.dentist, *(
        TreatmentPlan.objects.get(patient=patient, title=title) for title in ("Crown on 14", "Less fear"))
    Milestone.add(by=by, plan=work, name="Free of pain", phase=work.phases.get(), target_date=cast.clinic.today())
    Milestone.add(by=by, plan=care, name="Half an hour in the chair", goal=care.goals.last(), charge_amount=50)
    care.milestones.first().achieve(by=by)
    MilestoneNews.of(patient).choose(by=cast.desk, overdue="email")
    MilestoneSnooze.sleep(
        by=by, milestone=work.milestones.get(name="Free of pain"), until=cast.clinic.today() + timedelta(days=7))
    inside(cast, patient, work.milestones.get(name="Free of pain"), care.milestones.get(name="Half an hour in the chair"))


def adjustments(cast, patient):
    """The card of an orthodontic visit."""
    plan = TreatmentPlan.draw_up(
        by=cast.dentist, patient=patient, title="Close the gap", provider=cast.drill, treatment_type="LIMITED",
        start_date=cast.clinic.today() - timedelta(days=60)).activate(by=cast.dentist)
    Adjustment.write(
        by=cast.dentist, plan=plan, appointment=Appointment.objects.holding().filter(patient=patient).first(),
        upper_wire="0.014 NiTi", broken_brackets=["8"], note="Tired of it")


def inside(cast, patient, milestone, paid):
    """Work in a milestone, of which one update waits; evidence of each kind; what patient and staff said and decided of another."""
    by, portal = cast.dentist, Actor(
        user=None, clinic=cast.clinic, patient=patient, hat="portal", permissions=permissions_of(["patient"]))
    exam = PerioExam.start(
        by=by, patient=patient, provider=cast.drill, teeth={"3": ToothFigures(pd=[3] * 6)},
        exam_date=cast.clinic.today() - timedelta(days=9)).close(by=by, now=timezone.now())
    task = Task.add(by=by, milestone=milestone, title="Call after a week", assignee=by.user)
    TaskUpdate.tell(by=by, task=task, note="Free of pain", percent=100).review(by=by, decision="approved")
    waits = Task.add(by=by, milestone=milestone, title="Ask for photos")
    TaskUpdate.tell(by=by, task=waits, note="Asked", percent=50)
    for minutes in (5, 50):
        entry = TimeEntry.log(by=by, task=task, started_at=timezone.now() - timedelta(hours=1), minutes=minutes)
    entry.withdraw(by=by, because="A nought too many")
    rows = {
        "note": ClinicalNote.objects.filter(patient=patient).first(), "perio_exam": exam,
        "procedure": milestone.plan.procedures.get(status="completed"),
        "document": Document.objects.filter(patient=patient).first()}
    for record in rows.items():
        Evidence.add(by=by, milestone=milestone, evidence_type="document", title=record[0], record=record)
    Evidence.add(by=by, milestone=milestone, evidence_type="document", title="Letter", file=b"No pain any more")
    asked = Comment.write(by=portal, milestone=paid, body="Must I pay before?")
    Comment.write(by=by, milestone=paid, body="After it is reached", parent=asked)
    Approval.give(by=portal, milestone=paid, decision="approved", signature_name=patient.name)


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
