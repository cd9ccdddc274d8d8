"""Columns of our own: encrypted text and JSON, money in cents, text normalised for search."""
import json
import unicodedata
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from clinic.db import cipher

NOT_DECOMPOSED = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "AE"})


def normalise(text):
    """Lower case, no marks, single spaces, nothing unprintable: "Ärzte  Łódź" becomes "arzte lodz"."""
    if text.isascii() and text.isprintable():  # most texts, and several times as fast
        return " ".join(text.lower().split())
    text = "".join(char if char.isprintable() else " " for char in text)
    text = unicodedata.normalize("NFKD", text.translate(NOT_DECOMPOSED))
    return " ".join("".join(char for char in text if not unicodedata.combining(char)).casefold().split())


class EncryptedTextField(models.TextField):
    """Text that the database holds only as ciphertext. `context` ("table.column") is bound into each value.

    It can't be searched or filtered on; the empty text stays empty.
    """

    def __init__(self, *args, context, **kwargs):
        self.context = context
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "context": self.context}

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        return value if not value else cipher.encrypt(value, self.context)

    def from_db_value(self, value, expression, connection):
        return value if not value else cipher.decrypt(value, self.context)

    def get_lookup(self, lookup_name):
        if lookup_name not in ("isnull",):
            raise TypeError("An encrypted column can't be searched: every value has its own random form.")
        return super().get_lookup(lookup_name)


class EncryptedJSONField(EncryptedTextField):
    """A JSON value, stored as encrypted text."""

    def get_prep_value(self, value):
        return None if value is None else super().get_prep_value(json.dumps(value, cls=DjangoJSONEncoder, sort_keys=True))

    def from_db_value(self, value, expression, connection):
        return None if value is None else json.loads(super().from_db_value(value, expression, connection))

    def to_python(self, value):
        return value

    def value_to_string(self, obj):
        return json.dumps(self.value_from_object(obj), cls=DjangoJSONEncoder)


class MoneyField(models.BigIntegerField):
    """An amount of money: whole cents in the column, Decimal with two places in Python, so that sums stay exact."""

    MAX = Decimal("9999999.99")

    def from_db_value(self, value, expression, connection):
        return None if value is None else Decimal(value).scaleb(-2)

    def get_prep_value(self, value):
        if value is None or hasattr(value, "resolve_expression"):
            return value
        return int(self.to_python(value).scaleb(2))

    def to_python(self, value):
        if value is None or value == "":
            return None
        try:
            amount = Decimal(str(value))
            exact = amount.is_finite() and amount == amount.quantize(Decimal("0.01")) and abs(amount) <= self.MAX
        except ArithmeticError:
            exact = False
        if not exact:
            raise ValidationError("Write an amount with at most two decimals, at most 9,999,999.99.", code="invalid")
        return amount.quantize(Decimal("0.01"))

    def run_validators(self, value):
        """The bounds of the column are in cents, those of an amount are checked in `to_python`."""

    def formfield(self, **kwargs):
        return super(models.IntegerField, self).formfield(
            **{"form_class": forms.DecimalField, "max_digits": 9, "decimal_places": 2, **kwargs})


class DerivedField(models.TextField):
    """Text that follows from other columns of the row; written whenever the row is, never set by hand.

    `derive`: the name of the model's method that gives the text.
    """

    def __init__(self, *args, derive, **kwargs):
        self.derive = derive
        super().__init__(*args, **{"editable": False, "blank": True, "default": "", **kwargs})

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "derive": self.derive}

    def pre_save(self, instance, add):
        # Historical rows copy the text; they have no method of their own.
        if hasattr(instance, self.derive):
            setattr(instance, self.attname, getattr(instance, self.derive)())
        return getattr(instance, self.attname)
