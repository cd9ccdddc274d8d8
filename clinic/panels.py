"""What later apps hand to the shells of the patient page and the portal."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Panel:
    """A part of a page: its template is rendered with `context` and everything the page knows."""

    title: str
    template: str
    context: dict = field(default_factory=dict)
    action_url: str = ""
    action: str = ""


@dataclass(frozen=True)
class HeaderFact:
    """One short fact in the patient's header, such as the next visit; `url` is where it leads."""

    label: str
    text: str
    url: str = ""
    tone: str = ""


@dataclass(frozen=True)
class HeaderTab:
    """A tab of the patient's pages; `name` is what a page calls itself in `patient_context`, `key` leads there."""

    label: str
    name: str
    url: str
    key: str = ""


@dataclass(frozen=True)
class HeaderAction:
    """A button of the moment in the patient's header: a link, or with `post` a form."""

    label: str
    url: str
    icon: str
    key: str = ""
    post: bool = False
    primary: bool = False


@dataclass(frozen=True)
class Change:
    """One change of one record, for the history page."""

    at: object
    who: str
    via: str
    what: str
    why: str
    fields: list  # [(label, before, after)]
    key: object = None  # of the row of history


@dataclass(frozen=True)
class Queue:
    """One list of the Work page: what waits there, in a sentence, and how many."""

    title: str
    count: int
    url: str
    sentence: str = ""
    is_late: bool = False


@dataclass(frozen=True)
class Carried:
    """Something that a visit is booked for: its key, in words, how many minutes it takes, the key of its procedure code, who does
    it, and the coming visit that it is booked for already."""

    key: object
    words: str
    minutes: int
    code: object = None
    provider: object = None
    booked: object = None


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way of a merge, in a sentence, and where to settle it: [(words, address)]."""

    sentence: str
    links: list = field(default_factory=list)


def some(rows):
    """How many, counted up to a hundred: more than that is "100 or more" to anybody."""
    return len(rows.values_list("pk")[:100])
