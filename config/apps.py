from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Configuration"

    def ready(self):
        from config.demo import checks  # noqa: F401  registers the check that no demo user stands where DEMO=0


class BackOffice(admin_apps.AdminConfig):
    """Django's admin with our site; each app's `admin.py` registers there."""

    default = False
    default_site = "clinic.web.back_office.PracticeSite"
