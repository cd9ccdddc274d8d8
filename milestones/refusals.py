"""What milestones refuse, in sentences."""
from clinic.db.refusals import Refused

DONE = {
    "start": "started", "complete": "completed", "achieve": "achieved", "miss": "missed", "defer": "deferred",
    "cancel": "cancelled", "reopen": "opened again"}


class WrongStep(Refused):
    """The table of steps has none like this from where the milestone or task stands."""

    def __init__(self, record, verb):
        said = record._meta.verbose_name
        super().__init__(f"This {said} is {record.get_status_display().lower()}; from there it can't be {DONE[verb]}.")
