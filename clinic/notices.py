"""What people are told in the bell: the kinds of notification. Later apps add theirs in AppConfig.ready()."""
from dataclasses import dataclass

from clinic.access.groups import roles_that_may


@dataclass(frozen=True)
class Notice:
    """A kind of notification. Its sentence names nobody: who it is about shows on the page to which it leads."""

    name: str
    sentence: str
    needs: str  # the permission of those whom it concerns
    usual: str = "bell"  # a NotificationChoices.Choice, until a person chooses otherwise


NOTICES = {}


def add(*notices):
    NOTICES.update({notice.name: notice for notice in notices})


def concerning(actor):
    """The kinds that concern this actor."""
    return [notice for notice in NOTICES.values() if notice.needs in actor.permissions]


def roles_concerned(notice):
    """The names of the roles that hold the permission."""
    return roles_that_may(notice.needs)


add(Notice("message_failed", "A message to a patient may be lost", "clinic.change_patient"))
