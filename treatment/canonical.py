"""One exact text for one content, so that a hash and a signature over it mean something."""
import hashlib
import json

from django.core.serializers.json import DjangoJSONEncoder


def canonical(content):
    """JSON with sorted keys and no spaces: equal contents give equal texts, byte for byte."""
    return json.dumps(content, cls=DjangoJSONEncoder, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(text):
    """SHA-256 of a text, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
