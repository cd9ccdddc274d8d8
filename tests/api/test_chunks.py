"""A body that comes in chunks, without a length, is read like any other."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from clinic.models import ApiToken, Patient

pytestmark = pytest.mark.wide

NEW = {"first_name": "Emmy", "last_name": "Noether", "date_of_birth": "1982-03-23"}


@pytest.fixture
def send(live):
    """`send(cast, pieces)`: the answer to these pieces, each sent as a chunk of one body."""
    server = urlsplit(live(workers=1).url)

    def post(cast, pieces):
        secret = ApiToken.issue(by=cast.desk, name="chunks")[1]
        connection = HTTPConnection(server.hostname, server.port, timeout=20)
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/patients", iter(pieces), headers, encode_chunked=True)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        connection.close()
        return answer.status, answer.headers["Content-Type"], said

    return post


def test_a_body_in_chunks_is_read_to_its_end_and_over_one_megabyte_refused(clone, send):
    whole = json.dumps(NEW).encode()
    status, _, said = send(clone, [whole[:10], whole[10:]])
    assert (status, said["last_name"]) == (201, "Noether")
    status, kind, said = send(clone, [b" " * 200_000] * 6 + [whole])
    assert (status, kind, said["status"]) == (413, "application/problem+json", 413)
    assert Patient.objects.filter(last_name="Noether").count() == 1
