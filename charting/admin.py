"""What managers edit of the chart: kinds of findings, how the clinic charts, templates of notes."""
from django.contrib import admin

from charting.models import ChartSettings, FindingKind, NoteTemplate, PerioPath
from clinic.web.back_office import RecordAdmin


@admin.register(ChartSettings)
class ChartSettingsAdmin(RecordAdmin):
    """One row a clinic; without one the defaults hold."""

    list_display = ["__str__", "deep_pocket_mm", "probes_implants"]
    fields = ["deep_pocket_mm", "probes_implants"]

    def has_add_permission(self, request):
        return super().has_add_permission(request) and not self.get_queryset(request).exists()


@admin.register(FindingKind)
class FindingKindAdmin(RecordAdmin):
    """Kinds beside the standard ones; one that is in use in charts is retired, not deleted."""

    list_display = ["name", "code", "words", "surfaces", "symbol", "is_active"]
    list_filter = ["is_active"]
    fields = ["name", "code", "words", "surfaces", "symbol", "default_status", "is_active"]
    search_fields = ["name", "code"]

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["code"] if obj is not None else [])]  # findings have it


@admin.register(PerioPath)
class PerioPathAdmin(RecordAdmin):
    """Ways around the mouth beside the two usual ones."""

    list_display = ["name", "is_active"]
    list_filter = ["is_active"]
    fields = ["name", "legs", "is_active"]


@admin.register(NoteTemplate)
class NoteTemplateAdmin(RecordAdmin):
    """Texts with which notes begin; one that is not wanted any more is taken out of use."""

    list_display = ["name", "kind", "dotted", "is_active"]
    list_filter = ["kind", "is_active"]
    fields = ["name", "kind", "short_code", "body", "is_active"]
    search_fields = ["name", "short_code"]

    @admin.display(description="short code", ordering="short_code")
    def dotted(self, template):
        return f".{template.short_code}" if template.short_code else ""
