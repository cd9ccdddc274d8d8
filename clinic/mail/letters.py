"""What a letter says, and to whom it goes; worked out when it leaves."""
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from clinic.mail.to_patients import letter_to
from clinic.models import Mail, MailedLink, Notification, SignInCode, User

Kind = Mail.Kind
SUBJECTS = {
    Kind.LOCKED: "Sign-in to Chairside rests for half an hour",
    Kind.RESET: "A new password for Chairside",
    Kind.PASSWORD_CHANGED: "Your Chairside password was changed",
    Kind.CONFIRM_ADDRESS: "Confirm your new address for Chairside",
    Kind.ADDRESS_CHANGED: "Your address for Chairside was changed",
    Kind.SECOND_FACTOR_CHANGED: "Your second step for Chairside was changed",
    Kind.WELCOME: "Your sign-in for Chairside",
    Kind.DIGEST: "What waits for you in Chairside",
}


def compose(mail):
    """The message, or None when it is for nobody here. Secrets of links are made now and stored only as digests."""
    user = mail.user or User.objects.filter(email=mail.address.strip().lower()).first()
    if user is None or not user.is_active:
        return None
    if mail.kind == Kind.CODE:
        return _code(mail, user)
    to, link, count = user.email, "", 0
    if mail.kind == Kind.RESET:
        link = f"{mail.site}/reset/{MailedLink.issue(user, MailedLink.Kind.RESET)}/"
    elif mail.kind == Kind.CONFIRM_ADDRESS:
        to = mail.address
        if User.objects.filter(email=to).exists():
            return None  # somebody has it already; the one who asked is not told
        link = f"{mail.site}/account/address/{MailedLink.issue(user, MailedLink.Kind.ADDRESS, address=to)}/"
    elif mail.kind == Kind.ADDRESS_CHANGED:
        to = mail.address
    elif mail.kind == Kind.DIGEST and not (count := Notification.waiting_for(user)):
        return None  # read meanwhile
    text = render_to_string(f"clinic/mail/{mail.kind}.txt", {
        "name": user.name, "link": link, "site": mail.site, "count": count})
    return EmailMessage(SUBJECTS[Kind(mail.kind)], text, settings.DEFAULT_FROM_EMAIL, [to])


def _code(mail, user):
    """The letter with a code, in the language of whose portal it opens; None for who uses none."""
    code = SignInCode.objects.good().filter(pk=mail.key.partition(":")[2]).first()
    access = user.portal_accesses.filter(until=None).select_related("patient__clinic").first()
    if code is None or access is None or not user.uses_portal_only:
        return None
    return letter_to(access.patient, user.email, "clinic/mail/code", code=code.draw(user))
