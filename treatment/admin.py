"""What managers edit of treatment: what is made of codes, the practice's own interventions. Plans are looked at here."""
from django.contrib import admin
from django.urls import reverse

from clinic.web.back_office import RecordAdmin, ShownAdmin
from treatment.models import CareTeamMember, CodeRule, Intervention, TreatmentPlan


@admin.register(CodeRule)
class CodeRuleAdmin(RecordAdmin):
    """How a code is drawn, for what it is offered, and the note that it proposes. A code has one rule, and keeps it."""

    list_display = ["procedure_code", "condition", "material", "teeth", "least_surfaces", "most_surfaces", "quick_button"]
    list_select_related = ["procedure_code"]
    list_filter = ["condition", "teeth", "procedure_code__is_active"]
    fields = [
        "procedure_code", "condition", "material", "teeth", "least_surfaces", "most_surfaces", "quick_button", "narrative"]
    search_fields = ["procedure_code__code", "procedure_code__description", "condition"]
    search_help_text = "Code, words, or how it is drawn"

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["procedure_code"] if obj is not None else [])]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "procedure_code":
            field.queryset = field.queryset.filter(rule=None)
        return field


@admin.register(Intervention)
class InterventionAdmin(RecordAdmin):
    """The practice's own, beside those of the library, which belong to every clinic and are only read."""

    list_display = ["name", "modality", "evidence_level", "is_own", "is_active"]
    list_filter = ["is_active", "evidence_level", "modality"]
    fields = ["name", "description", "modality", "evidence_level", "is_active"]
    search_fields = ["name", "description"]
    screen = "treatment:intervention"

    def has_view_permission(self, request, obj=None):
        return self._may(request, "view")  # a row of the library is no clinic's, but everybody's to read

    @admin.display(description="our own", boolean=True)
    def is_own(self, row):
        return not row.is_system


@admin.register(TreatmentPlan)
class TreatmentPlanAdmin(ShownAdmin):
    """Drawn up, changed and assigned on its own pages."""

    list_display = ["start_date", "patient", "title", "treatment_type", "provider", "status", "next_review_date"]
    list_select_related = ["patient", "provider"]
    list_filter = ["status", "treatment_type"]
    fields = [
        "patient", "title", "treatment_type", "provider", "status", "status_because", "start_date", "target_end_date",
        "actual_end_date", "next_review_date", "review_frequency_days", "number", "created_at", "updated_at"]
    ordering = ["-start_date", "-id"]
    screen = "treatment:plan"


@admin.register(CareTeamMember)
class CareTeamMemberAdmin(ShownAdmin):
    """Who wrote which plan, from when to when. People are added and taken out on the plan's page."""

    list_display = ["plan", "user", "is_writer", "is_assigned", "since", "until"]
    list_select_related = ["plan", "user"]
    list_filter = ["is_writer", "is_assigned"]
    fields = ["plan", "user", "is_writer", "is_assigned", "since", "until"]
    ordering = ["-since", "-id"]

    def patient_of(self, obj):
        return obj.plan.patient

    def screen_of(self, obj):
        return reverse("treatment:team", args=[obj.plan_id])
