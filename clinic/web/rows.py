"""Rows by the hundred: a template is drawn once per look, with blanks where rows differ, and a row fills the blanks.

A page of a hundred and fifty visits spends most of its time in the template engine. Here the template still decides how a
row looks, but it runs once per process and look, and `%` does the rest.
"""
import re
from operator import itemgetter
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string

BLANK = re.compile("⟦([a-z_]+)⟧")


class Rows:
    """`Rows("scheduling/_card.html", keys=["id"], texts=["name", "kind"])`; the template knows one row as `row`.

    `keys`: blanks that stand in addresses; `texts`: all others. What fills a blank must be escaped already. A look (a named
    tuple) holds the rest, what the template asks with `if`; it says nothing of a person, as it stays in memory.
    """

    def __init__(self, template, *, keys, texts):
        self.template = template
        self.keys = {name: UUID(int=number) for number, name in enumerate(keys, start=1)}
        self.texts = {name: f"⟦{name}⟧" for name in texts}
        self.forms = {}

    def fill(self, look, values):
        """The row of this look with these values in its blanks."""
        form = self.forms.get(look)
        if form is None:
            form = self._draw(look)
            if not settings.DEBUG:
                self.forms[look] = form
        text, blanks = form
        return text % blanks(values)

    def _draw(self, look):
        """(the row with a %s for each blank, what takes the blanks' values in their order)."""
        drawn = render_to_string(self.template, {"row": {**self.keys, **self.texts, **look._asdict()}}).strip()
        for name, key in self.keys.items():
            drawn = drawn.replace(str(key), f"⟦{name}⟧")
        return BLANK.sub("%s", drawn.replace("%", "%%")), itemgetter(*BLANK.findall(drawn))
