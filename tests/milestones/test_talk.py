"""What is said about a milestone, and what the patient decides on it."""
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from clinic.access.hats import hats_of
from clinic.db.refusals import NotAllowed, Refused, constraint_name
from clinic.models import Document, Notification, PortalAccess, User
from milestones.models import Approval, Comment, Evidence, Milestone
from tests.cast import PASSWORD, STAFF

APPROVED = {"decision": "approved", "signature_name": "Ada Lovelace"}
CHANGES = {"decision": "changes_requested", "comment": "The gap is still there"}
METRIC = {"evidence_type": "metric", "title": "Overjet", "value": 2}


@pytest.fixture
def patient(program):
    return program("patient")


@pytest.fixture
def say(cast, milestone):
    return lambda body="Well done", by=None, **more: Comment.write(
        by=by or cast.dentist, milestone=more.pop("on", milestone), body=body, **more)


# Comments


def test_staff_and_patient_talk_about_a_milestone(cast, dentist, patient, milestone):
    path = f"/milestones/{milestone.pk}/comments"
    asked = patient.post(path, {"body": "Does it hurt?"})
    assert (asked.status_code, asked.data["by_patient"], asked.data["internal"]) == (201, True, False)
    answer = dentist.post(path, {"body": "Not at all", "parent_id": asked.data["id"]})
    assert [answer.data[name] for name in ("parent_id", "by_patient", "author_id")] == [
        asked.data["id"], False, str(cast.user("dentist").pk)]
    for reader in (dentist, patient):
        assert [each["body"] for each in reader.get(f"/milestones/{milestone.pk}").data["comments"]] == [
            "Does it hurt?", "Not at all"]
        assert [each["body"] for each in reader.get(f"/milestone-comments/{milestone.plan_id}").data["items"]] == [
            "Does it hurt?", "Not at all"]


@pytest.mark.parametrize("role", [*STAFF, "patient"])
def test_who_reads_the_plan_writes_comments(program, milestone, role):
    assert program(role).post(f"/milestones/{milestone.pk}/comments", {"body": "Seen"}).status_code == 201


def test_a_coach_neither_reads_nor_writes_comments(program, milestone):
    coach = program("coach")
    assert coach.post(f"/milestones/{milestone.pk}/comments", {"body": "Seen"}).status_code == 403
    assert coach.get(f"/milestone-comments/{milestone.plan_id}").status_code == 403


def test_the_patient_sees_nothing_internal_and_writes_nothing_internal(cast, dentist, patient, milestone, say):
    path = f"/milestones/{milestone.pk}"
    hidden = dentist.post(f"{path}/comments", {"body": "Pays late", "internal": True}).data
    below = dentist.post(f"{path}/comments", {"body": "Call the mother", "parent_id": hidden["id"]}).data
    assert below["internal"] is True  # an answer to what is internal is internal
    assert patient.get(path).data["comments"] == []
    assert patient.get(f"/milestone-comments/{milestone.plan_id}").data == {"items": [], "count": 0}
    refused = patient.post(f"{path}/comments", {"body": "Me too", "internal": True})
    assert (refused.status_code, refused.data["errors"][0]["field"]) == (422, "internal")
    for key in (hidden["id"], str(uuid4())):
        answer = patient.post(f"{path}/comments", {"body": "What?", "parent_id": key})
        assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "parent_id")


def test_an_answer_stands_under_the_same_milestone(dentist, put_in, milestone, say):
    other = say(on=put_in("Other"))
    answer = dentist.post(f"/milestones/{milestone.pk}/comments", {"body": "x", "parent_id": str(other.pk)})
    assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "parent_id")


def test_of_a_draft_and_of_what_was_taken_out_the_patient_sees_nothing(cast, patient, draw_up, milestone):
    draft = Milestone.add(by=cast.dentist, plan=draw_up("Draft"), name="x")
    assert patient.post(f"/milestones/{draft.pk}/comments", {"body": "x"}).status_code == 404
    assert patient.get(f"/milestone-comments/{draft.plan_id}").status_code == 404
    milestone.withdraw(by=cast.dentist)
    assert patient.post(f"/milestones/{milestone.pk}/comments", {"body": "x"}).status_code == 404


def test_a_long_talk_is_answered_with_its_newest_part_and_listed_whole(cast, dentist, milestone, say, django_assert_num_queries):
    start = timezone.now() - timedelta(hours=5)
    for number in range(205):
        Comment(clinic=cast.clinic, patient=cast.ada, milestone=milestone, body=str(number), at=start + timedelta(minutes=number),
                by=cast.dentist.user).save()
    newest = [each["body"] for each in dentist.get(f"/milestones/{milestone.pk}").data["comments"]]
    assert newest == [str(number) for number in range(5, 205)]
    assert dentist.get(f"/milestone-comments/{milestone.plan_id}?limit=1").data["count"] == 205


@pytest.mark.parametrize(("body", "told"), [
    ("@Assistant Test look at this", ["assistant"]), ("Look, @assistant test!", ["assistant"]),
    ("@Assistant Test and @Manager Test, @Assistant Test", ["assistant", "manager"]), ("@Assistant Tester", []),
    ("assistant test", []), ("mail@Assistant", []), ("@Dentist Test", []), ("@Ada Lovelace", []), ("@Biller Other", [])])
def test_whom_a_comment_mentions_is_told_once_and_not_what_it_says(cast, say, milestone, body, told):
    say(body, by=cast.dentist)
    rows = Notification.objects.filter(clinic=cast.clinic, kind="milestone_mention")
    assert sorted(row.user.email.split("@")[0] for row in rows) == told
    for row in rows:
        assert row.url == f"/milestones/{milestone.pk}/"
        assert body not in f"{row.sentence}{row.key}{row.url}"


def test_who_no_longer_works_here_is_not_told(cast, say):
    cast.user("assistant").memberships.get().end(by=cast.manager, because="Moved")
    say("@Assistant Test look")
    assert not Notification.objects.filter(kind="milestone_mention").exists()


@pytest.mark.parametrize(("values", "name"), [
    ({"internal": True, "by_patient": True}, "milestones_comment_patients_see_their_own"),
    ({"parent": "other"}, "milestones_comment_parent_same_milestone"),
    ({"parent": "internal"}, "milestones_comment_internal_stays")])
def test_the_database_keeps_talk_in_its_place(cast, milestone, put_in, say, values, name):
    parents = {"other": say(on=put_in("Other")), "internal": say(internal=True)}
    values = {key: parents.get(value, value) for key, value in values.items()}
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Comment(clinic=cast.clinic, patient=cast.ada, milestone=milestone, body="x", **values).save()
    assert constraint_name(caught.value) == name


def test_nobody_writes_nothing(cast, say, dentist, milestone):
    with pytest.raises(ValidationError):
        say("  ")
    assert dentist.post(f"/milestones/{milestone.pk}/comments", {"body": " "}).status_code == 422


# Approvals


@pytest.fixture
def waiting(put_in):
    return put_in("Pay half", charge_amount=500)


def test_the_patient_approves_what_waits_for_it_and_it_is_achieved(cast, dentist, patient, waiting):
    path = f"/milestones/{waiting.pk}"
    assert waiting.requires_approval
    refused = dentist.post(f"{path}/achieve")
    assert (refused.status_code, "approval" in refused.data["detail"]) == (409, True)
    answer = patient.post(f"{path}/approve", APPROVED)
    assert answer.status_code == 200
    assert {name: answer.data[name] for name in ("milestone_id", "decision", "signature_name", "approved_by", "is_intact",
                                                 "evidence_changed")} == {
        "milestone_id": str(waiting.pk), "decision": "approved", "signature_name": "Ada Lovelace",
        "approved_by": str(cast.user("patient").pk), "is_intact": True, "evidence_changed": False}
    assert dentist.get(path).data["approvals"] == [answer.data]
    assert patient.get(f"/milestone-approvals/{waiting.plan_id}").data["items"] == [answer.data]
    assert dentist.post(f"{path}/achieve").data["status"] == "ACHIEVED"


def test_the_latest_decision_decides(cast, patient, waiting):
    path = f"/milestones/{waiting.pk}/approve"
    patient.post(path, APPROVED)
    assert waiting.missing() == []
    patient.post(path, CHANGES)
    assert waiting.missing() == ["approval"]
    patient.post(path, APPROVED)
    assert waiting.missing() == []
    assert Approval.objects.count() == 3


@pytest.mark.parametrize("role", [*STAFF, "coach"])
def test_nobody_of_the_practice_approves(cast, program, waiting, role):
    assert program(role).post(f"/milestones/{waiting.pk}/approve", APPROVED).status_code == 403
    with pytest.raises(NotAllowed):
        Approval.give(by=cast.actor(role), milestone=waiting, decision="approved", signature_name="x")


@pytest.mark.parametrize(("relationship", "born"), [("guardian", 2015), ("proxy", 1985)])
def test_who_acts_for_the_patient_approves(cast, waiting, relationship, born):
    cast.ada.change(by=cast.desk, date_of_birth=date(born, 12, 10))
    user = User.objects.create_user("mother@test.example", PASSWORD, name="Mother")
    access = PortalAccess.grant(user=user, patient=cast.ada, relationship=relationship, by=cast.manager)
    actor = next(iter(hats_of(user)))
    Approval.give(by=actor, milestone=waiting, decision="approved", signature_name="Mother")
    assert waiting.is_approved
    access.revoke(by=cast.manager, because="Of age")
    assert not list(hats_of(User.objects.get(pk=user.pk)))


def test_of_another_patient_nothing_is_there_to_approve(cast, patient, draw_up):
    hers = draw_up("Hers", patient=cast.grace).activate(by=cast.dentist)
    row = Milestone.add(by=cast.dentist, plan=hers, name="x", requires_approval=True)
    assert patient.post(f"/milestones/{row.pk}/approve", APPROVED).status_code == 404
    assert patient.get(f"/milestone-approvals/{hers.pk}").status_code == 404
    with pytest.raises(NotAllowed):
        Approval.give(by=cast.portal, milestone=row, decision="approved", signature_name="Ada")


def test_an_approval_is_signed_and_a_wish_need_not_be(patient, waiting):
    path = f"/milestones/{waiting.pk}/approve"
    for body in ({"decision": "approved"}, {"decision": "approved", "signature_name": " "}):
        answer = patient.post(path, body)
        assert (answer.status_code, answer.data["errors"][0]["field"]) == (422, "signature_name")
    assert patient.post(path, {"decision": "perhaps"}).status_code == 422
    assert patient.post(path, {"decision": "changes_requested"}).status_code == 200


@pytest.mark.parametrize("state", ["not_needed", "achieved", "cancelled", "approved"])
def test_what_waits_for_no_approval_takes_none(cast, patient, put_in, waiting, state):
    if state == "not_needed":
        waiting = put_in("Free")
    elif state == "cancelled":
        waiting.cancel(by=cast.dentist, because="Not needed")
    else:
        patient.post(f"/milestones/{waiting.pk}/approve", APPROVED)
        if state == "achieved":
            waiting.achieve(by=cast.dentist)
    before = Approval.objects.count()
    assert patient.post(f"/milestones/{waiting.pk}/approve", APPROVED).status_code == 409
    assert Approval.objects.count() == before


def test_an_approval_freezes_what_was_seen(cast, dentist, patient, waiting):
    letter = Document.add(by=cast.dentist, patient=cast.ada, kind="letter", content=b"Dear Ada", name="a.txt")
    Evidence.add(by=cast.dentist, milestone=waiting, **METRIC)
    Evidence.add(by=cast.dentist, milestone=waiting, evidence_type="document", title="Photos", file=b"Teeth")
    Evidence.add(by=cast.dentist, milestone=waiting, evidence_type="document", title="Letter", record=("document", letter))
    patient.post(f"/milestones/{waiting.pk}/approve", APPROVED)
    approval = Approval.objects.get()
    for part in ("Pay half", "500.00", "Overjet", letter.file.sha256, waiting.evidence.get(title="Photos").attachment.sha256):
        assert part in approval.text
    shown = lambda: dentist.get(f"/milestones/{waiting.pk}").data["approvals"][0]  # noqa: E731
    assert (shown()["is_intact"], shown()["evidence_changed"]) == (True, False)
    waiting.revise(by=cast.dentist, notes="Seen")
    assert shown()["evidence_changed"] is False
    waiting.evidence.get(title="Overjet").withdraw(by=cast.dentist, because="Misread")
    assert (shown()["is_intact"], shown()["evidence_changed"]) == (True, True)
    assert waiting.missing() == []  # what was approved stays approved
    assert patient.post(f"/milestones/{waiting.pk}/approve", APPROVED).status_code == 200  # and may be approved as it is now


@pytest.mark.parametrize("column", ["decision", "signature_name", "comment", "text", "digest", "at"])
def test_a_spoilt_approval_is_found_out(cast, patient, waiting, column):
    patient.post(f"/milestones/{waiting.pk}/approve", CHANGES | {"signature_name": "Ada"})
    approval = Approval.objects.get()
    assert approval.is_intact
    setattr(approval, column, {"decision": "approved", "at": approval.at + timedelta(seconds=1)}.get(column, "spoilt"))
    assert not approval.is_intact


@pytest.mark.parametrize("table", ["approval", "comment", "timewithdrawal"])
def test_what_was_said_and_decided_stands_in_the_database(cast, patient, waiting, say, table):
    patient.post(f"/milestones/{waiting.pk}/approve", CHANGES)
    say()
    with connection.cursor() as cursor:
        for sql in (f"UPDATE milestones_{table} SET at = at", f"DELETE FROM milestones_{table}"):
            cursor.execute(f"SELECT COUNT(*) FROM milestones_{table}")
            if cursor.fetchone()[0]:
                with pytest.raises(IntegrityError) as caught, transaction.atomic():
                    cursor.execute(sql)
                assert constraint_name(caught.value) == f"milestones_{table}_append_only"


def test_which_milestones_wait_for_the_patient(cast, patient, plan, put_in):
    simple, shown, decided, refused, gone = (
        put_in(name, requires_approval=True, requires_evidence=name == "Shown") for name in
        ("Simple", "Shown", "Decided", "Refused", "Gone"))
    put_in("Free")
    gone.cancel(by=cast.dentist, because="x")
    patient.post(f"/milestones/{decided.pk}/approve", APPROVED)
    patient.post(f"/milestones/{refused.pk}/approve", CHANGES)
    waiting = lambda: set(Milestone.objects.awaiting_approval())  # noqa: E731
    assert waiting() == {simple}
    Evidence.add(by=cast.dentist, milestone=shown, **METRIC)
    assert waiting() == {simple, shown}
    Evidence.add(by=cast.dentist, milestone=refused, **METRIC)  # something was done about it
    assert waiting() == {simple, shown, refused}
    plan.discontinue(by=cast.dentist, because="Moved")
    assert waiting() == set()


def test_what_hangs_on_a_milestone_keeps_it_in_the_plan(cast, dentist, patient, waiting):
    patient.post(f"/milestones/{waiting.pk}/approve", CHANGES)
    answer = dentist.delete(f"/milestones/{waiting.pk}")
    assert (answer.status_code, "has approvals" in answer.data["detail"]) == (409, True)
    assert dentist.post(f"/milestones/{waiting.pk}/cancel", {"reason": "Other plan"}).status_code == 200


def test_two_who_approve_at_once_leave_one_approval_of_what_they_saw(cast, waiting):
    Approval.give(by=cast.portal, milestone=waiting, decision="approved", signature_name="Ada")
    with pytest.raises(Refused, match="already"):
        Approval.give(by=cast.portal, milestone=waiting, decision="approved", signature_name="Ada")
