import json
from datetime import UTC

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from clinic.access.rules import may
from clinic.db.fields import EncryptedTextField
from clinic.db.records import Fact, FactQuerySet
from clinic.db.refusals import NotAllowed, Refused
from clinic.models import Patient
from milestones.models.evidence import Evidence
from milestones.models.milestone import Milestone
from milestones.models.parts import SharedParts
from treatment.canonical import canonical, digest


def content_of(milestone, evidence):
    """What somebody approves: the milestone's words, and the evidence for it."""
    return {"milestone": {**milestone.agreed(), "description": milestone.description}, "evidence": [row.seen() for row in evidence]}


def evidence_of(milestones):
    """{milestone's key: its evidence in force, in order, with what it points to}; one query."""
    found = {milestone.pk: [] for milestone in milestones}
    for row in Evidence.objects.filter(milestone__in=list(found)).in_force().with_records().in_order():
        found[row.milestone_id].append(row)
    return found


class ApprovalQuerySet(SharedParts, FactQuerySet):
    def of_plan(self, plan):
        """All of a plan, the newest first."""
        return self.filter(milestone__plan=plan, milestone__is_withdrawn=False).newest_first()

    def newest_first(self):
        return self.order_by("-at", "-id")

    def latest(self):
        """Of each milestone the one that decides."""
        newest = self.model.objects.filter(milestone=OuterRef("milestone")).newest_first().values("pk")[:1]
        return self.filter(pk=Subquery(newest))


class Approval(Fact):
    """What the patient, or who acts for them, decided on a milestone: over its words and its evidence as they stood, frozen with
    a hash. The latest one decides."""

    class Decision(models.TextChoices):
        APPROVED = "approved", "Approved"
        CHANGES_REQUESTED = "changes_requested", "Changes wished"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="approvals", db_index=False)
    decision = models.CharField(max_length=17, choices=Decision)
    comment = EncryptedTextField(context="milestones_approval.comment", blank=True, default="", max_length=4000)
    signature_name = models.CharField(max_length=120, blank=True, default="")
    text = EncryptedTextField(context="milestones_approval.text", help_text="What was seen: canonical JSON.")
    digest = models.CharField(max_length=64, help_text="SHA-256 over what was seen and all that is said here.")

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["milestone", "-at", "-id"], name="milestones_approval_latest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(decision="changes_requested") | Q(decision="approved") & ~Q(signature_name=""),
                name="milestones_approval_is_signed"),
        ]

    def __str__(self):
        return f"{self.get_decision_display()}: {self.milestone}"

    # Questions

    @property
    def is_approved(self):
        return self.decision == self.Decision.APPROVED

    @property
    def is_intact(self):
        """Whether row and frozen text are still those that were signed."""
        return self.digest == self._digest()

    def has_changed(self, evidence):
        """Whether this evidence, which is in force now, is another than was seen."""
        return json.loads(self.text)["evidence"] != json.loads(canonical([row.seen() for row in evidence]))

    # Verbs

    @classmethod
    @transaction.atomic
    def give(cls, *, by, milestone, decision, comment="", signature_name="", now=None):
        """Decide on a milestone that waits for it. Only the patient, or who acts for them."""
        milestone.lock()
        if by.hat != "portal" or not may(by, "milestone.approve", milestone) or milestone.person != by.patient.person:
            raise NotAllowed("Only the patient, or who acts for them, approves a milestone.")
        cls._refuse_idle(milestone)
        if decision == cls.Decision.APPROVED and not signature_name.strip():
            raise ValidationError({"signature_name": "Write your name: it signs the approval."})
        approval = cls(
            clinic_id=milestone.clinic_id, patient=milestone.patient, milestone=milestone, decision=decision,
            comment=comment.strip(), signature_name=signature_name.strip(), by=by.user, at=(now or timezone.now()).astimezone(UTC),
            text=canonical(content_of(milestone, evidence_of([milestone])[milestone.pk])))
        latest = milestone.approvals.newest_first().first()
        if approval.is_approved and latest is not None and latest.is_approved and latest.text == approval.text:
            raise Refused("This milestone is approved already, as it stands.")
        approval.digest = approval._digest()
        approval.clean_fields(exclude=["clinic", "patient", "milestone", "by"])
        approval.save()
        return approval

    @staticmethod
    def _refuse_idle(milestone):
        """Refuse where nothing waits for it; the caller holds the milestone's lock."""
        if not milestone.requires_approval:
            raise Refused("This milestone needs no approval.")
        if milestone.is_withdrawn:
            raise Refused("This milestone was taken out of its plan in the meantime.")
        if not milestone.may_wait:
            raise Refused(f"This milestone is {milestone.get_status_display().lower()}: it waits for no approval.")

    def _digest(self):
        return digest(canonical({
            "seen": digest(self.text), "milestone": self.milestone_id, "decision": str(self.decision), "comment": self.comment,
            "signature_name": self.signature_name, "by": self.by_id, "at": self.at.isoformat(timespec="microseconds")}))
