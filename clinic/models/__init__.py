from clinic.models.access_event import AccessEvent
from clinic.models.account import Account
from clinic.models.api_token import ApiToken
from clinic.models.clinic import Clinic, ClinicUserObjectPermission
from clinic.models.diagnosis_code import DiagnosisCode
from clinic.models.document import Document
from clinic.models.fee_schedule import Fee, FeeSchedule
from clinic.models.installation import Counter, DataKey, FileKey, GuardLift, OnceKey
from clinic.models.letter_template import LetterTemplate
from clinic.models.mail import Mail
from clinic.models.mailed_link import MailedLink
from clinic.models.medical_history import MedicalHistory
from clinic.models.membership import Coaching, Membership, MembershipRole
from clinic.models.merge import CannotMerge, HandedOver, Unmerge
from clinic.models.notification import Notification, NotificationChoices
from clinic.models.operatory import Operatory
from clinic.models.patient import Patient, PatientUserObjectPermission
from clinic.models.patient_link import PatientLink
from clinic.models.portal_access import PortalAccess
from clinic.models.portal_invitation import PortalInvitation, PortalLetter
from clinic.models.procedure_code import ProcedureCode
from clinic.models.provider import Provider
from clinic.models.second_factor import AuthenticatorApp, Passkey, RecoveryCode
from clinic.models.session import Session
from clinic.models.sign_in_code import SignInCode
from clinic.models.stored_file import StoredFile
from clinic.models.user import User

__all__ = [
    "AccessEvent", "Account", "ApiToken", "AuthenticatorApp", "CannotMerge", "Clinic", "ClinicUserObjectPermission",
    "Coaching", "Counter", "DataKey", "DiagnosisCode", "Document", "Fee", "FeeSchedule", "FileKey", "GuardLift", "HandedOver",
    "LetterTemplate", "Mail", "MailedLink", "MedicalHistory", "Membership", "MembershipRole", "Notification",
    "NotificationChoices", "OnceKey", "Operatory", "Passkey", "Patient", "PatientLink", "PatientUserObjectPermission",
    "PortalAccess", "PortalInvitation", "PortalLetter", "ProcedureCode", "Provider", "RecoveryCode", "Session",
    "SignInCode", "StoredFile", "Unmerge", "User",
]
