"""Patients by the dozen; any later state is reached by verbs."""

from datetime import date, timedelta

import factory

from clinic.models import Patient


class PatientFactory(factory.Factory):
    """`PatientFactory(by=actor)`: registered through the verb."""

    class Meta:
        model = Patient

    by = None
    first_name = factory.Sequence(lambda n: f"Given{n}")
    last_name = factory.Sequence(lambda n: f"Family{n}")
    date_of_birth = factory.Sequence(lambda n: date(1950, 1, 1) + timedelta(days=n * 37 % 20000))

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return model_class.register(**kwargs)
