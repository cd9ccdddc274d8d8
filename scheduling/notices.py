"""What the schedule tells people in the bell."""
from clinic.notices import Notice, add

add(
    Notice("another_time", "A patient asks for another time", "scheduling.confirm", usual="digest"),
    Notice("visit_confirmed", "A patient confirmed a visit", "scheduling.confirm", usual="off"),
)
