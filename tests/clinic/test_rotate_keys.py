import base64
import io

import pytest
from django.core.management import CommandError, call_command

from clinic.models import DataKey, MedicalHistory, installation


def ring(*names):
    return ",".join(f"{name}:{base64.b64encode(name.ljust(32, '.').encode()).decode()}" for name in names)


@pytest.fixture
def keys(cast, settings):
    """Nothing of the session's key ring is seen; caches are emptied before and after."""
    DataKey.objects.all().delete()
    settings.KEYRING = ring("old")
    DataKey.make()
    installation.forget_keys()  # what a commit does
    yield settings
    installation.forget_keys()


def rotate(*arguments):
    out = io.StringIO()
    call_command("rotate_keys", *arguments, stdout=out)
    return out.getvalue()


def test_values_open_with_the_new_ring_alone_after_rotation(keys, cast):
    version = MedicalHistory.write(patient=cast.ada, content={"note": "asthma"}, by=cast.system, seen_number=0)
    stored = DataKey.objects.get().pk
    keys.KEYRING = ring("new", "old")
    assert "1 of 1 data keys" in rotate()

    keys.KEYRING = ring("new")
    assert MedicalHistory.objects.get(pk=version.pk).content["note"] == "asthma"
    assert DataKey.objects.get().pk == stored


def test_a_new_data_key_is_used_from_then_on_and_the_old_one_still_opens(keys, cast):
    first = MedicalHistory.write(patient=cast.ada, content={"note": "one"}, by=cast.system, seen_number=0)
    rotate("--new-data-key")
    installation.forget_keys()  # what a commit does
    assert DataKey.objects.count() == 2
    assert DataKey.current()[0] == str(DataKey.objects.order_by("-created_at", "-id").first().pk)
    assert MedicalHistory.objects.get(pk=first.pk).content["note"] == "one"


def test_a_ring_that_lacks_a_key_changes_nothing_and_says_which(keys, cast):
    keys.KEYRING = ring("new")
    with pytest.raises(CommandError, match="lacks the key 'old'"):
        rotate("--new-data-key")
    assert DataKey.objects.get().ring_key == "old"
