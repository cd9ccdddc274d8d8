"""What changed in a record's past, in words: consecutive rows of its history compared field by field."""
from functools import cache

from django.utils import timezone

from clinic.db.fields import EncryptedTextField
from clinic.models import User
from clinic.panels import Change

# What follows from other columns, or says nothing to a person.
UNSAID = {
    "version", "updated_at", "created_at", "id", "clinic", "last_key", "first_key", "search_text", "digest",
    "session_epoch", "rights_epoch", "parts", "chair_starts_at", "chair_ends_at", "status_at",
}
NOBODY = {"link": "The patient"}  # who acted where no user did
WAYS = {
    "page": "Page", "api": "Program", "admin": "Administration", "job": "Job", "command": "Command", "shell": "Shell",
    "link": "Link to a patient"}


def changes_of(model, rows, what, earlier=(), spelled=True):
    """`Change`s of history rows of one record type, newest first. `what(row)` names the record.

    `earlier`: rows that the others are only compared with. `spelled`: encrypted texts are told, else only that they changed.
    At most two queries besides the caller's: names of those who changed, and one for each kind of record pointed to.
    """
    found = [(row, is_new, differing) for row, is_new, differing in compared(model, rows, earlier) if is_new or differing]
    who = names(User, {row.history_user_id for row, _, _ in found})
    pointed = {}
    for _, _, differing in found:
        for field, old, new in differing:
            if field.is_relation:
                pointed.setdefault(field, set()).update((old, new))
    pointed = {field.name: names(field.related_model, keys) for field, keys in pointed.items()}
    changes = [Change(
        row.history_date, who_did(row.history_user_id, row.history_via, who), row.history_via,
        (what(row) + (" (new)" if is_new else "")).strip(), row.history_change_reason or "",
        [said(field, old, new, pointed, spelled) for field, old, new in differing], row.history_id)
        for row, is_new, differing in found]
    return sorted(changes, key=lambda change: change.at, reverse=True)


def compared(model, rows, earlier=()):
    """(row, whether it is the record's first, [(field, old value, new value)]) of each row, beside the one before it."""
    only_beside = {row.history_id for row in earlier}
    kept = {field.name for field in model.history.model._meta.concrete_fields}
    fields = [field for field in model._meta.concrete_fields if field.name in kept - UNSAID]
    before = None
    for row in sorted([*rows, *earlier], key=lambda row: (row.id, getattr(row, "version", 0), row.history_id)):
        if before is not None and before.id != row.id:
            before = None
        if row.history_id not in only_beside:
            pairs = [] if before is None else [
                (field, getattr(before, field.attname), getattr(row, field.attname)) for field in fields]
            yield row, before is None, [(field, old, new) for field, old, new in pairs if old != new]
        before = row


def who_did(user_id, via, names_of_users):
    return names_of_users.get(user_id, NOBODY.get(via, "The installation"))


def names(model, keys):
    """{key: name} of these rows, in one query."""
    keys = {key for key in keys if key}
    return {row.pk: str(row) for row in named(model).filter(pk__in=keys)} if keys else {}


def named(model):
    """The rows with whatever their names are made of."""
    paths = _pointed(model)
    return model._base_manager.select_related(*paths) if paths else model._base_manager.all()


@cache
def _pointed(model, depth=2):
    """The rows that a row's name may be made of: none when it has a name of its own."""
    paths = []
    for field in model._meta.concrete_fields if depth and not hasattr(model, "name") else ():
        if field.is_relation and field.name != "by":
            paths += [field.name, *(f"{field.name}__{path}" for path in _pointed(field.related_model, depth - 1))]
    return paths


def said(field, old, new, pointed, spelled):
    """(label, before, after)."""
    if not spelled and isinstance(field, EncryptedTextField):
        return label(field), "", "changed"
    return label(field), shown(field, old, pointed), shown(field, new, pointed)


def label(field):
    return str(field.verbose_name).capitalize()


def shown(field, value, pointed):
    if value in (None, "", [], {}):
        return ""
    if field.is_relation:
        return pointed[field.name].get(value, "?")
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {', '.join(text) if isinstance(text, list) else text}" for name, text in value.items() if text)
    if hasattr(value, "astimezone"):
        return timezone.localtime(value).strftime("%a %Y-%m-%d %H:%M")
    return str(value)
