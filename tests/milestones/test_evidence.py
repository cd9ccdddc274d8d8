"""What shows that a milestone is reached: of each type exactly what fits, of the same patient, and never changed."""
import json
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from charting.models import ClinicalNote, PerioExam
from charting.perio import ToothFigures
from clinic.catalogue import load_starter
from clinic.db.refusals import Refused, constraint_name
from clinic.models import AccessEvent, Document, ProcedureCode, StoredFile
from milestones.models import Evidence
from milestones.models.evidence import web_address
from milestones.proposals import proposals
from tests.pictures import pdf
from treatment.models import Consent, Procedure

LINK = {"evidence_type": "link", "title": "Scan", "url": "https://scans.example/1"}
METRIC = {"evidence_type": "metric", "title": "Overjet", "value": 2.5}
PAPER = {"evidence_type": "document", "title": "Letter"}


@pytest.fixture
def send(dentist, milestone):
    """`send(METRIC, …)`: what comes of it as evidence."""
    return lambda body, **more: dentist.post(f"/milestones/{milestone.pk}/evidence", {**body, **more})


@pytest.fixture
def write_note(cast):
    return lambda patient=None, **more: ClinicalNote.write(
        by=cast.dentist, patient=patient or cast.ada, **{"kind": "progress", "body": "All brackets on.", **more})


@pytest.fixture
def examine_gums(cast):
    def make(patient=None, days_ago=0):
        exam = PerioExam.start(by=cast.dentist, patient=patient or cast.ada, teeth={"3": ToothFigures(pd=[3] * 6)})
        return exam.close(by=cast.dentist, now=timezone.now())
    return make


@pytest.fixture
def file_letter(cast):
    return lambda patient=None, **more: Document.add(**{
        "by": cast.dentist, "patient": patient or cast.ada, "kind": "letter", "content": uuid4().bytes.hex().encode(),
        "name": "letter.txt", **more})


@pytest.fixture
def work(cast, draw_up):
    """`work("D8080")`: a completed procedure of a plan of Ada's that runs."""
    load_starter(cast.system)

    def make(code="D8080", plan=None, done=True, **values):
        plan = plan or draw_up("Work").activate(by=cast.dentist)
        codes = {row.code: row for row in ProcedureCode.objects.filter(clinic=cast.clinic)}
        if not plan.procedures.open().exists():  # so that it does not end with the one that is completed
            Procedure.add(by=cast.dentist, plan=plan, procedure_code=codes["D0120"])
        row = Procedure.add(by=cast.dentist, plan=plan, procedure_code=codes[code], **values)
        return row.complete(by=cast.dentist) if done else row
    return make


def refused(answer, *fields):
    assert (answer.status_code, [error["field"] for error in answer.data["errors"]]) == (422, list(fields)), answer.data


# The types


@pytest.mark.parametrize("body", [LINK, METRIC, METRIC | {"value": "2 mm"}, METRIC | {"url": "http://x.example"}, PAPER | {
    "url": "https://x.example/letter.pdf", "description": "From the surgeon"}])
def test_evidence_is_answered_as_it_was_sent(cast, dentist, milestone, send, body):
    answer = send(body)
    assert answer.status_code == 201
    assert {name: answer.data[name] for name in body} == body
    assert {name: answer.data[name] for name in ("milestone_id", "attachment_id", "record", "created_by")} == {
        "milestone_id": str(milestone.pk), "attachment_id": None, "record": None, "created_by": str(cast.user("dentist").pk)}
    assert dentist.get(f"/milestones/{milestone.pk}").data["evidence"] == [answer.data]


@pytest.mark.parametrize(("body", "field"), [
    ({"evidence_type": "link", "title": "x"}, "url"), (LINK | {"value": 3}, "value"), (METRIC | {"value": None}, "value"),
    (METRIC | {"value": " "}, "value"), (METRIC | {"value": True}, "value"), (METRIC | {"value": [1]}, "value"),
    (METRIC | {"value": 1e300}, "value"), (PAPER, "file"), (PAPER | {"value": 2}, "value"), (LINK | {"title": " "}, "title"),
    (LINK | {"evidence_type": "photo"}, "evidence_type"), (LINK | {"attachment_id": str(uuid4())}, "attachment_id"),
    (PAPER | {"record": {"type": "visit", "id": str(uuid4())}}, "record.type"), (PAPER | {"record": "note"}, "record"),
    (PAPER | {"record": {"type": "note", "id": str(uuid4())}}, "record.id"), (LINK | {"file": "x"}, "file"),
    (PAPER | {"record": {"type": "image", "id": str(uuid4())}}, "record.type")])
def test_what_does_not_fit_is_refused_by_name(send, milestone, body, field):
    refused(send(body), field)
    assert not milestone.evidence.exists()


def test_a_number_beyond_all_numbers_is_no_figure(dentist, milestone):
    answer = dentist._read(dentist.client.generic(
        "POST", f"/api/v1/milestones/{milestone.pk}/evidence", '{"evidence_type": "metric", "title": "x", "value": 1e999}',
        "application/json", headers={"Authorization": f"Bearer {dentist.secret}"}))
    refused(answer, "value")


def test_images_are_not_kept_yet_and_the_refusal_says_so(send):
    answer = send(PAPER | {"record": {"type": "image", "id": str(uuid4())}})
    assert "Images are not kept here yet" in answer.data["detail"]


@pytest.mark.parametrize("url", [
    "javascript:alert(1)", "ftp://x.example", "//x.example", "x.example", "https://", "https:///path", "http://[",
    "https://a b.example", "https://user:secret@x.example", "data:text/html,x"])
def test_only_web_addresses_are_links(send, url):
    refused(send(LINK | {"url": url}), "url")


def test_an_address_is_kept_as_it_was_written_but_for_its_scheme():
    assert web_address(" HTTPS://X.example/A?b=C#d ") == "https://X.example/A?b=C#d"


# Files


def test_a_file_comes_as_a_form_and_is_kept_encrypted(cast, dentist, program, milestone):
    body = PAPER | {"description": "Signed"}
    sent = dentist.form(f"/milestones/{milestone.pk}/evidence", body | {"file": SimpleUploadedFile("final photos.pdf", pdf())})
    assert sent.status_code == 201, sent.data
    assert [sent.data[name] for name in ("title", "description", "file_name", "media_type")] == [
        "Letter", "Signed", "final photos.pdf", "application/pdf"]
    stored = StoredFile.objects.get(pk=sent.data["attachment_id"])
    assert stored.clinic_id == cast.clinic.pk
    assert stored.content() == pdf()
    for reader in (dentist, program("biller"), program("patient")):
        answer = reader.get(f"/milestone-evidence/{sent.data['id']}/content")
        assert b"".join(answer) == pdf()
        assert answer["Content-Disposition"] == 'attachment; filename="Letter.pdf"'
        assert "sandbox" in answer["Content-Security-Policy"]
    assert AccessEvent.objects.filter(kind="export", patient=cast.ada, route__endswith="content").exists()
    assert program("manager").get(f"/milestone-evidence/{uuid4()}/content").status_code == 404


def test_a_form_is_as_closed_as_a_body(cast, dentist, milestone, file_letter):
    path = f"/milestones/{milestone.pk}/evidence"
    letter = lambda: SimpleUploadedFile("a.txt", b"Dear Ada")  # noqa: E731
    refused(dentist.form(path, PAPER | {"file": letter(), "shoe_size": "44"}), "shoe_size")
    refused(dentist.form(path, PAPER | {"file": letter(), "back": letter()}), "back")
    refused(dentist.form(path, PAPER | {"file": SimpleUploadedFile("a.exe", b"MZ\x00\x00")}), "file")
    refused(dentist.form(path, {"file": letter()}), "evidence_type", "title")
    refused(dentist.form(path, LINK | {"file": letter()}), "file")
    record = json.dumps({"type": "document", "id": str(file_letter().pk)})
    refused(dentist.form(path, PAPER | {"record": record, "file": letter()}), "file")
    assert dentist.form(path, PAPER | {"record": record}).status_code == 201
    assert dentist.form(path, METRIC | {"value": "2.5 mm"}).data["value"] == "2.5 mm"
    assert milestone.evidence.count() == 2


def test_a_file_is_added_once_per_key(dentist, milestone):
    path, key = f"/milestones/{milestone.pk}/evidence", {"Idempotency-Key": str(uuid4())}
    send = lambda content: dentist.form(path, PAPER | {"file": SimpleUploadedFile("a.txt", content)}, **key)  # noqa: E731
    first, again = send(b"Dear Ada"), send(b"Dear Ada")
    assert (first.status_code, first.data) == (201, again.data)
    assert send(b"Dear Eve").status_code == 422
    assert milestone.evidence.count() == 1


def test_what_is_neither_form_nor_json_is_a_415(dentist, milestone):
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = dentist.client.generic(
            "POST", f"/api/v1/milestones/{milestone.pk}/evidence", "title=x", kind,
            headers={"Authorization": f"Bearer {dentist.secret}"})
        assert answer.status_code == 415, kind


# Rows of the record


@pytest.fixture
def record_of(write_note, examine_gums, file_letter, work, draw_up, cast):
    """`record_of("note", patient)`: a row of that kind that stands."""
    def make(kind, patient=None):
        patient = patient or cast.ada
        if kind == "procedure":
            return work(plan=draw_up(f"Work of {patient.pk}", patient=patient).activate(by=cast.dentist))
        return {"note": write_note, "perio_exam": examine_gums, "document": file_letter}[kind](patient=patient)
    return make


KINDS = ["note", "perio_exam", "procedure", "document"]


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_points_to_a_row_of_the_same_patient(cast, send, record_of, kind):
    row = record_of(kind)
    record = {"type": kind, "id": str(row.pk)}
    answer = send(PAPER | {"record": record})
    assert (answer.status_code, answer.data["record"]) == (201, record)
    assert getattr(Evidence.objects.get(), kind) == row
    refused(send(PAPER | {"record": {"type": kind, "id": str(record_of(kind, cast.grace).pk)}}), "record.id")
    refused(send(LINK | {"record": record}), "record.id")


@pytest.mark.parametrize("kind", KINDS)
def test_the_database_refuses_a_row_of_another_patient(cast, send, milestone, record_of, kind):
    row = record_of(kind, cast.grace)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Evidence(clinic=cast.clinic, patient=cast.ada, milestone=milestone, evidence_type="document", title="x",
                 **{kind: row}).record(by=cast.dentist)
    assert constraint_name(caught.value).startswith(f"milestones_evidence_{kind}"[:39])


def test_a_row_that_shows_nothing_is_refused(cast, send, write_note, file_letter, work):
    note = write_note()
    note.mark_error(by=cast.dentist, because="Wrong chart")
    letter = file_letter()
    letter.withdraw(by=cast.dentist, because="Wrong patient")
    exam = PerioExam.start(by=cast.dentist, patient=cast.ada, teeth={"3": ToothFigures(pd=[3] * 6)})
    for kind, row in (("note", note), ("document", letter), ("perio_exam", exam), ("procedure", work(done=False))):
        refused(send(PAPER | {"record": {"type": kind, "id": str(row.pk)}}), "record.id")


def test_who_may_not_read_a_note_does_not_point_to_it(program, milestone, write_note):
    record = {"type": "note", "id": str(write_note().pk)}
    refused(program("coordinator").post(f"/milestones/{milestone.pk}/evidence", PAPER | {"record": record}), "record.id")


# What it is good for


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_counts_while_the_row_behind_it_stands(cast, put_in, record_of, kind):
    milestone, row = put_in(requires_evidence=True), record_of(kind)
    Evidence.add(by=cast.dentist, milestone=milestone, evidence_type="document", title="x", record=(kind, row))
    assert milestone.missing() == []
    if kind == "perio_exam":
        return  # a closed exam stays closed
    {"note": lambda: row.mark_error(by=cast.dentist, because="x"), "procedure": lambda: row.void(by=cast.dentist, because="x"),
     "document": lambda: row.withdraw(by=cast.dentist, because="x")}[kind]()
    assert milestone.missing() == ["evidence"]


def test_a_milestone_that_needs_evidence_is_achieved_with_it(cast, dentist, put_in):
    milestone = put_in(requires_evidence=True)
    path = f"/milestones/{milestone.pk}"
    answer = dentist.post(f"{path}/achieve")
    assert (answer.status_code, "evidence" in answer.data["detail"]) == (409, True)
    wrong = dentist.post(f"{path}/achieve", {"evidence": [METRIC, PAPER | {"record": {"type": "note", "id": str(uuid4())}}]})
    refused(wrong, "evidence.1.record.id")
    assert not milestone.evidence.exists()
    assert dentist.post(f"{path}/achieve", {"evidence": [METRIC]}).data["status"] == "ACHIEVED"
    assert [row.title for row in milestone.evidence.all()] == ["Overjet"]


def test_one_piece_of_evidence_may_come_without_its_list(dentist, put_in):
    milestone = put_in(requires_evidence=True)
    assert dentist.post(f"/milestones/{milestone.pk}/achieve", {"evidence": LINK}).status_code == 200


def test_a_step_that_is_refused_leaves_no_evidence(cast, dentist, put_in):
    milestone = put_in(requires_evidence=True, requires_approval=True)
    assert dentist.post(f"/milestones/{milestone.pk}/achieve", {"evidence": [METRIC]}).status_code == 409
    assert not milestone.evidence.exists()


def test_evidence_is_taken_out_with_a_reason_and_stays_on_record(cast, dentist, milestone, send):
    key = send(METRIC).data["id"]
    refused(dentist.post(f"/milestone-evidence/{key}/withdraw", {"reason": " "}), "reason")
    assert "evidence" in dentist.delete(f"/milestones/{milestone.pk}").data["detail"]
    assert dentist.post(f"/milestone-evidence/{key}/withdraw", {"reason": "Misread"}).data["withdrawn_because"] == "Misread"
    assert dentist.post(f"/milestone-evidence/{key}/withdraw", {"reason": "Misread"}).status_code == 409
    assert dentist.get(f"/milestones/{milestone.pk}").data["evidence"] == []
    assert Evidence.objects.get().value == 2.5
    assert dentist.delete(f"/milestones/{milestone.pk}").status_code == 204


def test_an_achieved_milestone_keeps_the_evidence_on_which_it_rests(cast, put_in):
    milestone = put_in(requires_evidence=True)
    first, second = (Evidence.add(by=cast.dentist, milestone=milestone, **METRIC) for _ in range(2))
    milestone.achieve(by=cast.dentist)
    first.withdraw(by=cast.dentist, because="Misread")
    with pytest.raises(Refused, match="rests on this"):
        second.withdraw(by=cast.dentist, because="Misread")
    milestone.reopen(by=cast.dentist, because="Too early")
    assert second.withdraw(by=cast.dentist, because="Misread").is_withdrawn


@pytest.mark.parametrize("change", ["title = 'x'", "value = '7'", "url = 'https://x.example'", "description = ''"])
def test_what_evidence_says_stands_in_the_database(cast, milestone, change):
    Evidence.add(by=cast.dentist, milestone=milestone, description="Measured", **METRIC)
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE milestones_evidence SET {change}")
    assert constraint_name(caught.value) == "milestones_evidence_stands"


def test_evidence_is_added_by_who_keeps_the_milestone(program, milestone, writer):
    path = f"/milestones/{milestone.pk}/evidence"
    for role, status in (("dentist", 201), ("hygienist", 201), ("coordinator", 201), ("manager", 201), ("assistant", 403),
                         ("receptionist", 403), ("biller", 403), ("coach", 403), ("patient", 403)):
        assert program(role).post(path, METRIC).status_code == status, role


# What the record offers


def offered(dentist, milestone):
    return [(each["record"]["type"], each["title"]) for each in dentist.get(f"/milestones/{milestone.pk}/proposals").data["items"]]


def test_completed_orthodontic_work_is_offered_for_the_end_of_bonding_until_it_is_taken(cast, dentist, plan, put_in, work, today):
    milestone = put_in(milestone_type="BONDING_COMPLETE")
    row = work(plan=plan)
    work("D1110", plan=plan)
    work(plan=plan, done=False)
    work("D8670")
    assert offered(dentist, milestone) == [("procedure", f"{row.said}, {today}")]
    [proposal] = proposals(milestone)
    proposal.confirm(by=cast.dentist, milestone=milestone)
    assert offered(dentist, milestone) == []
    milestone.evidence.get().withdraw(by=cast.dentist, because="Another tooth")
    assert len(offered(dentist, milestone)) == 1


def test_what_was_signed_and_written_is_offered_before_surgery(cast, dentist, put_in, plan, file_letter, work):
    milestone = put_in(milestone_type="SURGICAL_READY")
    scan, withdrawn = file_letter(kind="other", title="Consent of before"), file_letter(kind="other", title="Gone")
    consent = {"by": cast.dentist, "plan": plan, "procedures": [work(plan=plan, code="D1110")], "signed_by": "patient",
               "signature_name": "Ada", "explained": "Risks", "now": timezone.now()}
    Consent.take(**consent, paper=scan)
    Consent.take(**consent, paper=withdrawn).withdraw(by=cast.dentist, because="Thinks again")
    file_letter(title="To the surgeon")
    file_letter(patient=cast.grace, title="Hers")
    file_letter(kind="identity_card", title="Card")
    assert {title[:-12] for _, title in offered(dentist, milestone)} == {"Consent of before", "To the surgeon"}


def test_exams_since_the_start_are_offered_in_a_periodontal_plan(cast, dentist, draw_up, put_in, examine_gums, today):
    plan = draw_up("Gums", treatment_type="PERIODONTAL").activate(by=cast.dentist)
    examine_gums()
    examine_gums(patient=cast.grace)
    PerioExam.start(by=cast.dentist, patient=cast.ada, teeth={"3": ToothFigures(pd=[3] * 6)})
    assert offered(dentist, put_in(plan=plan)) == [("perio_exam", f"Periodontal exam, {today}")]
    assert offered(dentist, put_in()) == []


def test_what_is_offered_costs_the_same_number_of_queries(cast, put_in, plan, work, file_letter, django_assert_num_queries):
    milestone = put_in(milestone_type="SURGICAL_READY")
    for rounds in (1, 5):
        for _ in range(rounds):
            work(plan=plan)
            file_letter()
        with django_assert_num_queries(3):
            assert len(proposals(milestone)) >= 2 * rounds


def test_proposals_of_a_row_that_is_gone_meanwhile_are_refused(cast, plan, put_in, work):
    milestone, row = put_in(milestone_type="TREATMENT_COMPLETE"), work(plan=plan)
    [proposal] = proposals(milestone)
    row.void(by=cast.dentist, because="Wrong tooth")
    with pytest.raises(ValidationError):
        proposal.confirm(by=cast.dentist, milestone=milestone)


def test_a_patient_sees_nothing_of_what_was_taken_out(cast, program, milestone):
    proof = Evidence.add(by=cast.dentist, milestone=milestone, evidence_type="document", title="Letter", file=b"Of somebody else")
    path = f"/milestone-evidence/{proof.pk}/content"
    patient = program("patient")
    assert patient.get(path).status_code == 200
    proof.withdraw(by=cast.dentist, because="Another patient's")
    assert patient.get(path).status_code == 404
    assert not Evidence.objects.visible_to(cast.portal).exists()
    assert Evidence.objects.visible_to(cast.dentist).exists()
