"""`migrate`: Django's own, with less rendering, so that an empty database is ready in a fraction of the time."""
from django.core.management.commands import migrate
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


class LeanState(ProjectState):
    """With each change Django makes every model anew that is related to the changed one: here nearly all, hundreds of times.

    Two kinds of change need none of it: to a new model nothing points yet, and no relation hangs on an index or a constraint.
    """

    def add_model(self, model_state):
        apps = self.__dict__.pop("apps", None)  # what is not rendered, Django does not render anew
        super().add_model(model_state)
        if apps is not None:
            self.apps = apps
            apps.render_multiple([model_state])

    def _append_option(self, *change):
        self._without_relations(super()._append_option, *change)

    def _remove_option(self, *change):
        self._without_relations(super()._remove_option, *change)

    def _without_relations(self, make, app_label, model_name, option, *change):
        apps = self.__dict__.pop("apps", None)
        make(app_label, model_name, option, *change)
        if apps is not None:
            self.apps = apps
            setattr(apps.get_model(app_label, model_name)._meta, option, self.models[app_label, model_name].options[option])


class LeanExecutor(MigrationExecutor):
    """Forwards only: on the way back Django keeps the states before each migration, and these would be changed with the last."""

    def _migrate_all_forwards(self, state, *args, **kwargs):
        return super()._migrate_all_forwards(LeanState(state.models, state.real_apps), *args, **kwargs)


migrate.MigrationExecutor = LeanExecutor  # the command takes the executor from its own module
Command = migrate.Command
