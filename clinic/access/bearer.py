"""`Authorization: Bearer …`: the actor that a token opens, from what its user may do now."""
from clinic.access.hats import hats_of, name_of
from clinic.models import ApiToken


def secret_of(request):
    """The token as it was sent; None when the request carries none."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


def actor_of(secret):
    """The actor under the token's hat; None when the token, its user or the hat is no longer good."""
    token = ApiToken.objects.opened_by(secret)
    if token is None or not token.user.is_active:
        return None
    return next((
        hat for hat in hats_of(token.user)
        if name_of(hat) == token.hat and (hat.membership.pk if hat.membership else None) == token.membership_id), None)
