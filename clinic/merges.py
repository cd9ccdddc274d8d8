"""What merging two patients means for the tables: which rows each has, what their joined medical history says, and, when they
are taken apart again, what came since and what of it hangs together."""
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.db.models import Q

from clinic.db.guards import has_patient
from clinic.db.records import Fact, Recorded
from clinic.db.refusals import Refused
from clinic.models import AccessEvent, ApiToken, HandedOver, MedicalHistory, PortalAccess, Unmerge
from clinic.web.conflicts import joined

# Who looked, who may come in, and the merge's own records: these stay with the patient they were written for.
NOT_ASKED = (AccessEvent, ApiToken, HandedOver, PortalAccess, Unmerge)


@cache
def tables():
    """The tables of all apps whose rows are a patient's own."""
    return [
        model for model in apps.get_models()
        if has_patient(model) and issubclass(model, Fact | Recorded) and not hasattr(model, "history_object")
        and model not in NOT_ASKED]


@cache
def pointers():
    """(table, foreign key) of each relation between rows that must be of the same patient."""
    return [(model, field) for model in tables() for field in model._meta.concrete_fields
            if field.is_relation and field.related_model in tables()]


def counts(patient):
    """[(what, how many)] of a patient's rows; one query a table."""
    return [(str(model._meta.verbose_name_plural).capitalize(), model.objects.of(patient).count()) for model in tables()]


def joined_history(patient, survivor):
    """The content that says what either medical history says; where both can't stand, the survivor's."""
    own, theirs = ({**MedicalHistory.EMPTY, **(row.content if row else {})}
                   for row in (patient.medical_history, survivor.medical_history))
    lines = ("note", "premedication")
    return {
        name: joined(theirs[name], own[name])
        if isinstance(own[name], list) or (name in lines and own[name] and theirs[name] and own[name] != theirs[name])
        else theirs[name] or own[name] for name in MedicalHistory.EMPTY}


@dataclass
class Bundle:
    """Rows that came since the merge and belong to one of the two together; `owner` when what they hang on decides it."""

    rows: list
    owner: object = None

    @property
    def key(self):
        return str(self.rows[0].pk)


class LaterRows:
    """What was written for two merged patients since they were merged. A few queries a table, whatever the number of rows."""

    def __init__(self, patient, survivor):
        self.patient, self.survivor = patient, survivor
        self.rows = {row.pk: row for model in tables() for row in self._since_merge(model)}
        self._group = {key: key for key in self.rows}
        self._owners = defaultdict(set)  # a row's key: whose earlier rows it hangs on
        for model, field in pointers():
            self._hang_together(model, field)

    @property
    def bundles(self):
        """Oldest first."""
        groups = defaultdict(list)
        for key in sorted(self.rows):
            groups[self._root(key)].append(self.rows[key])
        return [Bundle(rows, self._owner(rows)) for rows in groups.values()]

    def authors(self):
        """{a row's key: who wrote it}; one query a table."""
        found = {key: str(row.by) for key, row in self.rows.items() if isinstance(row, Fact) and row.by}
        for model in tables():
            keys = [key for key, row in self.rows.items() if isinstance(row, model)]
            if keys and issubclass(model, Recorded):
                first = model.history.filter(id__in=keys, version=1, history_user__isnull=False)
                found |= dict(first.values_list("id", "history_user__name"))
        return found

    def hand_over(self, owners, *, by, because):
        """Give each row to whom its bundle belongs: a record by a recorded change, a fact by a fact that says so."""
        for bundle in self.bundles:
            owner = bundle.owner or next((owners[row.pk] for row in bundle.rows if row.pk in owners), None)
            if owner not in (self.patient, self.survivor):
                raise Refused(f"Something came since you opened this page: say whose “{bundle.rows[0]}” is.")
            for row in bundle.rows:
                if row.patient_id == owner.pk:
                    continue
                if isinstance(row, Recorded):
                    row.change(by=by, because=because, patient=owner)
                else:
                    HandedOver(
                        clinic_id=row.clinic_id, row=row.pk, of_table=row._meta.label, origin_id=row.patient_id, patient=owner,
                        by=by.user).save()

    def _since_merge(self, model):
        when = "at__gte" if issubclass(model, Fact) else "created_at__gte"
        rows = model.objects.filter(patient__in=[self.patient, self.survivor], **{when: self.patient.merged_at})
        return rows.select_related("by") if issubclass(model, Fact) else rows

    def _hang_together(self, model, field):
        """Join what points to each other; what points to an earlier row, or is pointed to by one, belongs to that one's patient."""
        pointing = [row for row in self.rows.values() if isinstance(row, model) and getattr(row, field.attname)]
        targets = {getattr(row, field.attname) for row in pointing}
        whose = dict(field.related_model._base_manager.filter(pk__in=targets).values_list("pk", "patient_id"))
        for row in pointing:
            target = getattr(row, field.attname)
            if target in self.rows:
                self._group[self._root(row.pk)] = self._root(target)
            else:
                self._owners[row.pk].add(whose[target])
        later = [key for key, row in self.rows.items() if isinstance(row, field.related_model)]
        earlier = model._base_manager.exclude(pk__in=self.rows)
        for target, patient in earlier.filter(**{f"{field.name}__in": later}).values_list(field.attname, "patient_id"):
            self._owners[target].add(patient)
        one, two = ({"patient": mine, f"{field.name}__patient": others} for mine, others in (
            (self.patient, self.survivor), (self.survivor, self.patient)))
        if issubclass(model, Recorded) and (
                row := earlier.filter(Q(**one) | Q(**two)).exclude(**{f"{field.name}__in": later}).first()):
            raise Refused(
                f"{row._meta.verbose_name.capitalize()} “{row}” ties a row of {self.patient.name} to one of {self.survivor.name} "
                "since they were merged. Undo that first.")

    def _owner(self, rows):
        decided = {self.patient if key == self.patient.pk else self.survivor for row in rows for key in self._owners[row.pk]}
        if len(decided) > 1:
            raise Refused(f"“{rows[0]}” hangs on rows of both patients, so it can be given to neither. Undo that first.")
        return decided.pop() if decided else None

    def _root(self, key):
        while self._group[key] != key:
            key = self._group[key]
        return key
