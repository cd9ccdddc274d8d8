from treatment.models.care_team import CareTeamMember
from treatment.models.code_rule import CodeRule
from treatment.models.consent import Consent, ConsentedProcedure, ConsentWithdrawal
from treatment.models.goal import Goal
from treatment.models.goal_progress import GoalProgress
from treatment.models.intervention import GoalIntervention, Intervention, SessionIntervention
from treatment.models.phase import Phase
from treatment.models.plan import PlanUserObjectPermission, TreatmentPlan
from treatment.models.plan_review import PlanReview
from treatment.models.plan_version import PlanVersion
from treatment.models.procedure import Procedure
from treatment.models.procedure_note import ProcedureNote
from treatment.models.procedure_session import ProcedureSession
from treatment.models.review_reminder import ReviewReminder

__all__ = [
    "CareTeamMember", "CodeRule", "Consent", "ConsentWithdrawal", "ConsentedProcedure", "Goal", "GoalIntervention", "GoalProgress",
    "Intervention", "Phase", "PlanReview", "PlanUserObjectPermission", "PlanVersion", "Procedure", "ProcedureNote",
    "ProcedureSession",
    "ReviewReminder", "SessionIntervention", "TreatmentPlan"]
