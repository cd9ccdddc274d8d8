from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "scheduling"
    verbose_name = "Schedule"

    def ready(self):
        from scheduling import hooks, notices  # noqa: F401  adds what the schedule shows on clinic's pages, and tells of
