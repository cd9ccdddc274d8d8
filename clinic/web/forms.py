"""How Django forms are drawn: one accessible field template for every form."""
from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Reads templates/django/forms first; `{{ form.name.as_field_group }}` brings label, hint and error."""

    form_template_name = "django/forms/form.html"
    field_template_name = "django/forms/field.html"
