"""What treatment tells the apps above, in the same transaction. Receivers are one line, and do nothing twice."""
from django.dispatch import Signal

plan_activated = Signal()  # plan, by, on (the clinic's date)
procedure_completed = Signal()  # procedure, by: once for each procedure that is completed
procedure_voided = Signal()  # procedure, by: it was completed, and now was not
