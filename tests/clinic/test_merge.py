"""Merge is a link: two records are seen as one, nothing of theirs is rewritten, and they can be taken apart again."""

from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charting.models import ClinicalNote, Finding, PerioExam
from clinic.catalogue import load_starter
from clinic.db.refusals import Refused, Stale, constraint_name
from clinic.merges import LaterRows, counts, tables
from clinic.models import (
    AccessEvent,
    CannotMerge,
    Document,
    MedicalHistory,
    Patient,
    PortalInvitation,
    ProcedureCode,
    Unmerge,
)
from milestones.models import MilestoneAlert
from scheduling.models import Appointment, ContactAttempt, Series, WaitlistEntry
from scheduling.refusals import TimeTaken
from tests.sweeps.house import adjustments, care, drawn_up, milestones, work
from treatment.models import Goal, Procedure, TreatmentPlan
from treatment.starter import load_rules

LATEX = {"allergies": [{"substance": "Latex", "reaction": "rash", "severity": "severe"}]}
IODINE = {"allergies": [{"substance": "Iodine", "reaction": "", "severity": ""}]}


@pytest.fixture
def twin(cast):
    """Ada once more, registered a second time under her maiden name."""
    return Patient.register(
        by=cast.desk, first_name="Ada", last_name="Byron", date_of_birth=cast.ada.date_of_birth, phone="+12015550123"
    )


@pytest.fixture
def merged(cast, twin):
    twin.merge_into(cast.ada, by=cast.manager, because="Married, registered twice")
    return twin


def write_one_of_each(cast, patient, day):
    """A row of every table that holds a patient's own rows."""
    exam = {"operatory": cast.operatories[0], "provider": cast.drill, "appointment_type": cast.exam}
    start = datetime(2027, 3, day, 9, tzinfo=cast.clinic.zone)
    visit = Appointment.book(by=cast.desk, patient=patient, starts_at=start, **exam)
    Series.book(by=cast.desk, patient=patient, every_weeks=1, visits=[
        {**exam, "starts_at": start + timedelta(hours=1, weeks=week)} for week in range(2)])  # fmt: skip
    WaitlistEntry.add(by=cast.desk, patient=patient, appointment_type=cast.exam, appointment=visit)
    ContactAttempt.log(by=cast.desk, patient=patient, about="confirm", outcome="no_answer", appointment=visit)
    paper = Document.add(by=cast.desk, patient=patient, kind="letter", content=b"Dear %d" % day, name="a.txt")
    MedicalHistory.write(patient=patient, content=LATEX, by=cast.desk, seen_number=0)
    Finding.enter(by=cast.dentist, patient=patient, items=[{"tooth": "1", "condition": "missing"}])
    PerioExam.start(by=cast.dentist, patient=patient, provider=cast.drill, teeth={})
    ClinicalNote.write(by=cast.dentist, patient=patient, kind="exam", body="All well.", appointment=visit)
    load_starter(cast.system)
    load_rules(by=cast.system)
    work(cast, patient, visit, paper)
    care(cast, patient, visit)
    milestones(cast, patient)
    adjustments(cast, patient)
    MilestoneAlert.write_due()
    PortalInvitation.invite(by=cast.desk, patient=patient, name="Gil", email="gil@family.example", relationship="proxy")
    return visit


def posted(**values):
    return {"once": str(uuid4()), **values}


def test_one_person_is_never_in_two_places_under_two_records(cast, twin, book, at):
    held = book("2026-12-01 9:00", patient=twin)
    twin.merge_into(cast.ada, by=cast.manager, because="Registered twice")
    elsewhere = {"provider": cast.bridge, "operatory": cast.operatories[1]}
    with pytest.raises(TimeTaken, match="has another visit 9:00-9:30"):
        book("2026-12-01 9:15", patient=cast.ada, **elsewhere)
    own = book("2026-12-01 11:00", patient=cast.ada, **elsewhere)
    with pytest.raises(TimeTaken):
        Appointment.objects.get(pk=held.pk).reschedule(by=cast.desk, starts_at=at("2026-12-01 11:15"))
    assert own.patient == cast.ada


def test_a_row_of_every_table_is_seen_on_the_survivor(cast, twin, subtests):
    write_one_of_each(cast, twin, 1)
    before = dict(counts(twin))
    assert all(before.values()), "write_one_of_each lacks a table"
    joined = (LATEX, 1, 0)
    twin.merge_into(cast.ada, by=cast.manager, because="Same person", joined=joined)
    for model in tables():
        with subtests.test(model.__name__):
            keys = set(model._base_manager.filter(patient=twin).values_list("pk", flat=True))
            assert keys
            assert keys <= set(model.objects.of(cast.ada).values_list("pk", flat=True))


def test_the_survivors_pages_show_what_the_merged_one_had(cast, twin, sign_in):
    visit = write_one_of_each(cast, twin, 1)
    Document.objects.get(patient=twin).change(by=cast.desk, title="Letter of the twin")
    twin.merge_into(cast.ada, by=cast.manager, because="Same person", joined=(LATEX, 1, 0))
    client = sign_in("manager")
    overview = client.get(f"/patients/{cast.ada.pk}/").content.decode()
    assert f"/visits/{visit.pk}/" in overview
    assert f"includes #{twin.chart_number}" in overview
    assert "Letter of the twin" in client.get(f"/patients/{cast.ada.pk}/documents/").content.decode()
    assert f"1 of #{twin.chart_number}" in client.get(f"/patients/{cast.ada.pk}/medical-history/").content.decode()
    history = client.get(f"/patients/{cast.ada.pk}/history/").content.decode()
    assert "Letter of the twin" in history
    assert f"Patient #{twin.chart_number}" in history
    page = client.get(f"/visits/{visit.pk}/").content.decode()
    assert "Latex" in page
    assert "Ada Lovelace" in page  # the survivor's name and alerts stand on the other one's visit too


def test_a_patient_page_takes_no_more_queries_for_who_was_never_merged_and_one_more_for_who_was(cast, twin, desk_client):
    desk_client.get(f"/patients/{cast.ada.pk}/")
    with CaptureQueriesContext(connection) as before:
        desk_client.get(f"/patients/{cast.ada.pk}/")
    twin.merge_into(cast.ada, by=cast.manager, because="Same person")
    with CaptureQueriesContext(connection) as after:
        desk_client.get(f"/patients/{cast.ada.pk}/")
    assert len(after) == len(before) + 1


def test_pages_search_and_chart_number_of_the_merged_one_lead_to_the_survivor(cast, merged, desk_client):
    answer = desk_client.get(f"/patients/{merged.pk}/medical-history/")
    assert answer.headers["Location"] == f"/patients/{cast.ada.pk}/medical-history/"
    assert "was merged into this patient" in desk_client.get(answer.headers["Location"]).content.decode()
    for text in ("Byron", f"#{merged.chart_number}"):
        found = desk_client.get("/patients/", {"q": text}).content.decode()
        assert str(cast.ada.pk) in found
        assert str(merged.pk) not in found
    assert str(merged.pk) not in desk_client.get("/patients/").content.decode()


def test_a_program_reads_the_survivor_and_is_refused_to_write_on_the_merged_one(cast, merged, desk):
    answer = desk.send("GET", f"/patients/{merged.pk}")
    assert (answer.status_code, answer.data["id"]) == (200, str(cast.ada.pk))
    refused = desk.send("PATCH", f"/patients/{merged.pk}", {"preferred_name": "Countess"})
    assert (refused.status_code, refused.data["merged_into"]) == (409, str(cast.ada.pk))
    listed = desk.send("GET", f"/patients?search={merged.last_name}").data["items"]
    assert [item["id"] for item in listed] == [str(cast.ada.pk)]


def test_an_edit_in_another_window_is_answered_with_what_was_typed_and_who_survives(cast, merged, desk_client):
    answer = desk_client.post(
        f"/patients/{merged.pk}/edit/", posted(first_name="Ada", last_name="Byron", note="left-handed", version=1)
    )
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "left-handed" in page
    assert cast.ada.name in page
    assert f"/patients/{cast.ada.pk}/" in page


def test_an_edit_before_the_merge_makes_the_merge_look_again(cast, twin):
    seen = twin.version
    Patient.objects.get(pk=twin.pk).change(by=cast.desk, preferred_name="Countess")
    with pytest.raises(Stale):
        twin.merge_into(cast.ada, by=cast.manager, because="Same person", version=seen)
    assert Patient.objects.get(pk=twin.pk).preferred_name == "Countess"


def test_coming_visits_that_overlap_must_be_settled_first(cast, twin, book, sign_in):
    own = book("2026-12-01 9:00")
    book("2026-12-01 9:10", patient=twin, operatory=cast.operatories[1], provider=cast.bridge)
    with pytest.raises(CannotMerge):
        twin.merge_into(cast.ada, by=cast.manager, because="Same person")
    page = sign_in("coordinator").get(f"/patients/{twin.pk}/merge/", {"with": cast.ada.pk}).content.decode()
    assert f"/visits/{own.pk}/move/" in page
    assert f"/visits/{own.pk}/cancel/" in page
    own.cancel(by=cast.desk, because="Booked twice")
    twin.merge_into(cast.ada, by=cast.manager, because="Same person")


def test_different_allergies_are_confirmed_as_a_joined_history(cast, twin, sign_in):
    MedicalHistory.write(patient=cast.ada, content=LATEX, by=cast.desk, seen_number=0)
    MedicalHistory.write(patient=twin, content=IODINE, by=cast.desk, seen_number=0)
    with pytest.raises(Refused, match="medical histories differ"):
        twin.merge_into(cast.ada, by=cast.manager, because="Same person")
    client, address = sign_in("coordinator"), f"/patients/{twin.pk}/merge/"
    asked = posted(**{"with": cast.ada.pk, "into": cast.ada.pk, "because": "Same person", "version": twin.version,
                      "survivor_version": cast.ada.version, "own_number": 1, "survivors_number": 1})  # fmt: skip
    assert client.post(address, asked).status_code == 422
    assert client.post(address, {**asked, "history_is_right": "on"}).status_code == 302
    newest = cast.ada.medical_history
    assert [row["substance"] for row in newest.content["allergies"]] == ["Latex", "Iodine"]
    assert newest.number == 2


def test_the_newest_history_told_meanwhile_is_not_overlooked_by_a_merge(cast, twin):
    MedicalHistory.write(patient=twin, content=IODINE, by=cast.desk, seen_number=0)
    MedicalHistory.write(patient=twin, content=LATEX, by=cast.desk, seen_number=1)
    with pytest.raises(Stale):
        twin.merge_into(cast.ada, by=cast.manager, because="Same person", joined=(IODINE, 1, 0))
    assert Patient.objects.get(pk=twin.pk).merged_into is None


def test_who_holds_others_is_merged_into_nobody(cast, merged):
    with pytest.raises(Refused, match="other way round"):
        cast.ada.merge_into(cast.grace, by=cast.manager, because="Same person")
    with pytest.raises(Refused, match="already"):
        cast.grace.merge_into(merged, by=cast.manager, because="Same person")


def test_the_merge_form_has_who_has_more_stay(cast, twin, book, sign_in):
    book(patient=twin)
    page = sign_in("manager").get(f"/patients/{cast.ada.pk}/merge/", {"with": twin.pk}).content.decode()
    assert "Merge Ada Lovelace into Ada Byron" in page


def test_a_merge_says_when(cast, twin):
    key = cast.ada.pk.hex if connection.vendor == "sqlite" else cast.ada.pk
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE clinic_patient SET merged_into_id = %s WHERE id <> %s", [key, key])
    assert constraint_name(caught.value) == "clinic_patient_since_when_merged"


# Taken apart again


def test_what_hangs_on_an_earlier_row_goes_with_it_and_the_rest_is_asked(cast, twin, book, at, sign_in):
    old = book("2026-12-01 9:00", patient=twin)
    twin.merge_into(cast.ada, by=cast.manager, because="Same person")
    ContactAttempt.log(by=cast.desk, patient=cast.ada, about="confirm", outcome="reached", appointment=old)
    new = book("2026-12-02 9:00")
    attempt = ContactAttempt.log(by=cast.desk, patient=cast.ada, about="confirm", outcome="reached", appointment=new)
    forced, free = sorted(LaterRows(twin, cast.ada).bundles, key=lambda bundle: bundle.owner is None)
    assert forced.owner == twin
    assert set(free.rows) == {new, attempt}
    client = sign_in("manager")
    page = client.get(f"/patients/{twin.pk}/unmerge/").content.decode()
    assert "Receptionist Test" in page
    assert "Goes with what it hangs on" in page
    asked = posted(because="Mother and daughter", version=twin.version)
    assert client.post(f"/patients/{twin.pk}/unmerge/", asked).status_code == 422
    answer = client.post(f"/patients/{twin.pk}/unmerge/", {**asked, free.key: str(twin.pk)})
    assert answer.status_code == 302
    assert set(Appointment.objects.of(twin)) == {old, new}
    assert ContactAttempt.objects.of(twin).count() == 2
    assert not ContactAttempt.objects.of(cast.ada).exists()


def test_a_row_that_came_while_one_decided_is_not_given_away_unasked(cast, merged, book):
    book()
    with pytest.raises(Refused, match="came since"):
        merged.unmerge(by=cast.manager, because="Two people", owners={})
    assert Patient.objects.get(pk=merged.pk).merged_into == cast.ada


def test_a_history_told_for_the_other_one_holds_for_them_and_no_longer_here(cast, merged):
    MedicalHistory.write(patient=cast.ada, content=IODINE, by=cast.desk, seen_number=0)
    told = MedicalHistory.write(patient=cast.ada, content=LATEX, by=cast.desk, seen_number=1)
    first = cast.ada.medical_histories.get(number=1)
    merged.unmerge(by=cast.manager, because="Two people", owners={told.pk: merged, first.pk: cast.ada})
    assert merged.medical_history.content["allergies"] == LATEX["allergies"]
    assert cast.ada.medical_history.content["allergies"] == IODINE["allergies"]
    assert told in MedicalHistory.objects.of(merged)
    assert told not in MedicalHistory.objects.of(cast.ada)


def test_whoever_looked_at_the_survivor_meanwhile_has_seen_both(cast, merged, desk_client):
    desk_client.get(f"/patients/{cast.ada.pk}/")
    seen = AccessEvent.objects.get(patient=cast.ada, route="clinic:patient")
    merged.unmerge(by=cast.manager, because="Two people", owners={})
    desk_client.get(f"/patients/{cast.ada.pk}/")
    assert [event for event in AccessEvent.objects.of(merged) if event.route == "clinic:patient"] == [seen]


def test_only_managers_take_apart_and_receptionists_do_not_merge(cast, merged, sign_in):
    assert sign_in("coordinator").get(f"/patients/{merged.pk}/unmerge/").status_code == 403
    assert sign_in("receptionist").get(f"/patients/{cast.ada.pk}/merge/").status_code == 403


LIVING = [*tables(), Patient]
WRITES = st.lists(st.tuples(st.sampled_from(["visit", "attempt", "document", "told", "plan"]), st.booleans()), max_size=6)


def write(cast, patient, kind, number):
    if kind == "visit":
        return Appointment.book(
            by=cast.desk, patient=patient, operatory=cast.operatories[0], provider=cast.drill, appointment_type=cast.exam,
            starts_at=datetime(2027, 3, 1 + number, 9, tzinfo=cast.clinic.zone))  # fmt: skip
    if kind == "attempt":
        visit = Appointment.objects.of(patient).order_by("-starts_at").first()
        return ContactAttempt.log(by=cast.desk, patient=patient, about="confirm", outcome="reached", appointment=visit)
    if kind == "document":
        return Document.add(by=cast.desk, patient=patient, kind="letter", content=b"Paper %d" % number, name=f"{number}.txt")
    if kind == "plan":  # one more procedure and goal of the plan that there is, a new plan otherwise
        plan = TreatmentPlan.objects.of(patient).first() or drawn_up(cast, patient, "Fillings")
        Goal.set_out(by=cast.dentist, plan=plan, goal_type="objective", description="Brush")
        code = ProcedureCode.objects.get(clinic=cast.clinic, code="D2740")
        return Procedure.add(by=cast.dentist, plan=plan, procedure_code=code, tooth="14")
    newest = patient.medical_history
    content = {"note": f"Told {number}"}
    return MedicalHistory.write(
        patient=patient, content=content, by=cast.desk, seen_number=newest.number if newest else 0)  # fmt: skip


def dump():
    """{(table, key): every column as it is stored}"""
    found = {}
    with connection.cursor() as cursor:
        for model in LIVING:
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            at = [column[0] for column in cursor.description].index("id")
            found |= {(model.__name__, str(row[at])): tuple(map(str, row)) for row in cursor.fetchall()}
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=WRITES, since=WRITES, choices=st.lists(st.booleans(), min_size=12, max_size=12))
def test_after_an_unmerge_earlier_rows_are_the_same_and_each_later_one_belongs_to_whom_was_chosen(
    cast, coded, before, since, choices
):
    with transaction.atomic():
        ada, twin = (
            Patient.register(by=cast.desk, first_name=name, last_name="Twin", date_of_birth=date(1980, 1, 1))
            for name in ("One", "Other")
        )
        for number, (kind, whose) in enumerate(before):
            write(cast, twin if whose else ada, kind, number)
        earlier = dump()
        numbers = [patient.medical_history.number if patient.medical_history else 0 for patient in (twin, ada)]
        twin.merge_into(ada, by=cast.manager, because="Same person", joined=({"note": "Joined"}, *numbers))
        for number, (kind, _) in enumerate(since, 12):
            write(cast, ada, kind, number)
        bundles = LaterRows(twin, ada).bundles
        chosen = {bundle.key: bundle.owner or (twin if choice else ada)
                  for bundle, choice in zip(bundles, choices, strict=False)}  # fmt: skip
        twin.unmerge(by=cast.manager, because="Two people",
                     owners={bundle.rows[0].pk: chosen[bundle.key] for bundle in bundles})  # fmt: skip
        now = dump()
        own = ("Patient", twin.pk.hex if connection.vendor == "sqlite" else str(twin.pk))  # it carried the link
        assert {key: now[key] for key in earlier if key != own} == {key: row for key, row in earlier.items() if key != own}
        for bundle in bundles:
            owner = chosen[bundle.key]
            for row in bundle.rows:
                rows = type(row).objects
                assert rows.of(owner).filter(pk=row.pk).exists()
                assert not rows.of(ada if owner == twin else twin).filter(pk=row.pk).exists()
        for patient in (ada, twin):
            holds = MedicalHistory.objects.of(patient).order_by("-at", "-id").first()
            assert holds == patient.medical_history
        assert Unmerge.objects.filter(patient=twin).count() == 1
        transaction.set_rollback(True)
