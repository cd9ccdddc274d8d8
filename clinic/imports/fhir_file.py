"""A file of FHIR R4 resources: a Bundle, one Patient, or one resource a line (NDJSON). Gives the same rows as a CSV file."""
import json
import re
from collections import Counter

from clinic.imports.cells import Wrong
from clinic.imports.fhir_patient import PatientResource
from clinic.imports.rows import CannotRead, Problem, Row, examined

MOST_DOCUMENT = 20 * 1024 * 1024  # bytes that are read at once; as objects they take twenty times as much
MOST_LINE = 1024 * 1024
MARK = b"\xef\xbb\xbf"
LINES, NAMED_JSON = (".ndjson", ".jsonl"), (".json", ".ndjson", ".jsonl")
A_TYPE = re.compile("[A-Za-z]{1,60}")


def is_json(path):
    """Whether this file is JSON, by its first character; CannotRead where its name says so and it is not."""
    with path.open("rb") as file:
        start = file.read(1024).removeprefix(MARK).lstrip()
    if start.startswith(b"{"):
        return True
    if path.suffix.lower() in NAMED_JSON:
        raise CannotRead(
            "The file is named like JSON, but does not begin with a brace. A Bundle, a Patient, or one resource a line "
            "(NDJSON) can be read, in UTF-8.")
    return False


class FhirFile:
    """An open file. `rows()` gives a Row or a list of Problems for each Patient; other resources are counted."""

    def __init__(self, path, clinic, today, identifier_system=""):
        self.path, self.clinic, self.today, self.identifier_system = path, clinic, today, identifier_system
        self.others, self.notes, self.is_a_page = Counter(), Counter(), False
        self.document = None if self._has_lines() else self._whole()
        self.unit = "line" if self.document is None else "entry"

    @property
    def count(self):
        """About how many resources there are."""
        if self.document is not None:
            return len(self.document)
        with self.path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(MOST_LINE), b""))

    def how(self):
        yield "The file is FHIR: " + ("a resource a line." if self.document is None else "one document.")
        yield "The number elsewhere is " + (
            f"the identifier of {self.identifier_system}." if self.identifier_system
            else "the medical record number (type MR), else the resource's own id.")

    def told(self):
        """What was left out, in sentences."""
        if self.others:
            kinds = ", ".join(f"{name} {count:,}" for name, count in sorted(self.others.items()))
            yield f"Not patients, and left out: {kinds}."
        for sentence, count in sorted(self.notes.items()):
            yield f"{sentence} ({count:,} ×)."
        if self.is_a_page:
            yield "This Bundle is one page of a longer list; import the next pages too."

    def rows(self):
        """For each Patient: a Row, or the list of its Problems; Problems also for what can't be read at all."""
        for number, resource in self._lines() if self.document is None else enumerate(self.document, start=1):
            try:
                resource = resource() if callable(resource) else resource
                kind = type_of(resource)
            except Wrong as wrong:
                yield [Problem(number, "", str(wrong))]
                continue
            if kind == "Patient":
                yield self._row(number, resource)
            else:
                self.others[kind] += 1

    def _row(self, number, resource):
        read = PatientResource(resource, self.clinic, self.today, self.identifier_system).read()
        if read.problems:
            return [Problem(number, path, reason) for path, reason in read.problems]
        row = examined(Row(number, read.values), self.clinic, read.element)
        if isinstance(row, Row):
            self.notes.update(read.notes)
        return row

    def _has_lines(self):
        """Whether each line is a resource: the first one is whole, and no Bundle; or the file's name says so."""
        if self.path.suffix.lower() in LINES:
            return True
        with self.path.open("rb") as file:
            first = file.readline(MOST_LINE)
        try:
            return type_of(parsed(first)) != "Bundle"
        except Wrong:
            return False

    def _lines(self):
        """(line number, function that reads it): long ones are never held in memory."""
        with self.path.open("rb") as file:
            number = 0
            while line := file.readline(MOST_LINE + 1):
                number += 1
                whole = len(line) <= MOST_LINE
                while len(line) > MOST_LINE and not line.endswith(b"\n"):
                    line = file.readline(MOST_LINE + 1)
                if not whole:
                    yield number, too_long
                elif line.strip(b" \t\r\n"):
                    yield number, lambda line=line: parsed(line)

    def _whole(self):
        """The resources of the one document: a Bundle's entries, else the document itself."""
        if self.path.stat().st_size > MOST_DOCUMENT:
            raise CannotRead(
                f"The file is one document of more than {MOST_DOCUMENT // 1024 ** 2} MB, too much to read at once. Export it as "
                "NDJSON, one resource a line, or in several files.")
        try:
            document = parsed(self.path.read_bytes())
            if type_of(document) != "Bundle":
                return [document]
        except Wrong as wrong:
            raise CannotRead(f"The file can't be read. {wrong}") from None
        links, entries = document.get("link"), document.get("entry", [])
        if not isinstance(entries, list):
            raise CannotRead("The Bundle's entry should be a list.")
        self.is_a_page = isinstance(links, list) and any(
            isinstance(link, dict) and link.get("relation") == "next" for link in links)
        return [entry.get("resource") if isinstance(entry, dict) else entry for entry in entries]


class Unclear:
    """Stands for what JSON says and what can't be taken at its word: a key that stands twice, a number that is none."""

    def __init__(self, why):
        self.why = why


def parsed(data):
    """What this JSON text says; Wrong, with a sentence, for what is none or says two things at once."""
    try:
        value = json.loads(data.removeprefix(MARK).decode("utf-8"), object_pairs_hook=once_each, parse_constant=no_number)
    except UnicodeDecodeError:
        raise Wrong("It is not UTF-8.") from None
    except RecursionError:
        raise Wrong("It is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise Wrong(f"It is not JSON, or breaks off, at line {error.lineno}, column {error.colno}.") from None
    except ValueError:
        raise Wrong("It holds a number that is too long.") from None
    if isinstance(value, Unclear):
        raise Wrong(value.why)
    return value


def once_each(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        return Unclear(f"The key {twice[:40]!r} stands twice in one object, so what holds can't be told.")
    return found


def no_number(text):
    return Unclear(f"{text} is no number.")


def too_long():
    raise Wrong(f"The line is longer than {MOST_LINE // 1024 ** 2} MB. Leave pictures out of the export.")


def type_of(resource):
    """The resource's type; Wrong for what is no resource, or says somewhere what can't be taken at its word."""
    todo = [resource]
    if isinstance(resource, dict) and resource.get("resourceType") == "Bundle":
        todo = []  # each entry is looked into by itself
    while todo:
        one = todo.pop()
        if isinstance(one, Unclear):
            raise Wrong(one.why)
        todo.extend(one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str) or not A_TYPE.fullmatch(kind):
        raise Wrong("This is no FHIR resource: it does not say its resourceType.")
    return kind
