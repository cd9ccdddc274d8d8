"""What plans tell of their milestones: in lists how many are reached, in frozen copies which were agreed."""
from fractions import Fraction

from django.db.models import Count, Q

from milestones.models import Milestone
from treatment.hooks import milestone_progress, plan_sections
from treatment.progress import whole


@milestone_progress.add
def reached(plans):
    """{plan's key: {"achieved", "total", "percent"}} of plans that have milestones, cancelled ones left out; one query."""
    rows = Milestone.objects.counted().filter(plan__in=plans).order_by().values_list("plan").annotate(
        total=Count("pk"), achieved=Count("pk", filter=Q(status=Milestone.Status.ACHIEVED)))
    return {key: {"achieved": achieved, "total": total, "percent": whole(Fraction(100 * achieved, total))}
            for key, total, achieved in rows}


@plan_sections.add
def agreed_milestones(plan):
    """The milestones as they were agreed, in their order; one query."""
    rows = [row.agreed() for row in plan.milestones.counted().in_order()]
    return [{"title": "Milestones", "milestones": rows}] if rows else []
