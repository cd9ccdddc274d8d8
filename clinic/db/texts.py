"""Which characters a text may hold: those that a person can see or means, and no others."""
import re
import unicodedata

from django.core.exceptions import ValidationError
from django.db import models

# Control characters, the line and paragraph separators, and what turns the reading direction of all that follows.
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LINE_ENDS = re.compile("[\t\n\r]")
UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # control and format characters, spaces, separators
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0") | {
    chr(code) for code in range(0xfe00, 0xfe10)}  # letters of other kinds without width or ink
EMPTY = "There is nothing in this that can be seen. Type it anew."
SAID = "This holds a character that can't be seen or printed. Type it anew instead of pasting it."
ONE_LINE = "This is one line: it can't hold a line break or a tab."


def why_not(text, *, lines=True):
    """What is wrong with a text, as a sentence; empty when nothing is. `lines`: it may have several."""
    if UNREADABLE.search(text):
        return SAID
    if text.strip() and is_unseen(text):
        return EMPTY
    return "" if lines or not LINE_ENDS.search(text) else ONE_LINE


def is_unseen(text):
    """Whether nothing of a text can be seen: spaces, line ends, and letters without width or ink."""
    return all(unicodedata.category(letter) in UNSEEN or letter in FILLERS for letter in text)


def one_line(text):
    """A validator for what stands in no model's column."""
    if reason := why_not(text, lines=False):
        raise ValidationError(reason)


def readable(text):
    """A validator for a text that may have several lines."""
    if reason := why_not(text):
        raise ValidationError(reason)


class ReadableTexts(models.Model):
    """A model whose texts can be read: each CharField is one line, a TextField may have several."""

    class Meta:
        abstract = True

    def clean_fields(self, exclude=None):
        errors = {}
        try:
            super().clean_fields(exclude)
        except ValidationError as error:
            errors = error.error_dict
        for field in self._meta.concrete_fields:
            value = self.__dict__.get(field.attname)
            if type(value) is str and field.name not in errors and field.name not in (exclude or ()):
                reason = why_not(value, lines=isinstance(field, models.TextField))
                if reason and not (reason == EMPTY and self._stands(field, value)):
                    errors[field.name] = [ValidationError(reason)]
        if errors:
            raise ValidationError(errors)

    def _stands(self, field, value):
        """Whether this is on record already, from before it was refused: what stands keeps nobody from changing the rest."""
        rows = type(self)._base_manager.filter(pk=self.pk)
        return not self._state.adding and value in rows.values_list(field.attname, flat=True)
