"""Who of an account can be booked together: what each of them most likely needs next, and what is booked already."""
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.utils import timezone

from clinic.models import Patient, ProcedureCode, Provider
from scheduling.models import Appointment, AppointmentType, AppointmentTypeCode
from scheduling.models.appointment import refuse_who_cannot_come

ADULT = 18
# What is done here again and again: the last visit of such a type tells what the next one will be.
RECURRING = [ProcedureCode.Category.PREVENTIVE, ProcedureCode.Category.ORTHODONTICS]


class Coming(NamedTuple):
    """A visit that is booked already."""

    pk: Any
    starts_at: datetime
    kind_id: Any
    kind: str


@dataclass
class Member:
    """One who can come, for what is likely theirs."""

    patient: Patient
    is_child: bool
    kind: AppointmentType | None
    coming: list = field(default_factory=list)


class Family:
    """The patients of an account, children first, and what there is to choose for them. Four queries."""

    def __init__(self, actor, account):
        self.account = account
        codes = AppointmentTypeCode.objects.current().filter(
            appointment_type=OuterRef("pk"), procedure_code__category__in=RECURRING)
        kinds = AppointmentType.objects.visible_to(actor).current().annotate(recurs=Exists(codes))
        self.kinds = {str(row.pk): row for row in kinds}
        self.providers = {str(row.pk): row for row in Provider.objects.visible_to(actor).current()}
        patients = list(Patient.objects.visible_to(actor).filter(account=account))
        self.barred = {str(patient.pk): why for patient in patients if (why := _why_not(patient))}
        recurring, today = self._recurring(), actor.clinic.today()
        self.members = sorted(
            (Member(patient, patient.age(today) < ADULT, next(iter(recurring.values()), None))
             for patient in patients if str(patient.pk) not in self.barred), key=lambda member: not member.is_child)
        self._read_visits(actor, recurring)

    @property
    def likely(self):
        """Who comes unless somebody says otherwise: the children, and where there are not two of them, everybody."""
        children = [member for member in self.members if member.is_child]
        return children if len(children) > 1 else self.members

    def _recurring(self):
        """The types that a patient has again and again; every type, where the practice has given codes to none of them."""
        return {row.pk: row for row in self.kinds.values() if row.recurs} or {row.pk: row for row in self.kinds.values()}

    def _read_visits(self, actor, recurring):
        now, members = timezone.now(), {member.patient.pk: member for member in self.members}
        rows = Appointment.objects.visible_to(actor).of_family(list(members), now).in_order()
        for whose, *visit in rows.values_list("whose", "pk", "starts_at", "appointment_type_id", "appointment_type__name"):
            visit = Coming(*visit)
            if visit.starts_at >= now:
                members[whose].coming.append(visit)
            else:
                members[whose].kind = recurring.get(visit.kind_id, members[whose].kind)


def _why_not(patient):
    """The sentence that keeps this patient from being booked, or nothing."""
    try:
        refuse_who_cannot_come(patient)
    except ValidationError as refusal:
        return refusal.messages[0]
    return ""
