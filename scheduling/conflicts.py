"""What stands in the way of a visit, read after the database has refused it: for the sentence and the data of a refusal."""
from django.db.models import Q

from clinic.db.guards import LONGEST
from clinic.db.prepared import Prepared
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
        **_overlapping("chair_starts_at", "chair_ends_at", visit.chair_starts_at, visit.chair_ends_at))
    return [Conflict(row.pk, "operatory", visit.operatory.name, row.chair_starts_at, row.chair_ends_at) for row in rows]


def with_patients(visit):
    rows = type(visit).objects.holding().exclude(status__in=visit.DONE).exclude(pk=visit.pk).filter(
        clinic=visit.clinic_id, patient=visit.patient_id,
        **_overlapping("starts_at", "ends_at", visit.starts_at, visit.ends_at))
    return [Conflict(row.pk, "patient", visit.patient.name, row.starts_at, row.ends_at) for row in rows]


def with_providers(visit):
    if visit.shared_provider:
        return []
    found = []
    for provider_id, starts_at, ends_at in visit.provider_spans():
        rows = ProviderTime.objects.exclude(appointment=visit.pk).filter(
            clinic=visit.clinic_id, provider=provider_id, is_shared=False,
            **_overlapping("starts_at", "ends_at", starts_at, ends_at)).select_related("provider")
        found += [
            Conflict(row.appointment_id, "provider", row.provider.name, row.starts_at, row.ends_at) for row in rows]
    return found


def anything_else(visit):
    """Whether there may be what `with_blocks` or `with_shared` would tell; one query, mostly with the answer no.

    Asked once the visit and its provider time are written: whose minutes it takes is read from there.
    """
    return bool(ANYTHING_ELSE(
        visit=visit.pk, clinic=visit.clinic_id, operatory=visit.operatory_id, starts_at=visit.chair_starts_at,
        ends_at=visit.chair_ends_at, earliest=visit.chair_starts_at - LONGEST))


def _whatever_touches(blank):
    """Blocks, shared chairs and shared minutes that touch a visit's chair time, of any provider who takes part in it."""
    visits = ProviderTime._meta.get_field("appointment").related_model
    visit, clinic = blank("visit", visits, "id"), blank("clinic", visits, "clinic")
    operatory = blank("operatory", visits, "operatory")
    starts_at, ends_at = blank("starts_at", visits, "starts_at"), blank("ends_at", visits, "ends_at")
    earliest, treats = blank("earliest", visits, "starts_at"), ProviderTime.objects.filter(appointment=visit).values("provider")
    blocks = Block.objects.current().filter(clinic=clinic).overlapping(starts_at, ends_at).filter(
        Q(operatory=operatory) | Q(provider__in=treats)).order_by()
    chairs = visits.objects.holding().exclude(pk=visit).filter(
        clinic=clinic, operatory=operatory, shared_chair=True, chair_starts_at__lt=ends_at, chair_starts_at__gt=earliest,
        chair_ends_at__gt=starts_at).order_by()
    minutes = ProviderTime.objects.exclude(appointment=visit).filter(
        clinic=clinic, provider__in=treats, is_shared=True, starts_at__lt=ends_at, starts_at__gt=earliest,
        ends_at__gt=starts_at)
    return blocks.values("pk").union(chairs.values("pk"), minutes.values("pk"))[:1]


ANYTHING_ELSE = Prepared(_whatever_touches)


def with_shared(visit):
    """Knowing double bookings in the way of an ordinary visit: the constraints hold only between ordinary ones."""
    found = [
        Conflict(row.pk, "operatory", visit.operatory.name, row.chair_starts_at, row.chair_ends_at)
        for row in _shared_visits(visit)]
    spans = list(visit.provider_spans())
    return found + [
        Conflict(row.appointment_id, "provider", row.provider.name, row.starts_at, row.ends_at)
        for row in _shared_times(visit).select_related("provider")
        if any(str(row.provider_id) == str(key) and row.starts_at < end and row.ends_at > start for key, start, end in spans)]


def _shared_visits(visit):
    return type(visit).objects.holding().exclude(pk=visit.pk).filter(
        clinic=visit.clinic_id, operatory=visit.operatory_id, shared_chair=True,
        **_overlapping("chair_starts_at", "chair_ends_at", visit.chair_starts_at, visit.chair_ends_at)).order_by()


def _shared_times(visit):
    return ProviderTime.objects.exclude(appointment=visit.pk).filter(
        clinic=visit.clinic_id, provider__in=[part[0] for part in visit.parts], is_shared=True,
        **_overlapping("starts_at", "ends_at", visit.starts_at, visit.ends_at))


def with_blocks(visit):
    """Blocks of the operatory or of a provider's minutes; they live in a table of their own (decision 3)."""
    found, spans = [], list(visit.provider_spans())
    for block in _blocks(visit).order_by("starts_at").select_related("operatory", "provider"):
        if block.operatory_id == visit.operatory_id:
            found.append(Conflict(None, "operatory", block.operatory.name, block.starts_at, block.ends_at, block.pk))
        for provider_id, starts_at, ends_at in spans:
            overlaps = block.starts_at < ends_at and block.ends_at > starts_at
            if overlaps and str(block.provider_id) == str(provider_id):
                found.append(Conflict(None, "provider", block.provider.name, block.starts_at, block.ends_at, block.pk))
    return found


def _blocks(visit):
    return Block.objects.current().filter(clinic=visit.clinic_id).overlapping(
        visit.chair_starts_at, visit.chair_ends_at).filter(
        Q(operatory=visit.operatory_id) | Q(provider__in=[part[0] for part in visit.parts])).order_by()


def _overlapping(start, end, starts_at, ends_at):
    """The filter for rows that touch this time, bounded on both sides for the index on `start`."""
    return {f"{start}__lt": ends_at, f"{start}__gt": starts_at - LONGEST, f"{end}__gt": starts_at}
