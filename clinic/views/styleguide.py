"""Every component in every state on one page; a crooked one shows here first."""
from django import forms
from django.core.paginator import Paginator
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic.access.rules import rule

LONG_NAME = "Maximiliane-Theodora Konstantinopoulou-Featherstonehaugh von und zu Hohenlohe-Schillingsfürst"


class SampleForm(forms.Form):
    """One field of each kind, bound with errors where a state must be seen."""

    name = forms.CharField(max_length=40, help_text="As on the insurance card.")
    phone = forms.CharField(required=False, help_text="With the area code.")
    born = forms.CharField(label="Birth date", widget=forms.TextInput(
        attrs={"data-date": "mdy", "data-past": "", "placeholder": "3/2/88"}))
    at = forms.CharField(label="Time", required=False, widget=forms.TextInput(attrs={"data-time": ""}))
    language = forms.ChoiceField(choices=[("en", "English"), ("de", "German"), ("es", "Spanish")], required=False)
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    contact = forms.ChoiceField(
        label="Reach by", choices=[("phone", "Phone"), ("mail", "E-mail"), ("text", "Text message")],
        widget=forms.RadioSelect, initial="mail")
    allergies = forms.MultipleChoiceField(
        choices=[("latex", "Latex"), ("penicillin", "Penicillin"), ("nickel", "Nickel")],
        widget=forms.CheckboxSelectMultiple, required=False)
    photo = forms.FileField(required=False, help_text="JPEG or PNG, up to 10 MB.")
    fixed = forms.CharField(label="Chart number", required=False, disabled=True, initial="10234")
    reminders = forms.BooleanField(label="Send reminders", required=False, help_text="Two days before each visit.")


def sample_rows(count):
    """Visits that never were, long names and empty cells among them."""
    states = [("green", "Confirmed", "circle-check"), ("amber", "Unconfirmed", "triangle-alert"),
              ("blue", "In the chair", "armchair"), ("red", "20 min waiting", "clock"), ("grey", "Left", "log-out")]
    names = ["Ana Cruz", "Ben O’Malley", LONG_NAME, "Chidi Okafor", "Dana Whitfield", "Eun-ji Park"]
    return [{
        "time": f"{8 + n // 2}:{'30' if n % 2 else '00'}",
        "name": names[n % 6],
        "kind": ["Check-up", "Crown seat", ""][n % 3],
        "due": ["0.00", "145.50", "1,208.00"][n % 3],
        **dict(zip(("tone", "state", "icon"), states[n % 5], strict=True)),
    } for n in range(count)]


@rule("clinic.use_staff_pages")
@require_safe
def styleguide(request):
    """Shows the design system in the signed-in shell."""
    bad = SampleForm({"name": "", "born": "31/31/88", "contact": "pigeon", "note": "Prefers mornings"}, prefix="bad")
    bad.add_error("born", "This is not a date. Write month, day and year: 3/2/88.")
    bad.add_error(None, "Nothing is saved yet: three fields need another look.")
    tabs = [{"label": label, "url": f"#{label}", "current": label == "Chart", "count": count} for label, count in [
        ("Overview", 0), ("Chart", 0), ("Perio", 0), ("Plan", 2), ("Milestones", 5), ("Notes", 0), ("Images", 0),
        ("Ledger", 0), ("Documents", 12), ("History", 0)]]
    views = [{"label": "Chairs", "url": "#chairs", "current": True, "icon": "columns-3"},
             {"label": "Providers", "url": "#providers", "current": False, "icon": "users"}]
    return render(request, "clinic/styleguide.html", {
        "form": SampleForm(), "bad": bad, "rows": sample_rows(6), "tabs": tabs, "segments": views,
        "long_name": LONG_NAME, "page": Paginator(range(312), 50).page(2),
        "tones": ["grey", "green", "blue", "amber", "red"], "sort": request.GET.get("sort", "time"), "nothing": []})
