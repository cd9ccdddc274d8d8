"""What managers edit of the schedule: types and hours; visits and blocks are looked at here."""
from django import forms
from django.contrib import admin
from django.urls import reverse

from clinic.models import Provider
from clinic.web.back_office import ColourForm, RecordAdmin, RecordRows, ShownAdmin
from scheduling.forms import PatternField
from scheduling.models import (
    Appointment,
    AppointmentType,
    AppointmentTypeCode,
    Block,
    FrontDesk,
    HoursException,
    WorkingHours,
)


class CodeRows(RecordRows):
    model = AppointmentTypeCode
    fields = ["procedure_code", "is_active", "seen_version"]
    once_each = "procedure_code"


class AppointmentTypeForm(ColourForm):
    """`kinds` by boxes, the pattern a line each."""

    pattern = PatternField(label="Whose minutes it takes")
    kinds = forms.MultipleChoiceField(
        label="Who may do it", choices=Provider.Kind.choices, widget=forms.CheckboxSelectMultiple, required=False,
        help_text="None: everybody who treats.")


@admin.register(AppointmentType)
class AppointmentTypeAdmin(RecordAdmin):
    form = AppointmentTypeForm
    list_display = ["name", "minutes", "buffer_before", "buffer_after", "sequence", "is_active"]
    list_filter = ["is_active"]
    fields = ["name", "minutes", "buffer_before", "buffer_after", "colour", "kinds", "pattern", "sequence", "is_active"]
    search_fields = ["name"]
    inlines = [CodeRows]


@admin.register(WorkingHours)
class WorkingHoursAdmin(RecordAdmin):
    list_display = ["provider", "weekday", "starts", "ends", "is_active"]
    list_select_related = ["provider"]
    list_filter = ["weekday", "is_active"]
    fields = ["provider", "weekday", "starts", "ends", "is_active"]
    search_fields = ["provider__name"]


@admin.register(HoursException)
class HoursExceptionAdmin(RecordAdmin):
    list_display = ["date", "provider", "starts", "ends", "reason", "is_active"]
    list_select_related = ["provider"]
    list_filter = ["is_active"]
    fields = ["date", "provider", "starts", "ends", "reason", "is_active"]
    search_fields = ["provider__name", "reason"]
    ordering = ["-date"]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "provider":
            field.empty_label = "The whole practice"
        return field


@admin.register(FrontDesk)
class FrontDeskAdmin(RecordAdmin):
    """One row a clinic; without one the defaults hold."""

    list_display = ["__str__", "asks_by_itself", "hold_minutes", "reminds_by_itself", "reminder_hour", "reminders_say_when"]
    fields = [
        "asks_by_itself", "hold_minutes", "reminds_by_itself", "reminder_hour", "reminders_say_when", "feeds_name_patients",
        "day_goal"]

    def has_add_permission(self, request):
        return super().has_add_permission(request) and not self.get_queryset(request).exists()


@admin.register(Appointment)
class AppointmentAdmin(ShownAdmin):
    list_display = ["starts_at", "patient", "appointment_type", "provider", "operatory", "status"]
    list_select_related = ["patient", "appointment_type", "provider", "operatory"]
    list_filter = ["status"]
    fields = [
        "patient", "appointment_type", "provider", "operatory", "starts_at", "ends_at", "status", "cancel_reason",
        "is_walk_in", "created_at", "updated_at"]
    ordering = ["-starts_at"]
    screen = "scheduling:visit"


@admin.register(Block)
class BlockAdmin(ShownAdmin):
    list_display = ["starts_at", "ends_at", "title", "operatory", "provider", "is_active"]
    list_select_related = ["operatory", "provider"]
    fields = ["title", "operatory", "provider", "starts_at", "ends_at", "is_active"]
    ordering = ["-starts_at"]
    of_patients = False

    def screen_of(self, obj):
        return reverse("scheduling:block", args=[obj.pk]) if obj.is_active else ""
