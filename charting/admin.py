"""What managers edit of the chart: kinds of findings, and how the clinic charts."""
from django.contrib import admin

from charting.models import ChartSettings, FindingKind
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
