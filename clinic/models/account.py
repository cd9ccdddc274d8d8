from django.db import models
from phonenumber_field.modelfields import PhoneNumberField

from clinic.db.records import Record
from clinic.models.clinic import known_country


class Address(models.Model):
    """Where letters go; shared by accounts and patients."""

    line1 = models.CharField("street", max_length=120, blank=True)
    line2 = models.CharField("address line 2", max_length=120, blank=True)
    city = models.CharField(max_length=80, blank=True)
    region = models.CharField("state or region", max_length=80, blank=True)
    postal_code = models.CharField("postal code", max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)

    class Meta:
        abstract = True

    def clean(self):
        """A country is one that exists; a new address without one is in the clinic's."""
        super().clean()
        self.country = known_country(self.country)
        if self._state.adding and self.clinic_id and self.address_lines and not self.country:
            self.country = self.clinic.country

    @property
    def address_lines(self):
        town = " ".join(part for part in (self.city, self.region, self.postal_code) if part)
        return [line for line in (self.line1, self.line2, town, self.country) if line]


class Account(Address, Record):
    """The responsible party: who pays, for one patient or for a family. Balances are asked of the ledger, not kept here."""

    name = models.CharField(max_length=160)
    phone = PhoneNumberField(blank=True)
    email = models.EmailField(blank=True)
    holder = models.ForeignKey(
        "clinic.Patient", models.PROTECT, null=True, blank=True, related_name="+",
        help_text="The patient who is the responsible party, when one is.")

    class Meta:
        indexes = [models.Index(fields=["clinic", "name"], name="clinic_account_by_name")]

    def __str__(self):
        return self.name
