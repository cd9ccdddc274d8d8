from django.db import models
from django.db.models import Q

from charting.perio import DEPTHS, FLAGS, FURCATION, MARGINS, MOBILITY, MUCOGINGIVAL, ToothFigures
from charting.teeth import SITES, TEETH
from clinic.db.guards import Trigger
from clinic.db.records import Record

COLUMNS = tuple(site.lower() for site in SITES)  # db b mb dl l ml
ALL_SIX = 63


def within(prefix, bounds):
    """All six columns are empty or lie within the bounds."""
    low, high = bounds
    condition = Q()
    for site in COLUMNS:
        condition &= Q(**{f"{prefix}_{site}": None}) | Q(**{f"{prefix}_{site}__gte": low, f"{prefix}_{site}__lte": high})
    return condition


def millimetres():
    return models.SmallIntegerField(null=True, blank=True)


class PerioTooth(Record):
    """What was measured at one tooth in one PerioExam: six figures of a kind, and a bit for each site of what was seen."""

    exam = models.ForeignKey("charting.PerioExam", models.PROTECT, related_name="teeth")
    tooth = models.CharField(max_length=3)
    pd_db, pd_b, pd_mb, pd_dl, pd_l, pd_ml = (millimetres() for _ in COLUMNS)
    gm_db, gm_b, gm_mb, gm_dl, gm_l, gm_ml = (millimetres() for _ in COLUMNS)
    mgj_db, mgj_b, mgj_mb, mgj_dl, mgj_l, mgj_ml = (millimetres() for _ in COLUMNS)
    bleeding = models.PositiveSmallIntegerField(default=0, help_text="Bit n stands for site n.")
    suppuration = models.PositiveSmallIntegerField(default=0)
    plaque = models.PositiveSmallIntegerField(default=0)
    calculus = models.PositiveSmallIntegerField(default=0)
    mobility = models.PositiveSmallIntegerField(null=True, blank=True)
    furcation_b = models.PositiveSmallIntegerField(null=True, blank=True)
    furcation_m = models.PositiveSmallIntegerField(null=True, blank=True)
    furcation_d = models.PositiveSmallIntegerField(null=True, blank=True)
    furcation_l = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["exam", "tooth"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "exam", "tooth"], name="charting_periotooth_once_an_exam"),
            models.CheckConstraint(condition=Q(tooth__in=sorted(TEETH)), name="charting_periotooth_known_tooth"),
            models.CheckConstraint(condition=within("pd", DEPTHS), name="charting_periotooth_depth_0_to_15"),
            models.CheckConstraint(condition=within("gm", MARGINS), name="charting_periotooth_margin_minus_5_to_10"),
            models.CheckConstraint(condition=within("mgj", MUCOGINGIVAL), name="charting_periotooth_mgj_0_to_15"),
            models.CheckConstraint(
                condition=Q(**{f"{flag}__lte": ALL_SIX for flag in FLAGS}), name="charting_periotooth_six_sites"),
            models.CheckConstraint(
                condition=Q(mobility=None) | Q(mobility__lte=MOBILITY[1]), name="charting_periotooth_mobility_0_to_3"),
            models.CheckConstraint(
                condition=(Q(furcation_b=None) | Q(furcation_b__lte=FURCATION[1])) & (Q(furcation_m=None) | Q(furcation_m__lte=3))
                & (Q(furcation_d=None) | Q(furcation_d__lte=3)) & (Q(furcation_l=None) | Q(furcation_l__lte=3)),
                name="charting_periotooth_furcation_0_to_3"),
        ]

    @classmethod
    def own_guards(cls):
        """Figures of a closed exam stay; an amendment marks the exam first."""
        table = cls._meta.db_table
        return [Trigger(
            f"{table}_closed_stays", table, ("INSERT", "UPDATE"),
            "((SELECT status FROM charting_perioexam WHERE id = NEW.exam_id) = 'closed')")]

    def __str__(self):
        return f"tooth {self.tooth}"

    @property
    def figures(self):
        """This row as ToothFigures."""
        six = {name: [getattr(self, f"{name}_{site}") for site in COLUMNS] for name in ("pd", "gm", "mgj")}
        seen = {flag: [bool(getattr(self, flag) >> site & 1) for site in range(6)] for flag in FLAGS}
        furcation = {letter: grade for letter in "bmdl" if (grade := getattr(self, f"furcation_{letter}")) is not None}
        return ToothFigures(**six, **seen, mobility=self.mobility, furcation=furcation)

    def filled(self, figures):
        """This row with these figures, not saved."""
        for name in ("pd", "gm", "mgj"):
            for site, value in zip(COLUMNS, getattr(figures, name), strict=True):
                setattr(self, f"{name}_{site}", value)
        for flag in FLAGS:
            setattr(self, flag, sum(1 << site for site, is_seen in enumerate(getattr(figures, flag)) if is_seen))
        self.mobility = figures.mobility
        for letter in "bmdl":
            setattr(self, f"furcation_{letter}", figures.furcation.get(letter))
        return self
