"""What changed in a whole practice: the history of every record, and every fact, of one clinic as one list by time."""
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, reduce
from operator import or_
from typing import Any, NamedTuple
from uuid import UUID

from django.apps import apps
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Func, OuterRef, Q, Subquery, UUIDField, Value
from django.db.models.functions import Cast, Coalesce

from clinic.audit.changes import changes_of, named, names, who_did
from clinic.db.guards import has_clinic, has_patient
from clinic.db.records import Fact, Recorded
from clinic.models import Account, Clinic, Patient, User
from clinic.panels import Change

LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """Which changes: by whom, of which patient (a key of the person), which kind, which way in, from when, until when.

    `before`: (moment, key) of the last one that was shown.
    """

    who: Any = None
    patient: Any = None
    kind: str = ""
    way: str = ""
    since: Any = None
    until: Any = None
    before: Any = None


class Entry(NamedTuple):
    """Where a change is to be found: of which kind, the key of its row, when, and the key of the person it is about."""

    kind: Any
    key: UUID
    at: datetime
    person: Any


@dataclass(frozen=True)
class Line:
    """A change as a list shows it."""

    entry: Entry
    change: Change
    patient: Any


class ByNoIndex(Func):
    """A column that SQLite may not search by: it would take the clinic's index, read all its rows and sort them, where the
    index of dates gives the newest at once."""

    template, arity = "%(expressions)s", 1

    def as_sqlite(self, compiler, connection, **more):
        return self.as_sql(compiler, connection, template="+%(expressions)s", **more)


class Kind:
    """A table of the past: the history of a record type, or a fact type."""

    def __init__(self, model):
        self.model, self.is_record = model, issubclass(model, Recorded)
        self.table = model.history.model if self.is_record else model
        self.key, self.at, self.by = (
            ("history_id", "history_date", "history_user") if self.is_record else ("id", "at", "by"))
        fields = {field.name for field in self.table._meta.concrete_fields}
        self.way = next((name for name in ("history_via", "via") if name in fields), "")
        self.clinic = "clinic" if has_clinic(model) else "id"
        self.patient = path_to_patient(model)

    @property
    def name(self):
        return self.model._meta.label_lower

    @property
    def words(self):
        words = str(self.model._meta.verbose_name)
        return words[:1].upper() + words[1:]

    def newest(self, clinic, asked, count):
        """(key, moment, person) of so many that are asked for, the newest first; None when this kind can't have it.

        The index of dates finds the last moment that counts, then what came since: SQLite would sort the whole table for an
        order by moment and key.
        """
        rows = self._found(clinic, asked)
        if rows is None:
            return None
        last = rows.order_by(f"-{self.at}").values(self.at)[count - 1:count]
        return rows.filter(**{f"{self.at}__gte": Coalesce(Subquery(last), Value(LONG_AGO))}).order_by(
            f"-{self.at}", f"-{self.key}").values_list(self.key, self.at, self._person())[:count]

    def _found(self, clinic, asked):
        rows = self.table._base_manager.all()
        rows = rows.alias(own=ByNoIndex(F(self.clinic))).filter(own=clinic.pk) if self.is_record else rows.filter(clinic=clinic)
        if (asked.way and not self.way) or (asked.patient and not (self.patient or self.model is Account)):
            return None
        if asked.way:
            rows = rows.filter(**{self.way: asked.way})
        if asked.who:
            rows = rows.filter(**{self.by: asked.who})
        if asked.patient:
            rows = rows.filter(id__in=self._about(asked.patient).values("pk"))
        if asked.since:
            rows = rows.filter(**{f"{self.at}__gte": asked.since})
        if asked.until:
            rows = rows.filter(**{f"{self.at}__lt": asked.until})
        if asked.before:
            at, key = asked.before
            rows = rows.filter(Q(**{f"{self.at}__lt": at}) | Q(**{self.at: at, f"{self.key}__lt": key}), **{f"{self.at}__lte": at})
        return rows

    def _about(self, patient):
        """The rows about this person, also under the records that were merged into theirs."""
        people = Patient._base_manager.filter(Q(pk=patient) | Q(merged_into=patient)).order_by()
        if self.model is Account:
            return Account._base_manager.filter(pk__in=people.values("account"))
        return self.model._base_manager.filter(**{f"{self.patient}__in": people.values("pk")})

    def _person(self):
        """Whom the row is about, as it now stands; asked for each row by itself, and only for those that are given."""
        if not self.patient:
            return Cast(Value(None), UUIDField())
        if self.model is Patient:
            return F("id")
        own = self.model._base_manager.filter(pk=OuterRef("id")).order_by()
        return Subquery(own.annotate(person=Coalesce(f"{self.patient}__merged_into", self.patient)).values("person")[:1])

    def lines(self, keys):
        """{key: Change} of these rows: with what stood there before, or for a fact that it was written."""
        rows = list(self.table._base_manager.filter(pk__in=keys)) if self.is_record else list(
            named(self.model).filter(pk__in=keys))
        if not self.is_record:
            who = names(User, {row.by_id for row in rows})
            return {row.pk: Change(
                row.at, who_did(row.by_id, getattr(row, "via", ""), who), getattr(row, "via", ""), str(row), "", [])
            for row in rows}
        called = {} if self.model is Patient else names(self.model, {row.id for row in rows})  # patients stand beside it
        changes = changes_of(
            self.model, rows, lambda row: called.get(row.id, ""), earlier=self._earlier(rows), spelled=False)
        return {change.key: change for change in changes}

    def _earlier(self, rows):
        """The versions before these, where they are not among them."""
        there = {(row.id, row.version) for row in rows}
        wanted = {(row.id, row.version - 1) for row in rows if row.version > 1} - there
        if not wanted:
            return []
        return list(self.table._base_manager.filter(reduce(or_, (Q(id=key, version=version) for key, version in wanted))))


@cache
def kinds():
    """{name: Kind}: all tables of a clinic that keep a past, found among the models, so that a new one is there by itself."""
    models = [
        model for model in apps.get_models()
        if (issubclass(model, Recorded) or (issubclass(model, Fact) and not model.told_by_its_record))
        and (has_clinic(model) or model is Clinic)]
    found = sorted(map(Kind, models), key=lambda kind: kind.words)
    return {kind.name: kind for kind in found}


@cache
def path_to_patient(model, depth=3):
    """The shortest way from a row to the patient it is about, as a lookup; empty when it is about none."""
    if model is Patient:
        return "id"
    if has_patient(model):
        return "patient"
    pointed = [
        (field.name, field.related_model) for field in model._meta.concrete_fields
        if field.is_relation and issubclass(field.related_model, Recorded | Fact) and field.related_model not in (Patient, model)]
    paths = [f"{name}__{path}" for name, further in pointed if depth and (path := path_to_patient(further, depth - 1))]
    return min(paths, key=lambda path: path.count("__"), default="")


def entries(clinic, asked, count):
    """The newest `count` entries that are asked for: one question to all tables together."""
    chosen = [kinds()[asked.kind]] if asked.kind else list(kinds().values())
    parts, params = [], []
    for number, kind in enumerate(chosen):
        rows = kind.newest(clinic, asked, count)
        if rows is None:
            continue
        try:
            sql, values = rows.query.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            continue
        parts.append(f"SELECT {number}, found.* FROM ({sql}) AS found")
        params += values
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(parts)} ORDER BY 3 DESC, 2 DESC LIMIT {int(count)}", params)
        return [
            Entry(chosen[number], _key(key), _moment(at), _key(person)) for number, key, at, person in cursor.fetchall()]


def lines_of(found):
    """`Line`s of these entries, in their order. What changed nothing that a person sees is left out."""
    by_kind = {}
    for entry in found:
        by_kind.setdefault(entry.kind, []).append(entry.key)
    changes = {kind: kind.lines(keys) for kind, keys in by_kind.items()}
    people = Patient._base_manager.in_bulk({entry.person for entry in found if entry.person})
    return [
        Line(entry, changes[entry.kind][entry.key], people.get(entry.person)) for entry in found
        if entry.key in changes[entry.kind]]


def _key(value):
    return UUID(value) if isinstance(value, str) else value


def _moment(value):
    """SQLite gives text, or a moment without its zone."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)
