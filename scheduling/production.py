"""What the visits of a day bring, by the codes that their types usually come with. An expectation, never a posting."""
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from scheduling import slots
from scheduling.models import Appointment, AppointmentTypeCode, FrontDesk


class Line(NamedTuple):
    """One visit and the codes expected of it: [(code, description, fee)]."""

    id: Any
    starts_at: datetime
    last_name: str
    first_name: str
    kind: str
    status: str
    codes: list

    @property
    def amount(self):
        return sum((fee for _, _, fee in self.codes), Decimal("0.00"))


class Production(NamedTuple):
    """A day's lines and the practice's goal (None: it has none)."""

    lines: list
    goal: Decimal | None

    @property
    def expected(self):
        return sum((line.amount for line in self.lines), Decimal("0.00"))

    @property
    def done(self):
        return sum((line.amount for line in self.lines if line.status in Appointment.DONE), Decimal("0.00"))

    @property
    def unpriced(self):
        """Visits whose type names no code, so that they count as nothing."""
        return sum(not line.codes for line in self.lines)

    @property
    def share(self):
        """Percent of the goal, at most a hundred for the bar."""
        return min(100, round(100 * self.expected / self.goal)) if self.goal else None


def of_day(actor, day):
    """The Production of this day, at the office's fees; three queries."""
    zone = actor.clinic.zone
    codes = defaultdict(list)
    rows = AppointmentTypeCode.objects.visible_to(actor).current().filter(procedure_code__is_active=True)
    for kind, code, description, fee in rows.order_by("procedure_code__code").values_list(
            "appointment_type", "procedure_code__code", "procedure_code__description", "procedure_code__fee"):
        codes[kind].append((code, description, fee))
    visits = Appointment.objects.visible_to(actor).holding().between(
        slots.midnight(day, zone), slots.midnight(day + timedelta(days=1), zone)).order_by("starts_at").values_list(
        "id", "starts_at", "patient__last_name", "patient__first_name", "appointment_type__name", "status", "appointment_type")
    return Production([Line(*visit, codes[kind]) for *visit, kind in visits], FrontDesk.of(actor.clinic).day_goal)
