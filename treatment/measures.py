"""Live measures that a goal's value can be bound to, so that its progress is computed and not typed. Each says where it is from."""
from functools import cached_property

from django.utils import timezone

from charting.models import PerioExam
from scheduling.models import Appointment

OF_EXAM = ("bleeding_percent", "plaque_percent", "sites_ge_5")
KEPT = "kept_percent"


class Measures:
    """What a patient's exams and visits say now. Each source is asked once, when it is first needed."""

    def __init__(self, patient):
        self.patient = patient

    @cached_property
    def exams(self):
        """The finished exams in which something was measured, newest first."""
        return list(PerioExam.objects.of(self.patient).finished().exclude(sites_measured=0).defer("note"))

    @cached_property
    def _visits(self):
        """[(clinic's date, whether it was kept)] of all visits whose time has come, kept or not, the oldest first."""
        zone, over = self.patient.clinic.zone, [*Appointment.DONE, *Appointment.FREE]
        rows = Appointment.objects.of(self.patient).filter(status__in=over, starts_at__lte=timezone.now()).order_by("starts_at")
        return [(at.astimezone(zone).date(), status in Appointment.DONE) for at, status in rows.values_list("starts_at", "status")]

    def exam(self, measure):
        """The exam from which a figure is; None where there is none, and for what is not measured in exams."""
        return self.exams[0] if measure in OF_EXAM and self.exams else None

    def figure(self, measure, since):
        """The figure as it is now, of visits `since` a date; None where there is nothing to tell it from."""
        if measure in OF_EXAM:
            exam = self.exam(measure)
            return getattr(exam.indices, measure) if exam else None
        kept = [was_kept for day, was_kept in self._visits if day >= since]
        return _share(kept) if kept else None

    def course(self, measure, since):
        """[(date, figure)] of how it went, the oldest first: exam by exam, or visit by visit since that date."""
        if measure in OF_EXAM:
            told = [(exam.exam_date, getattr(exam.indices, measure)) for exam in reversed(self.exams)]
            return [(day, figure) for day, figure in told if figure is not None]
        visits = [(day, was_kept) for day, was_kept in self._visits if day >= since]
        return [(day, _share([was_kept for _, was_kept in visits[:number]])) for number, (day, _) in enumerate(visits, start=1)]

    def source(self, measure, since):
        """Where a figure is from, in words; or why there is none."""
        if measure in OF_EXAM:
            exam = self.exam(measure)
            if exam is None:
                return "no periodontal exam yet"
            named = f"periodontal exam of {exam.exam_date:%Y-%m-%d}"
            return named if self.figure(measure, since) is not None else f"not measured in the {named}"
        return f"visits since {since:%Y-%m-%d}" if self.figure(measure, since) is not None else f"no visit since {since:%Y-%m-%d}"


def spelled(figure):
    """A figure without noughts that say nothing: 33.33, 50."""
    return f"{float(figure):g}"


def _share(kept):
    """How many of these were kept, in per cent to one decimal."""
    return round(100 * sum(kept) / len(kept), 1)
