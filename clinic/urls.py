from django.urls import path

from clinic import portal
from clinic.views import history, medical, patients, practice, session, styleguide

app_name = "clinic"
urlpatterns = [
    path("sign-in/", session.sign_in, name="sign_in"),
    path("sign-out/", session.sign_out, name="sign_out"),
    path("sign-out-everywhere/", session.sign_out_everywhere, name="sign_out_everywhere"),
    path("password/", session.password_change, name="password_change"),
    path("switch-clinic/", session.switch_clinic, name="switch_clinic"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
    path("my/", portal.home, name="portal"),
    path("practice/", practice.practice, name="practice"),
    path("practice/codes/", practice.procedure_codes, name="procedure_codes"),
    path("search/", patients.search, name="search"),
    path("patients/", patients.patients, name="patients"),
    path("patients/new/", patients.patient_new, name="patient_new"),
    path("patients/likely-duplicates/", patients.likely_duplicates, name="patient_likely_duplicates"),
    path("patients/<uuid:patient_id>/", patients.patient, name="patient"),
    path("patients/<uuid:patient_id>/edit/", patients.patient_edit, name="patient_edit"),
    path("patients/<uuid:patient_id>/medical-history/", medical.medical_history, name="medical_history"),
    path("patients/<uuid:patient_id>/medical-history/edit/", medical.medical_history_edit, name="medical_history_edit"),
    path("patients/<uuid:patient_id>/medical-history/review/", medical.medical_history_review, name="medical_history_review"),
    path("patients/<uuid:patient_id>/history/", history.history, name="patient_history"),
    path("accounts/<uuid:account_id>/", patients.account, name="account"),
    path("accounts/<uuid:account_id>/edit/", patients.account_edit, name="account_edit"),
]
