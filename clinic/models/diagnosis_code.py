from datetime import timedelta
from typing import NamedTuple

from django.db import connection, models, transaction
from django.db.models import Case, F, Max, Min, Q, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Length

from clinic import icd10, search
from clinic.db.refusals import Refused

BATCH = 2000
# A release touches every row, and the search is made anew as a whole in a fraction of the time of row by row.
WITHOUT_SEARCH = {
    "postgresql": "DROP INDEX clinic_diagnosiscode_search_gin",
    "sqlite": "INSERT INTO clinic_diagnosiscode_fts (clinic_diagnosiscode_fts) VALUES ('delete-all')"}
WITH_SEARCH = {
    "postgresql": "CREATE INDEX clinic_diagnosiscode_search_gin ON clinic_diagnosiscode USING gin (search_text gin_trgm_ops)",
    "sqlite": "INSERT INTO clinic_diagnosiscode_fts (clinic_diagnosiscode_fts) VALUES ('rebuild')"}


class Loaded(NamedTuple):
    """How many codes of a release were new, are worded otherwise or came back, and are in it no more."""

    new: int
    changed: int
    ended: int


class DiagnosisCodeQuerySet(models.QuerySet):
    def visible_to(self, actor):
        """A public list: the same for the staff of every clinic."""
        return self.all() if actor is not None and actor.hat == "staff" else self.none()

    def in_force(self, on):
        """Those that hold that day. For days before the first release that was loaded, that release is all that is known."""
        first = self.model.objects.aggregate(day=Min("effective_from"))["day"]
        day = max(on, first or on)
        return self.filter(Q(effective_to=None) | Q(effective_to__gte=day), effective_from__lte=day)

    def search(self, text):
        """Codes that begin so, with or without the dot, or whose description has every word; best first.

        A word may be typed in part, from its start. Served by `clinic_diagnosiscode_search_gin` (PostgreSQL) or the FTS5
        table `clinic_diagnosiscode_fts` (SQLite, which keeps three letters at least: a space and two).
        """
        starts = search.word_starts(text)
        if not starts:
            return self.none()
        found, kept = self, [] if connection.vendor == "postgresql" else [start for start in starts if len(start) > 2]
        if kept:
            found = found.filter(pk__in=RawSQL(
                "SELECT rowid FROM clinic_diagnosiscode_fts WHERE clinic_diagnosiscode_fts MATCH %s",
                [search.fts_expression([start] for start in kept)]))
        for start in starts:
            if start not in kept:
                found = found.filter(search_text__contains=start)
        typed = "".join(starts)
        return found.order_by(
            Case(
                When(search_text__startswith=f"{typed} ", then=0),  # the code comes first in it
                When(search_text__startswith=typed, then=1),
                When(description__istartswith=text.strip(), then=2),
                When(search_text__contains=typed, then=3),
                default=4),
            "-is_billable", Length("search_text"), "code")

    def unknown_among(self, codes, on):
        """Which of these codes are not in force that day, as they were given; one may be written without its dot.

        With no list loaded nobody can tell, so whatever has the form of a code is let through.
        """
        spelled = {code: icd10.spelled(code) for code in codes}
        if self.model.objects.newest_release() is None:
            return [code for code, right in spelled.items() if not icd10.FORM.fullmatch(right)]
        known = set(self.in_force(on).filter(code__in=spelled.values()).values_list("code", flat=True))
        return [code for code, right in spelled.items() if right not in known]

    def newest_release(self):
        """The day from which the newest list that was loaded holds; None when there is no list."""
        return self.aggregate(day=Max("release"))["day"]


class DiagnosisCode(models.Model):
    """A code of ICD-10-CM with its official description, for all clinics. Not a diagnosis of anybody.

    A public list, so it is no Record: no clinic, no author, no history. `load` alone writes it; a code that is gone from the
    list keeps its row and says until when it held.
    """

    code = models.CharField(max_length=8, unique=True)
    description = models.CharField(max_length=300)
    is_billable = models.BooleanField("can be billed", help_text="A claim names only codes that have none below them.")
    release = models.DateField("newest release that has it")
    effective_from = models.DateField(help_text="When the first list that has it began, of those that were loaded here.")
    effective_to = models.DateField("effective until", null=True, blank=True)
    search_text = models.TextField(editable=False)

    objects = DiagnosisCodeQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [models.CheckConstraint(
            condition=Q(effective_to=None) | Q(effective_to__gte=F("effective_from")),
            name="clinic_diagnosiscode_ends_after_start")]
        indexes = [  # each start of the program asks for the newest, each check for the first
            models.Index(fields=["release"], name="clinic_diagnosiscode_release"),
            models.Index(fields=["effective_from"], name="clinic_diagnosiscode_since"),
        ]

    def __str__(self):
        return f"{self.code} {self.description}"

    @classmethod
    @transaction.atomic
    def load(cls, rows, release):
        """Take over a release, which holds from that day: (code, description, is_billable) of each of its codes.

        What it lacks ended the day before. A code that comes back is as if it had never been gone. Loading the same release
        again changes nothing; an older one is refused.
        """
        newest = cls.objects.newest_release()
        if newest is not None and newest > release:
            raise Refused(f"The list of {icd10.named(newest)} is loaded, which is newer than that of {icd10.named(release)}.")
        gone = {row.code: row for row in cls.objects.all()}
        new, changed = [], []
        for code, description, is_billable in rows:
            row = gone.pop(code, None)
            if row is None:
                new.append((code, description, is_billable))
            elif (row.description, row.is_billable, row.effective_to) != (description, is_billable, None):
                row.description, row.is_billable, row.effective_to = description, is_billable, None
                row.search_text = spaced(code, description)
                changed.append(row)
        ended = [row for row in gone.values() if row.effective_to is None]
        for row in ended:
            row.effective_to = max(row.effective_from, release - timedelta(days=1))
        with connection.cursor() as cursor:
            cursor.execute(WITHOUT_SEARCH[connection.vendor])
            cls._add(cursor, new, release)
            cls.objects.bulk_update(
                changed + ended, ["description", "is_billable", "effective_to", "search_text"], batch_size=BATCH)
            cls.objects.filter(effective_to=None).exclude(release=release).update(release=release)
            cursor.execute(WITH_SEARCH[connection.vendor])
        return Loaded(len(new), len(changed), len(ended))

    @classmethod
    def _add(cls, cursor, new, release):
        """The first list has a hundred thousand, so no model objects: they take five times as long."""
        day = cls._meta.get_field("release").get_db_prep_save(release, connection)
        rows = ((*row, day, day, spaced(*row[:2])) for row in new)
        columns = "clinic_diagnosiscode (code, description, is_billable, release, effective_from, search_text)"
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {columns} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            cursor.executemany(f"INSERT INTO {columns} VALUES (%s, %s, %s, %s, %s, %s)", list(rows))


def spaced(code, description):
    """What is searched: the code first, then the words."""
    return search.spaced(f"{code} {description}")
