"""The managers' admin over rows of every kind in two clinics."""
import pytest
from django.apps import apps

from clinic.models import Fee, FeeSchedule, ProcedureCode, User
from tests.clinic.test_back_office import form_of, url

pytestmark = pytest.mark.wide


@pytest.fixture
def manager(sign_in):
    return sign_in("manager")


@pytest.mark.parametrize("kind", [
    "clinic_operatory", "clinic_provider", "clinic_procedurecode", "clinic_feeschedule", "clinic_membership",
    "clinic_patient", "clinic_account", "clinic_medicalhistory", "clinic_portalaccess", "clinic_accessevent", "clinic_user",
    "scheduling_appointment", "scheduling_appointmenttype", "scheduling_workinghours", "scheduling_hoursexception",
    "scheduling_block"])  # fmt: skip
def test_rows_of_another_clinic_are_not_there(furnished, cast, manager, kind):
    model = apps.get_model(kind.replace("_", "."))
    foreign = (
        cast.outsider.user("dentist")
        if model is User
        else model._base_manager.filter(clinic=cast.outsider.clinic).first()
    ) or pytest.fail("the house lacks such a row")
    page = manager.get(url(kind))
    assert page.status_code == 200
    assert str(foreign.pk) not in page.content.decode()
    for name in ("change", "history"):
        assert manager.get(url(kind, name, foreign.pk)).status_code == 404
    assert manager.post(url(kind, "change", foreign.pk), {"because": "x"}).status_code in (404, 403)
    assert manager.get(f"{url(kind)}?id__exact={foreign.pk}").status_code in (200, 302)


@pytest.mark.parametrize(
    "kind", ["clinic_patient", "clinic_account", "clinic_medicalhistory", "scheduling_appointment"]
)
def test_clinical_and_money_records_are_looked_at_and_lead_to_their_screen(furnished, cast, manager, kind):
    row = apps.get_model(kind.replace("_", ".")).objects.filter(clinic=cast.clinic).first()
    page = manager.get(url(kind, "change", row.pk))
    assert "Open its page" in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    assert manager.get(page.context["screen"]).status_code == 200
    assert manager.post(url(kind, "change", row.pk), {"first_name": "x", "because": "x"}).status_code == 403
    assert manager.get(url(kind, "add")).status_code == 403


def test_a_fee_schedule_is_made_with_its_fees(furnished, cast, manager):
    code = ProcedureCode.objects.filter(clinic=cast.clinic).first()
    answer = manager.post(
        url("clinic_feeschedule", "add"),
        {
            "name": "Bay Dental",
            "since": "1/1/2027",
            "is_active": "on",
            "seen_version": 0,
            "fees-TOTAL_FORMS": 1,
            "fees-INITIAL_FORMS": 0,
            "fees-MIN_NUM_FORMS": 0,
            "fees-MAX_NUM_FORMS": 1000,
            "fees-0-procedure_code": code.code,
            "fees-0-amount": "120.50",
            "fees-0-is_active": "on",
        },
    )
    assert answer.status_code == 302, answer.context["errors"]
    schedule = FeeSchedule.objects.get(name="Bay Dental")
    fee = Fee.objects.get(schedule=schedule)
    assert (str(fee.amount), fee.clinic, fee.history.count()) == ("120.50", cast.clinic, 1)
    address = url("clinic_feeschedule", "change", schedule.pk)
    answer = manager.post(
        address,
        form_of(
            manager,
            address,
            because="Agreed anew",
            **{
                "fees-TOTAL_FORMS": 1,
                "fees-INITIAL_FORMS": 1,
                "fees-MIN_NUM_FORMS": 0,
                "fees-MAX_NUM_FORMS": 1000,
                "fees-0-id": fee.pk,
                "fees-0-schedule": schedule.pk,
                "fees-0-procedure_code": code.code,
                "fees-0-amount": "99.00",
                "fees-0-is_active": "on",
                "fees-0-seen_version": fee.version,
            },
        ),
    )
    assert answer.status_code == 302, answer.context["errors"]
    assert str(Fee.objects.get(pk=fee.pk).amount) == "99.00"
    assert Fee.objects.get(pk=fee.pk).history.order_by("-version").first().history_change_reason == "Agreed anew"


def test_dates_and_times_are_written_as_on_our_own_pages(furnished, cast, manager):
    assert "Thu 24 Dec 2026" in manager.get(url("scheduling_hoursexception")).content.decode()
    assert "08:00" in manager.get(url("scheduling_workinghours")).content.decode()


def test_one_code_twice_in_a_fee_schedule_is_told_at_its_line(furnished, cast, manager):
    code = ProcedureCode.objects.filter(clinic=cast.clinic).first()
    answer = manager.post(
        url("clinic_feeschedule", "add"),
        {
            "name": "Bay Dental",
            "since": "1/1/2027",
            "is_active": "on",
            "fees-TOTAL_FORMS": 2,
            "fees-INITIAL_FORMS": 0,
            **{
                f"fees-{n}-{name}": value
                for n in (0, 1)
                for name, value in (("procedure_code", code.code), ("amount", "120.50"), ("is_active", "on"))
            },
        },
    )
    assert answer.status_code == 422
    assert "This stands here twice." in answer.content.decode()
    assert not FeeSchedule.objects.filter(name="Bay Dental").exists()
