"""Two people, one record: what each wrote, field by field, and the page on which the later one chooses.

The page sends the typed form again with the newest version, and with a choice for each field: "mine", "theirs" (then
the field is not written, so it stays as they saved it) or, for text and lists, "both".
"""
from dataclasses import dataclass
from datetime import date, datetime

from django import forms
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone

from clinic.db.refusals import Stale

CHOICE = "choice-"
NOT_ECHOED = {"csrfmiddlewaretoken", "once", "take"}


@dataclass(frozen=True)
class Difference:
    """A field in which the two texts differ. `suggested`: theirs where only they wrote, else mine; `contested`: both wrote."""

    name: str
    label: str
    mine: list
    theirs: list
    suggested: str
    contested: bool
    may_join: bool


def differences(labels, *, began, mine, theirs, joinable=()):
    """The fields whose two texts differ. `labels`: {name: what the form calls it}; the rest are {name: value}."""
    found = []
    for name, label in labels.items():
        if name not in mine or same(mine[name], theirs[name]):
            continue
        only_they = same(mine[name], began.get(name))
        contested = not only_they and not same(theirs[name], began.get(name))
        found.append(Difference(
            name, label, said(mine[name]), said(theirs[name]), "theirs" if only_they else "mine", contested,
            name in joinable))
    return found


def settled(posted, mine, theirs=None, joinable=()):
    """What is to be written of `mine`, after the choices of the page; without choices all of it."""
    if "take" not in posted:
        return mine
    values = {}
    for name, value in mine.items():
        choice = "mine" if posted["take"] == "mine" else posted.get(CHOICE + name, "mine")
        if choice == "both" and name in joinable:
            values[name] = joined(theirs[name], value)
        elif choice != "theirs":
            values[name] = value
    return values


def joined(theirs, mine):
    """Both texts, theirs first; of two lists each row once."""
    if isinstance(mine, list):
        return [*theirs, *(row for row in mine if row not in theirs)]
    return "\n".join(text for text in (theirs, mine) if text)


def conflict_page(request, found, *, version_field, version, who="", back, context=None):
    """The page with both texts. `version_field`: the form's hidden field that names the version; `back`: to theirs."""
    echoed = [
        (name, value) for name, values in request.POST.lists() for value in values
        if name not in NOT_ECHOED | {version_field} and not name.startswith(CHOICE)]
    return render(request, "clinic/conflict.html", {
        "patient": None, **(context or {}), "differences": found, "echoed": echoed, "version_field": version_field,
        "version": version, "who": who or "Somebody", "back": back, "choice": CHOICE,
        "contested": any(each.contested for each in found), "may_join": any(each.may_join for each in found)}, status=409)


def lost_race(request, form, stale, *, back, context=None):
    """The page with both texts, of a form whose record somebody else saved first. `back`: to theirs."""
    return conflict_page(
        request, form.differences(stale.current), version_field="version", version=stale.current.version,
        who=who_saved(stale.current), back=back, context=context)


def save_form(request, form, page, *, then=None, context=dict):
    """Save the form of a record and go to `then`, else to the record's `page`; after a lost race show both texts.

    `context()` is asked for only then: what that page needs besides.
    """
    try:
        form.save_by(request.actor)
    except Stale as stale:
        return lost_race(request, form, stale, back=page, context=context())
    messages.success(request, "Saved.")
    return redirect(then or page)


def same(one, two):
    """Whether two values mean the same: a row and its key, nothing and an empty text."""
    return said(getattr(one, "pk", one)) == said(getattr(two, "pk", two))


def in_words(field, value):
    """A form field's value as people read it: the words of a choice, the name of a row."""
    if hasattr(field, "in_words"):
        return field.in_words(value)
    if isinstance(field, forms.ModelChoiceField):
        return value if value is None or hasattr(value, "pk") else field.queryset.filter(pk=value).first()
    if isinstance(field, forms.MultipleChoiceField):
        return [dict(field.choices).get(each, each) for each in value or []]
    if isinstance(field, forms.ChoiceField):
        return dict(field.choices).get(value, value)
    return value


def said(value):
    """A value as lines of text; a row of a list is a line."""
    if value is None or value == "":
        return []
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, list):
        return [", ".join(str(part) for part in row.values() if part) if isinstance(row, dict) else str(row) for row in value]
    if isinstance(value, datetime):
        local = timezone.localtime(value)
        return [f"{local:%A} {local.day} {local:%B %Y} {local.hour}:{local:%M}"]
    if isinstance(value, date):
        return [f"{value.day} {value:%B %Y}"]
    return str(value).splitlines()


def who_saved(record):
    """Who wrote the newest version of a record, by name."""
    newest = record.history.select_related("history_user").order_by("-version").first()
    return str(newest.history_user) if newest and newest.history_user else "Somebody"
