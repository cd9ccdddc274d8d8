"""Coded plans by the API: planned from the catalogue, presented, agreed to, done."""
import base64
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from charting.models import Finding
from clinic.db.refusals import NotAllowed, Refused
from clinic.models import DiagnosisCode, Provider
from tests.pictures import picture
from treatment.models import CareTeamMember, Consent, Procedure


def add(dentist, plan, **body):
    return dentist.post(f"/treatment-plans/{plan.pk}/procedures", body)


def test_a_crown_is_planned_drawn_presented_accepted_and_completed(cast, dentist, plan, codes):
    path = f"/treatment-plans/{plan.pk}"
    crown = add(dentist, plan, code="D2740", tooth="14", diagnosis="K02.9", phase="Urgent")
    assert crown.status_code == 201
    said = {"code": "D2740", "tooth": "14", "surfaces": "", "phase": "Urgent", "sequence": 1, "status": "planned",
            "fee": f"{codes['D2740'].fee:.2f}", "diagnosis": "K02.9"}
    assert {name: crown.data[name] for name in said} == said
    chart = dentist.get(f"/patients/{cast.ada.pk}/chart").data["teeth"]["14"]["findings"]
    assert [(each["condition"], each["status"]) for each in chart] == [("crown", "planned")]
    assert dentist.post(f"/procedures/{crown.data['id']}/complete").status_code == 409  # nobody agreed to it yet
    assert dentist.post(f"{path}/activate").status_code == 409
    assert dentist.post(f"{path}/present").data["status"] == "proposed"
    assert dentist.post(f"{path}/accept").data["status"] == "accepted"
    done = dentist.post(f"/procedures/{crown.data['id']}/complete")
    assert (done.data["status"], done.data["completed_on"]) == ("completed", str(cast.clinic.today()))
    assert dentist.get(path).data["status"] == "completed"  # nothing is left in it
    chart = dentist.get(f"/patients/{cast.ada.pk}/chart").data["teeth"]["14"]["findings"]
    assert [(each["condition"], each["status"]) for each in chart] == [("crown", "completed")]


def test_completing_a_second_time_answers_the_same_record(dentist, agreed):
    row = agreed.procedures.first()
    first = dentist.post(f"/procedures/{row.pk}/complete")
    again = dentist.post(f"/procedures/{row.pk}/complete", {"note": "again"})
    assert (first.status_code, first.data) == (200, again.data)


@pytest.mark.parametrize(("body", "field"), [
    ({"code": "D2740"}, "tooth"), ({"code": "D2740", "tooth": "14", "surfaces": "MO"}, "surfaces"),
    ({"code": "D2392", "tooth": "19"}, "surfaces"), ({"code": "D2392", "tooth": "19", "surfaces": "MI"}, "surfaces"),
    ({"code": "D4341"}, "quadrant"), ({"code": "D4341", "quadrant": "XX"}, "quadrant"), ({"code": "D5110"}, "arch"),
    ({"code": "D1110", "tooth": "3"}, "tooth"), ({"code": "D9999"}, "code"), ({"code": "D2740", "tooth": "99"}, "tooth"),
    ({"code": "D6930", "tooth": "3"}, "tooth"), ({"code": "D2740", "tooth": "14", "fee": "-1.00"}, "fee"),
    ({"code": "D2740", "tooth": "14", "status": "completed"}, "status"),
    ({"code": "D2740", "tooth": "14", "status": "existing", "fee": "10.00"}, "fee"),
    ({"code": "D2740", "tooth": "14", "diagnosis": "nonsense"}, "diagnosis"),
    ({"code": "D2740", "tooth": "14", "balance": 1}, "balance"),
])
def test_what_the_code_does_not_ask_for_or_lacks_is_named(dentist, plan, codes, body, field):
    answer = add(dentist, plan, **body)
    assert (answer.status_code, [error["field"] for error in answer.data["errors"]]) == (422, [field])
    assert not Procedure.objects.exists()
    assert not Finding.objects.exists()


def test_surfaces_are_written_in_their_order_and_a_range_from_end_to_end(dentist, plan, codes):
    assert add(dentist, plan, code="D2393", tooth="19", surfaces="dom").data["surfaces"] == "MOD"
    assert add(dentist, plan, code="D6930", tooth="5-3").data["tooth"] == "3-5"


def test_the_fee_is_the_offices_unless_another_is_said_and_stands_once_it_is_done(cast, dentist, agreed, codes):
    row = agreed.procedures.first()
    assert row.fee == codes["D2740"].fee
    assert dentist.patch(f"/procedures/{row.pk}", {"fee": "999.00"}).data["fee"] == "999.00"
    dentist.post(f"/procedures/{row.pk}/complete")
    codes["D2740"].change(by=cast.manager, fee=1)
    assert dentist.get(f"/procedures/{row.pk}").data["fee"] == "999.00"
    assert dentist.patch(f"/procedures/{row.pk}", {"fee": "1.00"}).status_code == 409


def test_what_exists_already_has_no_fee_and_is_drawn_as_it_is(cast, dentist, plan, codes):
    for status, tooth in (("existing", "3"), ("existing_other", "4"), ("condition", "5"), ("referred", "6")):
        made = add(dentist, plan, code="D2740", tooth=tooth, status=status)
        assert (made.status_code, made.data["fee"]) == (201, "0.00")
    teeth = dentist.get(f"/patients/{cast.ada.pk}/chart").data["teeth"]
    assert {tooth: teeth[tooth]["findings"][0]["status"] for tooth in teeth} == {
        "3": "existing", "4": "existing_other", "5": "condition"}


def test_work_is_completed_today_or_earlier_never_later_nor_in_a_closed_period(cast, dentist, agreed):
    first = agreed.procedures.first()
    today = cast.clinic.today()
    late = dentist.post(f"/procedures/{first.pk}/complete", {"completed_on": str(today + timedelta(days=1))})
    assert (late.status_code, late.data["errors"][0]["field"]) == (422, "completed_on")
    cast.clinic.change(by=cast.manager, closed_through=today - timedelta(days=10))
    closed = dentist.post(f"/procedures/{first.pk}/complete", {"completed_on": str(today - timedelta(days=10))})
    assert closed.status_code == 409
    assert "closed through" in closed.data["detail"]
    fine = dentist.post(f"/procedures/{first.pk}/complete", {"completed_on": str(today - timedelta(days=9))})
    assert fine.data["completed_on"] == str(today - timedelta(days=9))
    on = {day: dentist.get(f"/patients/{cast.ada.pk}/chart?on={today - timedelta(days=day)}").data["teeth"] for day in (10, 9)}
    assert "14" not in on[10]
    assert on[9]["14"]["findings"][0]["status"] == "completed"


def test_voiding_needs_a_reason_and_takes_it_off_the_chart(cast, dentist, agreed):
    first = agreed.procedures.first()
    assert dentist.post(f"/procedures/{first.pk}/void", {}).status_code == 422
    dentist.post(f"/procedures/{first.pk}/complete")
    assert dentist.post(f"/procedures/{first.pk}/void", {"reason": "Wrong tooth"}).data["status"] == "cancelled"
    assert dentist.post(f"/procedures/{first.pk}/void", {"reason": "Again"}).status_code == 409
    assert "14" not in dentist.get(f"/patients/{cast.ada.pk}/chart").data["teeth"]
    drawn = Finding.objects.get(tooth="14", status="completed")
    assert drawn.error_because == "Wrong tooth"


def test_the_chart_refuses_by_hand_what_a_plan_wrote(cast, dentist, agreed):
    finding = agreed.procedures.first().finding
    for act in (lambda: finding.resolve(by=cast.dentist, because="x"), lambda: finding.mark_error(by=cast.dentist, because="x"),
                lambda: Finding.undo(by=cast.dentist, patient=cast.ada)):
        with pytest.raises(Refused):
            act()


def test_a_hygienist_completes_her_own_work_and_not_the_dentists(cast, program, agreed, put_in):
    cleaning = put_in(agreed, "D1110", by=cast.dentist, provider=cast.holly)
    crown = agreed.procedures.first()
    hygienist = program("hygienist")
    assert hygienist.post(f"/procedures/{crown.pk}/complete").status_code == 403
    done = hygienist.post(f"/procedures/{cleaning.pk}/complete")
    assert (done.status_code, done.data["status"]) == (200, "completed")
    assert program("assistant").post(f"/procedures/{crown.pk}/complete").status_code == 403
    assert program("receptionist").post(f"/procedures/{crown.pk}/complete").status_code == 403


def test_presenting_freezes_a_copy_and_later_changes_make_new_ones(cast, dentist, agreed):
    path = f"/treatment-plans/{agreed.pk}/versions"
    assert [(each["number"], each["kind"]) for each in dentist.get(path).data["items"]] == [(1, "presented")]
    row = agreed.procedures.first()
    dentist.patch(f"/procedures/{row.pk}", {"fee": "1.00"})
    dentist.patch(f"/procedures/{row.pk}", {"note": "not part of what was agreed"})
    assert [each["kind"] for each in dentist.get(path).data["items"]] == ["changed", "presented"]
    first, second = (dentist.get(f"{path}/{number}").data for number in (1, 2))
    assert first["is_intact"]
    assert first["digest"] != second["digest"]
    assert [each["content"]["procedures"][0]["fee"] for each in (first, second)] == ["1345.00", "1.00"]
    assert dentist.get(f"{path}/3").status_code == 404


def test_accepting_one_alternative_declines_the_others_with_that_reason(cast, dentist, draw_up, put_in):
    group = "0190a0a0-0000-7000-8000-000000000001"
    plans = [draw_up(title, alternative_group=group) for title in ("Crown", "Onlay", "Extraction")]
    for plan, code in zip(plans, ("D2740", "D2740", "D7140"), strict=True):
        put_in(plan, code, tooth="14")
        plan.present(by=cast.dentist)
    plans[0].accept(by=cast.dentist)
    for plan in plans[1:]:
        plan.refresh_from_db()
        assert (plan.status, plan.status_because) == ("declined", "Another one was chosen: Crown")
    chart = dentist.get(f"/patients/{cast.ada.pk}/chart").data["teeth"]["14"]["findings"]
    assert [(each["condition"], each["status"]) for each in chart] == [("crown", "planned")]
    plans[1].redraft(by=cast.dentist, because="Asks again")
    plans[1].present(by=cast.dentist)
    refused = dentist.post(f"/treatment-plans/{plans[1].pk}/accept")
    assert (refused.status_code, "alternatives" in refused.data["detail"]) == (409, True)


def test_alternatives_are_of_one_patient(cast, dentist, draw_up):
    group = "0190a0a0-0000-7000-8000-000000000002"
    draw_up(alternative_group=group)
    answer = dentist.post(f"/patients/{cast.grace.pk}/treatment-plans", {
        "title": "Hers", "start_date": str(cast.clinic.today()), "alternative_group": group})
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "alternative_group")


def consent(dentist, plan, **more):
    rows = [str(row.pk) for row in plan.procedures.all()]
    return dentist.post(f"/treatment-plans/{plan.pk}/consents", {
        "procedure_ids": rows, "signed_by": "patient", "signature_name": "Ada Lovelace", "explained": "Risks and costs", **more})


def test_consent_is_bound_to_the_frozen_copy_and_can_be_withdrawn(cast, dentist, agreed):
    drawn = "data:image/png;base64," + base64.b64encode(picture("PNG")).decode()
    made = consent(dentist, agreed, signature_image=drawn, witness="Holly")
    assert made.status_code == 201, made.data
    assert (made.data["plan_version"], made.data["has_signature"], len(made.data["procedure_ids"])) == (1, True, 2)
    row = Consent.objects.get()
    assert row.is_intact
    ended = dentist.post(f"/consents/{row.pk}/withdraw", {"reason": "Changed her mind"})
    assert ended.data["withdrawn_because"] == "Changed her mind"
    assert dentist.post(f"/consents/{row.pk}/withdraw", {"reason": "Again"}).status_code == 409


@pytest.mark.parametrize(("more", "field"), [
    ({"explained": " "}, "explained"), ({"signature_name": ""}, "signature_name"), ({"signed_by": "cat"}, "signed_by"),
    ({"signature_image": "data:image/png;base64,AAAA"}, "signature_image"), ({"signature_image": "hello"}, "signature_image"),
    ({"procedure_ids": ["0190a0a0-0000-7000-8000-000000000003"]}, "procedure_ids")])
def test_a_consent_that_says_too_little_is_refused(dentist, agreed, more, field):
    answer = consent(dentist, agreed, **more)
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, field)
    assert not Consent.objects.exists()


def test_a_draft_is_nothing_to_consent_to(dentist, plan, put_in):
    put_in(plan)
    assert consent(dentist, plan).status_code == 409


def test_declining_is_recorded_too(dentist, agreed):
    made = consent(dentist, agreed, decision="declined")
    assert made.data["decision"] == "declined"


def test_several_visits_take_a_session_each_and_the_last_completes(cast, agreed):
    row = agreed.procedures.first()
    row.revise(by=cast.dentist, estimated_visits=3)
    for number in (1, 2):
        row.work_on(by=cast.dentist)
        assert (row.status, row.sessions.count()) == ("in_progress", number)
    row.work_on(by=cast.dentist)
    assert (row.status, list(row.sessions.values_list("number", flat=True))) == ("completed", [1, 2, 3])


def test_the_order_is_changed_by_naming_it(cast, agreed, put_in):
    third = put_in(agreed, "D1110", by=cast.dentist, note="")
    first, second, _ = agreed.procedures.all()
    Procedure.reorder(by=cast.dentist, plan=agreed, keys=[third.pk, first.pk])
    assert list(agreed.procedures.values_list("pk", flat=True)) == [third.pk, first.pk, second.pk]


def test_a_provider_out_of_use_or_of_another_clinic_is_refused(cast, dentist, plan, codes):
    theirs = cast.outsider.drill
    gone = Provider(name="Dr. Gone", short_name="Gone", kind="dentist", is_active=False).record(by=cast.system)
    for provider in (theirs, gone):
        answer = add(dentist, plan, code="D2740", tooth="14", provider_id=str(provider.pk))
        assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "provider_id")


def test_only_days_that_are_over_can_be_closed(cast):
    with pytest.raises(ValidationError, match="that are over"):
        cast.clinic.change(by=cast.manager, closed_through=cast.clinic.today())


def test_a_patient_accepts_signs_and_withdraws_for_themselves_and_for_nobody_else(cast, program, plan, put_in, draw_up):
    row = put_in(plan)
    patient = program("patient")
    assert patient.post(f"/treatment-plans/{plan.pk}/accept").status_code == 404  # a draft is not theirs to see
    plan.present(by=cast.dentist)
    assert patient.post(f"/treatment-plans/{plan.pk}/accept").data["status"] == "accepted"
    signed = consent(patient, plan)
    assert (signed.status_code, signed.data["procedure_ids"]) == (201, [str(row.pk)])
    assert patient.post(f"/consents/{signed.data['id']}/withdraw", {"reason": "Thought again"}).status_code == 200
    assert patient.patch(f"/treatment-plans/{plan.pk}", {"title": "Mine"}).status_code == 403
    hers = draw_up(patient=cast.grace)
    put_in(hers)
    hers.present(by=cast.dentist)
    assert patient.post(f"/treatment-plans/{hers.pk}/accept").status_code == 404


def test_no_staff_page_of_a_plan_opens_for_the_patient(cast, sign_in, agreed):
    portal = sign_in("patient")
    for path in (f"/plans/{agreed.pk}/", f"/patients/{cast.ada.pk}/plans/", f"/plans/{agreed.pk}/print/",
                 f"/plans/{agreed.pk}/consents/new/", "/interventions/"):
        assert portal.get(path).status_code == 403, path


def test_another_code_brings_its_own_words_and_fee_and_is_one_in_use(cast, dentist, plan, put_in, codes):
    row = put_in(plan, "D2740", tooth="14")
    changed = dentist.patch(f"/procedures/{row.pk}", {"code": "D2750"})
    assert (changed.data["description"], changed.data["fee"]) == (codes["D2750"].description, f"{codes['D2750'].fee:.2f}")
    codes["D2790"].change(by=cast.manager, is_active=False)
    refused = dentist.patch(f"/procedures/{row.pk}", {"code": "D2790"})
    assert (refused.status_code, refused.data["errors"][0]["field"]) == (422, "code")


def test_a_colleagues_plan_is_set_beside_nothing(cast, plan, draw_up):
    theirs = draw_up("Theirs", provider=cast.bridge)
    with pytest.raises(NotAllowed):
        plan.set_beside(theirs, by=cast.dentist)
    theirs.refresh_from_db()
    assert theirs.alternative_group is None


def test_what_a_plan_says_stays_changeable_when_one_of_its_diagnoses_is_retired(cast, dentist, draw_up, put_in):
    plan = draw_up(diagnosis_codes=[{"code": "K02.9", "description": "Decay"}])
    row = put_in(plan, "D2740", tooth="14", diagnosis="K02.9")
    retire(cast, "K02.9")
    assert dentist.patch(f"/treatment-plans/{plan.pk}", {"title": "Crown"}).status_code == 200
    assert dentist.patch(f"/procedures/{row.pk}", {"note": "Cold"}).status_code == 200
    refused = dentist.post(f"/patients/{cast.ada.pk}/treatment-plans", {
        "title": "New", "start_date": str(cast.clinic.today()), "diagnosis_codes": [{"code": "K02.9"}]})
    assert refused.status_code == 422


def retire(cast, code):
    """A list in which this code holds no longer, and another one does."""
    day = cast.clinic.today()
    for each, until in ((code, day - timedelta(days=1)), ("Z00.0", None)):
        DiagnosisCode.objects.update_or_create(code=each, defaults={
            "description": "x", "is_billable": True, "release": day - timedelta(days=400), "effective_to": until,
            "effective_from": day - timedelta(days=400), "search_text": "x"})


def test_nobody_books_work_of_a_plan_that_is_over_nor_calls_who_comes_no_more(cast, agreed, book):
    row = agreed.procedures.first()
    assert Procedure.objects.visible_to(cast.desk).unscheduled().count() == 2
    cast.ada.change(by=cast.desk, status="archived")
    assert not Procedure.objects.visible_to(cast.desk).unscheduled().exists()
    cast.ada.change(by=cast.desk, status="active")
    agreed.decline(by=cast.dentist)
    row.refresh_from_db()
    with pytest.raises(Refused):
        row.book_into(by=cast.desk, appointment=book())


def test_consent_is_to_something_and_a_place_in_the_plan_is_a_field(cast, dentist, agreed):
    path = f"/treatment-plans/{agreed.pk}"
    refused = dentist.post(f"{path}/consents", {
        "procedure_ids": [], "signed_by": "patient", "signature_name": "Ada", "explained": "Risks"})
    assert (refused.status_code, refused.data["errors"][0]["field"]) == (422, "procedure_ids")
    first, second = dentist.get(f"{path}/procedures").data["items"]
    assert dentist.patch(f"/procedures/{second['id']}", {"sequence": 1}).data["sequence"] == 1
    assert [row["id"] for row in dentist.get(f"{path}/procedures").data["items"]] == [second["id"], first["id"]]


def test_work_of_years_ago_is_not_completed_but_existing(cast, dentist, agreed):
    row = agreed.procedures.first()
    refused = dentist.post(f"/procedures/{row.pk}/complete", {"completed_on": str(agreed.start_date - timedelta(days=400))})
    assert (refused.status_code, refused.data["errors"][0]["field"]) == (422, "completed_on")
    assert dentist.post(f"/procedures/{row.pk}/complete", {
        "completed_on": str(agreed.start_date - timedelta(days=30))}).status_code == 200


def test_presented_again_as_it_was_makes_no_new_copy(cast, plan, put_in):
    put_in(plan)
    plan.present(by=cast.dentist)
    plan.present(by=cast.dentist)
    assert plan.number == 1
    put_in(plan, tooth="3")
    plan.present(by=cast.dentist)
    assert plan.number == 2


def test_nobody_of_the_front_desk_becomes_a_writer(cast, plan):
    with pytest.raises(Refused, match="their role reads"):
        CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user("receptionist"), is_writer=True)
    assert not CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user("receptionist")).is_writer
