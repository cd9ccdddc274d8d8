from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from charting.models import Finding, FindingKind
from charting.teeth import TEETH, billed_surfaces
from clinic.db.records import Record
from clinic.models import ProcedureCode


class CodeRule(Record):
    """What treatment makes of a procedure code: how the chart draws it, for which teeth and surfaces it is offered, the note that
    it proposes. Not what it is or costs: that is the catalogue's. A code without a rule draws nothing and is found by search."""

    class Teeth(models.TextChoices):
        ANY = "", "Any tooth"
        ANTERIOR = "anterior", "Front teeth"
        POSTERIOR = "posterior", "Back teeth"
        PREMOLAR = "premolar", "Small back teeth"
        MOLAR = "molar", "Molars"
        PRIMARY = "primary", "Primary teeth"

    procedure_code = models.OneToOneField(ProcedureCode, models.PROTECT, related_name="rule", verbose_name="code")
    condition = models.CharField(
        "drawn as", max_length=30, blank=True, default="",
        help_text="The code of a kind of finding, such as crown. Empty: it changes nothing in the chart.")
    material = models.CharField(max_length=20, choices=Finding.Material, blank=True, default="")
    teeth = models.CharField("offered for", max_length=10, choices=Teeth, blank=True, default=Teeth.ANY)
    least_surfaces = models.PositiveSmallIntegerField(
        "from so many surfaces", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)])
    most_surfaces = models.PositiveSmallIntegerField(
        "to so many surfaces", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)])
    quick_button = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Its place among the quick buttons of the chart; empty: none.")
    narrative = models.TextField(
        "note that it proposes", blank=True, default="", max_length=4000,
        help_text="With the fill-in fields of note templates, and {tooth}, {surfaces}, {code} and {procedure}.")

    class Meta:
        ordering = ["procedure_code__code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(least_surfaces=None, most_surfaces=None) | Q(
                    least_surfaces__isnull=False, most_surfaces__isnull=False, least_surfaces__lte=F("most_surfaces")),
                name="treatment_coderule_surfaces_in_order",
                violation_error_message="Say from how many surfaces to how many, or neither."),
        ]

    def __str__(self):
        return f"Rule of {self.procedure_code.code}"

    def clean(self):
        if self.condition and self.condition not in FindingKind.known_to(self.clinic, active=False):
            raise ValidationError({"condition": f"“{self.condition}” is no kind of finding here."})

    def fits(self, tooth, surfaces):
        """Whether the code is meant for this Tooth and so many of its surfaces; V counts as the outer side (`domain.md`)."""
        wanted = {
            "anterior": tooth.is_anterior, "posterior": not tooth.is_anterior, "premolar": tooth.kind == "premolar",
            "molar": tooth.kind == "molar", "primary": tooth.is_primary}
        if self.teeth and not wanted[self.teeth]:
            return False
        count = len(billed_surfaces(tooth, surfaces))
        return self.least_surfaces is None or self.least_surfaces <= count <= self.most_surfaces

    @classmethod
    def known_to(cls, clinic):
        """The rules of the codes in use that draw something; one query."""
        return list(cls.objects.filter(clinic=clinic, procedure_code__is_active=True).exclude(condition="").select_related(
            "procedure_code"))

    @staticmethod
    def offered(rules, *, tooth, surfaces="", condition="", material=""):
        """The codes of these rules that are meant for this: [ProcedureCode], quick buttons first, then by code.

        `tooth`: its canonical key. `condition` and `material`, as the chart's entry line says them, narrow it down.
        """
        area = ProcedureCode.Area.SURFACE if surfaces else ProcedureCode.Area.TOOTH
        found = [
            rule for rule in rules if rule.procedure_code.treatment_area == area and rule.fits(TEETH[tooth], surfaces)
            and condition in ("", rule.condition) and material in ("", rule.material)]
        return [rule.procedure_code for rule in sorted(
            found, key=lambda rule: (rule.quick_button is None, rule.quick_button, rule.procedure_code.code))]
