"""What a request saw: noted by the view, written by the middleware before the answer goes out."""
from dataclasses import dataclass, field
from functools import cache

from django.db.models import Exists, OuterRef
from django.http import Http404

from clinic.db.prepared import PreparedFor
from clinic.db.refusals import Merged
from clinic.models import AccessEvent, Patient
from clinic.web.problems import is_api

Kind = AccessEvent.Kind


@dataclass
class Look:
    kind: str
    patient_id: object = None
    rows: int = 1
    others: list = field(default_factory=list)  # keys of further patients, as texts, each with an event of their own


def look(request, kind, patient=None, rows=1):
    """Note that this answer returns patients' data. The first note of one patient wins over a list."""
    request.look = Look(kind, patient.pk if patient else None, rows)


def look_at_each(request, kind, patients):
    """Note that this answer tells more of several patients than a list does: it stands in the log of each of them, once."""
    patients = list({patient.pk: patient for patient in patients}.values())
    look(request, kind, patients[0] if patients else None, rows=len(patients[:1]))
    request.look.others = [str(patient.pk) for patient in patients[1:]]


def find_patient(request, patient_id, kind=Kind.VIEW, related=("account",), **names):
    """The patient, if this actor may know of them (else 404); the look is noted. Merged for one who was merged into another;
    a program that only reads gets the other one.

    `related`: rows that the page needs too; `names`: columns of such rows, where the rows themselves are not needed.
    """
    found = _with(tuple(related), tuple(names.items()))(request.actor, key=patient_id)
    if not found:
        raise Http404
    patient = found[0]
    if patient.merged_into_id:
        look(request, kind, patient)
        if not is_api(request) or request.method not in ("GET", "HEAD"):
            raise Merged(patient)
        return find_patient(request, patient.merged_into_id, kind, related, **names)
    patient.clinic = request.actor.clinic
    look(request, kind, patient)
    return patient


@cache
def _with(related, names):
    """The question for one patient with these rows and columns; a page has one of its own."""
    rows = Patient.objects.select_related(*related) if related else Patient.objects.all()
    rows = rows.annotate(**dict(names), has_merged=Exists(Patient.objects.filter(merged_into=OuterRef("pk"))))
    return PreparedFor(lambda actor, blank: rows.visible_to(actor).filter(pk=blank("key", Patient, "id")))


def write_event(request, kind, patient_id=None, rows=1, user=None, actor=None, others=()):
    """Write one AccessEvent now, and one for each of `others`, further patients."""
    actor = actor or getattr(request, "actor", None)
    user = user or (request.user if request.user.is_authenticated else None)
    match = request.resolver_match
    told = {
        "clinic": actor.clinic if actor else None, "by": user, "kind": kind, "rows": rows,
        "route": (match.view_name if match else "")[:80], "via": actor.via if actor else "page", "hat": actor.hat if actor else "",
        "request_id": request.request_id, "page_view": request.page_view, "source": request.META.get("REMOTE_ADDR") or None}
    if others:
        AccessEvent.objects.bulk_create(AccessEvent(patient_id=key, **told) for key in others)
    return AccessEvent.objects.create(patient_id=patient_id, **told)
