"""What JSON bodies and queries are made of: strict types, closed objects, lists with paging."""
import json
import re
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

from django.core.exceptions import ValidationError
from ninja import Schema
from ninja.responses import NinjaJSONEncoder
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, PlainSerializer, create_model

from clinic.db.fields import MoneyField
from clinic.db.texts import why_not

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})")
CENTS = re.compile(r"-?[0-9]{1,7}(\.[0-9]{1,2})?")


def _written_as(form, say):
    """Refuse what is not a text of this form: pydantic alone would also read 1690000000 as a moment."""
    def check(value):
        if isinstance(value, str) and not form.fullmatch(value):
            raise ValueError(say)
        if not isinstance(value, str | date | Decimal):
            raise ValueError(say)
        return value
    return BeforeValidator(check)


def _of_our_time(value):
    """Years that a practice can mean; others end in an overflow somewhere."""
    if not 1800 <= value.year <= 2200:
        raise ValueError("This year is not one that a practice can mean.")
    return value


def _readable(text, lines=True):
    if reason := why_not(text, lines=lines):
        raise ValueError(reason)
    return text


def _one_line(text):
    return _readable(text, lines=False)


def _not_blank(text):
    if not text.strip():
        raise ValueError("Write something here.")
    return text


Text = Annotated[str, AfterValidator(_readable)]
Line = Annotated[str, AfterValidator(_one_line)]
Filled = Annotated[Text, AfterValidator(_not_blank), Field(min_length=1)]
FilledLine = Annotated[Line, AfterValidator(_not_blank), Field(min_length=1)]
Day = Annotated[date, _written_as(DAY, "Write a date like 2026-11-30."), AfterValidator(_of_our_time)]
Moment = Annotated[
    AwareDatetime, _written_as(MOMENT, "Write a moment with its offset, like 2026-11-30T09:00:00-05:00."),
    AfterValidator(_of_our_time)]
Whole = Annotated[int, Field(strict=True)]
Money = Annotated[
    Decimal, _written_as(CENTS, "Write an amount with at most two decimals, at most 9,999,999.99, as a text like \"125.00\"."),
    PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str),
    Field(json_schema_extra={"type": "string", "pattern": CENTS.pattern, "maximum": float(MoneyField.MAX)})]


def choice(choices):
    """The values of a TextChoices, written out where they are used: two models may each have a Status."""
    return Literal[tuple(choices.values)]


class Body(Schema):
    """What a caller sends: a field that is not listed is refused by name."""

    model_config = ConfigDict(extra="forbid")

    def given(self):
        """What was sent, and only that: what is left out stays as it is."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Nothing(Body):
    """The empty body of a verb that needs no words."""


class Reason(Body):
    """Why."""

    reason: FilledLine = Field(max_length=200)


Item = TypeVar("Item")


class Listed(Schema, Generic[Item]):
    """A page of a list, and how many there are in all."""

    items: list[Item]
    count: int


class Paging(Schema):
    """Which part of a list."""

    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0, le=10_000_000)

    def of(self, rows):
        """This page of a QuerySet or a list, as {"items", "count"}."""
        count = len(rows) if isinstance(rows, list) else rows.order_by().count()
        items = rows[self.offset:self.offset + self.limit] if count > self.offset else []
        return {"items": list(items), "count": count}


def changes_to(new, shown, name):
    """The body of PUT and PATCH for a record: `new` is the body that makes one, `shown` the one that is answered.

    Every field may be left out and then stays. What is never null in the answer can't be set to null. What only the
    server sets may be sent back as it was shown; `to_change` refuses another value.
    """
    fields = {}
    for key, field in new.model_fields.items():
        if key != "id":
            never_null = type(None) not in get_args(shown.model_fields[key].annotation)
            kind = _without_none(field.annotation) if never_null else field.annotation
            annotation = Annotated[kind, *field.metadata] if field.metadata else kind
            fields[key] = (annotation, Field(default=None, description=field.description))
    for key in shown.model_fields:
        if key not in fields:
            fields[key] = (Any, Field(default=None, json_schema_extra={"readOnly": True}))
    model = create_model(name, __base__=Body, __doc__="What to change; what is left out stays.", **fields)
    model.read_only = frozenset(key for key in shown.model_fields if key not in new.model_fields or key == "id")
    return model


def _without_none(annotation):
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    return kinds[0] if type(None) in get_args(annotation) and len(kinds) == 1 else annotation


def to_change(body, shown):
    """The fields to write of a body of `changes_to`: those that say something else than `shown`, the record as it is answered
    now. A record that is sent back as it was read changes nothing, its computed figures least of all.

    ValidationError, by name, when a field that the server sets is sent with another value.
    """
    given, shown = body.given(), _answered(shown.model_dump())
    given.pop("version", None)  # what the document said when it was read; If-Match is how a version is insisted on
    wrong = {
        key: ["The server sets this field; leave it out, or send it back as it was."]
        for key in body.read_only & given.keys() if not _same(given[key], shown[key])}
    if wrong:
        raise ValidationError(wrong)
    return {key: value for key, value in given.items() if key not in body.read_only and not _same(_answered(value), shown.get(key))}


def _answered(value):
    """A value as it is answered."""
    return json.loads(json.dumps(value, cls=NinjaJSONEncoder))


def _same(one, two):
    """Whether a value was sent back as it was shown; an id may come in capitals."""
    return one == two or (isinstance(one, str) and isinstance(two, str) and one.lower() == two)


def referred(queryset, actor, key, field):
    """The row that a body points to, if this actor may know of it; ValidationError of that field otherwise."""
    if key is None:
        return None
    row = queryset.visible_to(actor).filter(pk=key).first()
    if row is None:
        raise ValidationError({field: ["There is nothing with this id."]})
    return row


@contextmanager
def fields_called(names):
    """What the model refuses under its own names is told under those of the body: {"line1": "address.line1"}, or a function."""
    called = names if callable(names) else lambda field: names.get(field, field)
    try:
        yield
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        raise ValidationError({called(field): errors for field, errors in error.error_dict.items()}) from error


A_TEXT, A_WHOLE_NUMBER, A_LIST, AN_OBJECT = "Write a text.", "Write a whole number.", "Send a list.", "Send an object."
AN_ID, A_DAY, A_MOMENT = "This is not an id: write a UUID.", "There is no such day.", "There is no such moment."
SAID = {
    "missing": "This is needed.",
    "extra_forbidden": "This field is not known here, or is set by the server.",
    "string_type": A_TEXT,
    "string_unicode": "This holds a character that no text can hold.",
    "string_too_short": "Write something here.",
    "string_too_long": "Write at most {max_length} characters.",
    "literal_error": "Write one of: {expected}.",
    "uuid_type": AN_ID, "uuid_parsing": AN_ID, "uuid_version": AN_ID,
    "int_type": A_WHOLE_NUMBER, "int_parsing": A_WHOLE_NUMBER, "int_parsing_size": A_WHOLE_NUMBER, "int_from_float": A_WHOLE_NUMBER,
    "greater_than_equal": "Write at least {ge}.",
    "less_than_equal": "Write at most {le}.",
    "bool_type": "Write true or false.", "bool_parsing": "Write true or false.",
    "list_type": A_LIST,
    "too_long": "Send at most {max_length} of these.",
    "dict_type": AN_OBJECT, "model_type": AN_OBJECT, "model_attributes_type": AN_OBJECT,
    "date_type": A_DAY, "date_parsing": A_DAY, "date_from_datetime_parsing": A_DAY, "date_from_datetime_inexact": A_DAY,
    "datetime_type": A_MOMENT, "datetime_parsing": A_MOMENT, "datetime_from_date_parsing": A_MOMENT, "timezone_aware": A_MOMENT,
    "decimal_type": "Write an amount.", "decimal_parsing": "Write an amount.",
}


def sentence_of(error):
    """What is wrong, out of one of pydantic's errors: our own words, whatever pydantic says."""
    if error["type"] == "value_error":  # raised by a check of ours, with its sentence, or by ninja's of a file
        said = error["msg"].removeprefix("Value error, ")
        return "Send a file." if said.startswith("Expected UploadFile") else said
    return SAID.get(error["type"], "This is not what belongs here.").format(**error.get("ctx", {}))
