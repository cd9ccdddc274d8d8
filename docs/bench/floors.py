"""The floor: the least that a Django page over these rows costs. One file with settings, models, views and loader.

FLOOR=bare: no middleware at all. FLOOR=login: startproject's middleware, and every page wants somebody signed in.
Both use the database settings of Chairside, journal and durability included.
"""
import os
from datetime import UTC, datetime, timedelta

import django
from django.conf import settings

WITH_LOGIN = os.environ.get("FLOOR") == "login"


def database(url):
    """The same database settings as `config/settings.py` makes of this address."""
    import environ

    found = environ.Env.db_url_config(url)
    if found["ENGINE"].endswith("sqlite3"):
        found["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE", "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-20000;"}
    else:
        found["CONN_HEALTH_CHECKS"] = True
    return {**found, "CONN_MAX_AGE": None}


MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
PAGES = {
    "record": "<!doctype html><title>{{ patient.family }}</title><h1>{{ patient.given }} {{ patient.family }}</h1>"
              "<p>Born {{ patient.born|date:'j M Y' }}<p>{{ patient.phone }}",
    "people": "<!doctype html><title>Patients</title><table>{% for patient in patients %}<tr>"
              "<td><a href=\"/record/{{ patient.pk }}\">{{ patient.family }}, {{ patient.given }}</a>"
              "<td>{{ patient.born|date:'j M Y' }}<td>{{ patient.phone }}{% endfor %}</table>",
    "day": "<!doctype html><title>Day</title><table>{% for visit in visits %}<tr><td>{{ visit.starts_at|date:'G:i' }}"
           "<td>{{ visit.provider.name }}<td><a href=\"/record/{{ visit.patient_id }}\">{{ visit.patient.family }}, "
           "{{ visit.patient.given }}</a><td>{{ visit.kind }}<td>{{ visit.status }}{% endfor %}</table>",
}
settings.configure(
    DEBUG=False, SECRET_KEY="the floor keeps no secrets",  # noqa: S106
    ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, USE_TZ=True,
    TIME_ZONE="UTC", DATABASES={"default": database(os.environ["DATABASE_URL"])}, LOGIN_URL="/sign-in",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages"],
    MIDDLEWARE=MIDDLEWARE if WITH_LOGIN else [],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {
        "context_processors": [
            "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages"] if WITH_LOGIN else [],
        "loaders": [("django.template.loaders.cached.Loader", [("django.template.loaders.locmem.Loader", PAGES)])]}}],
)
django.setup()

from django.contrib.auth.decorators import login_required  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.http import HttpResponse, HttpResponseRedirect  # noqa: E402
from django.shortcuts import get_object_or_404, render  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402


class Provider(models.Model):
    name = models.CharField(max_length=80)

    class Meta:
        app_label = "floors"


class Patient(models.Model):
    given = models.CharField(max_length=80)
    family = models.CharField(max_length=80)
    search = models.CharField(max_length=170)
    born = models.DateField()
    phone = models.CharField(max_length=20)

    class Meta:
        app_label = "floors"


class Visit(models.Model):
    provider = models.ForeignKey(Provider, models.CASCADE)
    patient = models.ForeignKey(Patient, models.CASCADE)
    starts_at = models.DateTimeField(db_index=True)
    ends_at = models.DateTimeField()
    kind = models.CharField(max_length=20, default="Check-up")
    status = models.CharField(max_length=20, default="Scheduled")

    class Meta:
        app_label = "floors"
        constraints = [models.UniqueConstraint(fields=["provider", "starts_at"], name="floors_visit_once")]


def const(request):
    return HttpResponse("ok")


def record(request, patient):
    return render(request, "record", {"patient": get_object_or_404(Patient, pk=patient)})


def day(request, day):
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    visits = Visit.objects.filter(starts_at__gte=start, starts_at__lt=start + timedelta(days=1))
    return render(request, "day", {"visits": visits.select_related("patient", "provider").order_by("starts_at", "provider")})


def search(request):
    found = Patient.objects.filter(search__contains=request.GET["q"].lower()).order_by("search")[:50]
    return render(request, "people", {"patients": found})


@csrf_exempt
def insert(request):
    start = datetime.fromisoformat(request.POST["starts_at"])
    with transaction.atomic():
        Visit.objects.create(
            provider_id=int(request.POST["provider"]), patient_id=int(request.POST["patient"]), starts_at=start,
            ends_at=start + timedelta(minutes=30))
    return HttpResponseRedirect("/const")


def page(address, view):
    return path(address, csrf_exempt(login_required(view)) if WITH_LOGIN else view)


urlpatterns = [
    page("const", const), page("record/<int:patient>", record), page("day/<str:day>", day), page("search", search),
    page("insert", insert)]
application = get_wsgi_application()


def load(shape):
    """Fill an empty database with the shape."""
    from django.contrib.auth.models import User
    from django.contrib.sessions.models import Session
    from django.core.management import call_command

    from docs.bench.shape import FIRST_MINUTE, PROVIDERS, SESSION, VISIT_MINUTES

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        for model in (Provider, Patient, Visit):
            editor.create_model(model)
    with transaction.atomic():
        providers = Provider.objects.bulk_create(Provider(name=f"Provider {n}") for n in range(PROVIDERS))
        for first in range(0, shape.patients, 5000):
            numbers = range(first, min(first + 5000, shape.patients))
            Patient.objects.bulk_create([
                Patient(pk=number + 1, given=given, family=family, search=f"{family} {given}".lower(),
                        born=shape.born(number), phone=shape.phone(number))
                for number in numbers for given, family in [shape.name(number)]])
        for date, first, count in shape.days():
            opens = datetime(date.year, date.month, date.day, tzinfo=UTC) + timedelta(minutes=FIRST_MINUTE)
            Visit.objects.bulk_create([
                Visit(provider=providers[place % PROVIDERS], patient_id=shape.patient_of(first + place) + 1, starts_at=starts,
                      ends_at=starts + timedelta(minutes=VISIT_MINUTES))
                for place in range(count)
                for starts in [opens + timedelta(minutes=VISIT_MINUTES * (place // PROVIDERS))]])
        user = User.objects.create_user("bench")
        Session.objects.create(
            session_key=SESSION, expire_date=datetime(2099, 1, 1, tzinfo=UTC),
            session_data=Session.objects.encode({
                "_auth_user_id": str(user.pk), "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
                "_auth_user_hash": user.get_session_auth_hash()}))
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("ANALYZE")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('floors_patient', 'id'), (SELECT max(id) FROM floors_patient))")
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        cursor.execute("CREATE INDEX floors_patient_search ON floors_patient USING gin (search gin_trgm_ops)")
        cursor.execute("VACUUM ANALYZE")
