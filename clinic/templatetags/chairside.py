"""Tags and filters of every template (a template builtin, so no page loads it)."""
import datetime
from functools import cache, lru_cache
from html import unescape
from importlib.resources import files
from io import BytesIO
from uuid import uuid4
from xml.etree import ElementTree
from zipfile import ZipFile

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, strip_tags
from django.utils.safestring import mark_safe

register = template.Library()

TONES = {"debug": "grey", "info": "blue", "success": "green", "warning": "amber", "error": "red"}
TONE_ICONS = {
    "red": "octagon-alert", "amber": "triangle-alert", "green": "circle-check", "blue": "info", "grey": "circle"}


@lru_cache(maxsize=512)
def drawn(name, size, classes):
    """One lucide icon as SVG text, drawn once per process."""
    svg = ElementTree.fromstring(_icons().read(f"{name}.svg").replace(b' xmlns="http://www.w3.org/2000/svg"', b""))  # noqa: S314
    svg.attrib |= {"width": str(size), "height": str(size), "class": f"icon {classes}".strip(), "aria-hidden": "true",
                   "focusable": "false"}
    return mark_safe(ElementTree.tostring(svg, encoding="unicode"))  # noqa: S308 (from the icon package's own file)


@cache
def _icons():
    """All of the package's icons, unopened; its own tag reads the list of all of them for each one."""
    return ZipFile(BytesIO((files("lucide") / "lucide.zip").read_bytes()))


@register.simple_tag
def icon(name, classes="", size=16):
    """A lucide icon beside a word: `{% icon "calendar" %}`. It is hidden from screen readers."""
    return drawn(str(name), size, str(classes))


@register.simple_tag
def once():
    """The hidden key that lets a form be sent twice and act once."""
    return format_html('<input type="hidden" name="once" value="{}">', uuid4())


@lru_cache(maxsize=1)
def _lock_sheet():
    """The sheet with marks where the person's own words go, drawn once per process: it stands on every page."""
    return render_to_string("clinic/_lock_sheet.html", {
        "who": "[who]", "name": "[name]", "email": "[email]", "idle_seconds": settings.IDLE_SECONDS})


@register.simple_tag
def lock_sheet(user):
    """What covers the page after a pause, for this user: `{% lock_sheet request.user %}`."""
    text = _lock_sheet()
    for mark, words in (("[who]", str(user.pk)), ("[email]", user.email), ("[name]", user.name)):
        text = text.replace(mark, conditional_escape(words))
    return mark_safe(text)  # noqa: S308 (what is filled in is escaped above)


class Kept(template.Node):
    """What stands between the tags, as it was first drawn for these keys."""

    MOST = 500

    def __init__(self, nodes, keys):
        self.nodes, self.keys, self.drawn = nodes, keys, {}

    def render(self, context):
        key = tuple(name.resolve(context) for name in self.keys)
        drawn = self.drawn.get(key)
        if drawn is None:
            if len(self.drawn) >= self.MOST:
                self.drawn = {}
            drawn = self.drawn[key] = self.nodes.render(context)
        return drawn


@register.tag
def kept(parser, token):
    """`{% kept shell.nav %}…{% endkept %}`: drawn once per process and key, for the parts of the shell that are the same
    in every answer. It may hold nothing that is not in its keys: no name, no token, nothing of a patient.
    """
    _, *keys = token.split_contents()
    nodes = parser.parse(["endkept"])
    parser.delete_first_token()
    return Kept(nodes, [parser.compile_filter(name) for name in keys])


@register.filter
def attributes(attrs):
    """A component's left-over attributes, escaped: `<a {{ attrs|attributes }}>`; None, False and "" are left out."""
    parts = []
    declared = getattr(attrs, "_exclude_from_str", ())
    for name, value in attrs.items() if attrs else ():
        if name in declared or value is None or value is False or value == "":
            continue
        if value is True:
            parts.append(name)
        else:
            parts.append(f'{name}="{conditional_escape(value).replace(chr(34), "&quot;")}"')
    return mark_safe(" ".join(parts))  # noqa: S308 (each value is escaped above)


@register.filter
def plain(html):
    """The words of a piece of HTML on one line, for a tooltip."""
    return " ".join(unescape(strip_tags(html or "")).split())


@register.filter
def tone(level_tag):
    """The tone of a Django message level: "success" is green."""
    return TONES.get(str(level_tag).split(" ")[-1], "grey")


@register.filter
def tone_icon(tone_name):
    """The icon that goes with a tone, so that colour never speaks alone."""
    return TONE_ICONS.get(str(tone_name), "circle")


@register.filter
def initials(name):
    """Two letters for an avatar: "Ana de la Cruz" is AC."""
    words = [word for word in str(name or "").split() if word[0].isalpha()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


@register.filter
def minutes(value):
    """A length of time in whole minutes: a timedelta or a number of minutes becomes "25 min" or "1 h 05"."""
    if value is None or value == "":
        return ""
    total = int(value.total_seconds() // 60) if isinstance(value, datetime.timedelta) else int(value)
    sign, total = ("-", -total) if total < 0 else ("", total)
    return f"{sign}{total} min" if total < 60 else f"{sign}{total // 60} h {total % 60:02d}"


@register.filter
def age(born, on=None):
    """Age in words on a day: "34", or "7 mo" below two years. `on` is the clinic's today."""
    if not born:
        return ""
    on = on or timezone.localdate()
    months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
    if months < 0:
        return ""
    return str(months // 12) if months >= 24 else f"{months} mo"
