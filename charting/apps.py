"""Teeth and surfaces, findings, periodontal exams, clinical notes, images."""
from django.apps import AppConfig


class ChartingConfig(AppConfig):
    name = "charting"
    verbose_name = "Charting"

    def ready(self):
        from charting import hooks  # noqa: F401  adds what the chart shows on clinic's pages
