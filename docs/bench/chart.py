"""What the chart page costs next to the patient page without panels: ratios, of one process, in turns.

    DATABASE_URL=… python -m docs.bench.chart

Takes any database with the demo practice. A patient gets 400 findings and 10 periodontal exams in a transaction that is taken
back at the end.
"""
import os
import statistics
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
BAR, ROUNDS = 3, 40


def main():
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection, transaction
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from charting.models import Finding, PerioExam
    from charting.perio import ToothFigures
    from charting.teeth import PERMANENT
    from clinic import hooks
    from clinic.access.actor import Actor
    from clinic.models import Clinic, Patient, User

    settings.ALLOWED_HOSTS = ["*"]
    clinic = Clinic.objects.get(name="Harbour Dental")
    by, client = Actor.system(clinic), Client()
    client.force_login(User.objects.get(email="dentist@demo.example"))
    with transaction.atomic():
        few, many = (
            Patient.register(by=by, first_name=name, last_name="Bench", date_of_birth="1980-01-01") for name in ("Few", "Many"))
        Finding.enter(by=by, patient=few, items=[{"tooth": "14", "condition": "caries", "surfaces": "O"}])
        for number in range(4):
            Finding.enter(by=by, patient=many, items=[
                {"tooth": PERMANENT[(number + place) % 32], "condition": "watch", "surfaces": "M"} for place in range(100)])
        figures = {key: ToothFigures(pd=[3] * 6, gm=[1] * 6) for key in PERMANENT}
        for patient, count in ((few, 1), (many, 10)):
            for _ in range(count):
                PerioExam.start(by=by, patient=patient, teeth=figures).close(by=by, now=timezone.now())
        panels, pages = list(hooks.patient_panels), {
            "patient page without panels": f"/patients/{many.pk}/", "chart, 1 finding": f"/patients/{few.pk}/chart/",
            "chart, 400 findings": f"/patients/{many.pk}/chart/", "perio, 1 exam": f"/patients/{few.pk}/perio/",
            "perio, 10 exams": f"/patients/{many.pk}/perio/"}
        hooks.patient_panels.clear()
        taken, asked = {name: [] for name in pages}, {}
        for turn in range(ROUNDS + 3):
            for name, path in pages.items():
                began = time.perf_counter()
                answer = client.get(path)
                spent = time.perf_counter() - began
                assert answer.status_code == 200, (name, answer.status_code)
                if turn >= 3:
                    taken[name].append(spent)
        for name, path in pages.items():
            with CaptureQueriesContext(connection) as queries:
                client.get(path)
            asked[name] = len(queries)
        hooks.patient_panels.extend(panels)
        transaction.set_rollback(True)
    floor = statistics.median(taken["patient page without panels"])
    print(f"{connection.vendor}, median of {ROUNDS} turns; bar for the chart: {BAR} x")
    for name in pages:
        middle = statistics.median(taken[name])
        print(f"{name:30} {middle * 1000:6.1f} ms  {middle / floor:4.2f} x  {asked[name]} queries")


if __name__ == "__main__":
    main()
