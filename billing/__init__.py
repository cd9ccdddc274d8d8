"""Carriers, coverage, estimates, the ledger, statements, claims."""
