"""What the schedule shows on pages of other apps, and the lists that later apps add to."""
from django.urls import reverse
from django.utils import timezone

from clinic import hooks
from clinic.access.rules import may
from clinic.audit.changes import changes_of
from clinic.db.prepared import PreparedFor
from clinic.db.records import person
from clinic.panels import HeaderAction, HeaderFact, Obstacle, Panel, Queue, some
from scheduling import confirmations, letters, slots
from scheduling.listing import drawn, newest
from scheduling.models import Appointment, FreedSlot, WaitlistEntry

# (actor, visits) -> {visit id: [facts]} for Today and the day view.
visit_facts = hooks.Hook("scheduling.visit_facts")
# (actor, visit) -> [HeaderAction]: other pages about the visit, linked from it.
visit_actions = hooks.Hook("scheduling.visit_actions")
# (actor, patient, keys) -> [Carried]: what a visit may be booked for, of the rows with these keys; a visit is none yet.
carried = hooks.Hook("scheduling.carried")
# (by, visit, keys): the visit was booked for the rows with these keys; called in the same transaction.
carry = hooks.Hook("scheduling.carry")
# (actor, visit) -> Panel of the exit card.
checkout_sections = hooks.Hook("scheduling.checkout_sections")


COMING = PreparedFor(lambda actor, blank: Appointment.objects.visible_to(actor).holding().of(
    blank("patient", Appointment, "patient")).filter(starts_at__gte=blank("today", Appointment, "starts_at"),
).in_order().only("status", "starts_at")[:4])


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
        "past": drawn([row for row in visits if not row.is_ahead(now)][:4], now, zone),
    })


@hooks.account_panels.add
def family_visits(actor, patients):
    """When each of a family was here last, and comes next; one query."""
    if not may(actor, "scheduling.view_appointment"):
        return {}
    now, zone = timezone.now(), actor.clinic.zone
    rows = Appointment.objects.visible_to(actor).of_family(patients, now)
    last, coming = {}, {}
    for key, visit, starts_at in rows.in_order().values_list("whose", "pk", "starts_at"):
        if starts_at < now:
            last[key] = visit, starts_at
        else:
            coming.setdefault(key, (visit, starts_at))
    return {key: [_when("Last visit", last.get(key), zone), _when("Next visit", coming.get(key), zone),
                  HeaderFact("Book", "Book", reverse("scheduling:book") + f"?patient={key}")
                  if may(actor, "scheduling.add_appointment") else HeaderFact("Book", "")] for key in patients}


@hooks.account_actions.add
def book_together(actor, account_id):
    if not may(actor, "scheduling.add_appointment"):
        return []
    return [HeaderAction("Book together", reverse("scheduling:together", args=[account_id]), "calendar-plus", "b")]


def _when(label, visit, zone):
    if visit is None:
        return HeaderFact(label, "none")
    key, starts_at = visit
    return HeaderFact(label, f"{starts_at.astimezone(zone):%a %-d %b %Y %-H:%M}", reverse("scheduling:visit", args=[key]))


@hooks.merge_conflicts.add
def meeting_visits(patient, survivor):
    """Nobody is at two visits at a time: coming visits of the two that overlap."""
    zone, obstacles = patient.clinic.zone, []
    for one, other in ((patient, survivor), (survivor, patient)):
        for visit in Appointment.objects.meeting(one, other, timezone.now()).select_related("appointment_type"):
            when = f"{visit.starts_at.astimezone(zone):%a %-d %b %Y %-H:%M}"
            obstacles.append(Obstacle(
                f"{one.name} (#{one.chart_number}), {visit.appointment_type}, {when}: overlaps with a visit of the other one.",
                [("Move", reverse("scheduling:move", args=[visit.pk])), ("Cancel", reverse("scheduling:cancel", args=[visit.pk]))]))
    return obstacles


@hooks.portal_panels.add
def own_visits(actor):
    """The patient's own coming visits."""
    rows = Appointment.objects.visible_to(actor).upcoming(timezone.now()).select_related(
        "appointment_type", "provider", "clinic")[:10]
    return Panel("Your next visits", "scheduling/_portal_visits.html", {"visits": list(rows)})


@hooks.record_sections.add
def visit_changes(actor, patient):
    """Every change of the patient's visits, for the history page."""
    rows = Appointment.history.filter(patient__in=person(Appointment, patient), clinic=actor.clinic_id).select_related("clinic")
    zone = actor.clinic.zone
    return changes_of(Appointment, list(rows), lambda row: f"Visit {row.starts_at.astimezone(zone):%a %-d %b %Y %-H:%M}")


@hooks.practice_links.add
def hours_and_calendars(actor):
    if not may(actor, "scheduling.manage"):
        return []
    return [HeaderAction("Hours", reverse("scheduling:hours"), "clock"),
            HeaderAction("Calendars", reverse("scheduling:feeds"), "calendar-days")]


@hooks.work_queues.add
def front_desk_queues(actor):
    """The waitlist and the lists of whom to call; four queries."""
    if not may(actor, "scheduling.view_waitlist"):
        return []
    now, visits = timezone.now(), Appointment.objects.visible_to(actor)
    waiting = WaitlistEntry.objects.visible_to(actor).waiting().count()
    to_ask = FreedSlot.objects.visible_to(actor).open().count()
    to_rebook, last_seen = (some(rows) for rows in (visits.to_rebook(now), visits.last_seen(now)))
    return [
        Queue("Freed times", to_ask, reverse("scheduling:freed_times"), "Times that visits left, being offered now.", bool(to_ask)),
        Queue("Waitlist", waiting, reverse("scheduling:waitlist"), "Patients who want to come, or to come sooner."),
        Queue("Cancelled and missed", to_rebook, reverse("scheduling:missed"), "Nothing booked since."),
        Queue("Nothing booked", last_seen, reverse("scheduling:unscheduled"), "Last here half a year to two years ago."),
    ]


@hooks.work_queues.add
def unconfirmed_queue(actor):
    """Who has not confirmed a visit of the next days, and who asked for another time; two queries."""
    if not may(actor, "scheduling.confirm"):
        return []
    wished = some(confirmations.wished(actor))
    asks = f"{wished} of them ask{'s' if wished == 1 else ''} for another time." if wished else "Visits of the next days."
    return [Queue(
        "Not yet confirmed", some(confirmations.within(actor, confirmations.USUAL_DAYS)), reverse("scheduling:unconfirmed"),
        asks, bool(wished))]


@hooks.letter_sources.add
def visits_in_letters():
    return letters.SOURCE
