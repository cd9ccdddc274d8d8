"""The lists that later apps add to."""
from clinic import hooks

# (plan) -> [{"title", …}]: what a presented plan freezes besides its own parts, as plain data.
plan_sections = hooks.Hook("treatment.plan_sections")
# (plans) -> {a plan's key: {"achieved", "total", "percent"}}: how many milestones each has reached.
milestone_progress = hooks.Hook("treatment.milestone_progress")
