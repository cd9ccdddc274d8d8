"""What a patient is told of milestones: what they chose, once, by day, without a word of what; and asked again when it leaves."""
from datetime import date, datetime, time, timedelta

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic.access.actor import Actor, permissions_of
from clinic.db.records import record_bulk
from clinic.db.refusals import NotAllowed, Stale
from clinic.mail import sms
from clinic.mail.post import hand_over
from clinic.models import Notification, Patient
from milestones.models import Approval, Evidence, Milestone, MilestoneNews, News, NewsMessage, Way, news_message
from milestones.models.alert import AHEAD


@pytest.fixture(autouse=True)
def morning(cast):
    """It is nine o'clock in the clinic."""
    day = cast.clinic.today()
    with time_machine.travel(datetime(day.year, day.month, day.day, 9, tzinfo=cast.clinic.zone)):
        yield


@pytest.fixture
def noon(cast, today):
    """`noon(3)`: noon of the third day from now."""
    return lambda days=0: datetime.combine(today + timedelta(days=days), time(12), cast.clinic.zone)


@pytest.fixture
def run(noon):
    """`run(3)`: both jobs at noon of that day; how many left."""
    def runs(days=0):
        NewsMessage.write_due(noon(days))
        return hand_over(noon(days))
    return runs


@pytest.fixture
def ada(cast):
    """Ada under the portal hat."""
    return Actor(user=None, clinic=cast.clinic, patient=cast.ada, hat="portal", permissions=permissions_of(["patient"]))


def choose(cast, patient=None, **ways):
    return MilestoneNews.of(patient or cast.ada).choose(by=cast.desk, **ways)


def states():
    return list(NewsMessage.objects.order_by("created_at", "id").values_list("state", flat=True))


# What they chose


def test_usually_they_are_told_of_all_but_overdue_ones_by_the_way_on_which_they_are_reached(cast):
    news = MilestoneNews.of(cast.ada)
    assert {kind: news.channel(kind) for kind in News} == {
        "upcoming": "email", "achieved": "email", "approval": "email", "overdue": ""}
    assert news.sentence == "By e-mail: coming up, achieved, waits for approval. Not told of: overdue."
    assert MilestoneNews.of(cast.grace).sentence == "Not told of: coming up, achieved, waits for approval, overdue."  # no address


def test_the_desk_chooses_and_so_does_the_patient_but_no_other(cast, ada):
    choose(cast, upcoming="off")
    MilestoneNews.of(cast.ada).choose(by=ada, overdue="sms", version=1)
    news = MilestoneNews.of(cast.ada)
    assert (news.upcoming, news.overdue, news.version) == ("off", "sms", 2)
    assert [row.upcoming for row in MilestoneNews.objects.visible_to(ada)] == ["off"]
    for by in (cast.dentist, cast.coach):
        with pytest.raises(NotAllowed):
            MilestoneNews.of(cast.ada).choose(by=by, overdue="email")
    with pytest.raises(NotAllowed):
        MilestoneNews.of(cast.grace).choose(by=ada, overdue="email")


def test_of_two_who_choose_first_the_second_is_told(cast):
    first, second = MilestoneNews.of(cast.ada), MilestoneNews.of(cast.ada)
    first.choose(by=cast.desk, version=0, overdue="email")
    with pytest.raises(Stale):
        second.choose(by=cast.manager, version=0, overdue="off")
    with pytest.raises(IntegrityError), transaction.atomic():
        MilestoneNews(clinic=cast.clinic, patient=cast.ada).record(by=cast.desk)


def test_they_are_chosen_on_a_page_and_stand_on_the_patients(cast, due, sign_in, run):
    due(3)
    run()
    desk, page = sign_in("receptionist"), f"/patients/{cast.ada.pk}/milestones/news/"
    shown = desk.get(page).content.decode()
    assert "by e-mail to ada@patients.example" in shown
    assert "By text message" in shown
    assert "Due 3" in shown
    said = {"version": 0, "upcoming": "off", "achieved": "usual", "approval": "email", "overdue": "off", "once": "n" * 20}
    assert desk.post(page, said | {"once": "w" * 20, "approval": "loud"}).status_code == 422
    assert desk.post(page, said).url == f"/patients/{cast.ada.pk}/"
    panel = desk.get(f"/patients/{cast.ada.pk}/milestones/panel/").content.decode()
    assert "By e-mail: achieved, waits for approval. Not told of: coming up, overdue." in panel
    assert page in panel
    assert page not in sign_in("dentist").get(f"/patients/{cast.ada.pk}/milestones/panel/").content.decode()
    late = desk.post(page, said | {"once": "m" * 20, "overdue": "email"})
    assert late.status_code == 409
    history = desk.get(f"/patients/{cast.ada.pk}/history/").content.decode()
    assert "Milestone news to the patient" in history


@pytest.mark.parametrize(("values", "words"), [
    ({"contact_by": "sms"}, "by text message to +1"),
    ({"contact_by": "phone"}, "nothing is sent, because they are reached by phone call."),
    ({"email": ""}, "nothing is sent, because they are reached by e-mail, and no address is known.")])
def test_the_page_says_what_the_usual_way_comes_to(cast, sign_in, values, words):
    cast.ada.change(by=cast.desk, **values)
    assert words in sign_in("receptionist").get(f"/patients/{cast.ada.pk}/milestones/news/").content.decode()


def test_the_page_costs_the_same_with_one_message_and_with_thirty(cast, due, run, sign_in):
    client, counts, page = sign_in("receptionist"), [], f"/patients/{cast.ada.pk}/milestones/news/"
    for number in (1, 29):
        for _ in range(number):
            due(5)
        run()
        client.get(page)
        with CaptureQueriesContext(connection) as asked:
            client.get(page)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_what_a_question_about_many_says_is_what_is_said_of_one(cast, due):
    due(3)
    twin = Patient.register(by=cast.desk, first_name="Ada", last_name="Byron", date_of_birth=cast.ada.date_of_birth)

    def both():
        row = Milestone.objects.annotate(way=MilestoneNews.objects.way_of("upcoming")).get(name="Due 3")
        return row.way, MilestoneNews.of(Patient.objects.get(pk=cast.ada.pk)).upcoming

    assert both() == ("usual", "usual")
    choose(cast, twin, upcoming="off")
    twin.merge_into(cast.ada, by=cast.manager, because="Same person")
    assert both() == ("off", "off")  # whoever was told nothing under one name is not told under the other
    MilestoneNews(clinic=cast.clinic, patient=cast.ada, upcoming="sms").record(by=cast.desk)
    assert both() == ("sms", "sms")


# What is told, and when


def test_what_comes_up_is_told_once_for_each_day_two_weeks_ahead(cast, due, run, today):
    row = due(15)
    assert [run(day) for day in (0, 1, 2, 9)] == [0, 1, 0, 0]
    row.revise(by=cast.dentist, target_date=today + timedelta(days=20))
    assert [run(day) for day in (9, 10, 11)] == [1, 0, 0]
    assert list(NewsMessage.objects.order_by("due_on").values_list("due_on", flat=True)) == [
        today + timedelta(days=15), today + timedelta(days=20)]


def test_what_is_overdue_is_told_once_and_only_to_whom_chose_it(cast, due, run):
    due(-1)
    assert run() == 0
    choose(cast, overdue="email")
    assert [run(), run(1), run(30)] == [1, 0, 0]


def test_what_is_achieved_is_written_with_it_and_nothing_when_it_is_opened_again(cast, due, noon):
    row = due(40)
    with transaction.atomic():
        row.achieve(by=cast.dentist)
        assert NewsMessage.objects.count() == 1
        transaction.set_rollback(True)
    assert not NewsMessage.objects.exists()
    row.refresh_from_db()
    row.achieve(by=cast.dentist)
    assert hand_over(noon()) == 1
    row.reopen(by=cast.dentist, because="Wrong one")
    row.achieve(by=cast.dentist)
    assert hand_over(noon(1)) == 0
    assert states() == ["sent"]


def test_what_is_opened_again_before_it_was_told_is_told_when_it_is_achieved_in_the_end(cast, due, noon):
    row = due(40).achieve(by=cast.dentist)
    row.reopen(by=cast.dentist, because="Wrong one")
    assert hand_over(noon()) == 0
    row.achieve(by=cast.dentist)
    assert hand_over(noon(1)) == 1
    assert sorted(states()) == ["nobody", "sent"]


def test_what_was_achieved_long_ago_and_is_entered_now_is_no_news(cast, due, today):
    due(40).achieve(by=cast.dentist, on=today - AHEAD - timedelta(days=1))
    assert not NewsMessage.objects.exists()
    due(41).achieve(by=cast.dentist, on=today - AHEAD)
    assert NewsMessage.objects.count() == 1


def test_of_a_plan_that_was_not_presented_nothing_is_told(cast, draw_up, run, today):
    choose(cast, overdue="email")
    drafted = draw_up("Not yet shown")
    for days in (-2, 5):
        Milestone.add(by=cast.dentist, plan=drafted, name="x", target_date=today + timedelta(days=days), requires_approval=True)
    drafted.milestones.first().revise(by=cast.dentist, requires_approval=False)
    drafted.milestones.first().achieve(by=cast.dentist)
    assert run() == 0
    assert not NewsMessage.objects.exists()


@pytest.fixture
def waits(due):
    """A milestone for which only the patient's approval is missing."""
    return due(60, requires_approval=True)


def test_an_approval_is_asked_for_when_only_it_is_missing_then_weekly_and_four_times_more_at_most(cast, due, run):
    row = due(300, requires_approval=True, requires_evidence=True)
    assert run() == 0
    Evidence.add(by=cast.dentist, milestone=row, evidence_type="metric", title="Overjet, mm", value="2")
    days = [day for day in range(60) if run(day)]
    assert days == [0, 7, 14, 21, 28]


def test_the_answer_ends_the_asking(cast, waits, run, ada):
    assert run() == 1
    Approval.give(by=ada, milestone=waits, decision="approved", signature_name="Ada")
    assert [run(7), run(14)] == [0, 0]


def test_changes_that_were_wished_and_made_are_asked_for_anew(cast, waits, run, ada, noon):
    assert run() == 1
    Approval.give(by=ada, milestone=waits, decision="changes_requested", comment="Larger", now=noon(1))
    assert run(8) == 0
    with time_machine.travel(noon(9), tick=False):
        Evidence.add(by=cast.dentist, milestone=waits, evidence_type="metric", title="Overjet, mm", value="2")
    assert [run(9), run(10), run(16)] == [1, 0, 1]


@pytest.mark.parametrize("end", [
    lambda row, by: row.cancel(by=by, because="x"), lambda row, by: row.withdraw(by=by),
    lambda row, by: row.revise(by=by, requires_approval=False), lambda row, by: row.plan.discontinue(by=by)])
def test_the_milestones_end_ends_the_asking(cast, waits, noon, end):
    NewsMessage.write_due(noon())
    end(waits, cast.dentist)
    assert hand_over(noon()) == 0
    assert states() == ["nobody"]
    NewsMessage.write_due(noon(7))
    assert len(states()) == 1


# To whom, and what it says


def test_a_message_says_that_there_is_news_and_nothing_of_whose_or_what(cast, due, waits, run):
    cast.clinic.change(by=cast.manager, phone="+1 201 555 0100", email="desk@harbour.example", address="1 Quay")
    due(3, name="Debonding with Dr. Drill")
    assert run() == 2
    news, question = sorted(mail.outbox, key=lambda message: message.subject)
    assert news.subject == "Harbour Dental: news of your treatment"
    assert question.subject == "Harbour Dental: something waits for your answer"
    assert "waits for your answer" in question.body
    for message in (news, question):
        assert message.to == ["ada@patients.example"]
        assert "+1 201 555 0100" in message.body
        assert "http" not in message.body
        for word in ("Ada", "Lovelace", "Debonding", "Drill", "Due", "Braces", "milestone"):
            assert word not in message.body + message.subject, word


def test_with_a_page_to_lead_to_it_has_a_link_to_it(cast, due, run, noon, monkeypatch):
    monkeypatch.setattr(NewsMessage, "ROUTE", "scheduling:answer_link")
    monkeypatch.setattr(NewsMessage, "PURPOSE", "news")
    monkeypatch.setattr(NewsMessage, "good_until", noon(30), raising=False)
    due(3)
    assert run() == 1
    assert "Open this page to read it:\n\nhttp" in mail.outbox[0].body
    assert NewsMessage.objects.get().link.purpose == "news"


class Texts(list):
    def __call__(self):
        return self

    def send(self, to, text):
        self.append((to, text))


def test_a_text_message_goes_to_whom_chose_texts(cast, due, run, monkeypatch):
    sent = Texts()
    monkeypatch.setattr("clinic.mail.sms.import_string", lambda path: sent)
    choose(cast, upcoming="sms")
    due(3)
    assert run() == 1
    assert sent == [("+12015550123", "Harbour Dental: there is news of your treatment. Ask us at your next visit.")]
    assert mail.outbox == []


def test_without_a_sender_of_texts_who_chose_them_is_told_nothing(cast, due, run, monkeypatch):
    monkeypatch.setattr(sms, "is_possible", lambda: False)
    choose(cast, upcoming="sms")
    due(3)
    assert run() == 0


SILENT = [{"email": ""}, {"contact_by": "phone"}, {"contact_by": "post"}, {"status": "archived"}, {"status": "deceased"}]


@pytest.mark.parametrize("values", SILENT, ids=str)
def test_who_cannot_or_will_not_be_written_to_is_told_nothing(cast, due, run, values):
    cast.ada.change(by=cast.desk, **values)
    due(3)
    due(40).achieve(by=cast.dentist)
    due(40, requires_approval=True)
    assert run() == 0
    assert not NewsMessage.objects.exists()


@pytest.mark.parametrize("values", [*SILENT, {}], ids=str)
@pytest.mark.parametrize("kind", ["upcoming", "achieved", "approval", "overdue"])
def test_whether_and_how_is_asked_again_when_it_leaves(cast, due, noon, kind, values):
    choose(cast, overdue="usual")
    row = due(-1 if kind == "overdue" else 3, requires_approval=kind == "approval")
    if kind == "achieved":
        row.achieve(by=cast.dentist)
    NewsMessage.write_due(noon())
    assert NewsMessage.objects.filter(kind=kind).count() == 1
    Patient.objects.get(pk=cast.ada.pk).change(by=cast.desk, **values) if values else choose(cast, **dict.fromkeys(News, Way.OFF))
    assert hand_over(noon()) == 0
    assert set(states()) == {"nobody"}


def test_who_chose_another_way_meanwhile_is_told_by_that_one(cast, due, noon, monkeypatch):
    sent = Texts()
    monkeypatch.setattr("clinic.mail.sms.import_string", lambda path: sent)
    due(3)
    NewsMessage.write_due(noon())
    choose(cast, upcoming="sms")
    assert hand_over(noon()) == 1
    assert (len(sent), NewsMessage.objects.get().channel) == (1, "sms")


@pytest.mark.parametrize("change", [
    lambda row, by: row.defer(by=by, because="x"), lambda row, by: row.cancel(by=by, because="x"),
    lambda row, by: row.revise(by=by, target_date=row.target_date + timedelta(days=90)),
    lambda row, by: row.plan.discontinue(by=by)])
@pytest.mark.parametrize("days", [3, -1])
def test_what_is_no_longer_so_is_not_told(cast, due, noon, days, change):
    choose(cast, overdue="email")
    row = due(days)
    NewsMessage.write_due(noon())
    change(row, cast.dentist)
    assert hand_over(noon()) == 0
    assert states() == ["nobody"]


def test_a_minors_messages_go_where_their_reminders_go(cast, due, run):
    cast.ada.change(by=cast.desk, date_of_birth=date(2015, 5, 1), email="parent@patients.example")
    due(3)
    assert run() == 1
    assert mail.outbox[0].to == ["parent@patients.example"]


def test_who_was_merged_is_told_as_the_one_person(cast, draw_up, run, noon, today):
    plan = draw_up("Of Grace", patient=cast.grace).activate(by=cast.dentist)
    for row in plan.milestones.all():
        row.cancel(by=cast.dentist, because="Not asked here")
    cast.grace.change(by=cast.desk, email="grace@patients.example")
    Milestone.add(by=cast.dentist, plan=plan, name="x", target_date=today + timedelta(days=3))
    NewsMessage.write_due(noon())
    cast.grace.merge_into(cast.ada, by=cast.manager, because="Same person")
    assert hand_over(noon()) == 1
    assert mail.outbox[0].to == ["ada@patients.example"]


def test_the_same_words_leave_once_a_day(cast, due, waits, run):
    for days in (3, 4, 5):
        due(days)
    due(50).achieve(by=cast.dentist)
    assert run() == 2  # that there is news, and that something waits
    assert sorted(states()) == ["nobody"] * 3 + ["sent"] * 2
    due(2)
    assert run(1) == 1


def test_nothing_leaves_at_night(cast, due, noon):
    due(3)
    NewsMessage.write_due(noon())
    assert hand_over(noon() + timedelta(hours=11)) == 0
    assert NewsMessage.objects.get().due_at == noon(1) - timedelta(hours=4)
    assert hand_over(noon(1)) == 1


def test_what_could_not_leave_is_told_to_the_desk_and_leads_to_the_milestone(cast, due, noon, monkeypatch):
    row = due(3)
    NewsMessage.write_due(noon())
    monkeypatch.setattr("clinic.mail.post._mail", lambda message: 1 / 0)
    hand_over(noon())
    assert states() == ["maybe_sent"]
    assert {told.url for told in Notification.objects.filter(kind="message_failed")} == {f"/milestones/{row.pk}/"}


# The sweep


def test_a_sweep_that_is_killed_goes_on_and_writes_nothing_twice(cast, due, noon, monkeypatch):
    for days in range(1, 8):
        due(days)
    monkeypatch.setattr(news_message, "BATCH", 2)
    write, batches = NewsMessage._write, []

    def dies(found, kind, now):
        if len(batches) == 2:
            raise KeyboardInterrupt
        batches.append(len(found))
        write(found, kind, now)

    monkeypatch.setattr(NewsMessage, "_write", dies)
    with pytest.raises(KeyboardInterrupt):
        NewsMessage.write_due(noon())
    assert NewsMessage.objects.count() == 4
    monkeypatch.setattr(NewsMessage, "_write", write)
    assert [NewsMessage.write_due(noon()), NewsMessage.write_due(noon())] == [3, 0]
    assert NewsMessage.objects.values("milestone").distinct().count() == NewsMessage.objects.count() == 7


@pytest.mark.parametrize("kind", ["upcoming", "overdue", "approval"])
def test_a_sweep_asks_two_questions_for_each_thousand(cast, quiet, today, noon, kind):
    choose(cast, overdue="email")
    counts = []
    for count in (1000, 3000):
        record_bulk([Milestone(
            clinic=cast.clinic, plan=quiet, patient=quiet.patient, name=f"Row {number}", sequence=number + 1,
            requires_approval=kind == "approval",
            target_date=today + timedelta(days={"upcoming": 5, "overdue": -1, "approval": 300}[kind])) for number in range(count)],
            by=cast.dentist, because="A sweep")
        with CaptureQueriesContext(connection) as asked:
            assert NewsMessage.write_due(noon()) == count
        counts.append(len(asked))
    assert NewsMessage.objects.filter(kind=kind).count() == 4000
    assert counts[1] - counts[0] == 2 * 2
    assert counts[0] < 12
