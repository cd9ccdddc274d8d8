"""Who may what: the one map from role to permission names, `app.verb`.

Roles are Django groups that a membership holds; the names here are the groups' names. `view`, `add` and `change`
follow Django's own codenames, so that the admin asks for the same names as the pages do. `treatment.read`,
`milestone.create` and `milestone.update` are the public names of the API (`treatment:read` there).
"""

STAFF = {
    "clinic.use_staff_pages", "clinic.view_clinic", "clinic.view_patient", "clinic.search_patients", "clinic.view_account",
    "clinic.view_medicalhistory", "clinic.view_document", "clinic.view_procedurecode", "clinic.view_provider",
    "clinic.view_operatory",
    "scheduling.view_schedule", "scheduling.view_appointment", "scheduling.view_appointmenttype",
    "treatment.read", "treatment.view_plan",
    "milestone.work",  # on tasks of their own
}
FRONT_DESK = STAFF | {
    "clinic.add_patient", "clinic.change_patient", "clinic.add_account", "clinic.change_account",
    "clinic.change_medicalhistory", "clinic.view_audit", "clinic.add_document", "clinic.change_document", "clinic.export_lists",
    "clinic.write_letters", "clinic.invite_to_portal",
    "scheduling.add_appointment", "scheduling.change_appointment", "scheduling.confirm", "scheduling.check_in",
    "scheduling.check_out", "scheduling.cancel", "scheduling.no_show", "scheduling.reactivate", "scheduling.step_back",
    "scheduling.add_block", "scheduling.change_block", "scheduling.change_day_note", "scheduling.view_waitlist",
    "scheduling.change_waitlist", "scheduling.view_production",
    "charting.view_chart", "charting.view_note", "charting.write_note", "charting.sign_note",
}
CLINICAL = STAFF | {
    "clinic.change_medicalhistory", "clinic.view_audit", "clinic.add_document", "clinic.change_document",
    "clinic.write_letters",
    "scheduling.seat", "scheduling.complete", "scheduling.step_back",
    "charting.view_chart", "charting.change_chart", "charting.view_perio", "charting.change_perio",
    "charting.view_note", "charting.write_note", "charting.sign_note", "charting.view_clinical_notes",
    "charting.write_clinical_notes",
    "treatment.write_plan", "treatment.complete_procedure",
    "milestone.create", "milestone.update",  # of the plans that they write
    "milestone.write_card",
}
# Who speaks with patients about their plans.
PRESENTING = {"treatment.present_plan", "treatment.answer_plan", "treatment.take_consent"}
# Who keeps the milestones of all plans.
MILESTONES = {"milestone.create", "milestone.update", "milestone.update_any"}
# What managers edit in the admin, and what they only look at there; Django's codenames.
EDITED = {
    "clinic": ["membership", "provider", "operatory", "procedurecode", "feeschedule", "fee"],
    "scheduling": ["appointmenttype", "appointmenttypecode", "workinghours", "hoursexception", "frontdesk"],
    "charting": ["chartsettings", "findingkind", "notetemplate", "periopath"],
    "treatment": ["coderule", "intervention"],
    "milestones": ["milestoneset", "milestonetemplate"],
}
SHOWN = {
    "clinic": ["portalaccess", "accessevent", "diagnosiscode"], "scheduling": ["block"],
    "treatment": ["treatmentplan", "careteammember"]}
BACK_OFFICE = {
    *(f"{app}.{verb}_{model}" for app, models in EDITED.items() for model in models for verb in ("view", "add", "change")),
    *(f"{app}.view_{model}" for app, models in SHOWN.items() for model in models),
    "clinic.view_user", "clinic.change_user",
}
ROLES = {
    "receptionist": FRONT_DESK,
    "coordinator": FRONT_DESK | PRESENTING | MILESTONES | {"clinic.merge_patients"},
    "assistant": CLINICAL,
    "hygienist": CLINICAL | {"charting.sign_alone"},
    "dentist": CLINICAL | PRESENTING | {
        "charting.confirm_diagnosis", "charting.sign_alone", "charting.cosign_note", "scheduling.view_production",
        "treatment.draw_up_plan",
    },
    "biller": STAFF | {"scheduling.view_production", "clinic.change_account", "clinic.export_lists"},
    "manager": FRONT_DESK | CLINICAL | PRESENTING | MILESTONES | BACK_OFFICE | {
        "clinic.manage", "clinic.change_clinic", "clinic.merge_patients", "clinic.unmerge_patients",
        "scheduling.double_book", "scheduling.manage", "charting.sign_alone",
        "treatment.draw_up_plan", "treatment.assign_plan",
    },
    # Not roles of a membership: what a coach and a patient may do follows from their own rows.
    "coach": {"clinic.view_growth", "clinic.view_clinic"},
    "patient": {"clinic.use_portal", "treatment.read", "treatment.answer_plan", "milestone.approve"},
}
