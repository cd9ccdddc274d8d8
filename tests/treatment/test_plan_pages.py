"""The pages of coded plans: what they show, what they write, what they cost."""
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from charting.models import ClinicalNote, Finding
from scheduling.models import Appointment, AppointmentType, AppointmentTypeCode
from tests.cast import User
from treatment.models import Consent, Goal, Phase, Procedure, ProcedureNote, TreatmentPlan

pytestmark = pytest.mark.wide


@pytest.fixture
def drill(sign_in):
    return sign_in("dentist")


@pytest.fixture
def send(drill):
    """`send("/plans/…/line/", entry="14 crown")`: the dentist's POST, as the browser sends it."""
    def post(path, client=None, **fields):
        client = client or drill
        return client.post(path, fields)
    return post


def test_each_page_of_a_plan_opens(cast, drill, agreed):
    consent = Consent.take(
        by=cast.dentist, plan=agreed, procedures=list(agreed.procedures.all()), signed_by="patient", signature_name="Ada",
        explained="Risks", now=agreed.created_at)
    row = agreed.procedures.first()
    for path in (f"/patients/{cast.ada.pk}/plans/", f"/patients/{cast.ada.pk}/plans/new/", f"/patients/{cast.ada.pk}/plans/panel/",
                 f"/plans/{agreed.pk}/", f"/plans/{agreed.pk}/edit/", f"/plans/{agreed.pk}/print/",
                 f"/plans/{agreed.pk}/alternatives/", f"/plans/{agreed.pk}/versions/1/", f"/plans/{agreed.pk}/procedures/new/",
                 f"/procedures/{row.pk}/edit/", f"/procedures/{row.pk}/void/", f"/plans/{agreed.pk}/consents/new/",
                 f"/consents/{consent.pk}/", "/procedures/codes/?q=crown", "/procedures/diagnoses/?q=caries"):
        assert drill.get(path).status_code == 200, path


def test_a_line_plans_several_things_and_the_wrong_word_stays_typed(cast, send, plan, codes):
    done = send(f"/plans/{plan.pk}/line/", entry="14 crown; 19 mo comp; d4341 ur; d1110; 3-5 d6930")
    assert done.status_code == 302
    assert [(row.procedure_code.code, row.place.said("universal")) for row in plan.procedures.select_related("procedure_code")] == [
        ("D2740", "14"), ("D2392", "19 MO"), ("D4341", "UR"), ("D1110", ""), ("D6930", "3-5")]
    wrong = send(f"/plans/{plan.pk}/line/", entry="18 crown; 20 nonsense")
    page = wrong.content.decode()
    assert wrong.status_code == 422
    assert 'value="18 crown; 20 nonsense"' in page
    assert "<mark>nonsense</mark>" in page
    assert plan.procedures.count() == 5


@pytest.mark.parametrize(("text", "word"), [
    ("d2740", "d2740"), ("d2740 99", "99"), ("14 d2740 mod", "mod"), ("d2392 19", "19"), ("d2392 19 xx", "xx"), ("d4341 zz", "zz"),
    ("d1110 3", "3"), ("14 watch", "watch"), ("d5110 left", "left"), ("d6930 3", "3"), ("14", "14")])
def test_each_fault_of_the_line_names_its_word(drill, send, plan, codes, text, word):
    page = send(f"/plans/{plan.pk}/preview/", entry=text).content.decode()
    assert f"<mark>{word}</mark>" in page
    assert not plan.procedures.exists()


def test_the_preview_offers_code_and_fee_for_the_counted_surfaces(send, plan, codes):
    for letters, code in (("o", "D2391"), ("mo", "D2392"), ("mod", "D2393"), ("modb", "D2394"), ("dbv", "D2392")):
        page = send(f"/plans/{plan.pk}/preview/", entry=f"19 {letters} comp").content.decode()
        assert code in page
        assert f"{codes[code].fee:,.2f}" in page


def test_what_the_chart_says_to_be_planned_goes_into_a_draft(cast, drill, codes):
    chart = f"/patients/{cast.ada.pk}/chart/enter/"
    assert drill.post(chart, {"entry": "14 crown pfm plan; 19 caries o"}).status_code == 302
    plan = TreatmentPlan.objects.get()
    assert (plan.status, plan.provider) == ("draft", cast.drill)
    assert [row.procedure_code.code for row in plan.procedures.all()] == ["D2750"]
    assert drill.post(chart, {"entry": "3 rct plan"}).status_code == 302
    assert plan.procedures.count() == 2
    assert set(Finding.objects.values_list("condition", "status")) == {
        ("crown", "planned"), ("caries", "condition"), ("root_canal", "planned")}


def test_who_may_not_plan_is_told_so_in_the_chart(cast, sign_in, codes):
    answer = sign_in("hygienist").post(f"/patients/{cast.ada.pk}/chart/enter/", {"entry": "14 crown plan; 19 caries o"})
    assert answer.status_code == 403
    assert not Finding.objects.exists()


def test_several_are_completed_at_once_and_the_note_on_them_is_begun(cast, drill, send, agreed):
    rows = list(agreed.procedures.all())
    answer = send(f"/plans/{agreed.pk}/procedures/complete/", procedure=[str(row.pk) for row in rows])
    assert answer.status_code == 302
    assert set(agreed.procedures.values_list("status", flat=True)) == {"completed"}
    page = drill.get(answer.url).content.decode()
    assert "Crown, tooth 14" in page
    assert "Filling, tooth 19 MO" in page
    saved = drill.post(answer.url, {"kind": "progress", "body": "Done", "about_row": [str(row.pk) for row in rows]})
    assert saved.status_code == 302
    note = ClinicalNote.objects.get()
    assert set(ProcedureNote.objects.filter(note=note).values_list("procedure", flat=True)) == {row.pk for row in rows}
    assert "19 MO White filling" in drill.get(f"/notes/{note.pk}/").content.decode()


def test_a_day_to_come_is_refused_with_what_was_ticked_still_ticked(cast, send, agreed):
    row = agreed.procedures.first()
    answer = send(f"/plans/{agreed.pk}/procedures/complete/", procedure=[str(row.pk)], on="1/1/2090")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'value="{row.pk}"' in page
    assert "checked" in page
    assert 'value="1/1/2090"' in page
    assert not Procedure.objects.filter(status="completed").exists()


def test_a_visit_booked_from_the_plan_carries_the_procedures(cast, drill, sign_in, agreed, at):
    desk, rows = sign_in("receptionist"), list(agreed.procedures.all())
    on = desk.post(f"/plans/{agreed.pk}/procedures/book/", {"procedure": [str(row.pk) for row in rows]})
    assert on.status_code == 302
    page = desk.get(on.url).content.decode()
    assert "Crown, all ceramic" in page
    minutes = sum(row.procedure_code.minutes for row in rows)
    assert f'value="{minutes}"' in page
    booked = desk.post("/visits/book/", {
        "patient": str(cast.ada.pk), "appointment_type": str(cast.exam.pk), "provider": str(cast.drill.pk),
        "operatory": str(cast.operatories[0].pk), "day": "2026-12-01", "time": "9:00", "minutes": str(minutes),
        "carries": [str(row.pk) for row in rows]})
    assert booked.status_code == 302
    visit = Appointment.objects.get()
    assert set(agreed.procedures.values_list("appointment", flat=True)) == {visit.pk}
    assert "Crown, all ceramic" in drill.get(f"/visits/{visit.pk}/").content.decode()
    assert "Crown, all ceramic" not in desk.get("/plans/unscheduled/").content.decode()
    visit.cancel(by=cast.desk, because="Ill")
    assert "Crown, all ceramic" in desk.get("/plans/unscheduled/").content.decode()


def test_booking_what_is_planned_asks_for_its_provider_its_type_and_its_minutes(cast, sign_in, agreed, codes):
    desk, crown = sign_in("receptionist"), agreed.procedures.first()
    bridge_work = AppointmentType.objects.filter(clinic=cast.clinic).exclude(pk=cast.exam.pk).first() or cast.exam
    AppointmentTypeCode(appointment_type=bridge_work, procedure_code=crown.procedure_code).record(by=cast.manager)
    page = desk.get(f"/visits/book/?patient={cast.ada.pk}&carries={crown.pk}")
    form = page.context["form"]
    assert form.initial["provider"] == cast.drill.pk
    assert form.initial["minutes"] == crown.procedure_code.minutes
    if bridge_work.allows(cast.drill):
        assert form.initial["appointment_type"] == bridge_work.pk
    assert {row["provider"] for row in page.context["free"]} <= {cast.drill.short_name}
    assert {(row["ends_at"] - row["starts_at"]).seconds // 60 for row in page.context["free"]} <= {crown.procedure_code.minutes}
    visit = Appointment.book(by=cast.desk, patient=cast.ada, operatory=cast.operatories[0], provider=cast.drill,
                             appointment_type=cast.exam, starts_at=timezone.now() + timedelta(days=3))
    crown.book_into(by=cast.desk, appointment=visit)
    assert "Booked already: 14 Crown" in desk.get(f"/visits/book/?patient={cast.ada.pk}&carries={crown.pk}").content.decode()


def test_a_code_that_is_not_meant_for_the_surfaces_says_which_is(send, plan, codes):
    page = send(f"/plans/{plan.pk}/preview/", entry="d2392 19 mod").content.decode()
    assert "not meant for this: D2393 is" in page


def test_completed_work_without_a_note_says_so_until_there_is_one(cast, drill, agreed):
    row = agreed.procedures.first()
    row.complete(by=cast.dentist)
    assert "write the note" in drill.get(f"/plans/{agreed.pk}/").content.decode()
    drill.post(f"/patients/{cast.ada.pk}/notes/new/", {"kind": "progress", "body": "Done", "about_row": [str(row.pk)]})
    assert "write the note" not in drill.get(f"/plans/{agreed.pk}/").content.decode()


def test_another_patients_procedures_are_not_carried(cast, sign_in, agreed):
    row = agreed.procedures.first()
    sign_in("receptionist").post("/visits/book/", {
        "patient": str(cast.grace.pk), "appointment_type": str(cast.exam.pk), "provider": str(cast.drill.pk),
        "operatory": str(cast.operatories[0].pk), "day": "2026-12-01", "time": "9:00", "carries": str(row.pk)})
    row.refresh_from_db()
    assert row.appointment is None


def test_the_steps_are_buttons_and_a_refused_one_says_why(cast, drill, send, plan, put_in):
    put_in(plan)
    send(f"/plans/{plan.pk}/steps/present/")
    plan.refresh_from_db()
    assert plan.status == "proposed"
    refused = send(f"/plans/{plan.pk}/steps/resume/")
    assert refused.status_code == 409
    assert "from there it can" in refused.content.decode()
    send(f"/plans/{plan.pk}/steps/decline/", because="Too dear")
    plan.refresh_from_db()
    assert (plan.status, plan.status_because) == ("declined", "Too dear")


def test_a_plan_is_drawn_up_by_the_form_beside_another_one(cast, drill, send, plan):
    fields = {"title": "Onlay", "provider": str(cast.drill.pk), "treatment_type": "RESTORATIVE", "start_date": "today",
              "review_frequency_days": "90", "diagnosis_codes": "K02.9 decay\nK04.0", "presenting_problems": "Pain\nCold",
              "beside": str(plan.pk)}
    made = send(f"/patients/{cast.ada.pk}/plans/new/", **fields)
    assert made.status_code == 302
    other = TreatmentPlan.objects.get(title="Onlay")
    plan.refresh_from_db()
    assert other.alternative_group == plan.alternative_group is not None
    assert [row["code"] for row in other.diagnosis_codes] == ["K02.9", "K04.0"]
    assert other.presenting_problems == ["Pain", "Cold"]
    wrong = send(f"/patients/{cast.ada.pk}/plans/new/", **fields | {"diagnosis_codes": "nonsense"})
    assert wrong.status_code == 422
    assert "no diagnosis code" in wrong.content.decode()


def test_of_two_who_change_a_plan_the_second_sees_both(cast, drill, send, plan):
    page = drill.get(f"/plans/{plan.pk}/edit/")
    fields = {"title": "Mine", "treatment_type": "GENERAL", "start_date": str(plan.start_date), "review_frequency_days": "90",
              "version": str(plan.version)}
    plan.revise(by=cast.dentist, title="Theirs")
    answer = send(f"/plans/{plan.pk}/edit/", **fields)
    assert page.status_code == 200
    assert answer.status_code == 409
    assert "Mine" in answer.content.decode()
    assert "Theirs" in answer.content.decode()


def test_of_two_who_change_a_procedure_the_second_sees_both(cast, drill, send, plan, put_in):
    row = put_in(plan, "D2740", tooth="14")
    form = {"code": "D2740", "tooth": "14", "fee": f"{row.fee}", "estimated_visits": "1", "version": row.version,
            "provider": row.provider_id, "note": "Mine"}
    row.revise(by=cast.dentist, note="Theirs")
    answer = send(f"/procedures/{row.pk}/edit/", **form)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Mine" in page
    assert "Theirs" in page
    send(f"/procedures/{row.pk}/edit/", **form | {"version": row.version, "take": "chosen", "choice-note": "mine"})
    row.refresh_from_db()
    assert row.note == "Mine"


def test_another_code_in_the_form_brings_its_fee_unless_one_is_typed(cast, send, plan, put_in, codes):
    row = put_in(plan, "D2740", tooth="14", fee=1)
    path, form = f"/procedures/{row.pk}/edit/", {
        "code": "D2750", "tooth": "14", "fee": "1.00", "estimated_visits": "1", "provider": row.provider_id}
    send(path, **form, version=row.version)
    row.refresh_from_db()
    assert (row.procedure_code.code, row.fee) == ("D2750", codes["D2750"].fee)
    send(path, **form | {"fee": "7"}, version=row.version)
    row.refresh_from_db()
    assert row.fee == 7
    send(path, **form | {"fee": ""}, version=row.version)  # the office's again
    row.refresh_from_db()
    assert row.fee == codes["D2750"].fee


def test_the_order_is_changed_without_a_mouse_or_javascript(cast, send, plan, put_in):
    first, second, third = (put_in(plan, tooth=tooth) for tooth in ("3", "14", "19"))
    send(f"/procedures/{third.pk}/edit/", code="D2740", tooth="19", fee=f"{third.fee}", estimated_visits="1", version=third.version,
         provider=third.provider_id, position="1")
    assert list(plan.procedures.in_order()) == [third, first, second]


def test_a_phase_is_called_otherwise_and_an_empty_one_is_taken_out(cast, drill, send, plan, put_in):
    urgent, later = (Phase.add(by=cast.dentist, plan=plan, name=name) for name in ("Urgent", "Later"))
    put_in(plan, tooth="14", phase=urgent)
    assert "Take out of the plan" not in drill.get(f"/phases/{urgent.pk}/").content.decode()
    assert send(f"/phases/{urgent.pk}/", name="Later", version=urgent.version).status_code == 422
    send(f"/phases/{urgent.pk}/", name="At once", version=urgent.version)
    assert send(f"/phases/{urgent.pk}/withdraw/").status_code == 409
    assert send(f"/phases/{later.pk}/withdraw/").status_code == 302
    assert [row.name for row in plan.phases.in_force()] == ["At once"]
    assert drill.get(f"/phases/{later.pk}/").status_code == 404


def test_a_line_of_several_makes_one_copy_of_the_plan(cast, send, plan, codes):
    plan.present(by=cast.dentist)
    send(f"/plans/{plan.pk}/line/", entry="14 crown; 19 mo comp; d4341 ur")
    assert plan.versions.count() == 2


def test_a_consent_is_over_the_copy_that_was_shown(cast, drill, send, agreed):
    path = f"/plans/{agreed.pk}/consents/new/"
    shown = drill.get(path).context["form"]["number"].value()
    form = {"decision": "declined", "explained": "Risks", "signed_by": "patient", "signature_name": "Ada", "procedures": [
        str(row.pk) for row in agreed.procedures.all()]}
    agreed.revise(by=cast.dentist, title="Crown and more")
    answer = send(path, **form, number=shown)
    page = answer.content.decode()
    assert (answer.status_code, Consent.objects.count()) == (422, 0)
    assert "The plan was changed since" in page
    assert ">Risks</textarea>" in page.replace("\n", "")
    assert send(path, **form, number=answer.context["form"]["number"].value()).status_code == 302
    assert Consent.objects.get().plan_version.number == agreed.versions.newest().number


def test_who_declines_need_not_sign_and_who_agrees_does(send, agreed):
    form = {"explained": "Risks", "signed_by": "patient", "signature_name": "Ada", "number": agreed.number, "procedures": [
        str(row.pk) for row in agreed.procedures.all()]}
    assert send(f"/plans/{agreed.pk}/consents/new/", **form, decision="given").status_code == 422
    assert send(f"/plans/{agreed.pk}/consents/new/", **form, decision="declined").status_code == 302


def test_a_manager_assigns_the_plan_and_names_writers(cast, drill, send, sign_in, plan):
    manager = sign_in("manager")
    assert drill.get(f"/plans/{plan.pk}/team/").status_code == 403
    manager.post(f"/plans/{plan.pk}/team/assign/", {"provider": str(cast.holly.pk)})
    plan.refresh_from_db()
    assert plan.provider == cast.holly
    assert plan.may_write(cast.hygienist)
    assert not plan.may_write(cast.dentist)
    manager.post(f"/plans/{plan.pk}/team/add/", {"user": str(cast.user("dentist").pk), "is_writer": "on"})
    assert plan.may_write(cast.actor("dentist"))
    member = plan.care_team.current().get(user=cast.user("dentist"))
    manager.post(f"/plans/{plan.pk}/team/{member.pk}/end/")
    assert not plan.may_write(cast.actor("dentist"))


def test_a_plan_page_costs_the_same_with_one_procedure_and_with_sixty(cast, drill, plan, put_in, codes):
    put_in(plan, tooth="1", phase=Phase.add(by=cast.dentist, plan=plan, name="First"))
    Goal.set_out(by=cast.dentist, plan=plan, goal_type="long_term", description="Chew again")
    plan.present(by=cast.dentist)
    counts = []
    for number in range(2):
        drill.get(f"/plans/{plan.pk}/")
        with CaptureQueriesContext(connection) as asked:
            assert drill.get(f"/plans/{plan.pk}/").status_code == 200
        counts.append(len(asked))
        if not number:
            for phase in range(4):
                row = Phase.add(by=cast.dentist, plan=plan, name=f"Phase {phase}")
                for tooth in range(1, 16):
                    put_in(plan, tooth=str(tooth), phase=row)
            for goal in range(50):
                Goal.set_out(by=cast.dentist, plan=plan, goal_type="objective", description=f"Goal {goal}")
    assert counts[0] == counts[1]


def test_a_stranger_finds_no_page_of_a_plan(cast, agreed):
    client = Client()
    client.force_login(User.objects.get(email="dentist@other.example"))
    row = agreed.procedures.first()
    for path in (f"/plans/{agreed.pk}/", f"/plans/{agreed.pk}/edit/", f"/procedures/{row.pk}/edit/",
                 f"/plans/{agreed.pk}/versions/1/", f"/plans/{agreed.pk}/print/"):
        assert client.get(path).status_code == 404


def test_the_exit_card_says_what_of_the_plan_and_the_note_is_unfinished(cast, sign_in, agreed, book):
    first, second = agreed.procedures.all()
    visit = book()
    first.book_into(by=cast.desk, appointment=visit)
    page = sign_in("receptionist").get(f"/visits/{visit.pk}/exit/").content.decode()
    assert "Not completed: 14 Crown, all ceramic" in page
    assert "Planned, not booked: 19 MO White filling" in page
    assert "No note was written yet." in page
    note = ClinicalNote.write(by=cast.dentist, patient=cast.ada, kind="progress", body="Done", appointment=visit)
    second.complete(by=cast.dentist)
    first.complete(by=cast.dentist)
    page = sign_in("receptionist").get(f"/visits/{visit.pk}/exit/").content.decode()
    assert "is not signed" in page
    assert "Crown" not in page
    note.sign(by=cast.dentist)
    assert "Note of this visit" not in sign_in("receptionist").get(f"/visits/{visit.pk}/exit/").content.decode()


def test_the_quick_buttons_beside_the_chart_write_words_that_plan(cast, drill, sign_in, codes):
    chart = f"/patients/{cast.ada.pk}/chart/"
    page = drill.get(chart).content.decode()
    assert 'data-word="crown porcelain plan"' in page
    assert 'data-word="filling composite plan"' in page
    assert 'data-word="missing plan"' in page
    drill.post(f"{chart}enter/", {"entry": "14 missing plan; 19 mo filling composite plan; 3 rct plan"})
    assert [row.procedure_code.code for row in Procedure.objects.order_by("sequence")] == ["D7140", "D2392", "D3330"]
    assert "palette-plans" not in sign_in("hygienist").get(chart).content.decode()
