from django.db import models


class MilestoneType(models.TextChoices):
    """The points of a treatment that practices compare; everything else is CUSTOM."""

    TREATMENT_START = "TREATMENT_START", "Treatment start"
    BONDING_COMPLETE = "BONDING_COMPLETE", "Bonding complete"
    INITIAL_ALIGNMENT = "INITIAL_ALIGNMENT", "Initial alignment"
    SPACE_CLOSURE_START = "SPACE_CLOSURE_START", "Space closure start"
    SPACE_CLOSURE_COMPLETE = "SPACE_CLOSURE_COMPLETE", "Space closure complete"
    SURGICAL_READY = "SURGICAL_READY", "Ready for surgery"
    SURGERY_COMPLETE = "SURGERY_COMPLETE", "Surgery complete"
    FINISHING_START = "FINISHING_START", "Finishing start"
    DEBOND_READY = "DEBOND_READY", "Ready for debonding"
    DEBOND_COMPLETE = "DEBOND_COMPLETE", "Debonding complete"
    RETENTION_START = "RETENTION_START", "Retention start"
    RETENTION_CHECK = "RETENTION_CHECK", "Retention check"
    TREATMENT_COMPLETE = "TREATMENT_COMPLETE", "Treatment complete"
    CUSTOM = "CUSTOM", "Custom"
