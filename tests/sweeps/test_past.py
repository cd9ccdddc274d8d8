"""The history of changes tells the rows of every table that keeps a past, whichever app it comes from."""

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.audit.past import Asked, entries, kinds, lines_of
from clinic.db.guards import has_clinic
from clinic.db.records import Fact, Record, Recorded


def test_every_record_and_fact_of_a_clinic_is_in_it_by_itself():
    models = [
        model for model in apps.get_models()
        if model.__module__.split(".")[0] in ("clinic", "scheduling", "charting", "treatment", "milestones", "billing")
        and (has_clinic(model) or model._meta.label == "clinic.Clinic") and issubclass(model, Recorded | Fact)]  # fmt: skip
    left_out = {model.__name__ for model in models} - {kind.model.__name__ for kind in kinds().values()}
    assert left_out == {
        "AccessEvent", "ConsentedProcedure", "MilestoneAlert", "PlanVersion", "ProcedureSession", "ReviewReminder", "StoredFile",
        "VisitStep"}
    assert {model for model in models if issubclass(model, Record)} <= {kind.model for kind in kinds().values()}


@pytest.mark.parametrize("name", sorted(kinds()))
def test_rows_of_every_kind_are_told_in_constant_queries_and_only_of_this_clinic(furnished, cast, name):
    found = entries(cast.clinic, Asked(kind=name), 100)
    theirs = {entry.key for entry in entries(cast.outsider.clinic, Asked(kind=name), 100)}
    assert found, "the house lacks a row of this kind"
    assert not {entry.key for entry in found} & theirs
    with CaptureQueriesContext(connection) as queries:
        assert lines_of(found)
    assert [query["sql"] for query in queries if "LIMIT 21" in query["sql"]] == []  # no row is asked for by itself


def test_secrets_of_machines_are_never_told(furnished, cast, sign_in):
    manager = sign_in("manager")
    for name in ("clinic.apitoken", "scheduling.feed"):
        row = kinds()[name].model.objects.filter(clinic=cast.clinic).first()
        row.revoke(by=cast.manager)
        text = b"".join(manager.get("/practice/changes/", {"kind": name, "format": "csv"})).decode()
        assert row.digest not in text
        assert "Revoked at" in text


def test_of_a_patient_it_tells_the_account_and_what_hangs_on_visits(furnished, cast):
    """The offer is Grace's or Ada's by who waits, not by whose visit left the time."""
    found = {entry.kind.name for entry in entries(cast.clinic, Asked(patient=cast.ada.pk), 1000)}
    assert {
        "clinic.patient", "clinic.account", "clinic.document", "clinic.medicalhistory", "scheduling.appointment",
        "scheduling.series", "scheduling.timewish", "scheduling.waitlistentry"} <= found  # fmt: skip
    assert kinds()["scheduling.offer"].patient == "entry__patient"
    assert not found & {"clinic.provider", "scheduling.frontdesk", "clinic.membership"}


def test_the_order_is_that_of_time_across_all_kinds(furnished, cast):
    found = entries(cast.clinic, Asked(), 1000)
    assert len({entry.kind.name for entry in found}) > 20
    assert [entry.at for entry in found] == sorted((entry.at for entry in found), reverse=True)
    assert all(timezone.is_aware(entry.at) for entry in found)
