"""What the database itself refuses and Django cannot declare: laid after every `migrate`, on both engines.

A guard is a trigger (on PostgreSQL an exclusion constraint for overlaps, which its migration lays). Each one raises
IntegrityError with its own name. Which guards there must be follows from the models alone:

- `NoOverlap` in `Meta.constraints`: two rows of one resource may not overlap in time;
- append-only: every Fact and every history table refuses UPDATE and DELETE;
- same clinic: a row may not point to a row of another clinic, and may not move to another clinic;
- same patient: a row of one patient may not point to a row of another one (two that are merged are one person);
- undeletable: a Record refuses DELETE;
- what a model asks for itself: its classmethod `own_guards()` gives Triggers.
"""
import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.core import checks
from django.db import connections, transaction
from django.db.models import F, Func
from django.db.models.sql import Query


class TsTzRange(Func):
    function, output_field = "TSTZRANGE", DateTimeRangeField()


# No visit spans more, see NoOverlap: bounded by it, an index by start finds what overlaps without reading the whole past.
LONGEST = timedelta(hours=24)


class NoOverlap(ExclusionConstraint):
    """Rows with the same `resource` may not overlap in [start, end) while `condition` holds; touching is allowed.

    A row may span at most LONGEST_HOURS, refused as `<name>_span`: so an index on (resource, start) finds what overlaps
    without reading the resource's whole past.
    """

    LONGEST_HOURS = int(LONGEST.total_seconds() // 3600)

    def __init__(self, *, name, resource, start="starts_at", end="ends_at", condition=None, **kwargs):
        self.resource, self.start, self.end = resource, start, end
        super().__init__(name=name, condition=condition, expressions=[
            (F("clinic"), RangeOperators.EQUAL),
            (F(resource), RangeOperators.EQUAL),
            (TsTzRange(start, end, RangeBoundary()), RangeOperators.OVERLAPS),
        ], **kwargs)

    def deconstruct(self):
        path, args, kwargs = super().deconstruct()
        kwargs.pop("expressions")
        return path, args, {**kwargs, "resource": self.resource, "start": self.start, "end": self.end}

    def constraint_sql(self, model, schema_editor):
        return super().constraint_sql(model, schema_editor) if schema_editor.connection.vendor == "postgresql" else None

    def create_sql(self, model, schema_editor):
        return super().create_sql(model, schema_editor) if schema_editor.connection.vendor == "postgresql" else None

    def remove_sql(self, model, schema_editor):
        return super().remove_sql(model, schema_editor) if schema_editor.connection.vendor == "postgresql" else None

    def validate(self, model, instance, exclude=None, using="default"):
        """Left to the database: a check beforehand could be out of date by the time of the insert."""

    def span_trigger(self, model, vendor):
        """Refuses a row that is longer than LONGEST_HOURS."""
        start, end = (f'"{model._meta.get_field(name).column}"' for name in (self.start, self.end))
        too_long = {
            "sqlite": f"(julianday(NEW.{end}) - julianday(NEW.{start}) > {self.LONGEST_HOURS} / 24.0)",
            "postgresql": f"(NEW.{end} - NEW.{start} > interval '{self.LONGEST_HOURS} hours')",
        }[vendor]
        return Trigger(f"{self.name}_span", model._meta.db_table, ("INSERT", "UPDATE"), too_long)

    def sqlite_triggers(self, model, connection):
        """(name, SQL) of the triggers that stand for the exclusion constraint on SQLite."""
        quote = connection.ops.quote_name
        column = lambda name: quote(model._meta.get_field(name).column)  # noqa: E731
        table, key = quote(model._meta.db_table), quote(model._meta.pk.column)
        resource, start, end = column(self.resource), column(self.start), column(self.end)
        held = "1"
        if self.condition is not None:
            query = Query(model=model, alias_cols=False)
            sql, params = query.build_where(self.condition).as_sql(query.get_compiler(connection=connection), connection)
            quote_value = connection.SchemaEditorClass(connection, collect_sql=True).quote_value
            held = sql % tuple(quote_value(param) for param in params)
        columns = "|".join(field.column for field in model._meta.concrete_fields)
        new_held = re.sub(rf'"({columns})"', r'NEW."\1"', held)
        for event in ("INSERT", "UPDATE"):
            name = f"{self.name}_{event.lower()}"
            yield name, (
                f"CREATE TRIGGER {quote(name)} BEFORE {event} ON {table} FOR EACH ROW "
                f"WHEN ({new_held}) AND NEW.{resource} IS NOT NULL AND NEW.{start} < NEW.{end} BEGIN "
                f"SELECT RAISE(ABORT, 'CHECK constraint failed: {self.name}') WHERE EXISTS (SELECT 1 FROM {table} "
                f"WHERE {resource} = NEW.{resource} AND {start} < NEW.{end} AND {end} > NEW.{start} "
                f"AND {start} > datetime(NEW.{start}, '-{self.LONGEST_HOURS} hours') "
                f"AND {start} < {end} AND {key} IS NOT NEW.{key} AND ({held})); END")


@dataclass(frozen=True)
class Trigger:
    """One rule on one table: rows for which `refuse` holds are refused on `events` under `name`."""

    name: str
    table: str
    events: tuple[str, ...]
    refuse: str  # SQL over NEW and OLD; empty: always
    columns: tuple[str, ...] = ()  # UPDATE only of these columns

    def statements(self, connection):
        """(installed name, definition, SQL statements to lay it)."""
        quote = connection.ops.quote_name
        if connection.vendor == "sqlite":
            for event in self.events:
                name = f"{self.name}_{event.lower()}"
                of = f" OF {', '.join(map(quote, self.columns))}" if event == "UPDATE" and self.columns else ""
                sql = (f"CREATE TRIGGER {quote(name)} BEFORE {event}{of} ON {quote(self.table)} FOR EACH ROW "
                       f"{f'WHEN {self.refuse} ' if self.refuse else ''}BEGIN "
                       f"SELECT RAISE(ABORT, 'CHECK constraint failed: {self.name}'); END")
                yield name, sql, [sql]
            return
        test = f"IF {self.refuse} THEN " if self.refuse else ""
        body = (f"BEGIN {test}RAISE EXCEPTION 'refused by {self.name}' "
                f"USING ERRCODE = 'check_violation', CONSTRAINT = '{self.name}';"
                f"{' END IF; RETURN NEW;' if self.refuse else ''} END")
        of = f" OF {', '.join(map(quote, self.columns))}" if "UPDATE" in self.events and self.columns else ""
        events = " OR ".join(event + (of if event == "UPDATE" else "") for event in self.events)
        lay = [(self.name, f"BEFORE {events} ON {quote(self.table)} FOR EACH ROW")]
        if "DELETE" in self.events:
            lay.append((f"{self.name}_truncate", f"BEFORE TRUNCATE ON {quote(self.table)} FOR EACH STATEMENT"))
        for name, when in lay:
            if name.endswith("_truncate") and self.refuse:
                continue
            digest = hashlib.sha256((when + body).encode()).hexdigest()[:8]
            function = quote(f"guard_{hashlib.sha256(name.encode()).hexdigest()[:12]}_{digest}")
            yield name, function.strip('"'), [
                f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $guard${body}$guard$",
                f"CREATE TRIGGER {quote(name)} {when} EXECUTE FUNCTION {function}()",
            ]


def short(*parts):
    """A guard's name within PostgreSQL's 63 characters, still telling the table."""
    name = "_".join(parts)
    return name if len(name) <= 46 else f"{name[:39]}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def has_clinic(model):
    return any(field.name == "clinic" and field.is_relation for field in model._meta.concrete_fields)


def has_patient(model):
    return any(field.name == "patient" and field.is_relation for field in model._meta.concrete_fields)


def model_triggers(model):
    """The triggers that a model asks for by what it is."""
    from clinic.db.records import Fact, Recorded

    table, quote = model._meta.db_table, '"{}"'.format
    if issubclass(model, Fact) or hasattr(model, "history_object"):
        yield Trigger(short(table, "append_only"), table, ("UPDATE", "DELETE"), "")
    if issubclass(model, Recorded):
        yield Trigger(short(table, "never_deleted"), table, ("DELETE",), "")
    if not has_clinic(model) or hasattr(model, "history_object"):
        return
    if not issubclass(model, Fact):
        yield Trigger(short(table, "clinic_fixed"), table, ("UPDATE",), "NEW.clinic_id <> OLD.clinic_id", ("clinic_id",))
    for field in model._meta.concrete_fields:
        other = field.related_model
        if field.many_to_one or field.one_to_one:
            if field.name != "clinic" and has_clinic(other):
                column, there = quote(field.column), quote(other._meta.db_table)
                key = quote(other._meta.pk.column)
                yield Trigger(
                    short(table, field.name, "same_clinic"), table, ("INSERT", "UPDATE"),
                    f"(NEW.{column} IS NOT NULL AND NEW.clinic_id <> "
                    f"(SELECT clinic_id FROM {there} WHERE {key} = NEW.{column}))",
                    (field.column, "clinic_id"))
                if has_patient(model) and has_patient(other):
                    person = "(SELECT COALESCE(merged_into_id, id) FROM clinic_patient WHERE id = {})".format
                    whose = person(f"(SELECT patient_id FROM {there} WHERE {key} = NEW.{column})")
                    yield Trigger(
                        short(table, field.name, "same_patient"), table, ("INSERT", "UPDATE"),
                        f"(NEW.{column} IS NOT NULL AND {person('NEW.patient_id')} <> {whose})", (field.column, "patient_id"))


EXCLUSION = "exclusion constraint"


def overlaps(model):
    return [constraint for constraint in model._meta.constraints if isinstance(constraint, NoOverlap)]


def expected(connection):
    """Every guard that this code asks for: {installed name: (definition, statements)}."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed or model._meta.proxy:
            continue
        triggers = list(model_triggers(model))
        triggers += [constraint.span_trigger(model, connection.vendor) for constraint in overlaps(model)]
        triggers += getattr(model, "own_guards", list)()
        for trigger in triggers:
            for name, definition, statements in trigger.statements(connection):
                found[name] = (model._meta.db_table, definition, statements)
        for constraint in overlaps(model):
            if connection.vendor == "postgresql":
                sql = str(constraint.create_sql(model, connection.SchemaEditorClass(connection, collect_sql=True)))
                found[constraint.name] = (model._meta.db_table, EXCLUSION, [sql])
                continue
            for name, sql in constraint.sqlite_triggers(model, connection):
                found[name] = (model._meta.db_table, sql, [sql])
        if connection.vendor == "sqlite":
            for name, sql in getattr(model, "sqlite_triggers", dict)().items():
                found[name] = (model._meta.db_table, sql, [sql])
    return found


def installed(connection):
    """Every trigger and exclusion constraint that the database holds: {name: (table, definition)}."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute(
                "SELECT t.tgname, c.relname, p.proname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal "
                "AND c.relnamespace = current_schema()::regnamespace AND t.tgenabled <> 'D' "
                "UNION ALL SELECT k.conname, c.relname, %s FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
                "WHERE k.contype = 'x' AND c.relnamespace = current_schema()::regnamespace", [EXCLUSION])
        return {name: (table, definition) for name, table, definition in cursor.fetchall()}


def missing(connection):
    """Names of guards that should stand on existing tables and do not, or stand in another form."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    there = installed(connection)
    return [name for name, (table, definition, _) in expected(connection).items()
            if table in tables and there.get(name) != (table, definition)]


def lift_before_migrate(using="default", plan=(), **kwargs):
    """For `pre_migrate`: take SQLite's triggers away while tables are remade, if there is anything to migrate.

    SQLite changes a table by making it anew under its name, and refuses that while a trigger of another table asks the old
    one. No verb runs meanwhile. After a migration that failed they stay away, and the system check says so, until the next
    `migrate` has come through.
    """
    connection = connections[using]
    if connection.vendor != "sqlite" or not plan:
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for name in filter(is_ours, installed(connection)):
            cursor.execute(f"DROP TRIGGER {connection.ops.quote_name(name)}")


def lay_after_migrate(using="default", **kwargs):
    """For `post_migrate`: a remade table has lost its triggers, a new model has none yet."""
    lay(using)


def lay(using="default"):
    """Lay what is missing, mend what differs, take away what no model asks for any more. Returns how many were laid."""
    connection = connections[using]
    wanted, there = expected(connection), installed(connection)
    quote = connection.ops.quote_name
    to_lay = missing(connection)
    on = "" if connection.vendor == "sqlite" else " ON {}"
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for name in {*(set(there) - set(wanted)), *(set(to_lay) & set(there))}:
            if there[name][1] == EXCLUSION or (name not in wanted and not is_ours(name)):
                continue  # a migration takes exclusion constraints away
            cursor.execute(f"DROP TRIGGER {quote(name)}" + on.format(quote(there[name][0])))
        for name in to_lay:
            for statement in wanted[name][2]:
                cursor.execute(statement)
    return len(to_lay)


def is_ours(name):
    return name.startswith(tuple(f"{config.label}_" for config in apps.get_app_configs())) or name.startswith("guard_")


@contextmanager
def lifted(connection, model, because):
    """Lift a model's guards for a migration that must touch its rows; what was lifted, and why, stays on record."""
    from clinic.models import GuardLift

    quote = connection.ops.quote_name
    on = "" if connection.vendor == "sqlite" else f" ON {quote(model._meta.db_table)}"
    names = [name for name, (table, definition) in installed(connection).items()
             if table == model._meta.db_table and definition != EXCLUSION]
    GuardLift.objects.create(table=model._meta.db_table, because=because)
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TRIGGER {quote(name)}{on}")
    try:
        yield names
    finally:
        lay(connection.alias)


@checks.register(checks.Tags.database)
def guards_stand(databases=None, **kwargs):
    """A system check: every guard that the code asks for stands in the database.

    Only a warning before `migrate`, which is what lays them.
    """
    import sys

    level = checks.Warning if "migrate" in sys.argv[1:2] else checks.Error
    return [
        level(f"The guard {name} is missing in the database.", hint="Run: python manage.py migrate", id="clinic.E001")
        for alias in databases or () for name in missing(connections[alias])]
