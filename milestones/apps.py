from django.apps import AppConfig


class MilestonesConfig(AppConfig):
    name = "milestones"
    verbose_name = "Milestones"

    def ready(self):
        from milestones import notices, of_plans, panels, receivers  # noqa: F401  adds what milestones tell and show elsewhere, and listens
