"""A CSV file: its encoding and delimiter, which columns it has, and its lines cell by cell. Writes nothing."""
import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

from clinic.imports.cells import Wrong, tidy
from clinic.imports.rows import CannotRead, Problem

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass
class Table:
    """An open file whose header has been understood: of the `known` columns at least the `required` ones.

    `called`: {another name of a column: the known one}.
    """

    path: Path
    known: tuple
    required: tuple
    called: dict = field(default_factory=dict)
    encoding: str = ""
    delimiter: str = ""
    lines: int = 0
    columns: list = field(default_factory=list)

    def __post_init__(self):
        self.encoding, self.lines = encoding_of(self.path)
        with self._open() as file:
            head = file.readline()
        if not head.strip():
            raise CannotRead("The file is empty. Its first line names the columns.")
        self.delimiter, self.columns = header_of(head, self.known, self.required, self.called)

    def how(self, day_first):
        """How it is read, in sentences."""
        if self.encoding == "cp1252":
            yield "The file is not UTF-8; it is read in the old Windows encoding (cp1252). Look at the umlauts."
        order = "day" if day_first else "month"
        yield f"Columns are parted by {DELIMITERS[self.delimiter]}; 2/3/1980 is read {order} first."

    def read(self, value):
        """For each line with something in it (line, {column: value}), or the list of its Problems.

        `value(column, text)` reads a cell, and raises Wrong for what can't be read.
        """
        with self._open() as file:
            reader = csv.reader(file, delimiter=self.delimiter, strict=True)
            next(reader)
            while True:
                line = reader.line_num + 1  # a quoted cell may run over several lines: the first one counts
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield [Problem(line, "", why_unreadable(error))]
                    continue
                if any(cell.strip() for cell in cells):
                    yield self._line(line, cells, value)

    def _open(self):
        return open(self.path, encoding=self.encoding, newline="")

    def _line(self, line, cells, value):
        if len(cells) != len(self.columns):
            return [Problem(line, "", f"The line has {len(cells)} cells, the header {len(self.columns)}.")]
        values, problems = {}, []
        for column, cell in zip(self.columns, cells, strict=True):
            try:
                values[column] = value(column, tidy(cell))
            except Wrong as wrong:
                problems.append(Problem(line, column, str(wrong)))
        return problems or (line, values)


class CsvFile:
    """What the files of all things have in common: a Table in `table`, and for each line of it a row or its Problems."""

    unit = "line"

    @property
    def count(self):
        """About how many rows there are."""
        return self.table.lines - 1

    def told(self):
        """What was left out, in sentences."""
        return ()

    def rows(self):
        """For each line with something in it: a row, or the list of its Problems."""
        for found in self.table.read(self._value):
            yield found if isinstance(found, list) else self._row(*found)

    def _value(self, column, text):
        """The value of a cell; raises Wrong for what can't be read."""
        raise NotImplementedError

    def _row(self, line, values):
        raise NotImplementedError


def encoding_of(path):
    """(encoding, number of lines): UTF-8 with or without its mark, UTF-16 with it, else the old Windows one."""
    with path.open("rb") as file:
        start = file.read(2)
        if start in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16", sum(1 for _ in open(path, encoding="utf-16", newline=""))
        file.seek(0)
        lines = 0
        try:
            for line in file:
                line.decode("utf-8")
                lines += 1
        except UnicodeDecodeError:
            return "cp1252", lines + _lines_of_windows_text(line, file)
    return "utf-8-sig", lines


def _lines_of_windows_text(line, file):
    """How many lines are left; CannotRead for what is no text in that encoding either."""
    count = 1
    try:
        line.decode("cp1252")
        for line in file:
            line.decode("cp1252")
            count += 1
    except UnicodeDecodeError:
        raise CannotRead("This is not a text file. Save the list as CSV, best in UTF-8.") from None
    return count


def header_of(head, known, required, called):
    """(delimiter, columns) of the first line; CannotRead names what is unknown, doubled or missing."""
    read = {mark: [called.get(name, name) for name in column_names(head, mark)] for mark in DELIMITERS}
    delimiter = max(read, key=lambda mark: sum(name in known for name in read[mark]))
    columns = read[delimiter]
    for wrong, what in (
        ([name or "(no name)" for name in columns if name not in known], "Not known"),
        (sorted({name for name in columns if columns.count(name) > 1}), "Twice there"),
        ([name for name in required if name not in columns], "Missing"),
    ):
        if wrong:
            raise CannotRead(
                f"{what}: {', '.join(wrong)}. Nothing was written. The columns are: {', '.join(known)}.")
    return delimiter, columns


def column_names(head, delimiter):
    try:
        cells = next(csv.reader([head], delimiter=delimiter))
    except (csv.Error, StopIteration):
        return []
    return [re.sub(r"[\s-]+", "_", cell.strip().lower()) for cell in cells]


def why_unreadable(error):
    if "unexpected end" in str(error):
        return "A quotation mark opened in this line is never closed, so the rest of the file could not be read."
    if "field larger" in str(error):
        return "A cell of this line is too long; perhaps a quotation mark is not closed."
    return "The quotation marks of this line do not fit. Write a mark inside a quoted cell twice."
