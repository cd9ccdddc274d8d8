"""Every named constraint refuses its nonsense in the database, on both engines, also past the verbs."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from clinic.db.guards import NoOverlap
from clinic.db.records import Fact
from clinic.db.refusals import constraint_name
from milestones.models.parts import SealedPart

OWN = [
    model
    for model in apps.get_models()
    if model._meta.app_label in ("clinic", "scheduling", "charting", "treatment", "milestones")
    and not hasattr(model, "history_object")
]
NAMED = {constraint.name: (model, constraint) for model in OWN for constraint in model._meta.constraints}

# CHECK constraints: the column to spoil and the value.
CHECKS = {
    "clinic_apitoken_one_hat": (
        "membership_id",
        "(SELECT id FROM clinic_membership m WHERE m.clinic_id = clinic_apitoken.clinic_id LIMIT 1)",
    ),
    "clinic_apitoken_expires_after_start": ("expires_at", "2001-01-01 00:00:00+00:00"),
    "clinic_document_two_sides_differ": ("back_id", "(file_id)"),
    "clinic_storedfile_pictures_have_an_original": ("use", "preview"),
    "clinic_lettertemplate_starters_have_a_kind": ("kind", "other"),
    "clinic_fee_not_negative": ("amount", -1),
    "clinic_user_email_lower_case": ("email", "UPPER@TEST.EXAMPLE"),
    "clinic_membership_ends_after_start": ("until", "2001-01-01"),
    "clinic_provider_colour_of_palette": ("colour", 13),
    "clinic_mail_done_has_a_time": ("state", "sent"),
    "scheduling_reminder_done_has_a_time": ("state", "sent"),
    "scheduling_offerletter_done_has_a_time": ("state", "sent"),
    "clinic_portalletter_done_has_a_time": ("state", "sent"),
    "clinic_portalaccess_known_relationship": ("relationship", "friend"),
    "clinic_portalaccess_ends_after_it_began": ("ends_on", "2001-01-01"),
    "clinic_portalinvite_known_relationship": ("relationship", "friend"),
    "clinic_portalinvite_accepted_or_withdrawn": ("withdrawn_because", "Moved away"),
    "clinic_portalinvite_five_tries": ("tries", 6),
    "clinic_signincode_five_tries": ("tries", 6),
    "clinic_signincode_used_by_somebody": ("used_at", "2026-12-01 09:00:00+00"),
    "clinic_patientlink_used_or_revoked": ("used_at", "(created_at)"),
    "clinic_notificationchoices_hour_of_a_day": ("digest_hour", 24),
    "scheduling_frontdesk_goal_above_zero": ("day_goal", 0),
    "scheduling_frontdesk_reminder_hour_by_day": ("reminder_hour", 20),
    "clinic_patient_born_after_1890": ("date_of_birth", "1700-01-01"),
    "clinic_patient_not_merged_into_itself": ("merged_into_id", "id"),
    "clinic_patient_since_when_merged": ("merged_at", "2026-12-01 09:00:00+00"),
    "clinic_procedurecode_fee_not_negative": ("fee", -1),
    "clinic_procedurecode_minutes_5_to_600": ("minutes", 0),
    "clinic_procedurecode_ends_after_start": ("effective_to", "2001-01-01"),
    "clinic_diagnosiscode_ends_after_start": ("effective_to", "2001-01-01"),
    "scheduling_type_minutes_5_to_600": ("minutes", 601),
    "scheduling_type_colour_of_palette": ("colour", 0),
    "scheduling_hours_end_after_start": ("ends", "00:01:00"),
    "scheduling_hours_weekday": ("weekday", 7),
    "scheduling_exception_end_after_start": ("starts", "10:00:00"),
    "scheduling_block_operatory_or_provider": ("provider_id", None),
    "scheduling_block_end_after_start": ("ends_at", "2000-01-01 00:00:00+00:00"),
    "scheduling_appointment_end_after_start": ("ends_at", "2000-01-01 00:00:00+00:00"),
    "scheduling_appointment_chair_in_order": ("chair_ends_at", "2000-01-01 00:00:00+00:00"),
    "scheduling_appointment_cancel_says_why": ("status", "cancelled"),
    "scheduling_appointment_known_status": ("status", "teleported"),
    "scheduling_series_every_1_to_52_weeks": ("every_weeks", 53),
    "scheduling_frontdesk_hold_5_minutes_to_2_days": ("hold_minutes", 4),
    "scheduling_waitlist_days_in_order": ("until_day", "2000-01-01"),
    "scheduling_waitlist_ends_with_status": ("ended_because", "Why"),
    "scheduling_feed_provider_or_operatory": ("provider_id", None),
    "scheduling_freedslot_end_after_start": ("ends_at", "2000-01-01 00:00:00+00:00"),
    "scheduling_offer_holds_a_while": ("holds_until", "2000-01-01 00:00:00+00:00"),
    "scheduling_providertime_in_order": ("ends_at", "2000-01-01 00:00:00+00:00"),
    "charting_chartsettings_deep_4_to_9": ("deep_pocket_mm", 3),
    "charting_findingkind_not_a_standard_code": ("code", "caries"),
    "charting_finding_known_tooth": ("tooth", "99"),
    "charting_finding_known_status": ("status", "imagined"),
    "charting_perioexam_closed_has_a_time": ("closed_at", "2026-12-01 09:00:00+00:00"),
    "charting_perioexam_measured_of_possible": ("sites_measured", 500),
    "charting_perioexam_known_stage_and_grade": ("stage", "X"),
    "charting_periotooth_known_tooth": ("tooth", "99"),
    "charting_periotooth_depth_0_to_15": ("pd_db", 16),
    "charting_periotooth_margin_minus_5_to_10": ("gm_ml", 11),
    "charting_periotooth_mgj_0_to_15": ("mgj_b", 16),
    "charting_periotooth_six_sites": ("plaque", 64),
    "charting_periotooth_mobility_0_to_3": ("mobility", 4),
    "charting_periotooth_furcation_0_to_3": ("furcation_m", 4),
    "charting_finding_resolved_after_noted": ("resolved_on", "1990-01-01"),
    "charting_note_known_kind": ("kind", "poem"),
    "charting_note_signed_with_its_seal": ("status", "signed"),
    "charting_note_cosigned_after_signed": ("cosigned_at", "2026-12-01 09:00:00+00:00"),
    "charting_note_addenda_after_signed": ("addenda_wait", True),
    "charting_notetemplate_known_kind": ("kind", "poem"),
    "milestones_approval_is_signed": ("signature_name", ""),
    "milestones_comment_patients_see_their_own": ("internal", True),
    "milestones_evidence_document_is_somewhere": ("note_id", None),
    "milestones_evidence_fits_its_type": ("evidence_type", "photo"),
    "milestones_evidence_points_to_one": (
        "document_id", "(SELECT id FROM clinic_document d WHERE d.patient_id = milestones_evidence.patient_id LIMIT 1)"),
    "milestones_evidence_web_address": ("url", "ftp://scans.example"),
    "milestones_task_at_most_100": ("percent", 101),
    "milestones_task_completed_at_100": ("completed_at", "2026-12-01 09:00:00+00:00"),
    "milestones_task_completed_stands": ("is_withdrawn", True),
    "milestones_task_known_status": ("status", "LOST"),
    "milestones_task_weight_1_to_100": ("weight", 0),
    "milestones_taskupdate_at_most_100": ("percent", 101),
    "milestones_taskupdate_reviewed_has_a_time": ("status", "APPROVED"),
    "milestones_timeentry_begun_before_told": ("started_at", "1999-12-31 23:59:00+00:00"),
    "milestones_timeentry_minutes_1_to_1440": ("minutes", 1441),
    "milestones_milestonealert_known_stage": ("stage", "late"),
    "milestones_milestonenews_known_ways": ("overdue", "drum"),
    "milestones_newsmessage_done_has_a_time": ("state", "sent"),
    "milestones_newsmessage_known_kind": ("kind", "gossip"),
    "milestones_adjustment_known_hygiene": ("hygiene", "bad"),
    "milestones_adjustment_aligner_1_to_200": ("aligner", 0),
    "milestones_adjustment_next_within_two_years": ("next_in_weeks", 0),
    "milestones_milestone_achieved_has_a_date": ("achieved_date", "2026-12-01"),
    "milestones_milestone_achieved_stands": ("is_withdrawn", True),
    "milestones_milestone_begun_has_a_start": ("status", "IN_PROGRESS"),
    "milestones_milestone_charge_not_negative": ("charge_amount", -1),
    "milestones_milestone_known_status": ("status", "LOST"),
    "milestones_milestone_known_type": ("milestone_type", "WISH"),
    "milestones_milestone_knows_its_version": ("template_version", None),
    "milestones_milestone_pending_not_begun": ("started_at", "2026-12-01 09:00:00+00:00"),
    "milestones_milestone_says_why": ("status", "CANCELLED"),
    "milestones_milestoneset_known_kind": ("treatment_type", "MAGIC"),
    "milestones_milestoneset_months_1_to_240": ("usual_months", 0),
    "milestones_milestonetemplate_charge_not_negative": ("charge_amount", -1),
    "milestones_milestonetemplate_known_type": ("milestone_type", "WISH"),
    "milestones_milestonetemplate_one_rule": ("months", 1),
    "treatment_careteam_assigned_writes": ("is_writer", False),
    "treatment_careteam_ends_after_start": ("until", "2001-01-01"),
    "treatment_coderule_surfaces_in_order": ("least_surfaces", 1),
    "treatment_consent_is_signed": ("signature_name", ""),
    "treatment_goal_at_most_100": ("progress_percentage", 101),
    "treatment_goal_known_status": ("status", "lost"),
    "treatment_goal_known_type": ("goal_type", "wish"),
    # A parent that there is would be refused by the guards first.
    "treatment_goal_long_term_on_top": ("parent_id", "0" * 32),
    "treatment_goal_priority_1_to_9": ("priority", 10),
    "treatment_goalintervention_rating_1_to_5": ("effectiveness_rating", 6),
    "treatment_goalprogress_rating_1_to_10": ("rating", 11),
    "treatment_intervention_known_evidence": ("evidence_level", "hearsay"),
    "treatment_plan_ended_has_a_date": ("actual_end_date", "2026-12-01"),
    "treatment_plan_known_status": ("status", "lost"),
    "treatment_plan_target_after_start": ("target_end_date", "2001-01-01"),
    "treatment_planreview_next_is_later": ("next_review_date", "2001-01-01"),
    "treatment_planreview_on_track_of_reviewed": ("goals_on_track", 900),
    "treatment_procedure_completed_has_a_date": ("status", "completed"),
    "treatment_procedure_date_is_of_done_work": ("completed_on", "2026-12-01"),
    "treatment_procedure_fee_not_negative": ("fee", -1),
    "treatment_procedure_known_status": ("status", "lost"),
    "treatment_procedure_known_tooth": ("tooth", "99"),
    "treatment_procedure_surfaces_have_a_tooth": ("tooth", ""),
    "treatment_procedure_told_has_no_fee": ("status", "condition"),
    "treatment_reviewreminder_known_stage": ("stage", "someday"),
    "treatment_sessionintervention_rating_1_to_5": ("effectiveness_rating", 0),
}


def test_every_check_constraint_has_a_row_in_the_table_above():
    assert {name for name, (_, one) in NAMED.items() if isinstance(one, models.CheckConstraint)} == set(CHECKS)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_check_refuses_its_nonsense(furnished, cast, name):
    model, _ = NAMED[name]
    column, value = CHECKS[name]
    rows = model._base_manager.all()
    if name in ("scheduling_block_operatory_or_provider", "scheduling_feed_provider_or_operatory"):
        rows = rows.filter(operatory=None)
    if name == "clinic_portalinvite_accepted_or_withdrawn":
        rows = rows.exclude(access=None)
    if name.endswith(("_achieved_stands", "_completed_stands")):
        rows = rows.filter(status__in=["ACHIEVED", "COMPLETED"])
    row = rows.first()
    key = row.pk.hex if connection.vendor == "sqlite" and hasattr(row.pk, "hex") else row.pk
    expression, params = (value, [key]) if str(value).startswith(("id", "(")) else ("%s", [value, key])
    sql = f"UPDATE {model._meta.db_table} SET {column} = {expression} WHERE id = %s"
    if issubclass(model, Fact | SealedPart):  # what is append-only, or was said once for all, gets a spoilt copy
        new = {"id": "lower(hex(randomblob(16)))" if connection.vendor == "sqlite" else "gen_random_uuid()"}
        columns = [field.column for field in model._meta.concrete_fields]
        values = ", ".join((new | {column: expression}).get(name, name) for name in columns)
        sql = f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {values} FROM {model._meta.db_table} WHERE id = %s"
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
    assert constraint_name(caught.value) == name


UNIQUE = sorted(name for name, (_, one) in NAMED.items() if isinstance(one, models.UniqueConstraint))


@pytest.mark.parametrize("name", UNIQUE)
def test_a_unique_constraint_refuses_the_second_row(furnished, cast, name):
    model, constraint = NAMED[name]
    rows = model._base_manager.all()
    if constraint.condition is not None:
        rows = rows.filter(constraint.condition)
    if name in ("treatment_plan_one_alternative", "treatment_intervention_name_once"):  # without them nothing is refused
        rows = rows.filter(**{f"{field}__isnull": False for field in constraint.fields})
    row = rows.first()
    if row is None:
        cast.ada.change(by=cast.system, external_id="K-1")
        furnished[0].change(by=cast.system, external_id="V-1")
        row = rows.first()
    columns = [
        field.column
        for field in model._meta.concrete_fields
        if not (field.primary_key and field.get_internal_type() == "BigAutoField")
    ]
    new, quote = {"id": "lower(hex(randomblob(16)))" if connection.vendor == "sqlite" else "gen_random_uuid()"}, '"{}"'.format
    if name != "clinic_patient_chart_number_once" and model._meta.label == "clinic.Patient":
        new["chart_number"] = "'another'"
    if name == "clinic_patient_chart_number_once":
        new["external_id"] = "''"
    if name == "clinic_provider_user_once":
        new["name"] = "'Another name'"
    if name == "clinic_provider_name_once":
        new["user_id"] = "NULL"
    last = "(SELECT id FROM {} other WHERE other.clinic_id = scheduling_offer.clinic_id ORDER BY other.id DESC LIMIT 1)".format
    new |= {
        "scheduling_appointment_external_once": {"status": "'cancelled'", "cancel_reason": "'Ill'"},
        "charting_notetemplate_name_once": {"short_code": "''"},
        "charting_notetemplate_code_once": {"name": "'Another'"},
        "scheduling_offer_one_at_a_time": {"entry_id": last("scheduling_waitlistentry")},
        "scheduling_offer_once_a_slot": {"status": "'lapsed'"},
        "scheduling_offer_one_a_patient": {"slot_id": last("scheduling_freedslot")},
        "treatment_careteam_one_open": {"is_assigned": "(1 = 0)"},
        "treatment_careteam_one_assigned": {
            "user_id": "(SELECT id FROM clinic_user u WHERE u.id NOT IN (SELECT user_id FROM treatment_careteammember) LIMIT 1)"},
    }.get(name, {})
    key = row.pk.hex if connection.vendor == "sqlite" and hasattr(row.pk, "hex") else row.pk
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({', '.join(map(quote, columns))}) SELECT "
            f"{', '.join(new.get(column, quote(column)) for column in columns)} FROM {model._meta.db_table} WHERE "
            f"{model._meta.pk.column} = %s",
            [key],
        )
    said = constraint_name(caught.value)
    if connection.vendor == "sqlite":  # SQLite names the columns
        assert all(model._meta.get_field(field).column in said for field in constraint.fields), said
    else:
        assert said == name


def test_clinic_comes_first_in_every_unique_and_exclusion():
    wrong = [
        name
        for name, (model, one) in NAMED.items()
        if isinstance(one, models.UniqueConstraint)
        and one.fields[0] != "clinic"
        and one.condition != models.Q(clinic=None)  # rows that all clinics share
    ]
    assert wrong == []
    for _, one in NAMED.values():
        if isinstance(one, NoOverlap):
            assert str(one.expressions[0][0]) == "F(clinic)"


def test_every_constraint_of_the_models_stands_in_the_database(cast):
    for name, (model, constraint) in NAMED.items():
        if isinstance(constraint, NoOverlap) and connection.vendor == "sqlite":
            continue  # triggers; see test_guards
        with connection.cursor() as cursor:
            there = connection.introspection.get_constraints(cursor, model._meta.db_table)
        assert name in there or (connection.vendor == "sqlite" and isinstance(constraint, models.CheckConstraint)), name


def test_nothing_that_a_clinic_owns_can_be_deleted_with_its_parent():
    wrong = [
        f"{model.__name__}.{field.name}"
        for model in OWN
        for field in model._meta.concrete_fields
        if field.is_relation
        and field.remote_field.on_delete is not models.PROTECT
        and field.related_model._meta.app_label in ("clinic", "scheduling", "charting", "treatment", "milestones")
        and not model.__name__.endswith("UserObjectPermission")
    ]
    assert wrong == []
