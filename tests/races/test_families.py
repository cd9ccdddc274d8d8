"""Several desks book a family each into the same times: one family gets both visits, the others none, nobody sees an error."""
from datetime import timedelta

import pytest

from scheduling.models import Appointment
from scheduling.together import Mode
from tests.factories import PatientFactory
from tests.races.client import Browser, at_once
from tests.scheduling.test_together import pressed

pytestmark = pytest.mark.race
FAMILIES, ROUNDS = 6, 3


def test_one_family_gets_both_times_and_the_others_none(clone, live):
    server = live(workers=2, threads=4)
    desks = [Browser(server.url, clone.user("receptionist")) for _ in range(FAMILIES)]
    families = [family(clone) for _ in range(FAMILIES)]
    for number in range(ROUNDS):
        asked = [form(clone, one, number) for one in families]
        # Side by side in two rooms, which change places in every other family: what is waited for comes in both orders.
        presses = [turned(fields | pressed(find(desk, one, fields)), place % 2) for place, (desk, one, fields) in enumerate(
            zip(desks, families, asked, strict=True))]
        answers = at_once([
            lambda desk=desk, one=one, sent=sent: desk.post(f"/accounts/{one[0].account_id}/together/book/", sent)
            for desk, one, sent in zip(desks, families, presses, strict=True)])
        assert sorted(status for status, _ in answers) == [302] + [409] * (FAMILIES - 1)
        assert all("so nothing was saved" in body for status, body in answers if status == 409)
        booked = Appointment.objects.filter(starts_at__date=day(clone, number))
        assert booked.count() == 2
        assert len({visit.patient.account_id for visit in booked}) == 1


def family(clone):
    one = PatientFactory(by=clone.desk)
    return [one, PatientFactory(by=clone.desk, account=one.account)]


def day(clone, number):
    return clone.clinic.today() + timedelta(days=7 + number)


def form(clone, family, number):
    fields = {"who": [str(one.pk) for one in family], "mode": Mode.AT_ONCE.value, "from_day": str(day(clone, number)), "after": "8"}
    for one in family:
        fields |= {f"type-{one.pk}": str(clone.exam.pk), f"with-{one.pk}": ""}
    return fields


def find(desk, family, fields):
    status, page = desk.post(f"/accounts/{family[0].account_id}/together/", fields)
    assert status == 200
    return page


def turned(fields, yes):
    return fields | {"times": ";".join(reversed(fields["times"].split(";")))} if yes else fields
