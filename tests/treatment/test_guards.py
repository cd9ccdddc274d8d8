"""What the database itself refuses of plans, whoever writes past the verbs; and that who may write is what the care team says."""
from itertools import product
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from clinic.access.hats import hats_of
from clinic.db.refusals import NotAllowed, Refused, constraint_name
from clinic.models import User
from treatment.models import (
    CareTeamMember,
    Consent,
    ConsentedProcedure,
    Goal,
    GoalIntervention,
    Intervention,
    Phase,
    PlanUserObjectPermission,
    TreatmentPlan,
)

LEVELS = ["long_term", "short_term", "objective"]


def key(value):
    return value.hex if connection.vendor == "sqlite" and hasattr(value, "hex") else value


def refusal(row, **columns):
    """By which name the database refuses these columns; None when it takes them. An update, past all verbs."""
    said = ", ".join(f"{name} = %s" for name in columns)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE {row._meta.db_table} SET {said} WHERE id = %s", [*map(key, columns.values()), key(row.pk)])
    except IntegrityError as error:
        return constraint_name(error)
    return None


def refused_insert(row):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        row.save()
    return constraint_name(caught.value)


@pytest.fixture
def other(cast, draw_up, put_in):
    """Another plan of Ada's, presented, with a phase and a procedure."""
    plan = draw_up("Filling of 19")
    put_in(plan, "D2392", tooth="19", surfaces="MO", phase=Phase.add(by=cast.dentist, plan=plan, name="Later"))
    return plan.present(by=cast.dentist)


# Parts of one plan


def test_a_phase_of_another_plan_is_refused_and_neither_moves(cast, agreed, other):
    row, theirs = agreed.procedures.first(), other.phases.get()
    assert refusal(row, phase_id=theirs.pk) == "treatment_procedure_phase_same_plan"
    assert refusal(theirs, plan_id=agreed.pk) == "treatment_phase_plan_fixed"
    assert refusal(row, plan_id=other.pk) == "treatment_procedure_plan_fixed"
    assert refusal(row, phase_id=Phase.add(by=cast.dentist, plan=agreed, name="Now").pk) is None


def test_a_goal_above_of_another_plan_is_refused_and_none_moves(goal, draw_up):
    top, below = goal(), goal("short_term")
    elsewhere = goal(plan=draw_up("Other"))
    assert refusal(below, parent_id=elsewhere.pk) == "treatment_goal_parent_same_plan"
    assert refusal(top, plan_id=elsewhere.plan_id) == "treatment_goal_plan_fixed"
    assert refusal(below, parent_id=top.pk) is None


@pytest.mark.parametrize(("level", "above"), list(product(LEVELS, LEVELS)))
def test_a_parent_is_of_the_level_above_and_of_no_other(goal, level, above):
    row, parent = goal(level), goal(above)
    fits = (above, level) in (("long_term", "short_term"), ("short_term", "objective"))
    assert (refusal(row, parent_id=parent.pk) is None) == fits


def test_no_goal_is_below_itself_nor_below_one_of_its_own(goal):
    top = goal()
    below = goal("short_term", parent=top)
    lowest = goal("objective", parent=below)
    for row, parent in ((top, top), (top, below), (below, lowest), (below, below), (lowest, lowest)):
        assert refusal(row, parent_id=parent.pk) == "treatment_goal_parent_one_level_up"


def test_a_level_stays_while_goals_stand_below(goal):
    top = goal()
    below = goal("short_term", parent=top)
    assert refusal(top, goal_type="objective") == "treatment_goal_level_stays_above_sub_goals"
    assert refusal(below, goal_type="long_term") == "treatment_goal_parent_one_level_up"
    assert refusal(goal(), goal_type="objective") is None


def consent_of(cast, plan):
    return Consent.take(
        by=cast.dentist, plan=plan, procedures=[plan.procedures.first()], signed_by="patient", signature_name="Ada",
        explained="Risks", now=timezone.now())


def test_a_consent_to_another_plans_copy_or_procedure_is_refused(cast, agreed, other):
    consent = consent_of(cast, agreed)
    strange = Consent(**{
        field.attname: getattr(consent, field.attname) for field in Consent._meta.concrete_fields} | {
        "id": uuid4(), "plan_version_id": other.versions.newest().pk})
    assert refused_insert(strange) == "treatment_consent_plan_version_same_plan"
    row = ConsentedProcedure(clinic=cast.clinic, patient=cast.ada, consent=consent, procedure=other.procedures.get())
    assert refused_insert(row) == "treatment_consentedprocedure_same_plan"


# Alternatives


def test_alternatives_of_two_patients_are_refused(cast, draw_up):
    group = uuid4()
    draw_up(alternative_group=group)
    hers = draw_up(patient=cast.grace)
    assert refusal(hers, alternative_group=group) == "treatment_plan_alternatives_same_patient"
    assert refusal(hers, alternative_group=uuid4()) is None


def test_the_alternatives_of_two_who_are_one_person_may_share_a_group(cast, draw_up):
    group, hers = uuid4(), draw_up(patient=cast.grace)
    cast.grace.merge_into(cast.ada, by=cast.manager, because="Registered twice")
    draw_up(alternative_group=group)
    assert refusal(hers, alternative_group=group) is None


def test_of_a_group_one_plan_is_accepted_or_active(draw_up):
    group = uuid4()
    for one, two in product(("accepted", "active"), repeat=2):
        first, second = draw_up(alternative_group=group), draw_up(alternative_group=group)
        assert refusal(first, status=one) is None
        assert "alternative" in refusal(second, status=two)
        assert refusal(second, status="on_hold") is None
        assert refusal(first, status="draft") is None


# The library, which belongs to no clinic


def test_a_goal_points_to_the_library_or_to_its_own_clinics_and_to_no_other_clinics(cast, goal):
    row = goal()
    library, own = Intervention.objects.get(name="Deep breathing"), Intervention.define(by=cast.dentist, name="Music")
    for intervention in (library, own):
        GoalIntervention.add(by=cast.dentist, goal=row, intervention=intervention)
    theirs = Intervention.define(by=cast.outsider.dentist, name="Theirs")
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        GoalIntervention.add(by=cast.dentist, goal=row, intervention=theirs)
    assert constraint_name(caught.value).startswith("treatment_goalintervention_intervention")


def test_the_library_stays_everybodys_and_what_a_clinic_defined_stays_its_own(cast):
    library, own = Intervention.objects.get(name="Deep breathing"), Intervention.define(by=cast.dentist, name="Music")
    assert refusal(library, clinic_id=cast.clinic.pk) == "treatment_intervention_library_fixed"
    assert refusal(own, clinic_id=None) == "treatment_intervention_library_fixed"
    assert refusal(own, clinic_id=cast.outsider.clinic.pk) == "treatment_intervention_clinic_fixed"


def test_nobody_of_a_clinic_writes_a_row_of_the_library(cast):
    library = Intervention.objects.get(name="Deep breathing")
    with pytest.raises(Refused):
        library.change(by=cast.manager, name="Shallow breathing")
    library.refresh_from_db()
    assert library.name == "Deep breathing"


# The care team and guardian's rows


ROLES = ["dentist", "hygienist", "assistant", "manager"]


def agree(cast, plan):
    """Guardian's rows, the care team's, and what the verbs ask: all three say the same. Returns who writes."""
    writers = set(CareTeamMember.objects.current().filter(plan=plan, is_writer=True).values_list("user", flat=True))
    assert set(PlanUserObjectPermission.objects.filter(content_object=plan).values_list("user", flat=True)) == writers
    plan = TreatmentPlan.objects.get(pk=plan.pk)
    names = set()
    for role in ROLES:
        user = User.objects.get(email=f"{role}@test.example")  # as a new request would load them
        actor = next(hat for hat in hats_of(user) if hat.clinic_id == cast.clinic.pk)
        assert plan.may_write(actor) == (user.pk in writers)
        names |= {role} if user.pk in writers else set()
    return names


def test_after_every_verb_guardians_rows_are_the_care_teams(cast, draw_up):
    plan = draw_up()
    assert agree(cast, plan) == {"dentist"}
    reader = CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user("hygienist"))
    assert agree(cast, plan) == {"dentist"}
    assert CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user("hygienist")) == reader
    writer = CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user("hygienist"), is_writer=True)
    assert (agree(cast, plan), writer) == ({"dentist", "hygienist"}, reader)
    writer.end(by=cast.manager)
    assert agree(cast, plan) == {"dentist"}
    CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user("assistant"), is_writer=True)
    plan.assign(by=cast.manager, provider=cast.holly)
    assert agree(cast, plan) == {"hygienist", "assistant"}
    plan.assign(by=cast.manager, provider=cast.bridge)  # who has no sign-in
    assert agree(cast, plan) == {"assistant"}
    plan.assign(by=cast.manager, provider=cast.drill)
    assert agree(cast, plan) == {"dentist", "assistant"}
    assert plan.care_team.current().filter(is_assigned=True).get().user == cast.user("dentist")


def test_the_plans_provider_is_not_taken_out_and_nobody_from_elsewhere_gets_in(cast, plan):
    with pytest.raises(Refused):
        plan.care_team.get(is_assigned=True).end(by=cast.manager)
    with pytest.raises(Refused):
        CareTeamMember.add(by=cast.manager, plan=plan, user=cast.outsider.user("dentist"), is_writer=True)
    assert agree(cast, plan) == {"dentist"}


def test_who_was_taken_out_is_refused_from_then_on(cast, plan):
    member = CareTeamMember.add(by=cast.manager, plan=plan, user=cast.user("hygienist"), is_writer=True)
    Goal.set_out(by=cast.actor("hygienist"), plan=plan, goal_type="objective", description="Brush")
    member.end(by=cast.manager)
    with pytest.raises(NotAllowed):
        Goal.set_out(by=cast.actor("hygienist"), plan=plan, goal_type="objective", description="Floss")
