"""Every list that staff see can be taken out as CSV: safe in a spreadsheet, the same rows, on record, and only by who may."""

import csv
import html
import io
import re
from datetime import date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import AccessEvent, Document, Membership, ProcedureCode, User
from clinic.web.csv_out import STARTS_A_FORMULA
from scheduling.models import Appointment, ContactAttempt, FreedSlot, HoursException, Series, WaitlistEntry
from tests.factories import PatientFactory
from tests.sweeps.test_routes import OURS
from treatment.models import Intervention, Procedure, TreatmentPlan

pytestmark = pytest.mark.wide

LISTS = {
    "clinic:access_log", "clinic:changes", "clinic:documents", "clinic:patients", "clinic:procedure_codes", "clinic:sign_ins",
    "scheduling:freed_times", "scheduling:hours", "scheduling:missed", "scheduling:series", "scheduling:today",
    "scheduling:unconfirmed", "scheduling:unscheduled", "scheduling:waitlist",
    "treatment:interventions", "treatment:to_review", "treatment:unscheduled", "milestones:due",
    "milestones:at_risk",
    "milestones:rates"}  # fmt: skip
# Pages with rows and without CSV, each with the reason; docs/export.md tells them too.
WITHOUT = {
    "milestones:waiting": "opened one by one, and asked for by phone",
    "milestones:to_review": "texts that are stored encrypted",
    "milestones:news": "what one patient was told",
    "milestones:of_patient": "one patient's course, which is printed",
    "charting:note_new": "a form",
    "charting:perio": "an examination is figures by site; programs read them whole",
    "charting:perio_new": "a form",
    "charting:notes": "texts that are stored encrypted",
    "charting:unsigned": "texts to be signed, opened one by one",
    "clinic:letter": "a form",
    "clinic:letter_templates": "texts to be edited",
    "clinic:medical_history": "one patient's record, which is printed",
    "clinic:notifications": "what one person was told",
    "clinic:own_account": "one's own sessions and keys",
    "clinic:portal_accesses": "one patient's, of whom a family is few",
    "clinic:patient": "one patient's overview",
    "clinic:patient_history": "a part of the history of changes and of the access log, which have it",
    "clinic:styleguide": "no data",
    "clinic:work": "links to lists, which have it",
    "scheduling:feeds": "addresses that are secret",
    "scheduling:month": "drawn; each of its days leads to the day",
    "scheduling:production": "one table of sums",
    "scheduling:schedule": "drawn; the same day as a list is Today, and on paper the day sheet",
    "scheduling:today_board": "a part of Today, which has it",
    "scheduling:week": "drawn",
    "treatment:plans": "one patient's plans, each of which is printed",
}
# Lists in which no text stands that somebody typed.
NOTHING_TYPED = {"clinic:access_log", "milestones:rates"}
# A line for each group, however many rows are behind it.
SUMS = {"milestones:rates"}


def texts(answer):
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.fixture
def planted(furnished, cast):
    """Every list of our clinic has a row, and in each of them a text begins like a formula. {placeholder: key}."""
    by, now = cast.desk, timezone.now().replace(second=0, microsecond=0)
    cast.ada.change(by=by, last_name="=1+1", first_name="@SUM(A1)", preferred_name="-2")
    cast.grace.change(by=by, last_name="=2+2", first_name="+49 40")
    ProcedureCode.objects.filter(clinic=cast.clinic).first().change(by=cast.manager, description="=1+1")
    HoursException.objects.filter(clinic=cast.clinic).first().change(by=cast.manager, reason="=1+1")
    for document in Document.objects.filter(clinic=cast.clinic):
        document.change(by=by, title="=1+1")
    user = cast.desk.user
    user.name = "=1+1"
    user.save()
    visit = {"by": cast.system, "patient": cast.grace, "appointment_type": cast.exam, "provider": cast.drill,
             "operatory": cast.operatories[0]}  # fmt: skip
    Appointment.take_over(starts_at=now - timedelta(days=3), status="no_show", because="x", **{
        **visit, "patient": PatientFactory(by=by, last_name="=4+4")})  # fmt: skip
    other = PatientFactory(by=by, last_name="=3+3", first_name="Eve")
    Appointment.take_over(
        starts_at=now - timedelta(days=300), status="checked_out", because="x", **{**visit, "patient": other})  # fmt: skip
    today(cast, 1)
    soon(cast, 1)
    to_review(cast, 1)
    agreed(cast, 1)
    return {
        "<uuid:patient_id>": cast.ada.pk, "<uuid:series_id>": Series.objects.filter(patient=cast.ada).first().pk}  # fmt: skip


def today(cast, count):
    """Visits of today, of patients of their own, side by side in the same chair."""
    for number in range(count):
        Appointment.book(
            by=cast.system, patient=PatientFactory(by=cast.desk, last_name=f"=today{number}"), double_booking="A test",
            appointment_type=cast.exam, provider=cast.bridge, operatory=cast.operatories[1],
            starts_at=noon(cast, cast.clinic.today()))  # fmt: skip


def soon(cast, count):
    """Visits of tomorrow that are not confirmed."""
    for number in range(count):
        Appointment.book(
            by=cast.system, patient=PatientFactory(by=cast.desk, last_name=f"=soon{number}"), double_booking="A test",
            appointment_type=cast.exam, provider=cast.bridge, operatory=cast.operatories[1],
            starts_at=noon(cast, cast.clinic.today() + timedelta(days=1)))  # fmt: skip


def to_review(cast, count):
    """Plans whose review is late, of patients of their own, and as many interventions of our own."""
    for number in range(count):
        plan = TreatmentPlan.draw_up(
            by=cast.dentist, patient=PatientFactory(by=cast.desk, last_name=f"=late{number}"), title="=1+1", provider=cast.drill,
            start_date=cast.clinic.today() - timedelta(days=100))  # fmt: skip
        plan.activate(by=cast.dentist)
        Intervention.define(by=cast.dentist, name=f"=own{Intervention.objects.count()}")


def agreed(cast, count):
    """Work that patients agreed to and nobody has booked."""
    code = ProcedureCode.objects.filter(clinic=cast.clinic, treatment_area="mouth").first()
    for number in range(count):
        plan = TreatmentPlan.draw_up(
            by=cast.dentist, patient=PatientFactory(by=cast.desk, last_name=f"=agreed{number}"), title="=1+1", provider=cast.drill,
            start_date=cast.clinic.today())  # fmt: skip
        Procedure.add(by=cast.dentist, plan=plan, procedure_code=code)
        plan.present(by=cast.dentist)
        plan.accept(by=cast.dentist)


def noon(cast, day):
    return datetime.combine(day, time(12), tzinfo=cast.clinic.zone)


def more(cast, count):
    """So many more rows in every list."""
    today(cast, count)
    soon(cast, count)
    to_review(cast, count)
    agreed(cast, count)
    now = timezone.now().replace(second=0, microsecond=0)
    visit = {"by": cast.system, "appointment_type": cast.exam, "provider": cast.drill, "operatory": cast.operatories[0]}
    series = Series.objects.filter(patient=cast.ada).first()
    for number in range(count):
        patient = PatientFactory(by=cast.desk)
        past = Appointment.take_over(
            starts_at=now - timedelta(days=200 + number), status="checked_out", because="x", patient=patient, **visit)
        Appointment.take_over(starts_at=now - timedelta(days=5), status="no_show", because="x", **visit,
                              patient=PatientFactory(by=cast.desk))  # fmt: skip
        ContactAttempt.log(by=cast.desk, patient=patient, appointment=past, about="unscheduled", outcome="no_answer")
        WaitlistEntry.add(by=cast.desk, patient=patient, appointment_type=cast.exam)
        Document.add(by=cast.desk, patient=cast.ada, kind="letter", content=f"{number}".encode(), name="a.txt")
        code = ProcedureCode(
            code=f"X{number}", description="x", category="preventive", treatment_area="surface", minutes=10, fee=1)
        code.record(by=cast.system)
        HoursException(date=date(cast.clinic.today().year, 12, 1), provider=cast.bridge, reason=f"{number}").record(
            by=cast.system)  # fmt: skip
        user = User.objects.create_user(f"m{number}@more.example", "a-password-for-tests", name=f"More {number}")
        Membership.open(user=user, clinic=cast.clinic, roles=["assistant"], by=cast.manager)
        Appointment.book(
            starts_at=now + timedelta(days=400, hours=number), patient=cast.ada, series=series, double_booking="A test", **visit)
        freed = Appointment.book(
            starts_at=now + timedelta(days=200, hours=number), patient=PatientFactory(by=cast.desk), double_booking="A test",
            **visit)
        freed.cancel(by=cast.system, because="Ill")
        AccessEvent.objects.create(clinic=cast.clinic, kind="view", patient=patient, route="clinic:patient", via="page")


def address(path, planted):
    for placeholder, key in planted.items():
        path = path.replace(placeholder, str(key))
    return f"/{path}"


def lists():
    """(name, path) of every page that can be asked for with what `planted` knows."""
    return [(name, path) for name, path, _ in OURS if ":" in name and not re.search(
        "<(?!uuid:patient_id|uuid:series_id)", path) and "sign_out" not in name]  # fmt: skip


@pytest.fixture
def taken(planted):
    """[(name, address)] of the lists."""
    return [(name, address(path, planted)) for name, path in lists() if name in LISTS]


def test_every_page_with_rows_has_csv_or_a_reason_for_none(planted, sign_in):
    client, with_rows, linked, answering = sign_in("manager"), set(), set(), set()
    for name, path in lists():
        answer = client.get(address(path, planted))
        page = answer.content.decode() if "html" in answer.headers.get("Content-Type", "") else ""
        if "<tbody" in page or "data-list" in page:
            with_rows.add(name)
        if re.search(r'href="[^"]*format=csv', page):
            linked.add(name)
        answer = client.get(address(path, planted), {"format": "csv"})
        if answer.headers.get("Content-Type", "").startswith("text/csv"):
            answering.add(name)
    assert with_rows - LISTS - set(WITHOUT) == set()
    assert set(WITHOUT) - with_rows == set(), "no such page with rows any more"
    assert linked == answering == LISTS
    assert not LISTS & set(WITHOUT)


def test_no_cell_begins_like_a_formula_and_all_lines_have_the_head_s_columns(taken, sign_in):
    client = sign_in("manager")
    for name, path in taken:
        answer = client.get(path, {"format": "csv"})
        assert re.fullmatch(r'attachment; filename="[a-z0-9-]+\.csv"', answer["Content-Disposition"]), name
        head, *rows = texts(answer)
        assert rows, name
        assert len(set(head)) == len(head), name
        assert [cell for cell in head if cell != cell.lower() or not cell] == [], name
        assert {len(row) for row in rows} == {len(head)}, name
        cells = [cell for row in rows for cell in row]
        assert [cell for cell in cells if cell.startswith(STARTS_A_FORMULA)] == [], name
        assert name in NOTHING_TYPED or any(cell.startswith("'=") for cell in cells), name


def test_the_file_names_who_stands_on_the_page(taken, sign_in):
    client, compared = sign_in("manager"), 0
    for name, path in taken:
        head, *rows = texts(client.get(path, {"format": "csv"}))
        page = html.unescape(client.get(path).content.decode())
        column = next((head.index(word) for word in ("last name", "patient", "name", "title", "why") if word in head), None)
        if column is None or name == "clinic:access_log":  # which grows with each of these questions
            continue
        told = {row[column].removeprefix("'") for row in rows[:20]}
        assert {text for text in told if text not in page} == set(), name
        compared += 1
    assert compared > 10


def test_taking_a_list_out_is_one_event_of_its_own_kind(taken, cast, sign_in):
    client = sign_in("manager")
    for name, path in taken:
        before = set(AccessEvent.objects.values_list("pk", flat=True))
        rows = texts(client.get(path, {"format": "csv"}))[1:]
        (event,) = AccessEvent.objects.exclude(pk__in=before)
        assert (event.kind, event.route, event.by) == ("export", name, cast.manager.user)
        assert event.rows <= len(rows) or name == "clinic:access_log"
        assert (event.patient == cast.ada) is (name in ("clinic:documents", "scheduling:series")), name


def test_who_may_not_take_lists_out_is_refused_and_sees_no_link(taken, sign_in):
    client, seen = sign_in("hygienist"), 0
    for name, path in taken:
        answer = client.get(path)
        if answer.status_code == 200:
            seen += 1
            assert b"format=csv" not in answer.content, name
        assert client.get(path, {"format": "csv"}).status_code == 403, name
    assert seen >= 4
    assert not AccessEvent.objects.filter(kind="export", by__email__startswith="hygienist").exists()


def test_a_long_list_takes_the_same_queries_as_a_short_one(taken, cast, sign_in):
    client = sign_in("manager")
    taken = [one for one in taken if one[0] != "clinic:changes"]  # its queries follow from what changed, see test_changes
    short = {name: asked(client, path) for name, path in taken}
    more(cast, 30)
    long = {name: asked(client, path) for name, path in taken}
    assert {name: (short[name][0], count) for name, (count, _) in long.items() if count > short[name][0]} == {}
    assert {name for name, (_, rows) in long.items() if rows < short[name][1] + 29} == SUMS


def asked(client, path):
    """(queries, rows) of taking this list out."""
    with CaptureQueriesContext(connection) as queries:
        rows = texts(client.get(path, {"format": "csv"}))[1:]
    return len(queries), len(rows)


def test_freed_times_stand_in_the_file_whether_somebody_is_asked_or_not(taken, cast, sign_in):
    _, *rows = texts(sign_in("manager").get("/waitlist/times/", {"format": "csv"}))
    assert len(rows) == FreedSlot.objects.filter(clinic=cast.clinic, status="open").count()
