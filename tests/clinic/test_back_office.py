"""The managers' admin: their clinic's rows only, saved through `record` with a reason, nothing deleted, nothing in bulk."""

from datetime import date
from uuid import uuid4

import pytest
from django.core import mail
from django.urls import reverse

from clinic.mail.post import hand_over
from clinic.models import AccessEvent, Membership, Operatory, User
from scheduling.models import AppointmentType, WorkingHours

pytestmark = pytest.mark.wide


@pytest.fixture
def manager(sign_in):
    return sign_in("manager")


def url(kind, page="changelist", *args):
    return reverse(f"admin:{kind}_{page}", args=args)


def form_of(client, address, **changes):
    """What the page's form would send."""
    form = client.get(address).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if name in form.fields and value is not None}
    for name, field in form.fields.items():
        if data.get(name) is False:
            del data[name]
        elif data.get(name) is not None:
            data[name] = field.prepare_value(data[name])
    return {**data, "once": str(uuid4()), **changes}


def test_a_manager_renames_an_operatory_and_says_why(cast, manager):
    chair = cast.operatories[0]
    address = url("clinic_operatory", "change", chair.pk)
    answer = manager.post(address, form_of(manager, address, name="Blue room", because="Painted"))
    assert answer.status_code == 302
    row = chair.history.order_by("-version").first()
    assert (row.name, row.history_change_reason, row.history_via) == ("Blue room", "Painted", "admin")
    assert row.history_user == cast.user("manager")


def test_without_a_reason_nothing_is_saved_and_what_was_typed_stays(cast, manager):
    chair = cast.operatories[0]
    address = url("clinic_operatory", "change", chair.pk)
    answer = manager.post(address, form_of(manager, address, name="Blue room", because=""))
    assert answer.status_code == 422
    assert "Blue room" in answer.content.decode()
    assert Operatory.objects.get(pk=chair.pk).name == chair.name


def test_a_save_that_changes_nothing_writes_no_version(cast, manager):
    chair = cast.operatories[0]
    address = url("clinic_operatory", "change", chair.pk)
    assert manager.post(address, form_of(manager, address, because="x")).status_code == 302
    assert Operatory.objects.get(pk=chair.pk).version == chair.version


def test_a_lost_race_is_told_and_the_next_save_is_a_knowing_one(cast, manager):
    chair = cast.operatories[0]
    address = url("clinic_operatory", "change", chair.pk)
    form = form_of(manager, address, name="Mine", because="Painted")
    chair.change(by=cast.system, name="Theirs")
    answer = manager.post(address, form)
    page = answer.content.decode()
    assert "saved this meanwhile" in page
    assert "Theirs" in page
    assert 'value="Mine"' in page
    assert Operatory.objects.get(pk=chair.pk).name == "Theirs"
    version = answer.context["adminform"].form["seen_version"].value()
    assert manager.post(address, {**form, "seen_version": version}).status_code == 302
    assert Operatory.objects.get(pk=chair.pk).name == "Mine"


def test_a_lost_race_shows_theirs_beside_each_field(cast, manager):
    address = url("clinic_provider", "change", cast.bridge.pk)
    form = form_of(manager, address, name="Dr. Mine", colour=5, because="New name")
    cast.bridge.change(by=cast.system, name="Dr. Theirs", colour=9, user=cast.user("assistant"))
    answer = manager.post(address, form)
    told = answer.context["adminform"].form.errors
    assert answer.status_code == 422
    assert set(told) == {"name", "colour", "user", "__all__"}
    for name, theirs in (("name", "Dr. Theirs"), ("colour", "Gold"), ("user", "Assistant Test")):
        assert told[name] == [f"Somebody saved: {theirs}"]
    assert "It differs in: Name, User, Colour." in told["__all__"][0]


def test_what_is_no_longer_in_use_stays_chosen_and_says_so(cast, manager):
    hours = WorkingHours.objects.filter(provider=cast.bridge).first()
    cast.bridge.change(by=cast.system, is_active=False)
    address = url("scheduling_workinghours", "change", hours.pk)
    assert f"{cast.bridge} (no longer in use)" in manager.get(address).content.decode()
    assert manager.post(address, form_of(manager, address, ends="12:15", because="Longer")).status_code == 302
    hours.refresh_from_db()
    assert (hours.provider, f"{hours.ends:%H:%M}") == (cast.bridge, "12:15")
    assert str(cast.bridge.pk) not in manager.get(url("scheduling_workinghours", "add")).content.decode()


def test_a_patient_keeps_a_dentist_who_left(cast, desk_client):
    cast.ada.change(by=cast.system, primary_provider=cast.bridge)
    cast.bridge.change(by=cast.system, is_active=False)
    form = desk_client.get(f"/patients/{cast.ada.pk}/edit/").context["form"]
    assert [str(label) for key, label in form.fields["primary_provider"].choices if str(key) == str(cast.bridge.pk)] == [
        f"{cast.bridge} (no longer in use)"
    ]


def test_a_name_that_is_taken_is_told_beside_the_form(cast, manager):
    answer = manager.post(url("clinic_operatory", "add"), {"name": "Operatory 1", "sequence": 9, "seen_version": 0})
    assert answer.status_code == 422
    assert Operatory.objects.filter(clinic=cast.clinic).count() == 3
    assert "already" in answer.content.decode()


def test_a_form_sent_twice_makes_one_record(cast, manager):
    form = {
        "provider": cast.drill.pk,
        "weekday": 0,
        "starts": "6pm",
        "ends": "7pm",
        "is_active": "on",
        "once": str(uuid4()),
    }
    answers = [manager.post(url("scheduling_workinghours", "add"), form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert WorkingHours.objects.filter(provider=cast.drill, starts="18:00").count() == 1
    wrong = {**form, "starts": "8pm", "ends": "noon", "once": str(uuid4())}
    assert manager.post(url("scheduling_workinghours", "add"), wrong).status_code == 422
    assert manager.post(url("scheduling_workinghours", "add"), {**wrong, "ends": "9pm"}).status_code == 302


def test_a_new_record_is_of_the_managers_clinic(cast, manager):
    assert (
        manager.post(
            url("clinic_operatory", "add"), {"name": "Attic", "sequence": 9, "is_active": "on", "seen_version": 0}
        ).status_code
        == 302
    )
    assert Operatory.objects.get(name="Attic").clinic == cast.clinic


@pytest.mark.parametrize(
    "asked",
    [
        "clinic_operatory/?name__regex=(",
        "clinic_user/?password__startswith=a",
        "clinic_provider/?user__password__startswith=a",
    ],
)
def test_a_list_is_asked_by_its_own_filters_alone(cast, manager, asked):
    assert manager.get(f"/admin/{asked.replace('_', '/', 1)}").status_code == 400


def test_choices_and_autocomplete_hold_rows_of_the_clinic_only(cast, manager):
    page = manager.get(url("scheduling_workinghours", "add")).content.decode()
    assert str(cast.drill.pk) in page
    assert str(cast.outsider.drill.pk) not in page
    found = manager.get(
        reverse("admin:autocomplete"),
        {"term": "Drill", "app_label": "scheduling", "model_name": "workinghours", "field_name": "provider"},
    ).json()
    assert [row["id"] for row in found["results"]] == [str(cast.drill.pk)]


def test_a_foreign_row_cannot_be_chosen(cast, manager):
    answer = manager.post(
        url("scheduling_workinghours", "add"),
        {
            "provider": cast.outsider.drill.pk,
            "weekday": 0,
            "starts": "18:00",
            "ends": "19:00",
            "is_active": "on",
            "seen_version": 0,
        },
    )
    assert answer.status_code == 422
    assert not WorkingHours.objects.filter(clinic=cast.clinic, provider=cast.outsider.drill).exists()
    assert cast.outsider.drill.name not in answer.context["adminform"].form.errors.as_text()


def test_hours_take_what_people_type(cast, manager):
    answer = manager.post(
        url("scheduling_workinghours", "add"),
        {
            "provider": cast.drill.pk,
            "weekday": 0,
            "starts": "6pm",
            "ends": "19:30",
            "is_active": "on",
            "seen_version": 0,
        },
    )
    assert answer.status_code == 302
    assert WorkingHours.objects.filter(provider=cast.drill, starts="18:00", ends="19:30").exists()


def test_nothing_is_deleted_and_nothing_is_done_in_bulk(cast, manager):
    chair = cast.operatories[0]
    assert manager.post(url("clinic_operatory", "delete", chair.pk), {"post": "yes"}).status_code == 403
    assert manager.post(
        url("clinic_operatory"), {"action": "delete_selected", "_selected_action": str(chair.pk), "post": "yes"}
    ).status_code in (200, 302, 403)
    assert Operatory.objects.filter(pk=chair.pk).exists()
    assert "delete_selected" not in manager.get(url("clinic_operatory")).content.decode()


def test_a_look_at_a_patient_is_on_record(cast, manager):
    manager.get(url("clinic_patient", "change", cast.ada.pk))
    manager.get(url("clinic_patient"), {"q": "lovelace"})
    assert list(AccessEvent.objects.order_by("id").values_list("kind", "patient", "rows")) == [
        ("view", cast.ada.pk, 1),
        ("search", None, 1),
    ]


def test_the_history_says_who_what_why_and_by_which_way(cast, manager):
    chair = cast.operatories[0]
    chair.change(by=cast.manager, because="Painted", name="Blue room")
    page = manager.get(url("clinic_operatory", "history", chair.pk)).content.decode()
    for text in ("Painted", "Manager Test", "Operatory 1", "Blue room"):
        assert text in page


def test_a_colleague_is_invited_by_address_and_gets_a_letter(cast, manager):
    answer = manager.post(
        url("clinic_membership", "add"),
        {
            "email": "New@Test.example",
            "name": "Nora New",
            "roles": ["hygienist", "coordinator"],
            "since": "2026-11-01",
            "seen_version": 0,
        },
    )
    assert answer.status_code == 302
    user = User.objects.get(email="new@test.example")
    held = Membership.objects.get(user=user).roles.filter(is_held=True)
    assert set(held.values_list("group__name", flat=True)) == {"hygienist", "coordinator"}
    assert not user.has_usable_password()
    hand_over()
    assert [letter.to for letter in mail.outbox] == [["new@test.example"]]
    assert "/forgotten/" in mail.outbox[0].body


def test_roles_are_given_and_taken_with_a_reason(cast, manager):
    member = Membership.objects.get(user=cast.user("receptionist"))
    address = url("clinic_membership", "change", member.pk)
    answer = manager.post(address, form_of(manager, address, roles=["biller"], because="New job"))
    assert answer.status_code == 302
    rows = {role.group.name: role for role in member.roles.all()}
    assert (rows["biller"].is_held, rows["receptionist"].is_held) == (True, False)
    assert rows["receptionist"].history.order_by("-version").first().history_change_reason == "New job"


def test_a_membership_is_ended_with_a_date(cast, manager, client):
    client.force_login(cast.user("receptionist"))
    member = Membership.objects.get(user=cast.user("receptionist"))
    address = url("clinic_membership", "change", member.pk)
    assert manager.post(address, form_of(manager, address, until="2026-11-20", because="Left")).status_code == 302
    assert Membership.objects.get(pk=member.pk).until == date(2026, 11, 20)
    assert client.get("/today/").status_code in (302, 403)


def test_nobody_changes_their_own_membership_and_the_last_manager_stays(cast, manager):
    own = Membership.objects.get(user=cast.user("manager"))
    assert (
        manager.post(url("clinic_membership", "change", own.pk), {"roles": ["dentist"], "because": "x"}).status_code
        == 403
    )
    from clinic.db.refusals import Refused

    for verb in (
        lambda: own.end(by=cast.system, because="x"),
        lambda: own.revoke("manager", by=cast.system, because="x"),
    ):
        with pytest.raises(Refused, match="manage the practice"):
            verb()


def test_a_user_is_disabled_with_a_reason_and_only_by_the_clinic_where_alone_they_work(cast, manager):
    user = cast.user("dentist")
    act = reverse("admin:clinic_user_act", args=[user.pk, "disable"])
    assert manager.post(act, {"because": ""}).status_code == 422
    assert User.objects.get(pk=user.pk).is_active
    assert manager.post(act, {"because": "Left"}).status_code == 302
    assert not User.objects.get(pk=user.pk).is_active
    assert user.history.first().history_change_reason == "Left"
    shared = cast.user("hygienist")
    Membership.open(user=shared, clinic=cast.outsider.clinic, roles=["hygienist"], by=cast.outsider.system)
    assert (
        manager.post(reverse("admin:clinic_user_act", args=[shared.pk, "disable"]), {"because": "x"}).status_code == 403
    )
    own = reverse("admin:clinic_user_act", args=[cast.user("manager").pk, "disable"])
    assert manager.post(own, {"because": "x"}).status_code == 403
    foreign = reverse("admin:clinic_user_act", args=[cast.outsider.user("dentist").pk, "disable"])
    assert manager.post(foreign, {"because": "x"}).status_code == 404


def test_a_visit_type_is_changed(cast, manager):
    address = url("scheduling_appointmenttype", "change", cast.exam.pk)
    answer = manager.post(
        address,
        form_of(
            manager,
            address,
            minutes=40,
            kinds=["dentist", "orthodontist"],
            pattern="",
            because="Takes longer",
            **{"codes-TOTAL_FORMS": 0, "codes-INITIAL_FORMS": 0, "codes-MIN_NUM_FORMS": 0, "codes-MAX_NUM_FORMS": 1000},
        ),
    )
    assert answer.status_code == 302, answer.context["errors"]
    exam = AppointmentType.objects.get(pk=cast.exam.pk)
    assert (exam.minutes, exam.kinds) == (40, ["dentist", "orthodontist"])


NO_CODES = {"codes-TOTAL_FORMS": 0, "codes-INITIAL_FORMS": 0, "codes-MIN_NUM_FORMS": 0, "codes-MAX_NUM_FORMS": 1000}


def test_a_pattern_is_written_in_lines_and_a_colour_chosen_by_name(cast, manager):
    address = url("scheduling_appointmenttype", "change", cast.cleaning.pk)
    page = manager.get(address).content.decode()
    assert "provider 0-60\ndoctor 40-50</textarea>" in page
    assert '<span class="swatch c-9" aria-hidden="true"></span> Gold' in page
    typed = {"pattern": "Provider 0 - 60\r\n\r\ndoctor 30-45", "colour": 9, "because": "Looks in earlier", **NO_CODES}
    answer = manager.post(address, form_of(manager, address, **typed))
    assert answer.status_code == 302, answer.context["errors"]
    cleaning = AppointmentType.objects.get(pk=cast.cleaning.pk)
    assert (cleaning.colour, cleaning.pattern) == (
        9,
        [{"who": "provider", "from": 0, "minutes": 60}, {"who": "doctor", "from": 30, "minutes": 15}],
    )
    assert manager.post(address, form_of(manager, address, because="x", **NO_CODES)).status_code == 302
    assert AppointmentType.objects.get(pk=cast.cleaning.pk).version == cleaning.version


@pytest.mark.parametrize(
    ("typed", "said"),
    [("nurse 0-10", "Line 1 can't be read."), ("provider 0-60\ndoctor 50-40", "Line 2 ends before"), ("[]", "Line 1 can't")],
)
def test_a_line_of_a_pattern_that_makes_no_sense_is_told(cast, manager, typed, said):
    address = url("scheduling_appointmenttype", "change", cast.cleaning.pk)
    answer = manager.post(address, form_of(manager, address, pattern=typed, because="x", **NO_CODES))
    assert answer.status_code == 422
    assert answer.context["adminform"].form.errors["pattern"][0].startswith(said)


def test_other_packages_are_for_the_superuser_alone(cast, manager, client):
    schedules = reverse("admin:django_q_schedule_changelist")
    assert manager.get(schedules).status_code == 403
    assert "django_q" not in manager.get("/admin/").content.decode()
    client.force_login(User.objects.get(email="root@test.example"))
    assert client.get(schedules).status_code == 200
    page = client.get("/admin/").content.decode()
    assert schedules in page
    assert url("clinic_patient") not in page
    assert client.get(url("clinic_patient")).status_code == 403


def test_the_superuser_lands_in_the_admin_and_unlocks_anybody(cast, client):
    client.force_login(User.objects.get(email="root@test.example"))
    assert client.get("/").url == "/admin/"
    assert client.get(url("clinic_user")).status_code == 200
    assert client.get(reverse("admin:clinic_user_act", args=[cast.user("dentist").pk, "disable"])).status_code == 200


@pytest.mark.parametrize(
    "kind", ["clinic_operatory", "scheduling_workinghours", "clinic_membership", "scheduling_appointment"]
)
def test_a_list_costs_the_same_at_few_and_at_30_rows(cast, manager, book, kind):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    book()

    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert manager.get(url(kind)).status_code == 200
        return len(queries)

    cost()
    few = cost()
    for number in range(30):
        Operatory(name=f"Room {number}", sequence=number).record(by=cast.system)
        user = User.objects.create_user(f"n{number}@test.example", name=f"N {number}")
        Membership.open(user=user, clinic=cast.clinic, roles=["biller"], by=cast.system)
        book(f"2026-12-{number % 28 + 2:02} {10 + number // 28}:00")
    assert cost() == few


@pytest.mark.parametrize("role", ["coach", "patient", "dentist"])
def test_knowing_an_address_gives_no_power_over_somebody_elsewhere(cast, sign_in, role):
    """Next door's manager invites ours: refused, and nothing of theirs is hidden, ended or lockable."""
    theirs, user = sign_in("manager", "other"), cast.user(role)
    answer = theirs.post(
        url("clinic_membership", "add"),
        {"email": user.email, "roles": ["receptionist"], "since": "2026-11-01", "seen_version": 0},
    )
    assert answer.status_code == 422
    assert not Membership.objects.filter(user=user, clinic=cast.outsider.clinic).exists()
    assert theirs.post(reverse("admin:clinic_user_act", args=[user.pk, "disable"]), {"because": "x"}).status_code == 404


def test_an_ended_membership_gives_no_power_over_the_user(cast, manager):
    Membership.objects.get(user=cast.user("dentist")).end(by=cast.manager, because="Left")
    act = reverse("admin:clinic_user_act", args=[cast.user("dentist").pk, "disable"])
    assert manager.post(act, {"because": "x"}).status_code == 403


def test_a_membership_neither_begins_nor_ends_ahead(cast, manager):
    answer = manager.post(
        url("clinic_membership", "add"),
        {"email": "new@test.example", "name": "N", "roles": ["biller"], "since": "12/31/2027", "seen_version": 0},
    )
    assert answer.status_code == 422
    member = Membership.objects.get(user=cast.user("biller"))
    address = url("clinic_membership", "change", member.pk)
    for wrong in ("12/31/2027", "1/1/1990"):
        assert manager.post(address, form_of(manager, address, until=wrong, because="x")).status_code == 422
    both = form_of(manager, address, roles=["dentist"], until="today", because="x")
    assert manager.post(address, both).status_code == 302
    member.refresh_from_db()
    assert member.until is not None
    assert set(member.roles.filter(is_held=True).values_list("group__name", flat=True)) == {"dentist"}


@pytest.mark.parametrize("kind", ["clinic_user", "clinic_clinic", "clinic_membership", "scheduling_appointment"])
def test_every_record_shows_its_history(cast, manager, book, kind):
    book()
    rows = {"clinic_user": cast.user("dentist"), "clinic_clinic": cast.clinic}
    from django.apps import apps

    row = rows.get(kind) or apps.get_model(kind.replace("_", ".")).objects.filter(clinic=cast.clinic).first()
    assert manager.get(url(kind, "history", row.pk)).status_code == 200
