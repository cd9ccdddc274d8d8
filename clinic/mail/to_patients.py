"""What patients are told: in their language and by the clinic's clock, never more than that something waits for them."""
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone, translation

from clinic.mail import sms
from clinic.mail.sms import Text
from clinic.models.patient import Patient

EMAIL, SMS = Patient.ContactBy.EMAIL, Patient.ContactBy.SMS


def way_to(patient):
    """By which of the two ways this patient wants and can be written to; empty: by neither."""
    if patient.contact_by == EMAIL and patient.email:
        return EMAIL
    if patient.contact_by == SMS and patient.phone and sms.is_possible():
        return SMS
    return ""


def message_to(patient, channel, name, **context):
    """The message out of `<name>.txt` and `<name>_subject.txt`, or of `<name>_short.txt` for a phone."""
    if channel != SMS:
        return letter_to(patient, patient.email, name, **context)
    with translation.override(patient.language), timezone.override(patient.clinic.zone):
        return Text(patient.phone.as_e164, render_to_string(f"{name}_short.txt", {"clinic": patient.clinic, **context}).strip())


def letter_to(patient, address, name, **context):
    """The e-mail out of `<name>.txt` and `<name>_subject.txt`, to the patient's own address or to who acts for them."""
    clinic = patient.clinic
    context = {"clinic": clinic, **context}
    with translation.override(patient.language), timezone.override(clinic.zone):
        subject = " ".join(render_to_string(f"{name}_subject.txt", context).split())
        text = render_to_string(f"{name}.txt", context).strip() + "\n"
    return EmailMessage(
        subject, text, settings.DEFAULT_FROM_EMAIL, [address], reply_to=[clinic.email] if clinic.email else None,
        headers={"Auto-Submitted": "auto-generated"})
