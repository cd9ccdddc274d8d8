"""What changed in a record's past, in words: consecutive rows of its history compared field by field."""
from django.utils import timezone

from clinic.models import User
from clinic.panels import Change

# What follows from other columns, or says nothing to a person.
UNSAID = {
    "version", "updated_at", "created_at", "id", "clinic", "last_key", "first_key", "search_text",
    "session_epoch", "rights_epoch", "parts", "chair_starts_at", "chair_ends_at", "status_at",
}
NOBODY = {"link": "The patient"}  # who acted where no user did


def changes_of(model, rows, what):
    """`Change`s of history rows of one record type, newest first. `what(row)` names the record.

    Two queries besides the caller's: names of those who changed, and one for each kind of record pointed to.
    """
    rows = sorted(rows, key=lambda row: (row.id, getattr(row, "version", 0), row.history_id))
    kept = {field.name for field in model.history.model._meta.concrete_fields}
    fields = [field for field in model._meta.concrete_fields if field.name in kept - UNSAID]
    who = names(User, {row.history_user_id for row in rows})
    pointed = {
        field.name: names(field.related_model, {getattr(row, field.attname) for row in rows})
        for field in fields if field.is_relation}
    changes, before = [], None
    for row in rows:
        if before is not None and before.id != row.id:
            before = None
        changed = []
        for field in fields:
            new = getattr(row, field.attname)
            old = getattr(before, field.attname) if before is not None else None
            if new != old and (before is not None or new not in (None, "", False, [])):
                changed.append((label(field), shown(field, old, row, pointed), shown(field, new, row, pointed)))
        if changed or before is None:
            changes.append(Change(
                row.history_date, who.get(row.history_user_id, NOBODY.get(row.history_via, "The installation")), row.history_via,
                what(row) + ("" if before is not None else " (new)"), row.history_change_reason or "",
                changed if before is not None else []))
        before = row
    return sorted(changes, key=lambda change: change.at, reverse=True)


def names(model, keys):
    """{key: name} of these rows, in one query."""
    return {row.pk: str(row) for row in model._base_manager.filter(pk__in={key for key in keys if key})}


def label(field):
    return str(field.verbose_name).capitalize()


def shown(field, value, row, pointed):
    if value in (None, "", []):
        return ""
    if field.is_relation:
        return pointed[field.name].get(value, "?")
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "astimezone"):
        return timezone.localtime(value).strftime("%a %Y-%m-%d %H:%M")
    return str(value)
