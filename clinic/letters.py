"""Letters: a text with fields in braces, and what each field says for one patient.

Pure but for the questions that the sources ask. Fields come from `OWN` and from the hook `clinic.letter_sources`.
"""
import re
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy

from clinic import hooks
from clinic.braces import lone, no_field

FIELD = re.compile(r"\{([a-z_]+)\}")
ADULT = 18  # letters to somebody younger go to who is responsible for them


@dataclass(frozen=True)
class NoValue:
    """Why a field says nothing for this patient: a sentence for whoever writes the letter."""

    why: str


@dataclass(frozen=True)
class Occasion:
    """What a letter may be about, such as one visit. `kinds`: the kinds of letter that it suits."""

    key: Any
    words: str
    kinds: frozenset


@dataclass(frozen=True)
class Source:
    """The fields of one app: {name: what it is}, and what they say.

    `values(actor, patient, key)` gives a text or a NoValue for each of its names, in the language that is active; `key` is that
    of an occasion, or None; 404 when it is none of this patient's. `occasions(actor, patient, key)` gives them newest first,
    that of `key` among them.
    """

    fields: dict
    values: Any
    occasions: Any = lambda actor, patient, key: []


@dataclass
class Draft:
    """A letter before somebody reads it over. Fields without a value still stand in its text."""

    title: str
    text: str
    occasions: list
    occasion: Any
    obstacles: list = field(default_factory=list)  # why this kind of letter can't be written at all now
    missing: list = field(default_factory=list)  # [(field, why it says nothing)]


def own_values(actor, patient, key=None):
    clinic = actor.clinic
    return {
        "date": date_format(clinic.today(), "j F Y"),
        "patient_name": patient.name,
        "first_name": patient.preferred_name or patient.first_name,
        "born": date_format(patient.date_of_birth, "j F Y"),
        "chart_number": patient.chart_number,
        "addressee": addressee(patient, clinic.today()),
        "address": "\n".join(patient.address_lines) or NoValue("The patient's address is not entered yet."),
        "dentist": str(patient.primary_provider or "") or NoValue("The patient has no dentist here yet."),
        "practice": clinic.name,
        "practice_phone": clinic.phone or NoValue("The practice's phone number is not entered yet."),
        "practice_email": clinic.email or NoValue("The practice's e-mail is not entered yet."),
        "practice_address": clinic.address or NoValue("The practice's address is not entered yet."),
        "writer": actor.user.name if actor.user else NoValue("Nobody is signed in who could have written it."),
    }


OWN = Source({
    "date": "Today's date",
    "patient_name": "First and last name",
    "first_name": "What the patient likes to be called, else the first name",
    "born": "Date of birth",
    "chart_number": "Chart number",
    "addressee": "Whom the letter goes to: the patient; for a child, who is responsible",
    "address": "The patient's address, on its lines",
    "dentist": "The patient's dentist",
    "practice": "Name of the practice",
    "practice_phone": "Phone of the practice",
    "practice_email": "E-mail of the practice",
    "practice_address": "Address of the practice",
    "writer": "Who writes the letter",
}, own_values)


def sources():
    return [OWN, *hooks.letter_sources()]


def known_fields():
    """{name: what it is} of all fields that a letter can hold."""
    return {name: meaning for source in sources() for name, meaning in source.fields.items()}


def refuse_unknown(text):
    """ValidationError for a field that there is not, and for a brace that belongs to none; each is named."""
    known = known_fields()
    wrong = [no_field(name, known) for name in dict.fromkeys(FIELD.findall(text)) if name not in known]
    wrong += [f"{said} Braces are only for fields, such as {{date}}." for said in lone(text, FIELD)]
    if wrong:
        raise ValidationError(wrong)


def filled(text, values):
    """The text with its fields said, in one pass: what a value holds is never read as a field. Without a value one stays."""
    return FIELD.sub(lambda found: values[found[1]] if isinstance(values.get(found[1]), str) else found[0], text)


def unsaid(text):
    """The fields that still stand in a text."""
    return [name for name in dict.fromkeys(FIELD.findall(text)) if name in known_fields()]


def kinds_for(actor, patient, key):
    """The kinds of letter that suit this occasion."""
    found = (each for source in sources() for each in source.occasions(actor, patient, key) if each.key == key)
    return next((each.kinds for each in found), frozenset())


def paragraphs(text):
    """A text as paper takes it: a list of paragraphs, each a list of lines."""
    blocks = re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").strip())
    return [[line.rstrip() for line in block.strip("\n").split("\n")] for block in blocks if block.strip()]


def address_block(patient, today):
    """To whom a letter goes, and where, line by line; the country only when it is another one."""
    lines = patient.address_lines
    at_home = patient.country and patient.country == patient.clinic.country
    return [addressee(patient, today), *(lines[:-1] if at_home else lines)]


def addressee(patient, today):
    """Whom a letter is for: the patient, or who is responsible for one who is not grown up."""
    child = (patient.age(today) or 0) < ADULT
    return patient.account.name if child and patient.account.name else patient.name


def draft(actor, patient, template, key=None):
    """The letter that this template makes for a patient; `key`: what it is about, else the newest occasion that suits it."""
    found = sources()
    occasions = [each for source in found for each in source.occasions(actor, patient, key)
                 if template.kind in each.kinds or each.key == key]
    if key is None and occasions:
        key = occasions[0].key
    with translation.override(patient.language), timezone.override(actor.clinic.zone):
        values = {name: said for source in found for name, said in source.values(actor, patient, key).items()}
        title, body = str(template.title), str(template.body)
    without = {name: said.why for name, said in values.items() if isinstance(said, NoValue)}
    needed = template.NEEDS.get(template.kind, ())
    return Draft(
        title, filled(body, values), occasions, key,
        obstacles=list(dict.fromkeys(without[name] for name in needed if name in without)),
        missing=[(name, without[name]) for name in dict.fromkeys(FIELD.findall(body)) if name in without])


# The letters that every practice has from the first day, until it writes its own: {kind: (title, text)}. They stand in no row,
# so that each patient reads them in their own language.
STARTERS = {
    "appointment_card": (gettext_lazy("Your next visits"), gettext_lazy(
        "{patient_name}\n\n"
        "We have kept this time for you:\n\n"
        "{next_visits}\n\n"
        "Would another time suit you better? Call us at least a day ahead, so that somebody else can have it: {practice_phone}.")),
    "excuse": (gettext_lazy("Confirmation of a visit"), gettext_lazy(
        "To whom it may concern,\n\n"
        "{patient_name}, born {born}, was at our practice on {visit_date} from {arrived_at} to {left_at}.\n\n"
        "We ask you to excuse the absence during this time and on the way here and back.\n\n"
        "{writer}\n{practice}")),
    "welcome": (gettext_lazy("Welcome"), gettext_lazy(
        "Dear {addressee},\n\n"
        "thank you for choosing {practice}. We are glad to have {first_name} with us.\n\n"
        "Bring three things to the first visit: a list of all medicines taken now, the insurance card if there is one, and any "
        "X-rays of the last two years. Come ten minutes early, so that there is time for questions.\n\n"
        "Is something not clear, or does something hurt before then? Call us: {practice_phone}.\n\n"
        "{writer}\n{practice}")),
    "missed_visit": (gettext_lazy("We missed you"), gettext_lazy(
        "Dear {addressee},\n\n"
        "we had kept time for {first_name} on {missed_visit}, and nobody came. We hope that all is well.\n\n"
        "What was planned still matters. Call us, and we find a time that suits you better: {practice_phone}.\n\n"
        "When you can't come, tell us a day ahead. Somebody else is glad of the time.\n\n"
        "{writer}\n{practice}")),
}
