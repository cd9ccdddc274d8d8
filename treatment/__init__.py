"""Treatment plans, phases, procedures, consent, goals, reviews, recall."""
