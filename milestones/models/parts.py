"""What the parts of a milestone have in common."""
from clinic.db.guards import Trigger, short
from clinic.db.records import Record
from treatment.models import TreatmentPlan


class SharedParts:
    """For the rows of a milestone's part: a patient sees those of their own plans, once these were presented."""

    def visible_to(self, actor):
        if actor is not None and actor.hat == "portal":
            return self.of(actor.patient).filter(milestone__is_withdrawn=False).exclude(
                milestone__plan__status=TreatmentPlan.Status.DRAFT)
        return super().visible_to(actor)


class MilestonePart(Record):
    """A part of a milestone (`milestone`): locked after it and its plan, so that all who change them wait in one order."""

    class Meta:
        abstract = True

    def lock(self, version=None):
        self.milestone.lock()
        return super().lock(version)


def stays_with(model, name):
    """A guard: a part never moves to another `name` (milestone, task)."""
    table, column = model._meta.db_table, model._meta.get_field(name).column
    return Trigger(short(table, name, "fixed"), table, ("UPDATE",), f"NEW.{column} <> OLD.{column}", (column,))


class SealedPart(MilestonePart):
    """A part of which what was said (SEALED) never changes again; only what became of it does."""

    SEALED = ()

    class Meta:
        abstract = True

    @classmethod
    def stands(cls):
        """A guard: what is sealed stands."""
        columns, sql = differs(cls, cls.SEALED)
        return Trigger(short(cls._meta.db_table, "stands"), cls._meta.db_table, ("UPDATE",), f"({sql})", columns)

    def save(self, *args, **kwargs):
        if not self._state.adding:
            # Texts are encrypted anew with each writing, so what is sealed is left out of it.
            kwargs["update_fields"] = [
                field.name for field in self._meta.concrete_fields if field.name not in self.SEALED and not field.primary_key]
        super().save(*args, **kwargs)


def differs(model, names):
    """(columns, SQL that one of them says something else than before)."""
    columns = tuple(model._meta.get_field(name).column for name in names)
    return columns, " OR ".join(
        f'NEW."{column}" <> OLD."{column}" OR (NEW."{column}" IS NULL) <> (OLD."{column}" IS NULL)' for column in columns)
