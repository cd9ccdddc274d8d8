"""The templates with which notes begin."""

from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from charting.models import NoteTemplate
from charting.starter import TEMPLATES, load_templates


def test_a_manager_edits_templates_and_is_told_what_they_can_not_mean(cast, sign_in):
    manager = sign_in("manager")
    data = {
        "name": "Recall", "kind": "hygiene", "short_code": "rc", "body": "{pateint} came.", "is_active": "on", "once": str(uuid4())}
    answer = manager.post("/admin/charting/notetemplate/add/", data)
    assert answer.status_code == 422
    assert "{patient} is one" in answer.content.decode()
    manager.post("/admin/charting/notetemplate/add/", {**data, "body": "{patient} came."})
    assert NoteTemplate.objects.get().body == "{patient} came."
    again = manager.post("/admin/charting/notetemplate/add/", {**data, "name": "Other", "body": "x", "once": str(uuid4())})
    assert "Another template has this short code" in again.content.decode()


def test_a_new_practice_gets_the_usual_templates_once(cast, capsys):
    call_command("open_charting", "--clinic", cast.clinic.name)
    assert f"{len(TEMPLATES)} note templates added" in capsys.readouterr().out
    assert load_templates(by=cast.system) == []
    assert len(TEMPLATES) >= 12
    with pytest.raises(CommandError, match="Say which clinic"):
        call_command("open_charting")


def test_a_template_out_of_use_begins_no_note(cast, sign_in):
    template = NoteTemplate(name="Old", kind="exam", body="x").record(by=cast.manager)
    template.change(by=cast.manager, is_active=False)
    assert sign_in("dentist").get(f"/patients/{cast.ada.pk}/notes/new/", {"template": template.pk}).status_code == 404
