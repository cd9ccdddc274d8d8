"""The two kinds of table: `Record`, which changes and keeps its history, and `Fact`, which never changes."""
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, models, transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords
from simple_history.utils import bulk_create_with_history

from clinic.db.keys import uuid7
from clinic.db.prepared import PlainInsert
from clinic.db.refusals import Refused, Stale
from clinic.db.texts import ReadableTexts

_bulk = ContextVar("bulk", default=False)


class Revision(PlainInsert):
    """What every history row says besides the record's own columns: by which way, and in which request."""

    history_via = models.CharField(max_length=10, default="shell")
    history_request = models.CharField(max_length=36, blank=True, default="")

    class Meta:
        abstract = True


def person(model, patient):
    """The keys of a patient and of those merged into them, for a question about `model`: a subquery, so it costs no query."""
    key = getattr(patient, "pk", patient)
    patients = model._meta.get_field("patient").related_model._base_manager
    return patients.filter(Q(pk=key) | Q(merged_into=key)).order_by().values("pk")


def whose_row():
    """In a subquery: the patient under whom the outer query's row is seen."""
    return Coalesce(OuterRef("patient__merged_into"), OuterRef("patient"))


def person_has(rows):
    """Whether one of these rows is of the person of the outer query's row. Two lookups: one with an OR finds no index."""
    return Exists(rows.filter(patient=whose_row())) | Exists(rows.filter(patient__merged_into=whose_row()))


def change_token(rows, versions, last):
    """How many rows, the sum of their versions, the newest change: any change to any of them makes another token."""
    return f"{rows}-{versions}-{last.timestamp() if last else 0:.6f}"


class RecordQuerySet(models.QuerySet):
    """Questions about records. Whatever would change rows past their history raises."""

    def visible_to(self, actor):
        """The rows that this actor may know of: those of the actor's clinic, for staff."""
        if actor is None or actor.hat != "staff":
            return self.none()
        return self.filter(clinic=actor.clinic_id)

    def of(self, patient):
        """The rows of this patient (or patient's key), and of those who are merged into them."""
        return self.filter(patient__in=person(self.model, patient))

    def change_token(self):
        """A text that differs after any change to these rows; one query."""
        seen = self.order_by().aggregate(rows=Count("pk"), versions=Sum("version"), last=Max("updated_at"))
        return change_token(seen["rows"], seen["versions"] or 0, seen["last"])

    def lock(self):
        """For the row that a verb is about to change; SQLite's transaction is the lock already."""
        return self.select_for_update(of=("self",))

    def _refuse(self, how):
        if not _bulk.get():
            raise RuntimeError(f"{how} would change {self.model.__name__} past its history: use a verb, or record_bulk().")

    def update(self, **kwargs):
        self._refuse("update()")
        return super().update(**kwargs)

    def delete(self):
        raise RuntimeError(f"{self.model.__name__} rows are never deleted.")

    def bulk_create(self, *args, **kwargs):
        self._refuse("bulk_create()")
        return super().bulk_create(*args, **kwargs)

    def bulk_update(self, *args, **kwargs):
        self._refuse("bulk_update()")
        return super().bulk_update(*args, **kwargs)


class History(HistoryManager):
    """simple_history makes the class of a manager anew each time that somebody says `.history`, so with each save."""

    @classmethod
    @cache
    def from_queryset(cls, *args):
        return super().from_queryset(*args)


class Recorded(PlainInsert, ReadableTexts):
    """What changes and keeps its history, clinic or not; most extend `Record`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    history = HistoricalRecords(
        inherit=True, bases=[Revision], history_manager=History, history_id_field=models.UUIDField(default=uuid7),
        history_change_reason_field=models.TextField(null=True), user_model=settings.AUTH_USER_MODEL,
        history_user_id_field=None, related_name=None, excluded_fields=["search_text"], cascade_delete_history=False)
    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True

    def lock(self, version=None):
        """Take the row for a change, as it now stands. `version`: what the caller saw; another one raises Stale."""
        self.refresh_from_db(from_queryset=type(self)._base_manager.select_for_update(of=("self",)))
        if version is not None and version != self.version:
            raise Stale(self)
        return self

    @transaction.atomic
    def record(self, *, by, because=""):
        """Validate, raise the version, save, and write the history row: who (`by`, an Actor), why, which way.

        ValidationError when a field or the model's own rules are broken; IntegrityError, with the constraint's or guard's
        name, when the database refuses; Stale when the row changed since it was loaded.
        """
        now = timezone.now()
        new = self._state.adding
        if new:
            self.created_at = now
            self._place(by)
        self.updated_at = now
        self.full_clean(validate_unique=False, validate_constraints=False, exclude=self._unexamined())
        self.version += 1
        self._history_user = by.user
        self._change_reason = because
        self._history_date = now
        self._history_actor = by
        self._recording = True
        try:
            self.save(force_insert=new, force_update=not new)
        except IntegrityError:
            self.version -= 1
            raise
        except DatabaseError as error:
            self.version -= 1
            if "did not affect any rows" not in str(error):
                raise
            raise Stale(self) from error
        finally:
            self._recording = False
        return self

    def change(self, *, by, because="", version=None, **values):
        """Set these fields to these values. The plain verb of records that people edit in forms."""
        with transaction.atomic():
            self.lock(version)
            for name, value in values.items():
                setattr(self, name, value)
            return self.record(by=by, because=because)

    def save(self, *args, **kwargs):
        if not getattr(self, "_recording", False):
            raise RuntimeError(f"A {type(self).__name__} is saved by a verb that names its author: record(by=…).")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise RuntimeError(f"{type(self).__name__} rows are never deleted.")

    def _do_update(self, base_qs, using, pk_val, values, update_fields, forced_update):
        # The update holds only for the version that was read: what changed meanwhile is never overwritten unseen.
        return super()._do_update(
            base_qs.filter(version=self.version - 1), using, pk_val, values, update_fields, forced_update)

    def _place(self, by):
        """Where a new row belongs; overridden by records of a clinic."""

    def _unexamined(self):
        """Relations: the database proves them (foreign key, same clinic), so full_clean need not ask once more."""
        return {field.name for field in self._meta.concrete_fields if field.is_relation}


class Record(Recorded):
    """A row of one clinic that people change; each change leaves who, why, when and which way."""

    # No index of its own: every index that serves a list begins with the clinic.
    clinic = models.ForeignKey("clinic.Clinic", models.PROTECT, related_name="+", editable=False, db_index=False)

    class Meta:
        abstract = True

    def _place(self, by):
        if self.clinic_id is None:
            self.clinic = by.clinic


def stamp_history(sender, instance, history_instance, **kwargs):
    """simple-history's signal before each history row: by which way, and in which request."""
    actor = getattr(instance, "_history_actor", None)
    if actor is not None:
        history_instance.history_via = actor.via
        history_instance.history_request = actor.request_id


@contextmanager
def _allow_bulk():
    token = _bulk.set(True)
    try:
        yield
    finally:
        _bulk.reset(token)


@transaction.atomic
def record_bulk(rows, *, by, because="", batch_size=500):
    """Create many records at once, each with its history row: the one way past `record`, for imports and demo data.

    The rows must be valid already; the database still refuses what it always refuses.
    """
    rows = list(rows)
    if not rows:
        return rows
    now = timezone.now()
    for row in rows:
        if row.clinic_id is None:
            row.clinic = by.clinic
        row.created_at = row.created_at or now
        row.updated_at = row.updated_at or row.created_at
        row.version = row.version or 1
        row._history_actor = by
        row._history_date = row.updated_at
    with _allow_bulk():
        bulk_create_with_history(
            rows, type(rows[0]), batch_size=batch_size, default_user=by.user, default_change_reason=because,
            custom_historical_attrs={"history_via": by.via, "history_request": by.request_id})
    return rows


class FactQuerySet(models.QuerySet):
    def visible_to(self, actor):
        if actor is None or actor.hat != "staff":
            return self.none()
        return self.filter(clinic=actor.clinic_id)

    def of(self, patient):
        """The rows of this patient and of those merged into them; what an unmerge handed over counts where it was handed."""
        handed_over = apps.get_model("clinic", "HandedOver").objects
        own = person(self.model, patient)
        came_from = handed_over.filter(patient__in=own).order_by().values("origin")
        whose = handed_over.filter(row=OuterRef("pk")).order_by("-at", "-id").values("patient")[:1]
        return self.filter(patient__in=own.union(came_from)).alias(
            whose=Coalesce(Subquery(whose), "patient_id", output_field=models.UUIDField())).filter(whose__in=own)

    def update(self, **kwargs):
        raise RuntimeError(f"{self.model.__name__} is append-only.")

    def delete(self):
        raise RuntimeError(f"{self.model.__name__} is append-only.")


class Fact(PlainInsert):
    """A row that never changes: written once, refused UPDATE and DELETE by the database."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    clinic = models.ForeignKey("clinic.Clinic", models.PROTECT, related_name="+", editable=False, db_index=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False,
        help_text="Nobody: a job or a command of the installation.")

    told_by_its_record = False  # the history of changes tells it already, by the record that it belongs to

    objects = FactQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise RuntimeError(f"{type(self).__name__} is append-only.")
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise RuntimeError(f"{type(self).__name__} is append-only.")


__all__ = ["Fact", "FactQuerySet", "Record", "RecordQuerySet", "Recorded", "Refused", "Stale", "ValidationError", "record_bulk"]
