"""What a note is about besides a visit: rows of later apps, such as the procedures that were done. They know the note; it does not
know them."""
from dataclasses import dataclass

from clinic.hooks import Hook

MOST = 40


@dataclass(frozen=True)
class Subject:
    """A row that a note is about: its key, in words, where it is seen, and the text that a note on it begins with."""

    key: object
    words: str
    url: str = ""
    text: str = ""


# (actor, patient, keys) -> [Subject]: the rows with these keys that a note of this patient can be about.
note_subjects = Hook("charting.note_subjects")
# (by, note, keys): the note is about exactly these rows; called in the transaction that saves it.
link_note = Hook("charting.link_note")
# (actor, notes) -> {a note's key: [Subject]}: what these notes are about.
subjects_of_notes = Hook("charting.subjects_of_notes")


def subjects_of(actor, patient, keys):
    """The Subjects with these keys; none for none."""
    return [each for found in note_subjects(actor, patient, keys[:MOST]) for each in found] if keys else []


def link(by, note, keys):
    for function in link_note:
        function(by, note, keys)


def told_by(actor, notes):
    """{a note's key: [Subject]} of these notes; a constant number of queries."""
    found = {}
    for told in subjects_of_notes(actor, notes):
        for key, subjects in told.items():
            found.setdefault(key, []).extend(subjects)
    return found
