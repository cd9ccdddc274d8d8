"""The managers' admin: Django's, with our rules. Rows by `visible_to`, no deleting, saves through `record` with a reason."""
from dataclasses import replace

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse

from clinic.access.rules import may
from clinic.audit.changes import changes_of
from clinic.audit.looks import Kind, look
from clinic.db.guards import has_clinic
from clinic.web import conflicts
from clinic.web.fields import ColourField, LineField, TypedDateField, TypedTimeField, keep_chosen
from clinic.web.once import once

OWN = ("seen_version", "because")  # a form's own fields, not the record's
LEFT_OUT = {"login", "logout", "password_change", "password_change_done", "jsi18n", "view_on_site"}


class PracticeSite(admin.AdminSite):
    """For managers the records of their clinic; for the installation's superuser what other packages bring."""

    site_header = index_title = "Administration"
    site_title = "Chairside"
    enable_nav_sidebar = False

    def has_permission(self, request):
        if may(request.actor, "clinic.manage") or (request.user.is_active and request.user.is_superuser):
            return True
        if request.user.is_authenticated:
            raise PermissionDenied
        return False

    def login(self, request, extra_context=None):
        return redirect(resolve_url("clinic:sign_in"))

    def get_urls(self):
        """Sign-in and passwords have their own pages, and no script of the admin is used."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) not in LEFT_OUT]


class VersionedForm(forms.ModelForm):
    """A form that names the version it showed, and knows its clinic, so that "once per clinic" is told beside the field."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    actor = None  # set by the admin that makes the form

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance._state.adding and self.actor is not None:
            self.instance.clinic = self.actor.clinic
        self.initial["seen_version"] = getattr(self.instance, "version", None)  # a Fact has none
        for name, field in self.fields.items():
            if isinstance(field, TypedDateField) and self.actor is not None:
                field.at(self.actor.clinic)
            elif isinstance(field, forms.ModelChoiceField):
                keep_chosen(field, getattr(self.instance, f"{name}_id", None))

    def changed(self):
        return [name for name in self.changed_data if name not in OWN]

    def clean(self):
        data = super().clean()
        seen = data.get("seen_version")
        if not self.instance._state.adding and seen != self.instance.version and self.changed():
            self._tell_of_lost_race()
        return data

    def _tell_of_lost_race(self):
        """Say beside each field what somebody saved meanwhile; what was typed stays, and the next save is a knowing one."""
        self.data = self.data.copy()
        self.data[self.add_prefix("seen_version")] = self.instance.version
        who, names = conflicts.who_saved(self.instance), self.changed()
        for name in names:
            theirs = conflicts.said(conflicts.in_words(self.fields[name], self.initial.get(name)))
            self.add_error(name, f"{who} saved: {', '.join(theirs) or 'nothing'}")
        labels = ", ".join(str(self[name].label) for name in names)
        self.add_error(None, f"{who} saved this meanwhile, so yours is not saved yet. It differs in: {labels}. "
                       "Save again to put your text in the place of theirs.")

    def _get_validation_exclusions(self):
        return super()._get_validation_exclusions() - {"clinic"}


class RecordForm(VersionedForm):
    """A record's form, with the reason of a change."""

    because = LineField(
        label="Why", max_length=200, help_text="Stands in the history beside the change.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            del self.fields["because"]


class ColourForm(RecordForm):
    """The form of a record that has a colour on the schedule."""

    colour = ColourField()


def typed(kind, example):
    """The house's own text field, where Django's admin would put a widget with scripts of its own."""
    return forms.TextInput(attrs={f"data-{kind}": "", "autocomplete": "off", "placeholder": example})


class OfClinic:
    """Rows and choices of one clinic, for pages and the tables inside them."""

    formfield_overrides = {
        models.DateField: {"form_class": TypedDateField, "widget": typed("date", "today, mon, +2w, 3/2")},
        models.TimeField: {"form_class": TypedTimeField, "widget": typed("time", "9:30")},
    }

    def get_queryset(self, request):
        rows = self.model._default_manager.visible_to(request.actor)
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        rows = db_field.related_model._default_manager.visible_to(request.actor)
        kwargs["queryset"] = rows.current() if hasattr(rows, "current") else rows
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and hasattr(field, "queryset"):  # without the icons of Django's own wrapper
            field.widget = getattr(field.widget, "widget", field.widget)
        return field

    def has_delete_permission(self, request, obj=None):
        return False

    def _may(self, request, verb, obj=None):
        opts = self.opts
        return may(request.actor, f"{opts.app_label}.{verb}_{opts.model_name}", obj)

    def has_view_permission(self, request, obj=None):
        return self._may(request, "view", obj) or self._may(request, "change", obj)

    def has_add_permission(self, request, obj=None):
        return self._may(request, "add")

    def has_change_permission(self, request, obj=None):
        return self._may(request, "change", obj)

    def has_module_permission(self, request):
        return self.has_view_permission(request)


class RecordAdmin(OfClinic, admin.ModelAdmin):
    """A kind of record that managers edit: no deleting, nothing in bulk, each save with who and why."""

    form = RecordForm
    actions = None
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False
    screen = None  # the name of the page where this record is worked with

    def lookup_allowed(self, lookup, value, request):
        """Only what the page's own filters send: others would ask past `visible_to`, or for a pattern that breaks off."""
        names = [one if isinstance(one, str) else one[0] for one in self.list_filter]
        return lookup in {f"{name}{end}" for name in (*names, "id") for end in ("", "__exact", "__isnull")}

    def get_form(self, request, obj=None, change=False, **kwargs):
        return type("ActorsForm", (super().get_form(request, obj, change=change, **kwargs),), {"actor": request.actor})

    def get_fields(self, request, obj=None):
        if not self.has_change_permission(request, obj) and obj is not None:
            return list(self.fields)
        return [*self.fields, *(OWN if obj is not None else OWN[:1])]

    def save_model(self, request, obj, form, change):
        if change and not form.changed():
            return
        if change:
            obj.version = form.cleaned_data["seen_version"]
        obj.record(by=self.by(request), because=form.cleaned_data.get("because", ""))

    def save_formset(self, request, form, formset, change):
        because = form.cleaned_data.get("because", "")
        for row in formset.save(commit=False):
            row.record(by=self.by(request), because=because)
        formset.save_m2m()

    def by(self, request):
        return replace(request.actor, via="admin")

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": self.opts.verbose_name_plural.capitalize(), **(extra_context or {})})

    def changeform_view(self, request, *args, **kwargs):
        """Done once per key; a form that was not taken is a 422, so that it may be corrected and sent with the same key."""
        return once(self._answered)(request, *args, **kwargs)

    def _answered(self, request, *args, **kwargs):
        response = super().changeform_view(request, *args, **kwargs)
        if request.method == "POST" and isinstance(response, TemplateResponse):
            response.status_code = 422
        return response

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context["screen"] = self.screen_of(obj) if obj is not None else ""
        context["may_save"] = add or self.has_change_permission(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        """Django would lead back to its index; what is not there, or not ours to know of, is a 404 as everywhere."""
        raise Http404

    def screen_of(self, obj):
        """The address of the page where this record is worked with; empty when it has none."""
        return resolve_url(self.screen, obj.pk) if self.screen else ""

    def history_view(self, request, object_id, extra_context=None):
        """Every version with who, when, by which way and why, out of the record's own history."""
        obj = self.get_object(request, object_id)
        if obj is None or not hasattr(self.model, "history"):
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        rows = self.model.history.filter(id=obj.pk)
        rows = rows.select_related("clinic") if has_clinic(self.model) else rows
        return TemplateResponse(request, "admin/object_history.html", {
            **self.admin_site.each_context(request), "title": str(obj), "opts": self.opts, "object": obj,
            "changes": changes_of(self.model, rows, lambda row: self.opts.verbose_name.capitalize())})

    # The record's own history says who did what; a second log of names beside it would only leak them.
    def log_addition(self, request, obj, message):
        pass

    log_change = log_addition


class RowForm(VersionedForm):
    """One line of a table: its fields are named for those who don't see the column's head."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label


class Rows(forms.BaseInlineFormSet):
    """The lines of a table; what stands in `once_each` stands there once."""

    once_each = None

    def clean(self):
        super().clean()
        seen = set()
        for form in self.forms:
            value = form.cleaned_data.get(self.once_each) if hasattr(form, "cleaned_data") else None
            if value is not None and form.cleaned_data.get("is_active"):
                if value in seen:
                    form.add_error(self.once_each, "This stands here twice.")
                seen.add(value)


class RecordRows(OfClinic, admin.TabularInline):
    """Rows of a record that belong to another one, in its form."""

    form = RowForm
    formset = Rows
    once_each = None
    extra = 3
    can_delete = False
    template = "admin/rows.html"

    def get_formset(self, request, obj=None, **kwargs):
        made = super().get_formset(request, obj, **kwargs)
        made.once_each = self.once_each
        made.form = type("ActorsForm", (made.form,), {"actor": request.actor})
        return made


class ShownAdmin(RecordAdmin):
    """Clinical and money records: looked at here, changed on their own screens. The look is on record."""

    of_patients = True

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_view_permission(self, request, obj=None):
        return self._may(request, "view", obj)

    def get_changelist_instance(self, request):
        found = super().get_changelist_instance(request)
        if self.of_patients:
            look(request, Kind.SEARCH if request.GET.get("q") else Kind.LIST, rows=len(found.result_list))
        return found

    def get_object(self, request, object_id, from_field=None):
        obj = super().get_object(request, object_id, from_field)
        if obj is not None and self.of_patients:
            look(request, Kind.VIEW, self.patient_of(obj))
        return obj

    def patient_of(self, obj):
        return obj.patient


