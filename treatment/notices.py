"""What treatment tells people in the bell."""
from clinic.notices import Notice, add

add(
    Notice("review_upcoming", "A treatment plan is to be reviewed within a week", "treatment.write_plan"),
    Notice("review_due", "Urgent: a treatment plan is to be reviewed today", "treatment.view_plan", usual="digest"),
    Notice("review_overdue", "The review of a treatment plan is overdue", "treatment.write_plan", usual="digest"),
)
