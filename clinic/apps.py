from django.apps import AppConfig


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = "Practice"

    def ready(self):
        from django.db.backends.signals import connection_created
        from django.db.models.signals import post_migrate, pre_migrate
        from simple_history.signals import pre_create_historical_record

        from clinic.access.groups import make_groups
        from clinic.db import guards, limits, statistics
        from clinic.db.records import stamp_history
        from clinic.models.installation import make_first_key

        connection_created.connect(limits.learn, dispatch_uid="clinic.limits")
        pre_create_historical_record.connect(stamp_history, dispatch_uid="clinic.stamp_history")
        pre_migrate.connect(guards.lift_before_migrate, sender=self, dispatch_uid="clinic.guards_lifted")
        post_migrate.connect(guards.lay_after_migrate, sender=self, dispatch_uid="clinic.guards")
        post_migrate.connect(statistics.gather_after_migrate, sender=self, dispatch_uid="clinic.statistics")
        post_migrate.connect(make_first_key, sender=self, dispatch_uid="clinic.first_key")
        post_migrate.connect(make_groups, sender=self, dispatch_uid="clinic.groups")
