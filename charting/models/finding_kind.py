from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from charting.conditions import MATERIAL_WORDS, STANDARD, Effect, Kind, Surfaces
from charting.teeth import SURFACES
from clinic.db.records import Record

STATUS_WORDS = {
    "existing": "existing", "here": "existing", "elsewhere": "existing_other", "other": "existing_other", "ee": "existing_other",
    "condition": "condition", "cond": "condition", "planned": "planned", "plan": "planned", "completed": "completed",
    "done": "completed"}
SAID_ALREADY = {*STATUS_WORDS, *MATERIAL_WORDS, "since", "upper", "lower", "all", "ur", "ul", "ll", "lr", "others"}
WORD = r"[a-z][a-z-]*"


class FindingKind(Record):
    """A kind of finding that the practice added to the standard ones. What is charted with it keeps it, also when it is retired."""

    class Surfaces(models.TextChoices):
        REQUIRED = Surfaces.REQUIRED.value, "Always named"
        OPTIONAL = Surfaces.OPTIONAL.value, "May be named"
        NONE = Surfaces.NONE.value, "Of the whole tooth"

    class Symbol(models.TextChoices):
        FILL = "fill", "Filled surfaces"
        LETTER = "letter", "A letter at the tooth"
        WATCH = "watch", "An eye at the tooth"
        CROWN = "crown", "A ring around the crown"

    class Status(models.TextChoices):
        CONDITION = "condition", "A condition"
        EXISTING = "existing", "Existing work"

    code = models.CharField(
        max_length=30, validators=[RegexValidator(r"^[a-z][a-z_]{1,29}$", "Small letters and underscores.")],
        help_text="What programs call it. It stays as it is once findings have it.")
    name = models.CharField(max_length=60)
    words = models.CharField(
        "words in the entry line", max_length=120,
        validators=[RegexValidator(rf"^{WORD}( {WORD})*$", "Small letters, several words parted by spaces.")])
    surfaces = models.CharField(max_length=10, choices=Surfaces, default=Surfaces.OPTIONAL)
    symbol = models.CharField("drawn as", max_length=10, choices=Symbol, default=Symbol.LETTER)
    default_status = models.CharField("is", max_length=10, choices=Status, default=Status.CONDITION)
    is_active = models.BooleanField("in use", default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "code"], name="charting_findingkind_code_once"),
            models.CheckConstraint(condition=~Q(code__in=sorted(STANDARD)), name="charting_findingkind_not_a_standard_code"),
        ]

    def __str__(self):
        return self.name

    def clean(self):
        """A word means one thing only."""
        taken = {word for kind in STANDARD.values() for word in kind.words} | SAID_ALREADY
        others = type(self).objects.filter(clinic=self.clinic_id).exclude(pk=self.pk).values_list("words", flat=True)
        taken.update(word for words in others for word in words.split())
        for word in self.words.split():
            if word in taken or set(word.upper()) <= set(SURFACES):
                raise ValidationError({"words": f"“{word}” means something else already."})

    def as_kind(self):
        """This row in the form of the standard ones."""
        return Kind(
            self.code, self.name, tuple(self.words.split()), self.surfaces, self.symbol, Effect.NOTHING, self.default_status)

    @classmethod
    def known_to(cls, clinic, active=True):
        """{code: Kind}: the standard kinds and the practice's own; one query. `active` False: also those retired."""
        rows = cls.objects.filter(clinic=clinic)
        return STANDARD | {row.code: row.as_kind() for row in (rows.filter(is_active=True) if active else rows)}
