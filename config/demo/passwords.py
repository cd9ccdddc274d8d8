from django.core.exceptions import ValidationError

DEMO_PASSWORD = "chairside-demo"  # noqa: S105  public on purpose: it opens only the demo practice


class NotTheDemoPassword:
    """A password validator: the demo's public password protects nobody."""

    def validate(self, password, user=None):
        if password.casefold() == DEMO_PASSWORD:
            raise ValidationError("This is the demo's public password. Choose one of your own.", code="demo_password")

    def get_help_text(self):
        return "Your password can't be the demo's."
