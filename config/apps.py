from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Configuration"

    def ready(self):
        from config.demo import checks  # noqa: F401  registers the check that no demo user stands where DEMO=0
