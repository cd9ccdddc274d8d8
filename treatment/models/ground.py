"""What the parts of a plan have in common."""
from clinic.db.guards import Trigger, short
from clinic.db.records import Record


class PlanPart(Record):
    """A part of a plan (`plan`): locked after it, so that all who change them wait for each other in one order."""

    class Meta:
        abstract = True

    def lock(self, version=None):
        self.plan.lock()
        return super().lock(version)


def stays_in_plan(model):
    """A guard: a part never moves to another plan, so that what was once of the same plan remains so."""
    table = model._meta.db_table
    return Trigger(short(table, "plan_fixed"), table, ("UPDATE",), "NEW.plan_id <> OLD.plan_id", ("plan_id",))


def same_plan(model, *fields):
    """Guards: what a part of a plan points to is a part of the same plan."""
    table = model._meta.db_table
    for name in fields:
        field = model._meta.get_field(name)
        there = field.related_model._meta.db_table
        yield Trigger(
            short(table, name, "same_plan"), table, ("INSERT", "UPDATE"),
            f"(NEW.{field.column} IS NOT NULL AND NEW.plan_id <> (SELECT plan_id FROM {there} WHERE id = NEW.{field.column}))",
            (field.column, "plan_id"))
