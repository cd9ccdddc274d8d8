"""Form fields that take what people type."""
import re
from datetime import date, time

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html

from clinic.dates import read_date, read_time
from clinic.db.texts import one_line, readable

COLOURS = (
    "Teal", "Blue", "Violet", "Raspberry", "Orange", "Green", "Sky", "Magenta", "Gold", "Rust", "Olive", "Grey")
DAY_FIRST = {"US": False, "PH": False, "CA": False}


class TypedDateField(forms.Field):
    """A date as people type it. `past`: a birth date. Set `today` and `country` from the clinic."""

    def __init__(self, *, past=False, **kwargs):
        self.past, self.today, self.country = past, None, "US"
        kwargs.setdefault("widget", forms.TextInput(attrs={
            "data-date": "mdy", "data-past": past or None, "autocomplete": "off",
            "placeholder": "3/2/1988" if past else "today, mon, +2w, 3/2"}))
        super().__init__(**kwargs)

    def at(self, clinic):
        """Read dates as this clinic writes them, seen from its today."""
        self.today, self.country = clinic.today(), clinic.country
        self.widget.attrs["data-date"] = "dmy" if DAY_FIRST.get(clinic.country, True) else "mdy"

    def prepare_value(self, value):
        return value.isoformat() if isinstance(value, date) else value

    def to_python(self, value):
        if value in self.empty_values or isinstance(value, date):
            return value or None
        found = read_date(value, self.today or timezone.localdate(), past=self.past,
                          day_first=DAY_FIRST.get(self.country, True))
        if found is None or not 1700 <= found.year <= 2200:
            raise ValidationError("This is not a date we can read. Write it like 3/2/1988 or 1988-03-02.", code="invalid")
        return found

    def has_changed(self, initial, data):
        try:
            return self.to_python(data) != self.to_python(initial)
        except ValidationError:
            return True


class TypedTimeField(forms.Field):
    """A time of day as people type it."""

    def __init__(self, **kwargs):
        kwargs.setdefault("widget", forms.TextInput(attrs={"data-time": "", "autocomplete": "off", "placeholder": "9:30"}))
        super().__init__(**kwargs)

    def prepare_value(self, value):
        return f"{value:%H:%M}" if isinstance(value, time) else value

    def to_python(self, value):
        if value in self.empty_values or isinstance(value, time):
            return value or None
        found = read_time(value)
        if found is None:
            raise ValidationError("This is not a time we can read. Write it like 9:30 or 2pm.", code="invalid")
        return found


class LineField(forms.CharField):
    """One line of text, for forms that no model stands behind."""

    default_validators = [one_line]


class LinesField(forms.CharField):
    """A text of several lines, for forms that no model stands behind."""

    widget = forms.Textarea
    default_validators = [readable]


class AmountField(forms.DecimalField):
    """An amount of money as people write it: digits and two decimals, nothing that only a program would mean."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    WRITTEN = re.compile(r"-?[0-9]{1,7}([.,][0-9]{1,2})?")

    def __init__(self, **kwargs):
        super().__init__(max_digits=9, decimal_places=2, **kwargs)

    def widget_attrs(self, widget):
        return {}

    def to_python(self, value):
        if isinstance(value, str) and (text := value.strip()):
            if not self.WRITTEN.fullmatch(text):
                raise ValidationError("Write an amount like 125 or 125.00, at most 9,999,999.99.")
            value = text.replace(",", ".")
        return super().to_python(value)


class RowField(forms.ModelChoiceField):
    """A choice among rows; a key that is none gets the same sentence as one that is not to be had."""

    def to_python(self, value):
        try:
            return super().to_python(value)
        except ValidationError as error:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice") from error


class ColourField(forms.TypedChoiceField):
    """One of the palette's twelve, by its name and a spot of it."""

    def __init__(self, **kwargs):
        spots = [
            (number, format_html('<span class="swatch c-{}" aria-hidden="true"></span> {}', number, name))
            for number, name in enumerate(COLOURS, start=1)]
        super().__init__(choices=spots, coerce=int, widget=forms.RadioSelect(attrs={"class": "swatches"}), **kwargs)

    def in_words(self, value):
        return COLOURS[value - 1]


def keep_chosen(field, key):
    """Among the rows of a choice stands also the one chosen now, though it is no longer in use: else saving would drop it."""
    if key:
        rows = field.queryset
        field.queryset = rows.model._default_manager.filter(Q(pk__in=rows.order_by().values("pk")) | Q(pk=key))
        field.label_from_instance = _in_use_or_not


def _in_use_or_not(row):
    return str(row) if getattr(row, "is_active", True) else f"{row} (no longer in use)"
