"""What stands in the way of a visit, read after the database has refused it: for the sentence and the data of a refusal."""
from scheduling.models.block import Block
from scheduling.models.provider_time import ProviderTime
from scheduling.refusals import Conflict


def of(visit):
    """Everything that holds the chair, the patient or a provider's minutes at the time of this visit, and blocks."""
    return [*with_chairs(visit), *with_patients(visit), *with_providers(visit), *with_blocks(visit)]


def with_chairs(visit):
    if visit.shared_chair:
        return []
    rows = type(visit).objects.holding().exclude(pk=visit.pk).filter(
        clinic=visit.clinic_id, operatory=visit.operatory_id, shared_chair=False,
        chair_starts_at__lt=visit.chair_ends_at, chair_ends_at__gt=visit.chair_starts_at)
    return [Conflict(row.pk, "operatory", visit.operatory.name, row.chair_starts_at, row.chair_ends_at) for row in rows]


def with_patients(visit):
    rows = type(visit).objects.holding().exclude(status__in=visit.DONE).exclude(pk=visit.pk).filter(
        clinic=visit.clinic_id, patient=visit.patient_id, starts_at__lt=visit.ends_at, ends_at__gt=visit.starts_at)
    return [Conflict(row.pk, "patient", visit.patient.name, row.starts_at, row.ends_at) for row in rows]


def with_providers(visit):
    if visit.shared_provider:
        return []
    found = []
    for provider_id, starts_at, ends_at in visit.provider_spans():
        rows = ProviderTime.objects.exclude(appointment=visit.pk).filter(
            clinic=visit.clinic_id, provider=provider_id, is_shared=False, starts_at__lt=ends_at, ends_at__gt=starts_at,
        ).select_related("provider")
        found += [
            Conflict(row.appointment_id, "provider", row.provider.name, row.starts_at, row.ends_at) for row in rows]
    return found


def with_shared(visit):
    """Knowing double bookings in the way of an ordinary visit: the constraints hold only between ordinary ones."""
    shared = type(visit).objects.holding().exclude(pk=visit.pk).filter(
        clinic=visit.clinic_id, operatory=visit.operatory_id, shared_chair=True,
        chair_starts_at__lt=visit.chair_ends_at, chair_ends_at__gt=visit.chair_starts_at)
    found = [Conflict(row.pk, "operatory", visit.operatory.name, row.chair_starts_at, row.chair_ends_at) for row in shared]
    times = ProviderTime.objects.exclude(appointment=visit.pk).filter(
        clinic=visit.clinic_id, provider__in=[part[0] for part in visit.parts], is_shared=True,
        starts_at__lt=visit.ends_at, ends_at__gt=visit.starts_at).select_related("provider")
    spans = list(visit.provider_spans())
    return found + [
        Conflict(row.appointment_id, "provider", row.provider.name, row.starts_at, row.ends_at) for row in times
        if any(str(row.provider_id) == str(key) and row.starts_at < end and row.ends_at > start for key, start, end in spans)]


def with_blocks(visit):
    """Blocks of the operatory or of a provider's minutes; they live in a table of their own (decision 3)."""
    found, spans = [], list(visit.provider_spans())
    blocks = Block.objects.current().filter(clinic=visit.clinic_id).overlapping(
        visit.chair_starts_at, visit.chair_ends_at).select_related("operatory", "provider")
    for block in blocks:
        if block.operatory_id == visit.operatory_id:
            found.append(Conflict(None, "operatory", block.operatory.name, block.starts_at, block.ends_at, block.pk))
        for provider_id, starts_at, ends_at in spans:
            overlaps = block.starts_at < ends_at and block.ends_at > starts_at
            if overlaps and str(block.provider_id) == str(provider_id):
                found.append(Conflict(None, "provider", block.provider.name, block.starts_at, block.ends_at, block.pk))
    return found
