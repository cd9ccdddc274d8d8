"""What the tests of notes share."""

import pytest

from charting.models import ClinicalNote


@pytest.fixture
def write(cast):
    """`write("Filled 14")`: a progress note of Ada's by the dentist; anything can be said otherwise."""

    def make(body="Filled tooth 14.", by=None, signed=False, **values):
        by = by or cast.dentist
        note = ClinicalNote.write(by=by, body=body, **{"patient": cast.ada, "kind": "progress", **values})
        return note.sign(by=by) if signed else note

    return make


@pytest.fixture
def assistant(cast):
    return cast.actor("assistant")
