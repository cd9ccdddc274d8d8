from django.core.exceptions import ValidationError
from django.db import models

from charting.perio import FACIAL, LINGUAL
from charting.teeth import PERMANENT
from clinic.db.records import Record


class PerioPath(Record):
    """A way around the mouth that the practice added to the two usual ones. `legs`: a line each, "1-16 facial"."""

    name = models.CharField(max_length=60)
    legs = models.TextField(max_length=400, help_text="A line each, in the numbers 1 to 32: 1-16 facial, 16-1 lingual.")
    is_active = models.BooleanField("in use", default=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["clinic", "name"], name="charting_perioph_name_once")]

    def __str__(self):
        return self.name

    def clean(self):
        """Every site of the mouth once."""
        seen = []
        for first, last, side in self.as_legs():
            low, high = sorted((int(first), int(last)))
            seen += [(position, side) for position in range(low, high + 1)]
        if len(set(seen)) < len(seen):
            raise ValidationError({"legs": "A side of a tooth is walked twice."})
        if len(seen) < 64:
            raise ValidationError({"legs": "Some teeth are left out: the path walks both sides of all 32."})

    def as_legs(self):
        """[(first tooth, last tooth, side)]; ValidationError for a line that can't be read."""
        legs = []
        for line in self.legs.lower().splitlines():
            span, _, side = line.strip().partition(" ")
            first, _, last = span.partition("-")
            if not line.strip():
                continue
            if first not in PERMANENT or last not in PERMANENT or side.strip() not in (FACIAL, LINGUAL):
                raise ValidationError({"legs": f"“{line.strip()[:40]}” can't be read. Write lines like “1-16 facial”."})
            if (int(first) <= 16) != (int(last) <= 16):
                raise ValidationError({"legs": "A leg stays in one arch."})
            legs.append((first, last, side.strip()))
        return legs
