from django.apps import AppConfig


class TreatmentConfig(AppConfig):
    name = "treatment"
    verbose_name = "Treatment"

    def ready(self):
        from django.db.models.signals import post_migrate

        from clinic.access.rules import OBJECT_RULES
        from treatment import charted, goal_panels, note_subjects, notices, panels, receivers  # noqa: F401  adds what treatment shows on pages of other apps

        OBJECT_RULES["treatment.write_plan"] = "treatment.write_plan"  # the care team's rows decide
        post_migrate.connect(load_library, sender=self, dispatch_uid="treatment.library")


def load_library(apps, **kwargs):
    """After each `migrate` that leaves their table there: the interventions that all clinics share."""
    from treatment import starter

    try:
        apps.get_model("treatment", "Intervention")
    except LookupError:  # migrated back to before it
        return
    starter.load_library()
