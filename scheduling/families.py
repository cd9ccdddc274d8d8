"""Who of an account can be booked together: what each of them most likely needs next, and what is booked already."""
import re
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
# By their codes, or, where a practice gives none, by their names in English and German.
FIRST_VISIT, FIRST_VISIT_CALLED = "D0150", re.compile(r"new patient|first visit|erstuntersuchung|neupatient", re.IGNORECASE)
CHILDS, CHILDS_CALLED = "D1120", re.compile(r"child.*(clean|check)|kinder.*(prophylaxe|kontrolle)", re.IGNORECASE)
ADULTS = "D1110"


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
    """The patients of an account, children first, and what there is to choose for them. Four queries.

    Each is likely to come for the type of their last kept visit that recurs. Without one, a child comes for the first type that
    cleans children's teeth, and everybody else, or where there is none, for the first type that recurs. What is for new
    patients is nobody's likely type, and a type for children no adult's; where no type has a code, every type recurs.
    """

    def __init__(self, actor, account):
        self.account = account
        codes = AppointmentTypeCode.objects.current().filter(appointment_type=OuterRef("pk"))
        kinds = AppointmentType.objects.visible_to(actor).current().annotate(
            recurs=Exists(codes.filter(procedure_code__category__in=RECURRING)),
            **{has: Exists(codes.filter(procedure_code__code=code))
               for has, code in (("has_first", FIRST_VISIT), ("has_childs", CHILDS), ("has_adults", ADULTS))})
        self.kinds = {str(row.pk): row for row in kinds}
        self.providers = {str(row.pk): row for row in Provider.objects.visible_to(actor).current()}
        patients = list(Patient.objects.visible_to(actor).filter(account=account))
        self.barred = {str(patient.pk): why for patient in patients if (why := _why_not(patient))}
        recurring, today = self._recurring(), actor.clinic.today()
        likely = {is_child: _likely(recurring, is_child) for is_child in (True, False)}
        ages = [(patient, patient.age(today) < ADULT) for patient in patients if str(patient.pk) not in self.barred]
        self.members = sorted(
            (Member(patient, is_child, likely[is_child]) for patient, is_child in ages), key=lambda member: not member.is_child)
        self._read_visits(actor, {row.pk: row for row in recurring})

    @property
    def likely(self):
        """Who comes unless somebody says otherwise: the children, and where there are not two of them, everybody."""
        children = [member for member in self.members if member.is_child]
        return children if len(children) > 1 else self.members

    def _recurring(self):
        """The types that a patient has again and again; every type, where the practice has given codes to none of them."""
        kinds = [row for row in self.kinds.values() if not (row.has_first or FIRST_VISIT_CALLED.search(row.name))]
        return [row for row in kinds if row.recurs] or kinds

    def _read_visits(self, actor, recurring):
        now, members = timezone.now(), {member.patient.pk: member for member in self.members}
        rows = Appointment.objects.visible_to(actor).of_family(list(members), now).in_order()
        for whose, *visit in rows.values_list("whose", "pk", "starts_at", "appointment_type_id", "appointment_type__name"):
            visit = Coming(*visit)
            if visit.starts_at >= now:
                members[whose].coming.append(visit)
            elif (kind := recurring.get(visit.kind_id)) and (members[whose].is_child or not _is_for_children(kind)):
                members[whose].kind = kind


def _likely(kinds, is_child):
    """The type of these for one who had none of them; None where there is none."""
    return next((row for row in kinds if _is_for_children(row) == is_child), next(iter(kinds), None) if is_child else None)


def _is_for_children(kind):
    return (kind.has_childs and not kind.has_adults) or bool(CHILDS_CALLED.search(kind.name))


def _why_not(patient):
    """The sentence that keeps this patient from being booked, or nothing."""
    try:
        refuse_who_cannot_come(patient)
    except ValidationError as refusal:
        return refusal.messages[0]
    return ""
