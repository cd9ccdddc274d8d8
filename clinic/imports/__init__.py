"""Moving in: reads the files of another system, tells what is wrong with them, and takes the rest into one clinic.

`cells` reads single values, `table` a CSV file, `fhir_file` and `fhir_patient` FHIR; all give the same `rows`, which
`intake` writes. `command` is what the commands have in common.
"""
from clinic.imports.cells import read_date, read_phone
from clinic.imports.rows import CannotRead, Problem

__all__ = ["CannotRead", "Problem", "read_date", "read_phone"]
