from scheduling.models.appointment import Appointment, ProviderTime, VisitStep
from scheduling.models.appointment_type import AppointmentType, AppointmentTypeCode
from scheduling.models.block import Block
from scheduling.models.hours import HoursException, WorkingHours

__all__ = [
    "Appointment", "AppointmentType", "AppointmentTypeCode", "Block", "HoursException", "ProviderTime", "VisitStep",
    "WorkingHours",
]
