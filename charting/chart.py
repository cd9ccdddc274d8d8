"""The chart of one patient on one day, and what stands beside it: three questions however much was found."""
from functools import cached_property
from html import escape

from django.utils.safestring import mark_safe
from django.utils.text import Truncator

from charting.drawing import drawn, told
from charting.entry import plan_work
from charting.grammar import Language
from charting.models import Finding, FindingKind
from charting.mouth import Mouth, lean
from charting.teeth import TEETH


class Chart:
    """Everything that was ever found in a patient's mouth and holds as a record, and the mouth on any day of it."""

    def __init__(self, actor, patient, on=None):
        """`on`: the day that is shown; today when none is said."""
        self.actor, self.patient, self.clinic = actor, patient, actor.clinic
        self.today = actor.clinic.today()
        self.is_to_come = on is not None and on > self.today  # nobody knows it, so today is shown
        self.on = self.today if on is None or self.is_to_come else on
        self.numbering = self.clinic.tooth_numbering
        self.kinds = FindingKind.known_to(self.clinic, active=False)
        self.every = lean(Finding.objects.visible_to(actor).of(patient).in_force(), actor.clinic)
        self.mouth = self.mouth_on(self.on)

    @property
    def is_today(self):
        return self.on == self.today

    def findings_on(self, day):
        return [row for row in self.every if row.holds_on(day)]

    def mouth_on(self, day):
        return Mouth(self.findings_on(day), self.kinds, self.patient.date_of_birth, day)

    @property
    def sound(self):
        """The labels of the teeth that were examined and have nothing."""
        return [place.tooth.label(self.numbering) for place in self.mouth.places if place.state == "sound"]

    @property
    def has_new(self):
        """Whether something was charted today."""
        return any(row.is_new for row in self.every)

    @cached_property
    def days(self):
        """The days on which something changed, and today, oldest first."""
        changes = {row.noted_on for row in self.every} | {row.resolved_on for row in self.every if row.resolved_on}
        return sorted({day for day in changes if day <= self.today} | {self.today})

    def drawing(self, address="", chosen=""):
        """The SVG of the day that is shown."""
        return drawn(self.mouth, self.kinds, self.numbering, address, chosen)

    def drawing_on(self, day):
        return drawn(self.mouth_on(day), self.kinds, self.numbering)

    def rows(self, findings):
        """[(finding, the tooth's label, what it is in words)], by tooth; that a tooth is sound is no row of its own."""
        said = [row for row in findings if row.condition != "sound"]
        ordered = sorted(said, key=lambda row: (TEETH[row.tooth].position, row.tooth, row.noted_on, row.pk))
        return [(row, TEETH[row.tooth].label(self.numbering), told(row, self.kinds)) for row in ordered]

    def listed(self, rows, address):
        """These `rows` as the list beside the chart, drawn here because a template takes several times as long for hundreds."""
        address = escape(address)
        months = {day: f"{day:%b %Y}" for day in {row.noted_on for row, _, _ in rows}}
        return mark_safe("".join([  # noqa: S308 (every text in it is escaped)
            f'<li><a class="finding-tooth" data-tooth-link href="{address}tooth={label}#tooth" '
            f'aria-label="Tooth {label}">{label}</a><span class="finding-what"><span>{escape(words)}</span>{_note(row.note)}</span>'
            f'<span class="muted small nowrap">{months[row.noted_on]}</span></li>' for row, label, words in rows]))

    def changes(self, before):
        """[(sign, finding, label, words)] between that day and the one shown: what came (+) and what passed (-)."""
        then, now = {row.pk: row for row in self.findings_on(before)}, {row.pk: row for row in self.findings_on(self.on)}
        came, passed = [row for key, row in now.items() if key not in then], [row for key, row in then.items() if key not in now]
        return [(sign, *row) for sign, rows in (("+", came), ("-", passed)) for row in self.rows(rows)]

    @cached_property
    def language(self):
        """What the entry line understands for this patient; one question."""
        return Language(
            self.numbering, FindingKind.known_to(self.clinic), self.today, self.mouth.unexamined, plans=bool(plan_work))

    def of_tooth(self, tooth):
        """Everything ever charted at a tooth, newest first, also what was entered in error: one query."""
        rows = Finding.objects.visible_to(self.actor).of(self.patient).filter(tooth=tooth.key).select_related("provider")
        return [(row, told(row, self.kinds)) for row in rows.order_by("-noted_on", "-created_at")]


def _note(text):
    return f'<span class="small muted lines">{escape(Truncator(text).chars(120))}</span>' if text else ""
