import re
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from clinic.db.fields import EncryptedTextField
from clinic.db.guards import Trigger
from clinic.db.records import Fact, FactQuerySet
from clinic.models import Notification, Patient, User
from clinic.models.notification import members
from clinic.notices import NOTICES, roles_concerned
from milestones.models.milestone import Milestone
from milestones.models.parts import SharedParts

MENTION = "milestone_mention"


class CommentQuerySet(SharedParts, FactQuerySet):
    def visible_to(self, actor):
        """A patient sees what is not internal."""
        rows = super().visible_to(actor)
        return rows.filter(internal=False) if actor is not None and actor.hat == "portal" else rows

    def of_plan(self, plan):
        """All of a plan, in the order in which they were written."""
        return self.filter(milestone__plan=plan, milestone__is_withdrawn=False).in_order()

    def in_order(self):
        return self.order_by("at", "id")


class Comment(Fact):
    """What somebody wrote about a milestone: among the staff (internal), or between staff and patient. It is not taken back."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="comments", db_index=False)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="answers", db_index=False)
    body = EncryptedTextField(context="milestones_comment.body", max_length=8000)
    internal = models.BooleanField(default=False)
    by_patient = models.BooleanField(default=False, help_text="By the patient, or somebody who acts for them.")

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["milestone", "at"], name="milestones_comment_of_mile")]
        constraints = [models.CheckConstraint(
            condition=Q(internal=False) | Q(by_patient=False), name="milestones_comment_patients_see_their_own")]

    @classmethod
    def own_guards(cls):
        """An answer stands under the same milestone, and one to what is internal is internal."""
        table = cls._meta.db_table
        parent = f"EXISTS (SELECT 1 FROM {table} p WHERE p.id = NEW.parent_id AND {{}})".format
        return [
            Trigger(f"{table}_parent_same_milestone", table, ("INSERT",), parent("p.milestone_id <> NEW.milestone_id")),
            Trigger(f"{table}_internal_stays", table, ("INSERT",), f"(NOT NEW.internal AND {parent('p.internal')})"),
        ]

    def __str__(self):
        return f"Comment on {self.milestone}"

    @classmethod
    @transaction.atomic
    def write(cls, *, by, milestone, body, parent=None, internal=False, id: UUID | None = None, now=None):
        """Write a comment, and tell whom it mentions (`@Name`) that it does. An answer to an internal one is internal."""
        is_patients = by.hat == "portal"
        if internal and is_patients:
            raise ValidationError({"internal": "Only the practice writes internal comments."})
        if parent is not None and parent.milestone_id != milestone.pk:
            raise ValidationError({"parent": "This comment is on another milestone."})
        if not body.strip():
            raise ValidationError({"body": "Write something."})
        comment = cls(
            clinic_id=milestone.clinic_id, patient=milestone.patient, milestone=milestone, parent=parent, body=body.strip(),
            internal=internal or (parent is not None and parent.internal), by_patient=is_patients, by=by.user,
            at=now or timezone.now())
        if id is not None:
            comment.id = id
        comment.clean_fields(exclude=["clinic", "patient", "milestone", "parent", "by"])
        comment.save()
        comment._tell_mentioned(by)
        return comment

    def mentioned(self):
        """The members of the clinic whom it mentions by their whole name; one query, none for a text without an @."""
        if "@" not in self.body:
            return []
        people = User.objects.filter(pk__in=members(self.clinic_id, roles_concerned(NOTICES[MENTION])))
        text, found = self.body.casefold(), []
        for user in sorted(people, key=lambda user: len(user.name), reverse=True):
            text, count = re.subn(rf"@{re.escape(user.name.casefold())}(?!\w)", " ", text) if user.name else (text, 0)
            found += [user] if count else []
        return found

    def _tell_mentioned(self, by):
        if users := self.mentioned():
            Notification.tell(
                self.milestone.clinic, MENTION, key=f"{MENTION}:{self.pk}", users=users, by=by,
                url=reverse("milestones:milestone", args=[self.milestone_id]), now=self.at)
