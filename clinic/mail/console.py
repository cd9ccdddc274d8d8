import sys

from django.core.mail.backends import console


class EmailBackend(console.EmailBackend):
    """Prints mail where errors go, so that a developer sees it: what the job cluster prints is thrown away."""

    def __init__(self, *args, **kwargs):
        kwargs["stream"] = sys.stderr
        super().__init__(*args, **kwargs)
