"""What treatment refuses, in sentences."""
from clinic.db.refusals import Refused

DONE = {
    "present": "presented", "accept": "accepted", "decline": "declined", "activate": "activated", "hold": "put on hold",
    "resume": "resumed", "complete": "completed", "discontinue": "discontinued", "reopen": "opened again",
    "redraft": "made a draft", "start": "started", "void": "voided"}


class WrongStep(Refused):
    """The table of steps has none like this from where the record stands."""

    def __init__(self, record, verb):
        said = record._meta.verbose_name.removeprefix("treatment ")
        super().__init__(f"This {said} is {record.get_status_display().lower()}; from there it can't be {DONE[verb]}.")
