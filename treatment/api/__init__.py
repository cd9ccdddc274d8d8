"""The endpoints of treatment."""
from treatment.api import consents, goals, interventions, plans, procedures, reviews

ROUTERS = [plans.router, procedures.router, consents.router, goals.router, interventions.router, reviews.router]
