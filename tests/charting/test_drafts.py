"""Drafts: what is typed survives, late arrivals and second windows never replace what is newer, and nobody else reads it."""

import pytest

from charting.models import Draft
from clinic.db.refusals import Stale


@pytest.fixture
def keep(cast):
    """`keep("text", 1)`: the first saving of window one."""

    def save(text, number, window="one", began="", by=None, **more):
        return Draft.keep(
            by=by or cast.dentist, patient=cast.ada, kind="note", content={"body": text}, window=window, number=number,
            began=began, **more)

    return save


def held(cast, by=None):
    draft = Draft.find(by or cast.dentist, cast.ada, "note")
    return draft and draft.content["body"]


def test_the_newest_saving_of_a_window_stands_whatever_arrives_late(cast, keep):
    keep("A", 1)
    keep("Abc", 3)
    keep("Ab", 2)
    keep("Abc again", 3)
    assert held(cast) == "Abc"
    assert Draft.objects.count() == 1


def test_a_second_window_is_told_and_one_that_goes_on_from_the_draft_is_not(cast, keep):
    first = keep("Of the first", 1)
    with pytest.raises(Stale) as caught:
        keep("Of the second", 1, window="two")
    assert caught.value.current.content == {"body": "Of the first"}
    keep("Of the first, gone on", 1, window="two", began=first.token)
    with pytest.raises(Stale):
        keep("The first window again", 2)
    assert held(cast) == "Of the first, gone on"


def test_each_author_and_each_thing_has_a_draft_of_its_own_that_nobody_else_reads(cast, keep):
    keep("The dentist's", 1)
    keep("The hygienist's", 1, by=cast.hygienist)
    keep("About a record", 1, about="01a1fe96-dc26-7325-b958-a703e9553a10")
    assert (held(cast), held(cast, cast.hygienist), held(cast, cast.desk)) == ("The dentist's", "The hygienist's", None)
    assert Draft.objects.visible_to(cast.outsider.dentist).count() == 0


def test_what_is_typed_is_stored_encrypted_and_goes_when_it_is_saved(cast, keep):
    keep("Secret words", 1)
    raw = Draft.objects.extra(select={"raw": "content"}).values_list("raw", flat=True).get()
    assert "Secret" not in str(raw)
    Draft.drop(by=cast.hygienist, patient=cast.ada, kind="note")
    assert held(cast) == "Secret words"
    Draft.drop(by=cast.dentist, patient=cast.ada, kind="note")
    assert held(cast) is None


def test_what_arrives_after_the_saving_makes_no_draft_anew(cast, keep):
    for began in (True, False):
        if began:
            keep("Typed", 1)
        Draft.drop(by=cast.dentist, patient=cast.ada, kind="note", window="one")
        keep("Late", 2)
        assert held(cast) is None
        keep("Of the next one", 1, window="two")
        assert held(cast) == "Of the next one"
        Draft.drop(by=cast.dentist, patient=cast.ada, kind="note")


def test_a_saving_window_leaves_the_draft_that_another_one_holds(cast, keep):
    keep("Gone on", 1, window="two", began=keep("Typed", 1).token)
    Draft.drop(by=cast.dentist, patient=cast.ada, kind="note", window="one")
    assert held(cast) == "Gone on"
