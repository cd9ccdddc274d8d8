"""Signatures drawn on a screen, as pages and programs send them."""
import base64
import binascii

from django.core.exceptions import ValidationError

from clinic.files.examine import Unfit, examine

PNG = "data:image/png;base64,"


def signature_of(text):
    """The drawn signature, examined; None for none. ValidationError for what is no PNG."""
    if not text:
        return None
    try:
        drawn = examine(base64.b64decode(text.removeprefix(PNG), validate=True), "signature.png") if text.startswith(PNG) else None
    except (binascii.Error, ValueError, Unfit):
        drawn = None
    if drawn is None or drawn.kind.media_type != "image/png":
        raise ValidationError({"signature_image": "Send a PNG as a data URL: data:image/png;base64,…"})
    return drawn
