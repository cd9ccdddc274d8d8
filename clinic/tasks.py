"""Jobs of the practice; each calls one verb."""
from clinic.access.actor import Actor
from clinic.access.sessions import SessionStore
from clinic.db import statistics
from clinic.mail import post
from clinic.models import Mail, MailedLink, Notification, OnceKey, PortalAccess, SignInCode


def forget_once_keys():
    return OnceKey.forget_old()


def forget_sessions():
    SessionStore.clear_expired()


def hand_over_mail():
    return post.hand_over()


def forget_old_mail():
    return Mail.forget_old() + MailedLink.forget_old() + SignInCode.forget_old() + Notification.forget_old()


def end_portal_accesses():
    return PortalAccess.end_over(lambda clinic: Actor.system(clinic, via="job"))


def write_digests():
    return Notification.write_digests()


def gather_statistics():
    statistics.gather()
