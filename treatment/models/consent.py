from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q

from clinic.db.fields import EncryptedTextField
from clinic.db.guards import Trigger
from clinic.db.records import Fact, FactQuerySet
from clinic.db.refusals import Refused
from clinic.models import Document, Patient, StoredFile
from treatment.canonical import canonical, digest
from treatment.models.ground import same_plan
from treatment.models.plan import TreatmentPlan
from treatment.models.plan_version import PlanVersion
from treatment.models.procedure import Procedure


class ConsentQuerySet(FactQuerySet):
    def visible_to(self, actor):
        """A patient sees what was decided for them."""
        return self.of(actor.patient) if actor is not None and actor.hat == "portal" else super().visible_to(actor)


class Consent(Fact):
    """That somebody agreed to procedures of a plan, or declined them, after they were explained; bound by its hash to the frozen
    copy that they were shown. Not the acceptance of the plan: that is a step of its own. A withdrawal is a row of its own.
    """

    class Decision(models.TextChoices):
        GIVEN = "given", "Agreed"
        DECLINED = "declined", "Declined"

    class SignedBy(models.TextChoices):
        PATIENT = "patient", "The patient"
        GUARDIAN = "guardian", "Parent or guardian"
        GUARANTOR = "guarantor", "Guarantor"

    ASKED_OF = (TreatmentPlan.Status.PROPOSED, TreatmentPlan.Status.ACCEPTED, TreatmentPlan.Status.ACTIVE)

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consents")
    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="consents")
    plan_version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="+")
    decision = models.CharField(max_length=10, choices=Decision, default=Decision.GIVEN)
    signed_by = models.CharField(max_length=10, choices=SignedBy)
    signature_name = models.CharField(max_length=120)
    signature = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+", help_text="Drawn on the screen.")
    paper = models.ForeignKey(Document, models.PROTECT, null=True, related_name="+", help_text="The scan of a signed paper.")
    witness = models.CharField(max_length=120, blank=True, default="")
    explained = EncryptedTextField(
        context="treatment_consent.explained", max_length=8000, help_text="Risks, alternatives and cost, as they were told.")
    signed_at = models.DateTimeField()
    digest = models.CharField(max_length=64, help_text="SHA-256 over the frozen copy's hash and all that is said here.")

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["-signed_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decision="declined") | Q(signature__isnull=False) | Q(paper__isnull=False) | ~Q(signature_name=""),
                name="treatment_consent_is_signed"),
        ]

    @classmethod
    def own_guards(cls):
        return same_plan(cls, "plan_version")

    def __str__(self):
        return f"{self.get_decision_display()} by {self.signature_name}"

    @property
    def is_withdrawn(self):
        return hasattr(self, "withdrawal")

    @property
    def is_intact(self):
        """Whether row and frozen copy are still those that were signed."""
        return self.plan_version.is_intact and self.digest == self._digest(
            [row.procedure_id for row in self.procedures.all()])

    @classmethod
    @transaction.atomic
    def take(cls, *, by, plan, procedures, signed_by, signature_name, explained, now, decision=Decision.GIVEN, signature=None,
             paper=None, witness="", number=None, id: UUID | None = None):
        """Write down what was decided on these procedures of the plan, over its newest frozen copy.

        `number`: that of the copy which was shown and explained; Refused when the plan was changed since.
        `signature`: an examined PNG; `paper`: a Document of the same patient. ValidationError for procedures of another plan, for
        ones that are over, and for what is not said; Refused when the plan was not presented or is over.
        """
        plan.lock()
        if plan.status not in cls.ASKED_OF:
            raise Refused(f"This plan is {plan.get_status_display().lower()}: consent is given to a plan that was presented.")
        if number not in (None, plan.number):
            raise Refused(f"The plan was changed since: it is version {plan.number} now. Look at the change, then sign that one.")
        cls._refuse(plan, procedures, signature_name, explained, paper)
        consent = cls(
            clinic_id=plan.clinic_id, patient=plan.patient, plan=plan, plan_version=plan.versions.newest(), decision=decision,
            signed_by=signed_by, signature_name=signature_name.strip(), paper=paper, witness=witness.strip(),
            explained=explained.strip(), signed_at=now, by=by.user)
        if id is not None:
            consent.id = id
        if signature is not None:
            consent.signature = StoredFile.keep(signature, by=by)
        consent.digest = consent._digest([row.pk for row in procedures])
        consent.clean_fields(exclude=["clinic", "patient", "plan", "plan_version", "signature", "paper", "by"])
        consent.save()
        ConsentedProcedure.objects.bulk_create(
            ConsentedProcedure(clinic_id=plan.clinic_id, patient=plan.patient, consent=consent, procedure=row, by=by.user)
            for row in procedures)
        return consent

    @transaction.atomic
    def withdraw(self, *, by, because):
        """It holds no longer, from now on; what was done under it stands."""
        self.plan.lock()
        if not because.strip():
            raise ValidationError({"reason": "Write why it is withdrawn."})
        if ConsentWithdrawal.objects.filter(consent=self).exists():
            raise Refused("This consent is withdrawn already.")
        return ConsentWithdrawal.objects.create(
            clinic_id=self.clinic_id, patient=self.patient, consent=self, because=because.strip()[:200], by=by.user)

    @classmethod
    def _refuse(cls, plan, procedures, signature_name, explained, paper):
        if any(row.plan_id != plan.pk for row in procedures):
            raise ValidationError({"procedure_ids": "Some of these procedures are not of this plan."})
        if any(row.status == Procedure.Status.CANCELLED for row in procedures):
            raise ValidationError({"procedure_ids": "Some of these procedures are cancelled."})
        if len({row.pk for row in procedures}) < len(procedures):
            raise ValidationError({"procedure_ids": "A procedure stands there twice."})
        if not signature_name.strip():
            raise ValidationError({"signature_name": "Write the name of whoever signs."})
        if not explained.strip():
            raise ValidationError({"explained": "Write what was explained: risks, alternatives, cost."})
        if paper is not None and paper.patient.person != plan.person:
            raise ValidationError({"paper": "This document is another patient's."})
        if not procedures and plan.procedures.in_force().exists():
            raise ValidationError({"procedure_ids": "Say to which procedures."})

    def _digest(self, procedures):
        return digest(canonical({
            "plan_version": self.plan_version.digest, "procedures": sorted(map(str, procedures)), "decision": str(self.decision),
            "signed_by": str(self.signed_by), "signature_name": self.signature_name, "witness": self.witness,
            "explained": self.explained, "signed_at": self.signed_at.isoformat(timespec="microseconds"),
            "signature": self.signature.sha256 if self.signature else "",
            "paper": self.paper.file.sha256 if self.paper else ""}))


class ConsentedProcedure(Fact):
    """A procedure that a consent is about."""

    told_by_its_record = True

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="procedures")
    procedure = models.ForeignKey(Procedure, models.PROTECT, related_name="consents")

    class Meta:
        constraints = [models.UniqueConstraint(
            fields=["clinic", "consent", "procedure"], name="treatment_consentedprocedure_once")]

    @classmethod
    def own_guards(cls):
        """It is of the plan that the consent is about."""
        plan = "(SELECT plan_id FROM {} WHERE id = NEW.{})".format
        return [Trigger(
            "treatment_consentedprocedure_same_plan", cls._meta.db_table, ("INSERT",),
            f"({plan('treatment_consent', 'consent_id')} <> {plan('treatment_procedure', 'procedure_id')})")]

    def __str__(self):
        return f"{self.consent}: {self.procedure}"


class ConsentWithdrawal(Fact):
    """That a consent holds no longer."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+", db_index=False)
    consent = models.OneToOneField(Consent, models.PROTECT, related_name="withdrawal")
    because = models.CharField(max_length=200)

    def __str__(self):
        return f"Withdrawn: {self.consent}"
