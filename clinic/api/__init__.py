"""The endpoints of patients, accounts and what the practice is made of."""
from clinic.api import documents, medical, patients, practice

ROUTERS = [practice.router, patients.router, medical.router, documents.router]
