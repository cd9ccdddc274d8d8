from scheduling.models.appointment import Appointment
from scheduling.models.appointment_type import AppointmentType, AppointmentTypeCode
from scheduling.models.block import Block
from scheduling.models.hours import HoursException, WorkingHours
from scheduling.models.provider_time import ProviderTime
from scheduling.models.visit_step import VisitStep

__all__ = [
    "Appointment", "AppointmentType", "AppointmentTypeCode", "Block", "HoursException", "ProviderTime", "VisitStep",
    "WorkingHours",
]
