"""The API: one mount, two prefixes (/api and /api/v1), the endpoints of all apps; its schema, and that for people."""
from functools import cache

from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

import charting.api
import clinic.api
import milestones.api
import scheduling.api
import treatment.api
from clinic.access.rules import public, rule
from clinic.web.endpoints import PracticeAPI

api = PracticeAPI(
    title="Chairside", version="1", urls_namespace="api", openapi_url=None,
    description="Patients and schedule of a practice. The same rules hold as on the pages.")
for router in (*clinic.api.ROUTERS, scheduling.api.router, *charting.api.ROUTERS, *treatment.api.ROUTERS, *milestones.api.ROUTERS):
    api.add_router("", router)


@public
@require_safe
def openapi(request):
    """The schema, for programs; it holds nothing of any patient."""
    return JsonResponse(schema())


@rule("clinic.use_staff_pages")
@require_safe
def docs(request):
    """The schema, for people."""
    return render(request, "config/api_docs.html", {"groups": grouped(schema()), "bodies": bodies(schema())})


@cache
def schema():
    """Written once a process: it takes a second, and changes with the code alone."""
    return api.get_openapi_schema(path_prefix="/api/")


def grouped(schema):
    """[(group, [operation])] in the order of the schema, each with what a reader looks for."""
    groups = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            status = next(iter(operation["responses"]))
            answers = _name(operation["responses"][status].get("content", {}))
            groups.setdefault(operation["tags"][0], []).append({
                "method": method.upper(), "path": path, "status": status,
                "description": operation.get("description", "").replace("`", ""),
                "query": [each["name"] for each in operation["parameters"] if each["in"] == "query"] + _fields(operation),
                "takes": _name(operation.get("requestBody", {}).get("content", {})),
                "answers": answers.removeprefix("Listed_").rstrip("_"),
                "answers_words": f"list of {answers[7:].rstrip('_')}" if answers.startswith("Listed_") else answers})
    return list(groups.items())


def bodies(schema):
    """[(name, {"description", "fields"})] of what is sent and answered; lists of something are told with the something."""
    return [
        (name, {"description": body.get("description", ""), "fields": [
            {"name": field, "needed": field in body.get("required", ()), **_kind(about)}
            for field, about in body.get("properties", {}).items() if not about.get("readOnly")]})
        for name, body in sorted(schema["components"]["schemas"].items()) if not name.startswith("Listed_")]


def _fields(operation):
    """The fields of a form, which has no name of its own in the schema."""
    content = operation.get("requestBody", {}).get("content", {})
    return [name for each in content.values() for name in each["schema"].get("properties", ())]


def _name(content):
    return next((each["schema"].get("$ref", "").rpartition("/")[2] for each in content.values()), "")


def _type(about):
    """The name of a JSON type, or of several."""
    kind = about.get("type", "anything")
    return kind if isinstance(kind, str) else " or ".join(kind)


def _kind(about):
    """What a field holds, in words, and the body that it points to."""
    parts = about.get("anyOf") or about.get("allOf") or [about]
    words, link = [], ""
    for part in parts:
        inner = part.get("items", part)
        target = inner.get("$ref", "").rpartition("/")[2]
        link = link or target
        if "enum" in inner:
            word = " | ".join(value or '""' for value in inner["enum"])
        else:
            word = target or " ".join(filter(None, (_type(inner), inner.get("format", ""))))
        words.append(f"list of {word}" if "items" in part else word)
    return {"kind": " or ".join(words), "link": link}
