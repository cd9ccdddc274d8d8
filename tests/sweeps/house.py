"""One row of every kind in each of two clinics, reached by verbs, so that sweeps have something to point at."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from clinic.access.actor import Actor
from clinic.catalogue import load_starter
from clinic.models import (
    AccessEvent,
    ApiToken,
    Fee,
    FeeSchedule,
    Mail,
    MedicalHistory,
    PortalAccess,
    ProcedureCode,
    User,
)
from scheduling.models import Appointment, AppointmentTypeCode, Block, HoursException
from tests.cast import PASSWORD


def furnish(cast):
    """Fill the cast's clinic with at least one row of each model."""
    by, start = cast.system, datetime(2026, 12, 1, 9, tzinfo=ZoneInfo("America/New_York"))
    load_starter(by)
    MedicalHistory.write(patient=cast.ada, content={}, by=by, seen_number=0)
    AccessEvent.objects.create(clinic=cast.clinic, kind="view", patient=cast.ada, route="x", via="page")
    HoursException(provider=cast.drill, date=date(2026, 12, 24), reason="Holiday").record(by=by)
    AppointmentTypeCode(
        appointment_type=cast.exam, procedure_code=ProcedureCode.objects.filter(clinic=cast.clinic).first()
    ).record(by=by)
    Block.place(
        by=by,
        provider=cast.bridge,
        starts_at=start + timedelta(hours=4),
        ends_at=start + timedelta(hours=5),
        title="Meeting",
    )
    Block.place(
        by=by,
        operatory=cast.operatories[1],
        starts_at=start + timedelta(hours=4),
        ends_at=start + timedelta(hours=5),
        title="Repair",
    )
    Mail.write(Mail.Kind.LOCKED, address=f"desk@{cast.domain}.example", key=cast.domain)
    cast.ada.account.change(by=by, holder=cast.ada)
    cast.ada.change(by=by, guarantor_patient=cast.grace, primary_provider=cast.drill, primary_hygienist=cast.holly)
    visit = Appointment.book(
        by=by,
        patient=cast.ada,
        operatory=cast.operatories[0],
        provider=cast.drill,
        appointment_type=cast.exam,
        starts_at=start,
    )
    ApiToken.issue(by=cast.manager, name="kiosk")
    schedule = FeeSchedule(name="Harbour Health", since=date(2026, 1, 1)).record(by=by)
    Fee(schedule=schedule, procedure_code=ProcedureCode.objects.filter(clinic=cast.clinic).first(), amount=90).record(
        by=by
    )
    if not PortalAccess.objects.filter(clinic=cast.clinic).exists():
        user = User.objects.create_user(f"portal@{cast.domain}.example", PASSWORD, name="Portal")
        PortalAccess.grant(user=user, patient=cast.ada, relationship="self", by=by)
    access = PortalAccess.objects.filter(clinic=cast.clinic).first()
    ApiToken.issue(by=Actor(user=access.user, clinic=cast.clinic, patient=access.patient, hat="portal"), name="app")
    return visit
