"""Questions written once: they answer as the plain ones do, in every thread and for every clinic."""
from threading import Thread

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from clinic.db.prepared import Prepared, PreparedFor
from clinic.models import Membership, Patient


def held(blank):
    return Membership.objects.filter(user=blank("user", Membership, "user"), until=None).select_related("clinic").annotate(
        role=F("roles__group__name")).order_by("pk")


def test_it_answers_as_the_plain_question_does(cast):
    user = cast.desk.user
    plain = list(held(lambda *_: user.pk))
    prepared = Prepared(held)(user=user.pk)
    assert prepared == plain
    assert plain
    for ours, theirs in zip(prepared, plain, strict=True):
        assert (ours.role, ours.clinic, ours.created_at) == (theirs.role, theirs.clinic, theirs.created_at)
        assert not ours._state.adding


def test_each_call_asks_anew_with_its_own_values(cast):
    question = Prepared(held)
    desk, dentist = cast.desk.user, cast.dentist.user
    assert {row.user_id for row in question(user=desk.pk)} == {desk.pk}
    assert {row.user_id for row in question(user=dentist.pk)} == {dentist.pk}
    with CaptureQueriesContext(connection) as queries:
        question(user=desk.pk)
    assert len(queries) == 1


def test_only_rows_of_the_actors_clinic_come(cast):
    question = PreparedFor(lambda actor, blank: Patient.objects.visible_to(actor).filter(pk=blank("key", Patient, "id")))
    desk, stranger = cast.desk, cast.outsider.desk
    key = cast.ada.pk
    assert question(desk, key=key) == [cast.ada]
    assert question(stranger, key=key) == []
    assert question(None, key=key) == []


def test_other_hats_see_what_the_plain_question_shows_them(cast):
    question = PreparedFor(lambda actor, blank: Patient.objects.visible_to(actor).filter(pk=blank("key", Patient, "id")))
    own = cast.portal
    assert question(own, key=own.patient.pk) == [own.patient]
    assert question(cast.coach, key=own.patient.pk) == []


def test_what_asks_more_of_the_actor_than_the_clinic_can_not_be_prepared(cast):
    question = PreparedFor(lambda actor, blank: Patient.objects.filter(clinic=actor.clinic_id, pk__in=actor.chosen))
    with pytest.raises(AttributeError):
        question(cast.desk)


def test_threads_do_not_share_values(cast):
    question, user = Prepared(held), cast.desk.user
    question(user=user.pk)
    answers = []

    def ask():
        try:
            answers.append(question(user=user.pk))
        finally:
            connection.close()

    thread = Thread(target=ask)
    thread.start()
    thread.join()
    assert len(answers) == 1  # of the other thread's own connection, which does not see this test's transaction
