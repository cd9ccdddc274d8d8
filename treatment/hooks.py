"""The lists that later apps add to."""
from clinic import hooks

# (plan) -> [{"title", …}]: what a presented plan freezes besides its own parts, as plain data.
plan_sections = hooks.Hook("treatment.plan_sections")
# (plans) -> {a plan's key: {"achieved", "total", "percent"}}: how many milestones each has reached.
milestone_progress = hooks.Hook("treatment.milestone_progress")
# (actor, plan) -> Panel on the plan's own page.
plan_panels = hooks.Hook("treatment.plan_panels")
# (plan) -> {key of one of its phases or goals: [HeaderFact]}: what later apps hang on parts of a plan.
part_facts = hooks.Hook("treatment.part_facts")
