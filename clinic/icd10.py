"""ICD-10-CM as the package simple-icd-10-cm ships it, which is in the public domain: its release, its codes, how one is written."""
import re
from datetime import date, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "simple_icd_10_cm"
FORM = re.compile(r"([A-Z]\d[0-9A-Z]|[A-Z]A\d)(\.[0-9A-Z]{1,4})?")


def spelled(text):
    """A code as the list writes it: "f411" and "F41.1 " are F41.1. What is no code comes back in capitals."""
    text = text.strip().upper()
    return f"{text[:3]}.{text[3:]}" if FORM.fullmatch(f"{text[:3]}.{text[3:]}") else text


@cache
def release():
    """The day from which the package's list holds, out of the name of its file: importing the package would read it all."""
    (file,) = (Path(find_spec(PACKAGE).origin).parent / "data").glob("icd10c-tabular-*.xml")
    return datetime.strptime(file.stem.removeprefix("icd10c-tabular-"), "%B-%d-%Y").date()


def rows():
    """(code, description, whether it can be billed) of every category and code, in the list's order; chapters are none."""
    import simple_icd_10_cm as book  # takes two seconds, so only here

    # A block of a single category bears the same name, so some are named twice.
    for code in dict.fromkeys(filter(book.is_category_or_subcategory, book.get_all_codes(True))):
        yield code, book.get_description(code), book.is_leaf(code)


def named(day: date):
    """A release by its usual name, such as April 2026."""
    return f"{day:%B %Y}"
