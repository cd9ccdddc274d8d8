"""Patients in families on shared accounts, with what they told us of their health; written in batches, in bulk."""
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from clinic.db.records import record_bulk
from clinic.models import Account, MedicalHistory, Patient
from clinic.models.installation import Counter
from config.demo import medicine, names
from config.demo.opening import BECAUSE, acting

MINOR = 18


class Known(NamedTuple):
    """What the schedule needs to know of a patient who is in the database already."""

    id: Any
    born: date
    since: date
    is_active: bool
    dentist: int | None
    hygienist: int | None

    def age(self, on):
        return (on - self.born).days // 365


def add_patients(house, count, since):
    """Write so many patients with their accounts and histories; returns them as Known."""
    accounts, patients = [], []
    while len(patients) < count:
        account, members = _family(house, since, count - len(patients))
        accounts.append(account)
        patients += members
    number = Counter.take(house.clinic.pk, "chart_number", len(patients))
    for offset, patient in enumerate(patients):
        patient.chart_number = str(number + offset)
    desk = acting(house, "receptionist")
    # A holder is written before their patient row: the database asks for it only when the transaction ends.
    record_bulk(accounts, by=desk, because=BECAUSE)
    record_bulk(patients, by=desk, because=BECAUSE)
    MedicalHistory.objects.bulk_create(
        (version for patient in patients for version in _histories(house, patient)), batch_size=500)
    return [_known(house, patient) for patient in patients]


def _known(house, patient):
    return Known(
        patient.id, patient.date_of_birth, patient.created_at.date(), patient.status == Patient.Status.ACTIVE,
        house.index_of.get(patient.primary_provider_id), house.index_of.get(patient.primary_hygienist_id))


def _family(house, since, most):
    """(account, patients): one adult, two, or parents with children; who holds the account comes first."""
    chance, country = house.chance, house.country
    joined = _joined(house, since)
    last = names.last_name(chance, country)
    where = names.address(chance, country, house.practice.key)
    holder_sex = chance.choice(("female", "male"))
    holder = _person(house, joined, where, last, holder_sex, chance.randint(21, 88))
    account = Account(id=chance.key(joined), clinic=house.clinic, created_at=joined, name=holder.name, phone=holder.phone,
                      email=holder.email, holder_id=holder.id, **where)
    members = [holder, *_others(house, joined, where, holder)][:most]
    for member in members:
        member.account = account
        _emergency(chance, country, member, holder, members)
    return account, members


def _joined(house, since):
    """When the family became patients, as an instant: most before the first visit that is told."""
    chance, today = house.chance, house.today
    if chance.yes(0.72):
        day = since - timedelta(days=chance.randint(1, 2000))
    else:
        day = since + timedelta(days=chance.randrange(max(1, (today - since).days - 3)))
    return datetime(day.year, day.month, day.day, 14, chance.randrange(60), tzinfo=UTC)


def _others(house, joined, where, holder):
    """The rest of the family of this holder: a partner, children, both or nobody."""
    chance, age = house.chance, holder.age(house.today)
    kind = chance.pick({"single": 42, "couple": 22, "parents": 26 if age < 62 else 0, "parent": 10 if age < 62 else 0})
    if kind in ("couple", "parents"):
        sex = "male" if holder.sex == "female" else "female"
        last = holder.last_name if chance.yes(0.8) else names.last_name(chance, house.country)
        yield _person(house, joined, where, last, sex, min(90, max(20, age + chance.randint(-6, 6))))
    if kind in ("parents", "parent"):
        for _ in range(chance.pick({1: 45, 2: 40, 3: 15})):
            child = _person(
                house, joined, where, holder.last_name, chance.choice(("female", "male")),
                chance.randint(2, min(19, max(3, age - 19))))
            if child.age(house.today) < MINOR:
                child.guarantor_patient_id = holder.id
                child.guarantor_relationship = "Mother" if holder.sex == "female" else "Father"
            yield child


def _person(house, joined, where, last, sex, age):
    chance, country = house.chance, house.country
    first = names.first_name(chance, country, sex)
    # Nobody is registered before birth: small children joined a little after they were born.
    born = house.today - timedelta(days=age * 365 + chance.randrange(365))
    joined = max(joined, datetime(born.year, born.month, born.day, 15, tzinfo=UTC) + timedelta(days=200))
    adult = age >= 15
    dentists, hygienists = house.of_kind("dentist"), house.of_kind("hygienist")
    return Patient(
        id=chance.key(joined), clinic=house.clinic, created_at=joined, first_name=first, last_name=last,
        preferred_name=first[:3] if len(first) > 6 and chance.yes(0.06) else "", date_of_birth=born,
        sex=sex if chance.yes(0.985) else chance.choice(("other", "unknown")),
        phone=names.phone(chance, country) if adult or chance.yes(0.2) else "",
        phone_home=names.phone(chance, country) if adult and chance.yes(0.15) else "",
        phone_work=names.phone(chance, country) if adult and chance.yes(0.08) else "",
        email=names.email(chance, first, last) if adult and chance.yes(0.85) else "",
        primary_provider=house.providers[chance.choice(dentists)] if chance.yes(0.93) else None,
        primary_hygienist=house.providers[chance.choice(hygienists)] if chance.yes(0.85) else None,
        language=chance.pick({"de": 92, "en": 8}) if country == "DE" else chance.pick({"en": 90, "es": 9, "fr": 1}),
        contact_by=chance.pick({"sms": 46, "email": 36, "phone": 14, "post": 4}),
        wants_reminders=chance.yes(0.93), wants_recall=chance.yes(0.88), wants_news=chance.yes(0.2),
        contact_confirmed_on=joined.date() if chance.yes(0.6) else None,
        status=chance.pick({"active": 89, "inactive": 8, "archived": 2, "deceased": 1 if age > 60 else 0}), **where)


def _emergency(chance, country, member, holder, members):
    """Whom to call: another adult of the family, else somebody who is no patient."""
    other = next((one for one in members if one is not member and one.guarantor_patient_id is None), None)
    if other is not None:
        member.emergency_name, member.emergency_phone = other.name, other.phone
        member.emergency_relationship = "Parent" if member.guarantor_patient_id else "Partner" if chance.yes(0.8) else "Family"
    elif chance.yes(0.8):
        sex = chance.choice(("female", "male"))
        member.emergency_name = f"{names.first_name(chance, country, sex)} {member.last_name}"
        member.emergency_phone = names.phone(chance, country)
        member.emergency_relationship = chance.choice(("Sister", "Daughter") if sex == "female" else ("Brother", "Son"))
    if member is holder and members[1:] == [] and chance.yes(0.03):
        member.guarantor_name, member.guarantor_phone = member.emergency_name, member.emergency_phone
        member.guarantor_relationship = "Guardian" if member.emergency_name else ""


def _histories(house, patient):
    """The versions of a patient's medical history up to today; some were never asked, some long ago."""
    chance = house.chance
    joined = patient.created_at.date()
    if chance.yes(0.1):
        return
    day, number = joined, 1
    content = medicine.content(chance, max(0, patient.age(day) or 0), patient.sex, day.year)
    content = {**MedicalHistory.EMPTY, **content}
    kind, who = MedicalHistory.Kind.UPDATED, house.users.get("hygienist") or house.users.get("dentist")
    while True:
        at = datetime(day.year, day.month, day.day, 15, chance.randrange(60), tzinfo=UTC)
        yield MedicalHistory(
            id=chance.key(at), clinic=house.clinic, at=at, by=who, patient=patient, number=number, kind=kind,
            reviewed_on=day, content=content)
        day += timedelta(days=chance.randint(170, 520))
        if day >= house.today or number == 6 or not chance.yes(0.9):
            return
        number += 1
        kind = MedicalHistory.Kind.UPDATED if chance.yes(0.3) else MedicalHistory.Kind.REVIEWED
        if kind == MedicalHistory.Kind.UPDATED:
            content = medicine.changed(chance, content, patient.age(day) or 0)
