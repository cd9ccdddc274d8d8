import getpass
import sys

import phonenumbers
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from clinic import catalogue
from clinic.access.actor import Actor
from clinic.models import Clinic, Membership, User

UNIVERSAL_COUNTRIES = {"US", "CA"}
CURRENCIES = {
    "AU": "AUD", "CA": "CAD", "CH": "CHF", "CZ": "CZK", "DK": "DKK", "GB": "GBP", "HU": "HUF", "IN": "INR", "LI": "CHF",
    "MX": "MXN", "NO": "NOK", "NZ": "NZD", "PL": "PLN", "RO": "RON", "SE": "SEK", "SG": "SGD", "TR": "TRY", "US": "USD",
    "ZA": "ZAR",
}
EURO_COUNTRIES = {
    "AT", "BE", "BG", "CY", "DE", "EE", "ES", "FI", "FR", "GR", "HR", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PT",
    "SI", "SK",
}


class Command(BaseCommand):
    help = "Make a clinic with its first manager and the starter catalogue."

    def add_arguments(self, parser):
        parser.add_argument("--name", required=True, help="The clinic's name.")
        parser.add_argument("--manager-email", required=True, help="With this the manager signs in.")
        parser.add_argument("--manager-name", required=True)
        parser.add_argument("--time-zone", required=True, help="Such as America/New_York.")
        parser.add_argument("--country", required=True, help="Two letters, such as US: how phone numbers are read.")
        parser.add_argument("--region", default="", help="State or province, such as NY: whose public holidays hold.")
        parser.add_argument(
            "--numbering", choices=Clinic.Numbering.values, help="Of the teeth; universal in the US and Canada, else FDI.")
        parser.add_argument("--currency", help="Three letters; that of the country when it is a common one.")
        parser.add_argument(
            "--password-stdin", action="store_true", help="Read the manager's password from standard input, one line.")

    def handle(self, **options):
        country = options["country"].upper()
        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise CommandError(f"{options['country']!r} is not a country. Write its two letters, such as US or DE.")
        email = options["manager_email"].strip().lower()
        self._refuse_what_is_there(options["name"], email)
        password = self._password(options["password_stdin"], User(email=email, name=options["manager_name"]))
        try:
            clinic, manager, codes = self._make(options, country, email, password)
        except ValidationError as error:
            raise CommandError(f"{sentences(error)} Nothing was made.") from error
        self.stdout.write(
            f"{clinic} is ready, with {len(codes)} procedure codes. {manager} signs in as {email} and manages it.")

    def _refuse_what_is_there(self, name, email):
        if Clinic.objects.filter(name__iexact=name.strip()).exists():
            raise CommandError(f"There is a clinic named {name} already. Nothing was made.")
        if User.objects.filter(email=email).exists():
            raise CommandError(f"{email} signs in somebody already. Take another e-mail address for the manager.")

    def _password(self, from_stdin, user):
        if from_stdin:
            password = sys.stdin.readline().rstrip("\r\n")
        else:
            password = getpass.getpass("Password of the manager: ")
            if getpass.getpass("The same again: ") != password:
                raise CommandError("The two passwords differ. Nothing was made.")
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(f"{sentences(error)} Nothing was made.") from error
        return password

    @transaction.atomic
    def _make(self, options, country, email, password):
        clinic = Clinic(
            name=options["name"].strip(), time_zone=options["time_zone"], country=country, region=options["region"].upper(),
            tooth_numbering=options["numbering"] or usual_numbering(country),
            currency=(options["currency"] or usual_currency(country)).upper(), opened_on=timezone.now().date())
        by = Actor.system(clinic)
        because = "First set-up"
        clinic.record(by=by, because=because)
        manager = new_user(by=by, email=email, name=options["manager_name"].strip(), password=password)
        Membership.open(user=manager, clinic=clinic, roles=["manager"], by=by, because=because)
        return clinic, manager, catalogue.load_starter(by)


def new_user(*, by, email, name, password):
    """A user who may open the admin site, with a history row that says which way they came."""
    user = User(email=email, name=name, is_staff=True)
    user.set_password(password)
    user.full_clean(exclude=["password"])
    user._history_actor = by
    user._change_reason = "First set-up"
    user.save()
    return user


def usual_numbering(country):
    return Clinic.Numbering.UNIVERSAL if country in UNIVERSAL_COUNTRIES else Clinic.Numbering.FDI


def usual_currency(country):
    return "EUR" if country in EURO_COUNTRIES else CURRENCIES.get(country, "USD")


def sentences(error):
    """What a ValidationError says, on one line, each with the field it is about."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(
        f"{field.replace('_', ' ')}: {message}" if field != "__all__" else message
        for field, messages in error.message_dict.items() for message in messages)
