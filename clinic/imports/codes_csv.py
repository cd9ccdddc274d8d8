"""A CSV file of procedure codes, as a practice has licensed it: which columns it may have, and how its cells are read.

Writes nothing. The words for categories and areas are ours and the usual names of the chapters; no text of a code is known here.
"""
import re
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from clinic import search
from clinic.imports.cells import Wrong, read_amount, read_choice, read_date
from clinic.imports.rows import Problem
from clinic.imports.table import CsvFile, Table
from clinic.models import ProcedureCode

Area, Category = ProcedureCode.Area, ProcedureCode.Category
REQUIRED = ("code", "description")
COLUMNS = (*REQUIRED, "category", "treatment_area", "fee", "minutes", "edition", "effective_from", "effective_to")
CALLED = {
    other: column for column, others in {
        "code": "procedure_code cdt_code cdt", "description": "text nomenclature name procedure words",
        "treatment_area": "area area_of_oral_cavity", "fee": "amount price", "minutes": "time duration length",
        "effective_from": "effective_date from start_date", "effective_to": "effective_until until to end_date",
    }.items() for other in others.split()}
CATEGORIES = {" ".join(search.words(label)): value for value, label in Category.choices} | {value: value for value in Category} | {
    "endodontic": Category.ENDODONTICS, "periodontic": Category.PERIODONTICS, "orthodontic": Category.ORTHODONTICS,
    "prosthodontics removable": Category.PROSTHODONTICS, "removable prosthodontics": Category.PROSTHODONTICS,
    "prosthodontics fixed": Category.PROSTHODONTICS, "fixed prosthodontics": Category.PROSTHODONTICS,
    "maxillofacial prosthetics": Category.PROSTHODONTICS, "implant services": Category.IMPLANTS, "implant": Category.IMPLANTS,
    "oral and maxillofacial surgery": Category.SURGERY, "oral maxillofacial surgery": Category.SURGERY,
    "oral surgery": Category.SURGERY, "adjunctive general services": Category.ADJUNCTIVE,
    "adjunctive services": Category.ADJUNCTIVE}
AREAS = {
    word: value for value, words in {
        Area.SURFACE: "surface|surfaces|tooth surface|tooth and surface", Area.TOOTH: "tooth|teeth|per tooth",
        Area.TOOTH_RANGE: "tooth range|range|tooth_range", Area.QUADRANT: "quadrant|quad", Area.SEXTANT: "sextant",
        Area.ARCH: "arch|jaw", Area.MOUTH: "mouth|full mouth|whole mouth|entire mouth|entire oral cavity|none|n/a|-",
    }.items() for word in words.split("|")}
CODE = re.compile(r"D\d{4}")
MINUTES = re.compile(r"(\d{1,3})(?: ?(?:m|min|mins|minutes)\.?)?")
LAST_OF = (  # the chapters of the code set, by the last number of each
    (999, Category.DIAGNOSTIC), (1999, Category.PREVENTIVE), (2999, Category.RESTORATIVE), (3999, Category.ENDODONTICS),
    (4999, Category.PERIODONTICS), (5999, Category.PROSTHODONTICS), (6199, Category.IMPLANTS), (6999, Category.PROSTHODONTICS),
    (7999, Category.SURGERY), (8999, Category.ORTHODONTICS), (9999, Category.ADJUNCTIVE))
NEW = {"minutes": 30, "fee": Decimal("0.00")}  # of a new code where the list does not say it
NOT_IN_FILE = {"id", "clinic", "created_at", "updated_at"}
YEARS_AHEAD = timedelta(days=3650)


@dataclass
class CodeRow:
    """One good line: the code and what the list says of it. `there`: our row, and what it says otherwise; the intake knows."""

    line: int
    code: str
    values: dict
    there: Any = None
    otherwise: dict = field(default_factory=dict)

    external_id = ""

    @property
    def key(self):
        return self.code

    def new(self, clinic):
        """The code as a new one: what the list does not say is taken from its number, or has to be looked at."""
        return ProcedureCode(clinic=clinic, code=self.code, **{**NEW, "category": chapter(self.code), **self.values})


class CodeFile(CsvFile):
    """An open file whose header has been understood. `rows()` gives a CodeRow or a list of Problems for each line.

    `said`: what holds for every line that does not say it itself: edition, effective_from, effective_to.
    """

    def __init__(self, path, clinic, day_first, said):
        self.clinic, self.day_first, self.said = clinic, day_first, said
        self.table = Table(path, COLUMNS, REQUIRED, CALLED)

    def how(self):
        yield ("CDT and its texts belong to the American Dental Association (ADA). This list is taken in under the licence that "
               "your practice has of it; Chairside brings none of it along.")
        yield from self.table.how(self.day_first)
        yield f"Lines that name no edition are of {self.said['edition']}."

    def _row(self, line, cells):
        values = {name: value for said in (self.said, cells) for name, value in said.items() if value is not None}
        code = values.pop("code")
        row = CodeRow(line, code, values)
        unsaid = {"treatment_area"} - values.keys()  # what is there keeps its own
        try:
            row.new(self.clinic).full_clean(exclude=NOT_IN_FILE | unsaid, validate_unique=False)
        except ValidationError as error:
            return [Problem(line, name if name in self.table.columns else "", " ".join(reasons))
                    for name, reasons in error.message_dict.items()]
        return row

    def _value(self, column, text):
        """The cell's value; None when it says nothing."""
        if not text:
            if column in REQUIRED:
                raise Wrong("This is missing.")
            return None
        return READ[column](self, text) if column in READ else text

    def _code(self, text):
        code = f"D{text}" if re.fullmatch(r"\d{4}", text) else text.upper()
        if not CODE.fullmatch(code):
            raise Wrong(f"{text[:40]!r} is not a code like D0120.")
        return code

    def _minutes(self, text):
        found = MINUTES.fullmatch(text.lower())
        if not found:
            raise Wrong(f"{text[:40]!r} is not a number of minutes.")
        return int(found[1])

    def _date(self, text):
        return read_date(text, self.day_first, self.clinic.today() + YEARS_AHEAD)  # 1/1/27 lies ahead


READ = {
    "code": CodeFile._code, "category": lambda self, text: read_choice(" ".join(search.words(text)), CATEGORIES),
    "treatment_area": lambda self, text: read_choice(text, AREAS), "fee": lambda self, text: read_amount(text),
    "minutes": CodeFile._minutes, "effective_from": CodeFile._date, "effective_to": CodeFile._date}


def chapter(code):
    """The category of a code by its number."""
    return next(category for last, category in LAST_OF if int(code[1:]) <= last)
