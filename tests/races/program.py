"""A program for races: a token, JSON, one connection a request."""

import http.client
import json
from urllib.parse import urlsplit

from clinic.models import ApiToken


class Program:
    """`program.send("POST", "/patients", {...}, key=…)`: (status, data); (0, None) when the connection broke."""

    def __init__(self, url, actor):
        self.host = urlsplit(url).netloc
        self.secret = ApiToken.issue(by=actor, name="race")[1]

    def send(self, method, path, body=None, *, key=None, version=None, **headers):
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json", **headers}
        if key:
            headers["Idempotency-Key"] = str(key)
        if version:
            headers["If-Match"] = f'"{version}"'
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()
