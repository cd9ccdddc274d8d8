"""The pages that access events name, in words for whoever reads them."""
from django.apps import apps

WORDS = {
    "clinic:patient": "overview", "clinic:patient_edit": "form", "clinic:patient_history": "history",
    "clinic:patient_new": "registration", "clinic:patients": "list of patients", "clinic:portal": "their own pages",
    "clinic:document_content": "document, downloaded", "clinic:document_preview": "document, its picture",
    "clinic:document_print": "document, to print", "clinic:letter_keep": "letter, kept", "clinic:letter_print": "letter, to print",
    "clinic:medical_history_edit": "medical history form", "clinic:medical_history_review": "medical history, reviewed",
    "clinic:second_factor": "second step", "clinic:second_factor_setup": "second step, set up",
    "clinic:session_end": "sign-out of a machine", "clinic:sessions_end_others": "sign-out of other machines",
    "clinic:sign_in": "sign-in", "clinic:sign_in_with_passkey": "sign-in with a passkey", "clinic:sign_out": "sign-out",
    "clinic:sign_out_everywhere": "sign-out everywhere", "clinic:unlock": "locked page", "home": "first page",
}
ADMIN_PAGES = {"changelist": "list", "change": "", "add": "new", "history": "history", "delete": "deletion", "act": "access"}


def words_of(route):
    """A route's name in words; of one without words of its own the name itself, read as far as it can be."""
    if route in WORDS:
        return WORDS[route]
    app, _, name = route.rpartition(":")
    if app == "admin":
        return f"administration{_admin_page(name)}"
    words = name.replace("_", " ").replace("-", " ")
    return f"{words} (program)" if app == "api" else words


def _admin_page(name):
    """Of a name such as clinic_medicalhistory_change the record and the page: ", medical history"."""
    app, _, rest = name.partition("_")
    model, _, page = rest.partition("_")
    try:
        kind = apps.get_model(app, model)._meta.verbose_name
    except LookupError:
        return "" if name == "index" else f", {name.replace('_', ' ')}"
    return "".join(f", {word}" for word in (kind, ADMIN_PAGES.get(page, page)) if word)
