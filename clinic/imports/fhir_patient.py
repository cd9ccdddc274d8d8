"""A FHIR R4 Patient resource as the values of a Patient. What each element becomes stands in docs/import.md."""
import re
from datetime import date

from django.conf import settings

from clinic.imports.cells import Wrong, read_country, read_phone, tidy

GENDERS = {"male", "female", "other", "unknown"}
PHONES = {"mobile": "phone", "home": "phone_home", "work": "phone_work"}
LANGUAGES = dict(settings.LANGUAGES)
# Codes of contact.relationship: HL7 v2 table 0131, v3 RoleCode and RoleClass.
PAYS = {"BP", "GUAR", "GUARD", "GUADLTM", "SPOWATT", "POWATT", "RESPRSN", "GT"}
CALLED = ("C", "EP", "ECON"), ("N", "NOK", "NEXT")
NO_PERSON = {"E", "F", "I", "O", "S"}  # employer, agencies, insurer
NUMBER_OF_PATIENT = "MR"
# What the model's own rules say of a field is told by the element's name.
ELEMENTS = {
    "first_name": "name.given", "last_name": "name.family", "preferred_name": "name.given", "date_of_birth": "birthDate",
    "external_id": "identifier", "email": "telecom", "line1": "address.line", "line2": "address.line", "city": "address.city",
    "region": "address.state", "postal_code": "address.postalCode", "country": "address.country",
    "emergency_name": "contact.name", "guarantor_name": "contact.name", "emergency_relationship": "contact.relationship",
    "guarantor_relationship": "contact.relationship",
}
WHOLE_DATE, DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T[^ ]{1,40})?)?)?")


class Misread(Wrong):
    """An element can't be taken; `path` says which."""

    def __init__(self, path, reason):
        self.path = path
        super().__init__(reason)


class Element:
    """An object of the resource and where it stands; asking it for something of another type raises Misread."""

    def __init__(self, value, path=""):
        if not isinstance(value, dict):
            raise Misread(path, "This should be an object.")
        self.value, self.path = value, path

    def at(self, name):
        return f"{self.path}.{name}" if self.path else name

    def text(self, name):
        """A text on one line; empty when there is none."""
        return self._tidied(self.value.get(name), self.at(name))

    def texts(self, name):
        return [text for one, path in self._each(name) if (text := self._tidied(one, path))]

    def objects(self, name):
        return [Element(one, path) for one, path in self._each(name)]

    def object(self, name):
        return Element(self.value.get(name, {}), self.at(name))

    def flag(self, name):
        """True, False, or None when it is not said."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, bool):
            raise Misread(self.at(name), "This should be true or false.")
        return value

    def rank(self):
        value = self.value.get("rank")
        if value is not None and (type(value) is not int or value < 1):
            raise Misread(self.at("rank"), "This should be a whole number from 1.")
        return value or 99

    def is_current(self, today):
        """Whether it holds today: not marked as old, and within its period."""
        period = self.object("period")
        starts, ends = period.moment("start"), period.moment("end")
        on = today.isoformat()
        return (
            self.text("use") not in ("old", "maiden") and (not ends or ends >= on[:len(ends)])
            and (not starts or starts <= on[:len(starts)]))

    def moment(self, name):
        """The date part of a date or a time, as far as it is said: 2024, 2024-05, 2024-05-17."""
        text = self.text(name)
        if text and not DATE_TIME.fullmatch(text):
            raise Misread(self.at(name), f"{text[:40]!r} is not a date.")
        return text[:10]

    def codes(self):
        """The codes of a CodeableConcept."""
        return [code for coding in self.objects("coding") if (code := coding.text("code"))]

    def words(self):
        """A CodeableConcept in words."""
        return self.text("text") or next((text for one in self.objects("coding") if (text := one.text("display"))), "")

    def _each(self, name):
        values = self.value.get(name)
        if values is None:
            return []
        if not isinstance(values, list):
            raise Misread(self.at(name), "This should be a list.")
        return [(one, f"{self.at(name)}[{number}]") for number, one in enumerate(values) if one is not None]

    def _tidied(self, value, path):
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Misread(path, "This should be a text.")
        try:
            return tidy(value)
        except Wrong as wrong:
            raise Misread(path, str(wrong)) from None


class PatientResource:
    """Reads a Patient part by part, so that all that is wrong is told at once: `values`, `problems` (path, reason), `notes`."""

    def __init__(self, resource, clinic, today, identifier_system=""):
        self.root, self.clinic, self.today, self.identifier_system = Element(resource), clinic, today, identifier_system
        self.values, self.problems, self.notes = {}, [], []

    def read(self):
        for part in (self._whether, self._names, self._birth, self._sex, self._status, self._number, self._telecom,
                     self._address, self._language, self._contacts):
            try:
                part()
            except Misread as wrong:
                self.problems.append((wrong.path, str(wrong)))
        self.values = {name: value for name, value in self.values.items() if value}
        return self

    @staticmethod
    def element(field):
        return ELEMENTS.get(field, "")

    def _whether(self):
        """Records that another one replaced, and those that say more than we know, are not taken."""
        for link in self.root.objects("link"):
            if link.text("type") == "replaced-by":
                other = link.object("other").text("reference") or "another record"
                raise Misread(link.path, f"This record was replaced by {other[:80]}, so it is not taken.")
        if self.root.objects("modifierExtension"):
            raise Misread("modifierExtension", "An extension changes what this record means, so it is not taken.")

    def _names(self):
        names = {}
        for name in self.root.objects("name"):
            if name.is_current(self.today):
                names.setdefault(name.text("use"), name)
        chosen = next((names[use] for use in ("official", "usual", "") if use in names), None)
        if chosen is None:
            raise Misread("name", "There is no current name: official, usual, or without a use.")
        first, last = " ".join(chosen.texts("given")), chosen.text("family")
        for name, text in (("given", first), ("family", last)):
            if not text:
                raise Misread(chosen.at(name), "This is missing.")
        other = names.get("nickname") or names.get("usual")
        called = " ".join(other.texts("given")) or other.text("text") if other and other is not chosen else ""
        self.values |= {"first_name": first, "last_name": last, "preferred_name": called if called != first else ""}

    def _birth(self):
        text = self.root.text("birthDate")
        if not text:
            raise Misread("birthDate", "This is missing.")
        if not WHOLE_DATE.fullmatch(text):
            raise Misread("birthDate", f"{text[:40]!r} is not a whole date. Year, month and day are needed, like 1980-02-29.")
        try:
            self.values["date_of_birth"] = date.fromisoformat(text)
        except ValueError:
            raise Misread("birthDate", f"{text!r} is not a date.") from None

    def _sex(self):
        gender = self.root.text("gender")
        if gender and gender not in GENDERS:
            raise Misread("gender", f"{gender[:40]!r} is not one of: {', '.join(sorted(GENDERS))}.")
        self.values["sex"] = gender

    def _status(self):
        if self.root.flag("deceasedBoolean") or self.root.moment("deceasedDateTime"):
            self.values["status"] = "deceased"
        elif self.root.flag("active") is False:
            self.values["status"] = "inactive"

    def _number(self):
        """The number elsewhere: stable whatever the order in the file, so that a second run knows everybody again."""
        current = [one for one in self.root.objects("identifier") if one.is_current(self.today) and one.text("value")]
        if self.identifier_system:
            fitting = [one for one in current if one.text("system") == self.identifier_system]
        else:
            fitting = [one for one in current if NUMBER_OF_PATIENT in one.object("type").codes()]
        uses = ("usual", "official", "")
        fitting.sort(key=lambda one: (
            uses.index(one.text("use")) if one.text("use") in uses else 9, one.text("system"), one.text("value")))
        own = "" if self.identifier_system else self.root.text("id")
        self.values["external_id"] = fitting[0].text("value") if fitting else own

    def _telecom(self):
        ways = self._ways(self.root)
        self.values |= {"email": ways.pop("email", ""), **{
            name: self._phone(one) for name, one in ways.items()}}

    def _ways(self, owner):
        """{"phone", "phone_home", "phone_work": ContactPoint, "email": text}: of each the first by rank."""
        found = {}
        points = [one for one in owner.objects("telecom") if one.is_current(self.today) and one.text("value")]
        for one in sorted(points, key=lambda one: (one.text("use") not in PHONES, one.rank())):
            system, use = one.text("system"), one.text("use")
            if system == "email":
                found.setdefault("email", one.text("value"))
            elif system == "sms":
                found.setdefault("phone", one)
            elif system == "phone":
                free = next((name for name in PHONES.values() if name not in found), None)
                place = PHONES.get(use, free)
                if place:
                    found.setdefault(place, one)
        return found

    def _phone(self, point):
        try:
            return read_phone(point.text("value"), self.clinic.country)
        except Wrong as wrong:
            raise Misread(point.at("value"), str(wrong)) from None

    def _address(self):
        addresses = {}
        for address in self.root.objects("address"):
            if address.is_current(self.today):
                addresses.setdefault(address.text("use"), address)
        chosen = next((addresses[use] for use in ("home", "", "work", "billing") if use in addresses), None)
        if chosen is None:
            return
        lines = chosen.texts("line")
        self.values |= {
            "line1": lines[0] if lines else "", "line2": ", ".join(lines[1:]), "city": chosen.text("city"),
            "region": chosen.text("state"), "postal_code": chosen.text("postalCode")}
        try:
            self.values["country"] = read_country(chosen.text("country"))
        except Wrong as wrong:
            raise Misread(chosen.at("country"), str(wrong)) from None

    def _language(self):
        spoken = self.root.objects("communication")
        preferred = next((one for one in spoken if one.flag("preferred")), spoken[0] if spoken else None)
        if preferred is None:
            return
        codes = [code.split("-")[0].lower() for code in preferred.object("language").codes()]
        self.values["language"] = next((code for code in codes if code in LANGUAGES), "")
        if codes and not self.values["language"]:
            self.notes.append(f"The language is none of {', '.join(LANGUAGES)}, so letters go out in English")

    def _contacts(self):
        """Who pays for the patient, and whom to call: by the codes of the relationship, else the first person."""
        people = []
        for one in self.root.objects("contact"):
            relationships = one.objects("relationship")
            codes = {code for relationship in relationships for code in relationship.codes()}
            if one.is_current(self.today) and not codes & NO_PERSON:
                people.append((one, codes, relationships))
        payer = next((each for each in people if each[1] & PAYS), None)
        others = [each for each in people if not each[1] & PAYS]
        called = next((each for codes in CALLED for each in people if each[1] & set(codes)), others[0] if others else None)
        for prefix, found in (("guarantor", payer), ("emergency", called)):
            if found:
                self._take(prefix, *found)

    def _take(self, prefix, contact, codes, relationships):
        name = contact.object("name")
        words = name.text("text") or " ".join([*name.texts("given"), name.text("family")]).strip()
        roles = {*PAYS, *CALLED[0], *CALLED[1]}
        said = [one.words() for one in relationships if not set(one.codes()) & roles] or [one.words() for one in relationships]
        ways = self._ways(contact)
        phone = next((ways[place] for place in PHONES.values() if place in ways), None)
        self.values |= {
            f"{prefix}_name": words, f"{prefix}_relationship": next(filter(None, said), ""),
            f"{prefix}_phone": self._phone(phone) if phone else ""}
