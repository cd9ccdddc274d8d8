"""What holds for every endpoint of the API: who may, what a body may be, once per key, and refusals as problems."""
import json
import logging
import re
from copy import deepcopy
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, RequestDataTooBig, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404
from django.http.request import RawPostDataException
from django.utils import timezone
from ninja import NinjaAPI, Router, Schema
from ninja.decorators import decorate_view
from ninja.errors import ValidationError as Unreadable
from ninja.utils import check_csrf

from clinic.access.rules import may
from clinic.db.refusals import Refused, Stale, constraint_name
from clinic.db.texts import why_not
from clinic.files.uploads import examine_all
from clinic.web.bodies import SAID, fields_called, sentence_of, to_change
from clinic.web.once import do_once
from clinic.web.problems import SENTENCES, errors_of, problem

logger = logging.getLogger("chairside.request")
READS = ("GET", "HEAD", "OPTIONS")
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
REFUSALS = frozenset({400, 401, 403, 404, 409, 413, 415, 422, 429, 503})
DEEPEST = 20
VERSION = re.compile(r'^"([0-9]{1,9})"$')
TAKEN_ID = "This id is in use already. Make another one, or leave it to the server."


class FieldProblem(Schema):
    """What is wrong with one field; an empty name means the whole."""

    field: str
    message: str


class Problem(Schema):
    """An RFC 9457 problem document. `current`: the record as it now stands, after a stale version."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []
    current: Any = None
    conflicts: list[Any] = []


class Endpoints(Router):
    """A router on which every endpoint declares its rule (`@rule`, `@signed_in`) or is not there at all."""

    def add_api_operation(self, path, methods, view_func, *, response, **kwargs):
        if not hasattr(view_func, "rule"):
            raise TypeError(f"{view_func.__module__}.{view_func.__name__} declares no rule, so nobody may call it.")
        takes = [getattr(view_func, name, False) for name in ("takes_files", "takes_json")]
        decorate_view(guarded(view_func.rule, *takes))(view_func)
        if not isinstance(response, dict):
            response = {200: response}
        return super().add_api_operation(
            path, methods, view_func, response={**response, REFUSALS: Problem}, **kwargs)


class PracticeAPI(NinjaAPI):
    """ninja's API with our problems, and a schema that says so."""

    def __init__(self, **kwargs):
        super().__init__(docs_url=None, **kwargs)
        for kind in (Refused, ValidationError, Unreadable, IntegrityError, PermissionDenied, Http404):
            self.add_exception_handler(kind, problem_of)

    def patterns(self):
        """The addresses, each answering a method that it does not know with a problem too."""
        patterns, *rest = self.urls
        patterns = [pattern for pattern in patterns if pattern.name != "api-root"]  # /api itself is no address
        for pattern in patterns:
            pattern.callback = login_not_required(_with_problems(pattern.callback))
        return patterns, *rest

    def get_openapi_schema(self, **kwargs):
        schema = super().get_openapi_schema(**kwargs)
        schema["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
        }
        schema["security"] = [{"token": []}, {"session": []}]
        for methods in schema["paths"].values():
            for method in methods:
                methods[method] = _described(method, deepcopy(methods[method]))
        return schema


def _described(method, operation):
    """Say what ninja can't know: problems have a type of their own, writes take a key, changes a version."""
    for status, answer in operation["responses"].items():
        if int(status) in REFUSALS:
            answer["content"] = {"application/problem+json": answer["content"]["application/json"]}
            answer["description"] = SENTENCES[int(status)]
    if method != "get":
        operation["parameters"].append({
            "name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "format": "uuid"},
            "description": "The same key with the same body answers the same and does nothing twice."})
    if method in ("put", "patch"):
        operation["operationId"] += f"_{method}"
        operation["parameters"].append({
            "name": "If-Match", "in": "header", "required": False,
            "schema": {"type": "string", "pattern": VERSION.pattern},
            "description": "The version that you saw; another one is a 409 that holds the record as it now stands."})
    return operation


def version_seen(request):
    """The version that the caller names in If-Match; None when none is named, so that the last write wins."""
    text = request.headers.get("If-Match", "").strip()
    if text in ("", "*"):
        return None
    match = VERSION.fullmatch(text)
    if match is None:
        raise ValidationError({"If-Match": ['Write the version in quotes, like "3".']})
    return int(match[1])


def stale(refused, current):
    """The answer to a version that is no longer the newest: the record as it now stands, so that nothing is lost."""
    return problem(409, refused, current=current and current.model_dump(mode="json"))


def change_by(request, record, body, *, shown, values_of, verb, names):
    """PUT and PATCH of a record: what is sent is written by its verb, everything else stays.

    `shown(record)`: as it is answered; `values_of(given, actor)`: the verb's arguments; `names`: see `fields_called`.
    Returns the refusal when the version that the caller saw is no longer the newest, else None.
    """
    try:
        with transaction.atomic(), fields_called(names):
            record.lock(version_seen(request))
            values = values_of(to_change(body, shown(record)), request.actor)
            if values:
                verb(by=request.actor, **values)
    except Stale as refused:
        return stale(refused, shown(refused.current))
    return None


def _with_problems(view):
    """HEAD where ninja knows GET (the body is taken off on the way out), and a 405 as a problem."""
    @wraps(view)
    def answering(request, *args, **kwargs):
        asked = request.method
        request.method = "GET" if asked == "HEAD" else asked
        response = view(request, *args, **kwargs)
        request.method = asked
        if response.status_code != 405:
            return response
        refused = problem(405)
        known = {name.strip() for name in response["Allow"].split(",")}
        refused["Allow"] = ", ".join(sorted(known | {"HEAD"} if "GET" in known else known))
        return refused
    return answering


def guarded(verb, takes_files=False, takes_json=False):
    """Around one operation: sign-in, role, size and form of the request, its files, its key; then the operation itself."""
    def decorate(run):
        @wraps(run)
        def operation(request, **kwargs):
            request.takes_files = takes_files and (not takes_json or request.content_type == FORMS[0])
            refused = _who(request, verb) or _how_many(request)
            refused = refused or _what(request) or _asked(request, run.__self__)
            refused = refused or (_as_json(request) if takes_json else _also_sent(request, run.__self__))
            if refused is not None:
                return refused
            if request.takes_files:
                examine_all(request)
            if request.method in READS or "Idempotency-Key" not in request.headers:
                return run(request, **kwargs)
            try:
                key = UUID(request.headers["Idempotency-Key"])
            except ValueError:
                return invalid([{"field": "Idempotency-Key", "message": "The key is a UUID."}])
            return do_once(request, str(key), lambda: run(request, **kwargs))
        return operation
    return decorate


def _who(request, verb):
    if request.actor is None and request.user.is_authenticated:
        return problem(403, "No clinic is open to you.")
    if request.actor is None:
        refused = problem(401)
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    if not request.by_token and request.method not in READS and check_csrf(request) is not None:
        return problem(403, "The CSRF token is missing or stale. Reload the page, then send it again.")
    if verb != "signed_in" and not may(request.actor, verb):
        return problem(403)
    return None


def _how_many(request):
    """At most `API_PER_MINUTE` requests a minute of one user, counted in the cache."""
    key = f"api:{request.user.pk}:{int(timezone.now().timestamp() // 60)}"
    cache.add(key, 0, timeout=120)
    try:
        count = cache.incr(key)
    except ValueError:  # it fell out of the cache between the two
        return None
    if count <= settings.API_PER_MINUTE:
        return None
    refused = problem(429)
    refused["Retry-After"] = "60"
    return refused


def _what(request):
    """Refuse what no endpoint can read: too large, not JSON, not text."""
    for name, values in request.GET.lists():
        if reason := why_not("".join(values)):
            return invalid([{"field": name, "message": reason}])
    if request.method in READS:
        return None
    try:
        if request.takes_files:
            is_form = request.content_type == FORMS[0] and (request.POST or request.FILES)
            return None if is_form else problem(415, "Send a form with the file: multipart/form-data.")
        if request.content_type in FORMS and not request.POST and not request.FILES:
            request._body = b""  # an empty form says nothing, as an empty body does
            return None
        body = request.body
    except RequestDataTooBig:
        return problem(413, "At most 25 MB a file, and 100 MB together." if request.takes_files else "")
    except RawPostDataException:  # a form with something in it
        return problem(415)
    if not body:
        return None
    if request.content_type != "application/json":
        return problem(415)
    try:
        said = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return problem(400)
    return problem(400) if _is_deep(said) else None


def _asked(request, operation):
    """Refuse a query parameter that a list does not know: a filter with a slip would answer the unfiltered list."""
    known = {
        name for model in operation.models if model.__ninja_param_source__ == "query" for name in model.__ninja_flatten_map__}
    unknown = sorted(set(request.GET) - known) if known else []
    if not unknown:
        return None
    message = f"This is not asked by here. Known are: {', '.join(sorted(known))}."
    return invalid([{"field": name, "message": message} for name in unknown])


def _also_sent(request, operation):
    """Refuse a field or a file of a form that its endpoint does not know: forms are as closed as bodies."""
    if not request.takes_files:
        return None
    known = {
        name for model in operation.models if model.__ninja_param_source__ in ("form", "file")
        for name in getattr(model, "__ninja_flatten_map__", model.model_fields)}
    unknown = sorted({*request.POST, *request.FILES} - known)
    return invalid([{"field": name, "message": SAID["extra_forbidden"]} for name in unknown]) if unknown else None


def _as_json(request):
    """The fields of a form as the JSON that they could have come as; the only file is `file`."""
    if not request.takes_files:
        return None
    request._body = json.dumps(request.POST.dict()).encode()
    unknown = sorted(set(request.FILES) - {"file"})
    return invalid([{"field": name, "message": SAID["extra_forbidden"]} for name in unknown]) if unknown else None


def _is_deep(said):
    """Whether lists and objects stand in each other more often than any body of ours; deeper ones exhaust the stack."""
    level = [said]
    for _ in range(DEEPEST):
        level = [
            inner for each in level if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)]
    return bool(level)


def _no_number(name):
    raise ValueError(f"{name} is no JSON")


def problem_of(request, error):
    """What the domain, the database or the form of the request refused, as a problem."""
    if isinstance(error, Refused):
        return problem(error.status, error, **error.details())
    if isinstance(error, ValidationError):
        return invalid(errors_of(error))
    if isinstance(error, Unreadable):
        return invalid([_unreadable(each) for each in error.errors])
    if isinstance(error, IntegrityError):
        name = constraint_name(error)
        logger.warning("request %s refused by the database: %s", request.request_id, name)
        return problem(409, TAKEN_ID if name.endswith(("_pkey", ".id")) else "")
    return problem(403 if isinstance(error, PermissionDenied) else 404)


def invalid(errors):
    """A 422: each field with what is wrong, and all of it in one line."""
    return problem(422, " ".join(f"{each['field']}: {each['message']}".removeprefix(": ") for each in errors), errors=errors)


def _unreadable(error):
    """One of pydantic's errors: the field as a path, and what is wrong in a sentence."""
    path = [str(part) for part in error["loc"][1:] if not str(part).startswith("function-")]
    return {"field": ".".join(path[1:] if path[:1] == ["body"] else path), "message": sentence_of(error)}
