"""Questions that every page asks, written once: Django takes several times as long to write one as the database to answer it."""
from copy import copy
from functools import cache
from types import SimpleNamespace

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import Expression


class Blank(Expression):
    """Stands where a prepared question takes a value."""

    def __init__(self, name, field):
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler, connection):
        return "%s", [self]

    def fill(self, values, connection):
        return self.output_field.get_db_prep_value(values[self.name], connection)


class Prepared:
    """A queryset whose SQL is kept for the process; each call fills in the values and asks anew.

    `Prepared(lambda blank: Patient.objects.filter(pk=blank("key", Patient, "id")))`, then `question(key=…)` gives the rows as
    a list. `blank(name, model, field)` marks a value that is compared with this field. The question is made at the first
    call, when all models are there; what it holds besides blanks stays as it was then, so no clock and no actor. A value
    may not be None (SQL asks for NULL in other words).
    """

    def __init__(self, make):
        self._make, self._written = make, {}

    def __call__(self, **values):
        connection = connections[DEFAULT_DB_ALIAS]
        if connection.vendor not in self._written:
            self._written[connection.vendor] = self._write(connection)
        queryset, written, sql, params = self._written[connection.vendor]
        filled = tuple(param.fill(values, connection) if isinstance(param, Blank) else param for param in params)
        compiler = copy(written)
        compiler.connection = connection  # each thread has its own
        compiler.as_sql = lambda *args, **kwargs: (sql, filled)
        rows = queryset.all()
        rows.query.get_compiler = lambda *args, **kwargs: compiler
        return list(rows)

    def _write(self, connection):
        queryset = self._queryset(lambda name, model, field: Blank(name, model._meta.get_field(field)))
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([column for column, _, _ in compiler.select[:compiler.col_count]])
        compiler.get_converters = lambda expressions: converters
        return queryset, compiler, sql, params

    def _queryset(self, blank):
        return self._make(blank)


class PreparedFor(Prepared):
    """The same for rows that an actor may know of: `PreparedFor(lambda actor, blank: ….visible_to(actor)…)`.

    `question(actor, key=…)`. It is written for staff, of whatever clinic; other hats are rare and ask the plain way.
    """

    def __call__(self, actor, **values):
        if actor is None or actor.hat != "staff":
            return list(self._make(actor, lambda name, model, field: values[name]))
        return super().__call__(clinic=actor.clinic_id, **values)

    def _queryset(self, blank):
        from clinic.models import Clinic

        # Whoever asks what else such an actor may do gets an AttributeError: that can't be written ahead.
        return self._make(SimpleNamespace(hat="staff", clinic_id=blank("clinic", Clinic, "id")), blank)


class PlainInsert(models.Model):
    """Rows whose INSERT is written once a process: every value a constant, and a key that the row brings along."""

    class Meta:
        abstract = True

    def _do_insert(self, manager, using, fields, returning_fields, raw):
        values = [field.pre_save(self, True) for field in fields]
        if raw or returning_fields or any(hasattr(value, "resolve_expression") for value in values):
            return super()._do_insert(manager, using, fields, returning_fields, raw)
        connection = connections[using]
        with connection.cursor() as cursor:
            cursor.execute(_insert(type(self), connection.vendor), [
                field.get_db_prep_save(value, connection=connection) for field, value in zip(fields, values, strict=True)])
        return []


@cache
def _insert(model, vendor):
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    columns = [quote(field.column) for field in model._meta.local_concrete_fields]
    return (f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(columns)}) "
            f"VALUES ({', '.join(['%s'] * len(columns))})")
