"""Programs: a client that holds a token of one of the cast, and speaks JSON."""

import json
from functools import cache

from django.test import Client

from clinic.models import ApiToken
from config.api import schema


@cache
def openapi():
    """The schema of the API, its paths as programs here write them."""
    return {**schema(), "paths": {path.removeprefix("/api"): about for path, about in schema()["paths"].items()}}


class Program:
    """`program.get("/patients")`: the answer, with its JSON as `.data`."""

    def __init__(self, actor=None, prefix="/api/v1", secret=None):
        self.client, self.prefix = Client(enforce_csrf_checks=True), prefix
        self.secret = secret or (ApiToken.issue(by=actor, name="tests")[1] if actor else None)

    def send(self, method, path, body=None, **headers):
        if self.secret:
            headers = {"Authorization": f"Bearer {self.secret}", **headers}
        said = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        return self._read(self.client.generic(method, self.prefix + path, headers=headers, **said))

    def form(self, path, fields, **headers):
        """A POST of fields and files, as programs send files."""
        headers = {"Authorization": f"Bearer {self.secret}", **headers}
        return self._read(self.client.post(self.prefix + path, fields, headers=headers))

    def _read(self, answer):
        is_json = "json" in answer.headers.get("Content-Type", "") and answer.content
        answer.data = json.loads(answer.content) if is_json else None
        return answer

    def get(self, path, **headers):
        return self.send("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.send("POST", path, body, **headers)

    def patch(self, path, body, **headers):
        return self.send("PATCH", path, body, **headers)

    def put(self, path, body, **headers):
        return self.send("PUT", path, body, **headers)

    def delete(self, path, **headers):
        return self.send("DELETE", path, **headers)
