"""Lists that later apps add to, so that an earlier app can show what it does not know."""


class Hook(list):
    """A named list of functions; an app adds its own with `@hook.add` in AppConfig.ready()."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    def add(self, function):
        if function not in self:
            self.append(function)
        return function

    def __call__(self, *args, **kwargs):
        """What every function gives, in the order in which they were added, without the empty answers."""
        return [answer for answer in (function(*args, **kwargs) for function in self) if answer]


# (actor, patient) -> Panel: a panel of the patient's overview.
patient_panels = Hook("clinic.patient_panels")
# (actor, patient) -> [Fact] for the header that stands on every page of the patient.
header_facts = Hook("clinic.header_facts")
# (actor) -> Panel of the portal's first page.
portal_panels = Hook("clinic.portal_panels")
# (actor) -> [HeaderAction]: other pages about the practice, linked from its own.
practice_links = Hook("clinic.practice_links")
# (actor) -> [Queue] of the Work page.
work_queues = Hook("clinic.work_queues")
# (patient) -> a section of what is exported about a patient.
record_sections = Hook("clinic.record_sections")
# (patient, survivor) -> [Obstacle]: what must be settled before the first is merged into the second.
merge_conflicts = Hook("clinic.merge_conflicts")
# (actor, keys of patients) -> {a patient's key: [HeaderFact]}: the columns that an app adds to the patients of an account.
account_panels = Hook("clinic.account_panels")
# (actor, key of an account) -> [HeaderAction]: what can be done for a family of several, on their page and on each one's own.
account_actions = Hook("clinic.account_actions")
# () -> Source: the fields of letters that an app fills in, and what letters may be about; see `clinic.letters`.
letter_sources = Hook("clinic.letter_sources")
