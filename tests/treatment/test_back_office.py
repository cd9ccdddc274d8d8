"""What managers edit of treatment in the admin, and what they only read there."""
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.audit.looks import Kind
from clinic.models import AccessEvent, ProcedureCode
from treatment.models import CareTeamMember, CodeRule, Intervention

pytestmark = pytest.mark.wide


@pytest.fixture
def manager(sign_in):
    return sign_in("manager")


def url(kind, page="changelist", *args):
    return reverse(f"admin:treatment_{kind}_{page}", args=args)


@pytest.fixture
def bare(cast, codes):
    """A code for which nobody has said what treatment makes of it."""
    return ProcedureCode(
        code="D2799", description="Try-in crown", category="restorative", treatment_area="tooth", fee=10, minutes=30).record(
        by=cast.system)


def rule_form(code, **values):
    return {"procedure_code": str(code.pk), "condition": "crown", "material": "gold", "teeth": "", "least_surfaces": "",
            "most_surfaces": "", "quick_button": "", "narrative": "", "once": str(uuid4()), **values}


def test_a_rule_is_added_for_a_code_that_has_none_and_the_code_is_offered_by_it(cast, manager, codes, bare):
    choices = manager.get(url("coderule", "add")).context["adminform"].form.fields["procedure_code"].queryset
    assert bare in choices
    assert codes["D2740"] not in choices  # it has its rule
    assert manager.post(url("coderule", "add"), rule_form(bare)).status_code == 302
    offered = CodeRule.offered(CodeRule.known_to(cast.clinic), tooth="14", condition="crown", material="gold")
    assert bare in offered


@pytest.mark.parametrize(("wrong", "field", "said"), [
    ({"condition": "unicorn"}, "condition", "is no kind of finding here"),
    ({"least_surfaces": "0", "most_surfaces": "2"}, "least_surfaces", "greater than or equal to 1"),
    ({"least_surfaces": "2"}, "__all__", "from how many surfaces to how many"),
    ({"least_surfaces": "3", "most_surfaces": "2"}, "__all__", "from how many surfaces to how many"),
    ({"procedure_code": ""}, "procedure_code", "required"),
])
def test_a_rule_that_makes_no_sense_is_told_where_it_stands(manager, bare, wrong, field, said):
    answer = manager.post(url("coderule", "add"), rule_form(bare) | wrong)
    assert answer.status_code == 422
    assert said in " ".join(answer.context["adminform"].form.errors[field])
    assert not CodeRule.objects.filter(procedure_code=bare).exists()


def test_a_rule_is_changed_with_a_reason_and_keeps_its_code(cast, manager, codes):
    row, other = codes["D2740"].rule, codes["D2750"]
    sent = {"condition": "crown", "material": "gold", "teeth": "", "seen_version": row.version, "because": "We use gold",
            "procedure_code": str(other.pk), "once": str(uuid4())}
    assert manager.post(url("coderule", "change", row.pk), sent).status_code == 302
    row.refresh_from_db()
    assert (row.material, row.procedure_code) == ("gold", codes["D2740"])
    assert row.history.first().history_change_reason == "We use gold"


@pytest.mark.parametrize(("asked", "found"), [
    ({"q": "D2740"}, {"D2740"}), ({"q": "root_canal", "teeth": "molar"}, {"D3330", "D3348"}),
    ({"condition": "onlay"}, {"D2644"}), ({"teeth": "primary"}, {"D2930"})])
def test_rules_are_found_by_code_and_by_how_they_are_drawn(cast, manager, codes, asked, found):
    rows = manager.get(url("coderule"), asked).context["cl"].result_list
    assert {row.procedure_code.code for row in rows} == found


def test_one_of_our_own_interventions_is_edited_and_one_of_the_library_only_read(cast, manager):
    own = Intervention.define(by=cast.dentist, name="Music", modality="Relaxation")
    library = Intervention.objects.get(name="Deep breathing", clinic=None)
    sent = {"name": "Calm music", "modality": "Relaxation", "description": "", "evidence_level": "", "is_active": "on",
            "seen_version": own.version, "because": "Clearer", "once": str(uuid4())}
    assert manager.post(url("intervention", "change", own.pk), sent).status_code == 302
    own.refresh_from_db()
    assert own.name == "Calm music"
    page = manager.get(url("intervention", "change", library.pk))
    assert page.status_code == 200
    assert "_save" not in page.content.decode()
    refused = manager.post(
        url("intervention", "change", library.pk), sent | {"seen_version": library.version, "once": str(uuid4())})
    assert refused.status_code == 403
    library.refresh_from_db()
    assert library.name == "Deep breathing"
    for row in (own, library):
        assert manager.get(url("intervention", "history", row.pk)).status_code == 200


def test_another_clinics_interventions_are_not_there(cast, manager):
    theirs = Intervention.define(by=cast.outsider.dentist, name="Theirs")
    assert "Theirs" not in manager.get(url("intervention"), {"q": "theirs"}).content.decode()
    for page in ("change", "history"):
        assert manager.get(url("intervention", page, theirs.pk)).status_code == 404


@pytest.mark.parametrize("kind", ["treatmentplan", "careteammember"])
def test_plans_and_care_teams_are_looked_at_lead_to_their_page_and_the_look_is_noted(cast, manager, plan, kind):
    row = plan if kind == "treatmentplan" else CareTeamMember.objects.get(plan=plan)
    page = manager.get(url(kind, "change", row.pk))
    assert reverse("treatment:plan" if kind == "treatmentplan" else "treatment:team", args=[plan.pk]) in page.content.decode()
    assert AccessEvent.objects.filter(patient=cast.ada, kind=Kind.VIEW, route=f"admin:treatment_{kind}_change").exists()
    assert manager.post(url(kind, "change", row.pk), {"title": "x", "once": str(uuid4())}).status_code == 403
    assert manager.get(url(kind, "add")).status_code == 403
    assert manager.get(url(kind)).status_code == 200


@pytest.mark.parametrize("kind", ["treatmentplan", "careteammember", "coderule", "intervention"])
def test_a_list_costs_the_same_at_one_and_at_30_rows(cast, manager, draw_up, codes, kind):
    def queries():
        with CaptureQueriesContext(connection) as found:
            assert manager.get(url(kind)).status_code == 200
        return len(found)

    draw_up()
    manager.get(url(kind))
    few = queries()
    for number in range(30):
        draw_up(f"Plan {number}")
        Intervention.define(by=cast.dentist, name=f"Own {number}")
    assert queries() == few
