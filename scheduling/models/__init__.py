from scheduling.models.appointment import Appointment
from scheduling.models.appointment_type import AppointmentType, AppointmentTypeCode
from scheduling.models.block import Block
from scheduling.models.contact_attempt import ContactAttempt
from scheduling.models.day_note import DayNote
from scheduling.models.feed import Feed
from scheduling.models.front_desk import FrontDesk
from scheduling.models.hours import HoursException, WorkingHours
from scheduling.models.offer_letter import OfferLetter
from scheduling.models.provider_time import ProviderTime
from scheduling.models.reminder import Reminder
from scheduling.models.series import Series
from scheduling.models.time_wish import TimeWish
from scheduling.models.visit_step import VisitStep
from scheduling.models.waitlist import FreedSlot, Offer, WaitlistEntry

__all__ = [
    "Appointment", "AppointmentType", "AppointmentTypeCode", "Block", "ContactAttempt", "DayNote", "Feed", "FreedSlot",
    "FrontDesk", "HoursException", "Offer", "OfferLetter", "ProviderTime", "Reminder", "Series", "TimeWish", "VisitStep",
    "WaitlistEntry", "WorkingHours",
]
