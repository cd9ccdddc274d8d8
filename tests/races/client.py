"""A small browser for races: a signed-in session on its own connection, one per thread."""

import http.client
import threading
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from clinic.access.sessions import SessionStore

TOKEN = "a" * 32


class Browser:
    """Posts forms as a browser would: session cookie, CSRF token, a fresh `once` key a form."""

    def __init__(self, url, user):
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "clinic.access.backends.ActorBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        self.host = urlsplit(url).netloc
        self.cookie = f"chairside_session={session.session_key}; csrftoken={TOKEN}"

    def headers(self):
        return {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}

    def post(self, path, data, once=None):
        """(status, body); (0, reason) when the connection broke."""
        body = urlencode({"csrfmiddlewaretoken": TOKEN, "once": once or str(uuid4()), **data}, doseq=True)
        return self._send("POST", path, body)

    def get(self, path):
        return self._send("GET", path)

    def _send(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, body, self.headers())
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return 0, type(error).__name__
        finally:
            connection.close()


def at_once(calls):
    """Run all calls at the same moment, each in a thread of its own; their answers in order."""
    answers = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(number, call):
        gate.wait()
        answers[number] = call()

    threads = [threading.Thread(target=run, args=(number, call)) for number, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
