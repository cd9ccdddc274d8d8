"""The named people of the tests, made once per test database through the domain's own verbs."""

from dataclasses import dataclass
from datetime import date, time

from django.utils.functional import cached_property

from clinic.access.actor import Actor
from clinic.access.hats import hats_of
from clinic.models import Clinic, Coaching, Membership, Operatory, Patient, PortalAccess, Provider, User
from scheduling.models import AppointmentType, WorkingHours

PASSWORD = "a-password-for-tests"
STAFF = ["receptionist", "coordinator", "assistant", "hygienist", "dentist", "biller", "manager"]


def make():
    """A practice with one of everybody, and another one next door."""
    clinic = make_clinic("Harbour Dental", "test")
    other = make_clinic("Next Door Dental", "other")
    by = Actor.system(clinic)
    coach = User.objects.create_user("coach@test.example", PASSWORD, name="Cora Coach")
    Coaching.grant(user=coach, clinic=clinic, by=by)
    patient_user = User.objects.create_user("patient@test.example", PASSWORD, name="Ada Lovelace")
    ada = Patient.objects.get(clinic=clinic, first_name="Ada")
    PortalAccess.grant(user=patient_user, patient=ada, relationship="self", by=by)
    User.objects.create_superuser("root@test.example", PASSWORD, name="Root")
    User.objects.create_user("nobody@test.example", PASSWORD, name="Nobody")
    return other


def make_clinic(name, domain):
    """A clinic with a member of every role, three providers, three operatories, two types and two patients."""
    clinic = Clinic(
        name=name, time_zone="America/New_York", opened_on=date(2020, 1, 6), requires_second_factor=False
    ).record(by=Actor.system(None))
    by = Actor.system(clinic)
    users = {}
    for role in STAFF:
        users[role] = User.objects.create_user(
            f"{role}@{domain}.example", PASSWORD, name=f"{role.title()} {domain.title()}", is_staff=role == "manager"
        )
        Membership.open(user=users[role], clinic=clinic, roles=[role], by=by, since=date(2020, 1, 6))
    providers = [
        Provider(
            name="Dr. Dana Drill", short_name="Dr. Drill", kind="dentist", user=users["dentist"], sequence=1, colour=1
        ),
        Provider(name="Dr. Bo Bridge", short_name="Dr. Bridge", kind="dentist", sequence=2, colour=2),
        Provider(
            name="Holly Hygiene", short_name="Holly", kind="hygienist", user=users["hygienist"], sequence=3, colour=3
        ),
    ]
    for provider in providers:
        provider.record(by=by)
        for weekday in range(7):
            for starts, ends in ((time(8), time(12)), (time(13), time(17))):
                WorkingHours(provider=provider, weekday=weekday, starts=starts, ends=ends).record(by=by)
    for number in (1, 2, 3):
        Operatory(name=f"Operatory {number}", sequence=number, is_hygiene=number == 3).record(by=by)
    AppointmentType(name="Exam", minutes=30, colour=1, kinds=["dentist"], sequence=1).record(by=by)
    AppointmentType(
        name="Cleaning",
        minutes=60,
        colour=2,
        kinds=["hygienist"],
        sequence=2,
        buffer_after=10,
        pattern=[{"who": "provider", "from": 0, "minutes": 60}, {"who": "doctor", "from": 40, "minutes": 10}],
    ).record(by=by)
    Patient.register(
        by=by,
        first_name="Ada",
        last_name="Lovelace",
        date_of_birth=date(1985, 12, 10),
        sex="female",
        phone="+12015550123",
        email="ada@patients.example",
        primary_provider=providers[0],
    )
    Patient.register(
        by=by, first_name="Grace", last_name="Hopper", date_of_birth=date(1990, 12, 9), phone="+12015550124"
    )
    return clinic


@dataclass
class Cast:
    """Actors and rows by name; loaded when first asked for."""

    name: str = "Harbour Dental"
    domain: str = "test"

    @cached_property
    def clinic(self):
        return Clinic.objects.get(name=self.name)

    @cached_property
    def system(self):
        return Actor.system(self.clinic)

    def user(self, role):
        return User.objects.get(email=f"{role}@{self.domain}.example")

    def actor(self, role):
        """The actor that this person is after signing in."""
        return next(hat for hat in hats_of(self.user(role)) if hat.clinic_id == self.clinic.pk)

    @cached_property
    def desk(self):
        return self.actor("receptionist")

    @cached_property
    def dentist(self):
        return self.actor("dentist")

    @cached_property
    def hygienist(self):
        return self.actor("hygienist")

    @cached_property
    def manager(self):
        return self.actor("manager")

    @cached_property
    def coach(self):
        return self.actor("coach")

    @cached_property
    def portal(self):
        return self.actor("patient")

    @cached_property
    def ada(self):
        return Patient.objects.get(clinic=self.clinic, first_name="Ada")

    @cached_property
    def grace(self):
        return Patient.objects.get(clinic=self.clinic, first_name="Grace")

    @cached_property
    def operatories(self):
        return list(Operatory.objects.filter(clinic=self.clinic))

    @cached_property
    def drill(self):
        return Provider.objects.get(clinic=self.clinic, short_name="Dr. Drill")

    @cached_property
    def bridge(self):
        return Provider.objects.get(clinic=self.clinic, short_name="Dr. Bridge")

    @cached_property
    def holly(self):
        return Provider.objects.get(clinic=self.clinic, short_name="Holly")

    @cached_property
    def exam(self):
        return AppointmentType.objects.get(clinic=self.clinic, name="Exam")

    @cached_property
    def cleaning(self):
        return AppointmentType.objects.get(clinic=self.clinic, name="Cleaning")

    @cached_property
    def outsider(self):
        return Cast("Next Door Dental", "other")
