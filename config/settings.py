"""Settings for dev, test, staging and production, all from the environment (see .env.example)."""
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from clinic.db.cipher import parse_keyring
from config import local_secrets
from config.roles import ROLES

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


BOOLEANS = {"true", "false", "1", "0", "yes", "no", "on", "off", ""}


def read(cast, name, default, how):
    """One setting through django-environ; a wrong value ends in a sentence that says how to mend it."""
    try:
        if cast == "bool" and env.str(name, default=str(default)).lower() not in BOOLEANS:
            raise ValueError(f"{env.str(name)!r} is neither true nor false")
        return getattr(env, cast)(name, default=default)
    except (ValueError, ImproperlyConfigured) as wrong:
        raise ImproperlyConfigured(f"{name} is not usable ({wrong}). {how}") from wrong


ENVIRONMENT = read("str", "ENVIRONMENT", "dev", "")
if ENVIRONMENT not in ("dev", "test", "staging", "production"):
    raise ImproperlyConfigured(f"ENVIRONMENT is {ENVIRONMENT!r}. Set it to dev, test, staging or production.")
LOCAL = ENVIRONMENT in ("dev", "test")


def secret(name, make, how):
    """A secret from the environment; a developer's machine makes its own in var/."""
    value = env.str(name, default="")
    if value:
        return value
    if LOCAL:
        return local_secrets.read_or_make(VAR_DIR / name.lower(), make)
    raise ImproperlyConfigured(f"{name} is missing. {how}")


SECRET_KEY = secret(
    "SECRET_KEY", local_secrets.signing_key,
    "Set it to a long random text: python -c 'import secrets; print(secrets.token_urlsafe(50))'.")
KEYRING = secret(
    "KEYRING", local_secrets.keyring,
    "Set it to name:key, the key being the base64 of 32 random bytes; older keys follow after commas. "
    "It opens every encrypted value, so keep a copy outside this machine.")

parse_keyring(KEYRING)  # a ring that opens nothing is said now, not at the first medical history
if not LOCAL and len(SECRET_KEY) < 40:
    raise ImproperlyConfigured("SECRET_KEY is shorter than 40 characters, so it could be guessed. Make a longer random one.")

DEBUG = read("bool", "DEBUG", False, "Set it to true or false.")
if DEBUG and not LOCAL:
    raise ImproperlyConfigured("DEBUG shows patient data in error pages. Unset it in staging and production.")
DEMO = read("bool", "DEMO", LOCAL, "Set it to 1 for the demo practice or 0 for an empty one.")
if DEMO and ENVIRONMENT == "production":
    raise ImproperlyConfigured("DEMO makes accounts with a public password. Set DEMO=0 in production.")

ALLOWED_HOSTS = read("list", "ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"] if LOCAL else [], "")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is missing. Set it to the host names that people type, with commas.")
CSRF_TRUSTED_ORIGINS = read("list", "CSRF_TRUSTED_ORIGINS", [], "")

INSTALLED_APPS = [
    "config.apps.BackOffice",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "guardian",
    "simple_history",
    "django_q",
    "axes",
    "django_htmx",
    "django_cotton.apps.SimpleAppConfig",
    "lucide",
    "phonenumber_field",
    "clinic",
    "scheduling",
    "charting",
    "treatment",
    "milestones",
    "billing",
    "config",
]

MIDDLEWARE = [
    "clinic.access.source.source",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "clinic.web.middleware.request_id",
    "clinic.web.middleware.no_store",
    "clinic.web.middleware.chunks",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "clinic.access.middleware.Authentication",
    "clinic.access.door.idle",
    "clinic.access.middleware.actor",
    "clinic.access.door.Door",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "clinic.web.middleware.refusals",
    "clinic.audit.middleware.record_access",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": [BASE_DIR / "templates"],
    "OPTIONS": {
        "context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
            "config.navigation.shell",
        ],
        "loaders": [("django.template.loaders.cached.Loader", [
            "django_cotton.cotton_loader.Loader",
            "django.template.loaders.filesystem.Loader",
            "django.template.loaders.app_directories.Loader",
        ])],
        "builtins": ["django_cotton.templatetags.cotton", "clinic.templatetags.chairside"],
    },
}]
COTTON_DIR = "cotton"
FORM_RENDERER = "clinic.web.forms.Renderer"

DATABASE_URL = env.str("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'chairside.sqlite3'}")
try:
    DATABASES = {"default": env.db_url_config(DATABASE_URL)}
except (ValueError, ImproperlyConfigured) as wrong:
    raise ImproperlyConfigured(
        "DATABASE_URL is not usable. Write sqlite:////path/to/file or postgres://user:password@host:5432/name.") from wrong
DATABASE = DATABASES["default"]
if DATABASE.get("ENGINE") == "django.db.backends.sqlite3":
    if DATABASE["NAME"] != ":memory:":
        Path(DATABASE["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    # IMMEDIATE, because a transaction that reads and then writes would otherwise end in "database is locked".
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-20000;",
    }
    DATABASE["CONN_MAX_AGE"] = None
    if ENVIRONMENT == "test":  # a file, because threads and processes can't share a database in memory
        DATABASE["TEST"] = {"NAME": env.str("TEST_SQLITE", default=str(VAR_DIR / "test.sqlite3"))}
elif DATABASE.get("ENGINE") == "django.db.backends.postgresql":
    DATABASE["CONN_MAX_AGE"] = None
    DATABASE["CONN_HEALTH_CHECKS"] = True
    if ENVIRONMENT == "production" and not str(DATABASE.get("HOST", "")).startswith("/"):
        DATABASE.setdefault("OPTIONS", {}).setdefault("sslmode", "verify-full")
else:
    raise ImproperlyConfigured("DATABASE_URL must name SQLite or PostgreSQL: sqlite:////path or postgres://…")

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = [
    "clinic.access.backends.LockOut", "clinic.access.backends.ActorBackend", "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
LOGIN_URL = "clinic:sign_in"
LOGIN_REDIRECT_URL = "/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
if ENVIRONMENT == "test" and not read("bool", "ARGON2", False, "Set it to true to test with the real hasher."):
    PASSWORD_HASHERS.insert(0, "django.contrib.auth.hashers.MD5PasswordHasher")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
     "OPTIONS": {"user_attributes": ["email", "name"]}},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "config.demo.passwords.NotTheDemoPassword"},
]
ROLE_PERMISSIONS = ROLES

# Wrong tries lock an account, or the place they come from; see clinic/access/guessing.py.
AXES_HANDLER = "clinic.access.guessing.Guesses"
AXES_USERNAME_FORM_FIELD = "username"  # as authenticate() is called
AXES_USERNAME_CALLABLE = "clinic.access.guessing.username_of"
AXES_CLIENT_IP_CALLABLE = "clinic.access.source.network_of"
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_COOLOFF_TIME = timedelta(minutes=30)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS = ["axes.W002"]  # its middleware would answer in our place; the sign-in page does
# Networks of proxies whose X-Forwarded-For is believed; without them the connection's own address counts.
TRUSTED_PROXIES = read("list", "TRUSTED_PROXIES", [], "")
try:
    [ip_network(text) for text in TRUSTED_PROXIES]
except ValueError as wrong:
    raise ImproperlyConfigured(
        f"TRUSTED_PROXIES is not usable ({wrong}). Write networks such as 10.0.0.0/8, with commas.") from wrong
# Whoever runs the installation always shows a second factor, but on a developer's machine and in a demo.
SUPERUSER_SECOND_FACTOR = not LOCAL and not DEMO

SESSION_ENGINE = "clinic.access.sessions"
# Seconds without an act of a person, after which a session waits for the password.
IDLE_SECONDS = read("int", "IDLE_SECONDS", 15 * 60, "Set it to whole seconds.")
SESSION_COOKIE_NAME = "chairside_session"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "clinic.web.errors.csrf_failure"
CSRF_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not LOCAL:
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

CONTENT_SECURITY_POLICY = {"DIRECTIVES": {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "manifest-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}}
PERMISSIONS_POLICY = {name: [] for name in (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi",
    "payment", "usb")}

LANGUAGE_CODE = "en-us"
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français")]
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]
USE_TZ = True

# Where the encrypted files lie. Only ciphertext gets there, so it may be any storage of Django's, also one in a cloud.
FILES_DIR = Path(env.str("FILES_DIR", default=str(VAR_DIR / "files")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "files": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": FILES_DIR, "base_url": None, "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}},
}
FILE_UPLOAD_HANDLERS = ["clinic.files.uploads.UploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FILES = 20

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
if LOCAL:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    WHITENOISE_USE_FINDERS = True
    # In tests too: else each of their clients lists all files before its first request.
    WHITENOISE_AUTOREFRESH = DEBUG or ENVIRONMENT == "test"
else:
    STORAGES["staticfiles"] = {"BACKEND": "clinic.web.static.HashedStaticFiles"}

PHONENUMBER_DB_FORMAT = "INTERNATIONAL"
PHONENUMBER_DEFAULT_FORMAT = "INTERNATIONAL"
# Requests a minute that one user may send to the API.
API_PER_MINUTE = read("int", "API_PER_MINUTE", 3000, "Set it to whole requests, not below 1000.")
# Seconds between two looks of a page that refreshes itself.
POLL_SECONDS = read("int", "POLL_SECONDS", 10, "Set it to whole seconds.")

SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS = False
SIMPLE_HISTORY_REVERT_DISABLED = True

Q_CLUSTER = {
    "name": "chairside",
    "orm": "default",
    "workers": 1,
    "timeout": 300,
    "retry": 360,  # must exceed the timeout, or a slow task runs twice
    "max_attempts": 5,
    "save_limit": 500,
    "catch_up": False,
    "poll": 2,
    "bulk": 1,
}

EMAIL_BACKEND = env.str(
    "EMAIL_BACKEND", default="clinic.mail.console.EmailBackend" if LOCAL else "django.core.mail.backends.smtp.EmailBackend")
EMAIL_TIMEOUT = read("int", "EMAIL_TIMEOUT", 20, "Set it to whole seconds.")
vars().update(env.email_url("EMAIL_URL", default="smtp://localhost:25", backend=EMAIL_BACKEND))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("MAIL_FROM", default="Chairside <chairside@localhost>")
# How text messages leave: the dotted path of a class, see clinic/mail/sms.py. Without one nobody is sent any.
SMS_SENDER = env.str("SMS_SENDER", default="clinic.mail.sms.Console" if LOCAL else "")
# Where links lead that are mailed when nobody asked for a page.
SITE_URL = env.str("SITE_URL", default=(
    f"http://127.0.0.1:{env.str('PORT', default='8000')}" if LOCAL else f"https://{ALLOWED_HOSTS[0].lstrip('.')}")).rstrip("/")
if "*" in SITE_URL:
    raise ImproperlyConfigured("SITE_URL is missing. Set it to the address that people type, such as https://chairside.example.")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django-q": {"level": "WARNING"},
        # Its lines name sources, a failure at a time; what counts stands in its rows and in the access events.
        "axes": {"level": "CRITICAL"},
        "fido2": {"level": "WARNING"},
        # Its lines would repeat what the page already said, a 404 at a time.
        "django.request": {"level": "ERROR", "handlers": ["console"], "propagate": False},
    },
}
