"""What the job cluster does by the clock."""
from django_q.models import Schedule

SCHEDULES = [
    # name, function, minutes between two runs
    ("forget old form keys", "clinic.tasks.forget_once_keys", 24 * 60),
    ("hand over mail", "clinic.tasks.hand_over_mail", 1),
    ("forget old mail", "clinic.tasks.forget_old_mail", 24 * 60),
    ("write reminders", "scheduling.tasks.write_reminders", 10),
    ("end portal accesses", "clinic.tasks.end_portal_accesses", 60),
    ("write daily mail", "clinic.tasks.write_digests", 10),
    ("forget ended sessions", "clinic.tasks.forget_sessions", 24 * 60),
    ("offer freed times", "scheduling.tasks.offer_freed_times", 1),
    ("remind of plan reviews", "treatment.tasks.write_review_reminders", 60),
    ("tell of milestones", "milestones.tasks.write_alerts", 60),
    ("tell patients of milestones", "milestones.tasks.write_news", 60),
    ("gather statistics", "clinic.tasks.gather_statistics", 24 * 60),
]


def lay():
    """Make the schedules be exactly these."""
    for name, function, minutes in SCHEDULES:
        Schedule.objects.update_or_create(name=name, defaults={
            "func": function, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1})
    Schedule.objects.exclude(name__in=[name for name, _, _ in SCHEDULES]).delete()
