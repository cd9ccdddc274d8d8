"""The demo practice: made-up people, the same for the same seed, laid through the domain's own shapes.

`plant.plant()` does it all; `opening` opens a clinic, `families` make patients, `wishes` say who comes when, `days`
finds the free time, `courses` says how each visit went, `visits` writes it as `Appointment` and its verbs would.
"""
