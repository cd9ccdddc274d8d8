"""Which characters a text may hold: those that a person can see or means, and no others."""
import re

from django.core.exceptions import ValidationError
from django.db import models

# Control characters, the line and paragraph separators, and what turns the reading direction of all that follows.
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
LINE_ENDS = re.compile("[\t\n\r]")
# Letters of no width and fillers: beside others they shape a script, alone they are nothing to read.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2060-\u2064\u206a-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0]")
EMPTY = "There is nothing in this that can be seen. Type it anew."
SAID = "This holds a character that can't be seen or printed. Type it anew instead of pasting it."
ONE_LINE = "This is one line: it can't hold a line break or a tab."


def why_not(text, *, lines=True):
    """What is wrong with a text, as a sentence; empty when nothing is. `lines`: it may have several."""
    if UNREADABLE.search(text):
        return SAID
    if INVISIBLE.search(text) and not INVISIBLE.sub("", text).strip():
        return EMPTY
    return "" if lines or not LINE_ENDS.search(text) else ONE_LINE


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
