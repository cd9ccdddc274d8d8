"""What the schedule shows on pages of other apps, and the lists that later apps add to."""
from django.urls import reverse
from django.utils import timezone

from clinic import hooks
from clinic.access.rules import may
from clinic.audit.changes import changes_of
from clinic.db.prepared import PreparedFor
from clinic.panels import HeaderAction, HeaderFact, Panel
from scheduling import slots
from scheduling.listing import drawn, newest
from scheduling.models import Appointment

# (actor, visits) -> {visit id: [facts]} for Today and the day view.
visit_facts = hooks.Hook("scheduling.visit_facts")
# (actor, visit) -> Panel of the exit card.
checkout_sections = hooks.Hook("scheduling.checkout_sections")


COMING = PreparedFor(lambda actor, blank: Appointment.objects.visible_to(actor).holding().filter(
    patient=blank("patient", Appointment, "patient"), starts_at__gte=blank("today", Appointment, "starts_at"),
).order_by("starts_at").only("status", "starts_at")[:4])


@hooks.header_facts.add
def next_visit(actor, patient):
    """The next visit, and the buttons of the moment: check in, book."""
    if actor.hat != "staff":
        return []
    clinic, now = actor.clinic, timezone.now()
    today = clinic.today(now)
    visits = COMING(actor, patient=patient.pk, today=slots.midnight(today, clinic.zone))
    here = next((row for row in visits if row.status in ("checked_in", "seated", "completed")), None)
    due = next((row for row in visits if row.status in Appointment.EXPECTED
                and row.starts_at.astimezone(clinic.zone).date() == today), None)
    coming = next((row for row in visits if row.starts_at >= now and row.status in Appointment.EXPECTED), None)
    items = []
    if here:
        items.append(HeaderFact("Now", here.get_status_display(), reverse("scheduling:visit", args=[here.pk]), "green"))
    if coming:
        local = coming.starts_at.astimezone(clinic.zone)
        items.append(HeaderFact("Next visit", f"{local:%a %-d %b %-H:%M}", reverse("scheduling:visit", args=[coming.pk])))
    else:
        items.append(HeaderFact("Next visit", "none booked"))
    if due and may(actor, "scheduling.check_in"):
        items.append(HeaderAction("Check in", reverse("scheduling:check_in", args=[due.pk]), "log-in", "c", primary=True))
    if may(actor, "scheduling.add_appointment"):
        items.append(HeaderAction(
            "Book", reverse("scheduling:book") + f"?patient={patient.pk}", "calendar-plus", "b", primary=not due))
        items.append(HeaderAction("Walk-in", reverse("scheduling:walk_in") + f"?patient={patient.pk}", "footprints", "i"))
    return items


@hooks.patient_panels.add
def visits_panel(actor, patient):
    """Coming and past visits on the patient's overview."""
    if not may(actor, "scheduling.view_appointment"):
        return None
    visits = newest(actor, patient)
    now, zone = timezone.now(), actor.clinic.zone
    return Panel("Visits", "scheduling/_patient_visits.html", {
        "coming": drawn([row for row in reversed(visits) if row.is_ahead(now)], now, zone),
        "past": drawn([row for row in visits if not row.is_ahead(now)][:6], now, zone),
    })


@hooks.portal_panels.add
def own_visits(actor):
    """The patient's own coming visits."""
    rows = Appointment.objects.visible_to(actor).upcoming(timezone.now()).select_related(
        "appointment_type", "provider", "clinic")[:10]
    return Panel("Your next visits", "scheduling/_portal_visits.html", {"visits": list(rows)})


@hooks.record_sections.add
def visit_changes(actor, patient):
    """Every change of the patient's visits, for the history page."""
    rows = Appointment.history.filter(patient=patient.pk, clinic=actor.clinic_id).select_related("clinic")
    zone = actor.clinic.zone
    return changes_of(Appointment, list(rows), lambda row: f"Visit {row.starts_at.astimezone(zone):%a %-d %b %Y %-H:%M}")
