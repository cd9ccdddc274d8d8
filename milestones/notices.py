"""What milestones tell people in the bell."""
from clinic.notices import Notice, add

add(
    Notice("milestone_upcoming", "Milestones come up within two weeks", "treatment.view_plan"),
    Notice("milestone_overdue", "Milestones are overdue", "treatment.view_plan", usual="digest"),
    Notice("milestone_mention", "Somebody mentions you in a comment on a milestone", "treatment.view_plan"),
)
