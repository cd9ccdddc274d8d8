"""The WebAuthn ceremonies, over fido2: a challenge that a session keeps once, and what the browser answers to it."""
import json

from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from clinic.db.refusals import Refused
from clinic.models import Passkey

CHALLENGE = "passkey"
NOT_GOOD = "This passkey did not fit. Try again, or use your password."


def _server(request):
    host = request.get_host().rpartition(":")[0] if ":" in request.get_host() else request.get_host()
    return Fido2Server(PublicKeyCredentialRpEntity(id=host, name="Chairside"))


def options_to_add(request, user):
    """What the browser needs to make a passkey for this user."""
    options, state = _server(request).register_begin(
        PublicKeyCredentialUserEntity(id=user.pk.bytes, name=user.email, display_name=user.name),
        credentials=[_descriptor(key) for key in user.passkeys.all()],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.REQUIRED)
    return _keep(request, options, state)


def options_to_show(request, user=None):
    """What the browser needs to show a passkey: one of this user's, or any that it knows for us."""
    credentials = [_descriptor(key) for key in user.passkeys.all()] if user else None
    options, state = _server(request).authenticate_begin(credentials, user_verification=UserVerificationRequirement.REQUIRED)
    return _keep(request, options, state)


def read_added(request, answer):
    """The new passkey's columns. Refused when the answer does not fit the challenge."""
    try:
        made = _server(request).register_complete(_take(request), json.loads(answer))
        data = made.credential_data
        return {"credential_id": websafe_encode(data.credential_id), "credential": websafe_encode(bytes(data)),
                "sign_count": made.counter}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("This passkey could not be set up. Try again.") from error


def user_of(request, answer, user=None):
    """Whose passkey this answer shows (only this user's, when one is given); None when it is nobody's."""
    state = _take(request)
    try:
        read = json.loads(answer)
        named, counter = str(read["id"]).rstrip("="), _counter(read)
    except (ValueError, KeyError, TypeError):
        return None
    key = Passkey.objects.select_related("user").filter(credential_id=named, user__is_active=True).first()
    if state is None or key is None or (user is not None and key.user_id != user.pk):
        return None
    try:
        _server(request).authenticate_complete(state, [_data(key)], read)
    except Exception:  # what a stranger makes up is refused in many ways: by CBOR, by the signature, by fido2
        return None
    return key.user if key.used(counter) else None


def _counter(read):
    return int.from_bytes(websafe_decode(read["response"]["authenticatorData"])[33:37], "big")


def _data(key):
    return AttestedCredentialData(websafe_decode(key.credential))


def _descriptor(key):
    return PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=websafe_decode(key.credential_id))


def _keep(request, options, state):
    request.session[CHALLENGE] = state
    return dict(options)["publicKey"]


def _take(request):
    """The challenge, which counts once."""
    return request.session.pop(CHALLENGE, None)
