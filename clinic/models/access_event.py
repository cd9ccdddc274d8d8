from django.apps import apps
from django.db import models

from clinic.audit.routes import words_of
from clinic.db.records import Fact, FactQuerySet, person


class AccessEventQuerySet(FactQuerySet):
    def of(self, patient):
        """Who looked at this patient, also at the survivor of a merge in the time in which the two were seen as one."""
        seen = models.Q(patient__in=person(self.model, patient))
        for other in apps.get_model("clinic", "Unmerge").objects.filter(patient=patient):
            seen |= models.Q(patient=other.survivor_id, at__gte=other.merged_at, at__lt=other.at)
        return self.filter(seen)


class AccessEvent(Fact):
    """That somebody saw, searched, printed or took out data, signed in, or was refused. Never what they saw.

    `route` is the name of the page, never its address; `page_view` ties what a page loads later to the page.
    """

    told_by_its_record = True  # no change: the access log tells it

    class Kind(models.TextChoices):
        VIEW = "view", "Looked at"
        LIST = "list", "Saw in a list"
        SEARCH = "search", "Searched"
        CHANGE = "change", "Changed"
        PRINT = "print", "Printed"
        EXPORT = "export", "Took out"
        SIGN_IN = "sign_in", "Signed in"
        SIGN_IN_FAILED = "sign_in_failed", "Sign-in failed"
        SIGN_OUT = "sign_out", "Signed out"
        UNLOCK = "unlock", "Went on after a pause"
        REFUSED = "refused", "Was refused"

    clinic = models.ForeignKey(
        "clinic.Clinic", models.PROTECT, null=True, related_name="+", editable=False,
        help_text="Empty for what happens before a clinic is known, such as a failed sign-in.")
    kind = models.CharField(max_length=16, choices=Kind)
    patient = models.ForeignKey("clinic.Patient", models.PROTECT, null=True, related_name="access_events")
    rows = models.PositiveIntegerField(default=1, help_text="How many patients the answer named.")
    route = models.CharField(max_length=80)
    via = models.CharField(max_length=10)
    hat = models.CharField(max_length=10, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    page_view = models.CharField(max_length=36, blank=True)
    source = models.GenericIPAddressField(null=True)

    objects = AccessEventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["clinic", "patient", "-at"], name="clinic_accessevent_of_patient"),
            models.Index(fields=["clinic", "-at"], name="clinic_accessevent_of_clinic"),
            models.Index(fields=["by", "-at"], name="clinic_accessevent_of_user"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}: {self.page}"

    @property
    def page(self):
        """The page, in words."""
        return words_of(self.route)
