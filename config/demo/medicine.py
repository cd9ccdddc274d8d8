"""What demo patients told us of their health: common things, made up per person, changing a little between visits."""

ALLERGIES = [
    ("Penicillin", "Rash", "moderate"), ("Penicillin", "Swelling of the face", "severe"), ("Latex", "Itching", "mild"),
    ("Codeine", "Nausea", "mild"), ("Sulfa drugs", "Hives", "moderate"), ("Ibuprofen", "Asthma attack", "severe"),
    ("Nickel", "Contact rash", "mild"), ("Lidocaine", "Fainting, cause unclear", "moderate"),
    ("Peanuts", "Anaphylaxis", "severe"), ("Iodine", "Rash", "moderate"),
]
# name, severities it comes in, youngest age, usual medicine (name, dose)
CONDITIONS = [
    ("High blood pressure", ("mild", "moderate"), 38, ("Lisinopril", "10 mg daily")),
    ("Diabetes, type 2", ("moderate", "severe"), 35, ("Metformin", "500 mg twice daily")),
    ("Diabetes, type 1", ("moderate",), 8, ("Insulin", "by pump")),
    ("Asthma", ("mild", "moderate"), 4, ("Albuterol", "inhaler when needed")),
    ("Atrial fibrillation", ("severe",), 55, ("Apixaban", "5 mg twice daily")),
    ("Artificial heart valve", ("severe",), 50, ("Warfarin", "4 mg daily")),
    ("Osteoporosis", ("moderate",), 55, ("Alendronate", "70 mg weekly")),
    ("Underactive thyroid", ("mild",), 25, ("Levothyroxine", "75 µg daily")),
    ("Acid reflux", ("mild",), 25, ("Omeprazole", "20 mg daily")),
    ("Depression", ("mild", "moderate"), 16, ("Sertraline", "50 mg daily")),
    ("Anxiety at the dentist", ("mild", "moderate"), 5, None),
    ("Epilepsy", ("moderate", "severe"), 6, ("Lamotrigine", "100 mg twice daily")),
    ("Hip replacement", ("mild",), 60, None),
    ("Sleep apnoea", ("moderate",), 35, None),
    ("Migraine", ("mild", "moderate"), 14, ("Sumatriptan", "50 mg when needed")),
    ("High cholesterol", ("mild",), 40, ("Atorvastatin", "20 mg daily")),
]
RARE = {"Diabetes, type 1", "Artificial heart valve", "Epilepsy"}
LATER = [("Vitamin D", "1,000 IU daily"), ("Aspirin", "81 mg daily"), ("Ibuprofen", "400 mg when needed"),
         ("Cetirizine", "10 mg in spring"), ("Iron", "65 mg daily")]
PREMEDICATION = "Amoxicillin 2 g, one hour before"
NOTES = ["", "", "", "Faints easily: lay back slowly.", "Prefers to be told each step.", "Gags easily with X-rays."]


def content(chance, age, sex, year):
    """The content of a first medical history at this age; many have nothing to tell."""
    conditions, medications = [], []
    for name, severities, youngest, medicine in CONDITIONS:
        # The older, the likelier; nobody collects the whole list.
        if age < youngest or len(conditions) >= 4 or not chance.yes((0.02 + age / 900) * (0.2 if name in RARE else 1)):
            continue
        conditions.append({
            "name": name, "severity": chance.choice(severities), "onset": str(year - chance.randint(0, age - youngest)),
            "note": ""})
        if medicine:
            medications.append({"name": medicine[0], "dose": medicine[1], "reason": name})
    allergies = []
    if chance.yes(0.17):
        substance, reaction, severity = chance.choice(ALLERGIES)
        allergies.append({"substance": substance, "reaction": reaction, "severity": severity})
    has_valve = any(row["name"] == "Artificial heart valve" for row in conditions)
    allergic = any(row["substance"] == "Penicillin" for row in allergies)
    return {
        "medications": medications, "allergies": allergies, "conditions": conditions,
        "tobacco": "" if age < 15 else chance.pick({"never": 70, "former": 17, "current": 13}),
        "pregnancy": chance.pick({"no": 96, "yes": 4}) if sex == "female" and 18 <= age <= 44 else "", "due_on": "",
        "premedication": ("Clindamycin 600 mg, one hour before" if allergic else PREMEDICATION) if has_valve else "",
        "note": chance.choice(NOTES) if chance.yes(0.3) else "",
    }


def changed(chance, before, age):
    """The next version's content: one thing more, or one thing less."""
    after = {**before, "medications": list(before["medications"]), "pregnancy": "no" if before["pregnancy"] else ""}
    if after["medications"] and chance.yes(0.4):
        after["medications"].pop()
    elif age >= 15:
        name, dose = chance.choice(LATER)
        if name not in [row["name"] for row in after["medications"]]:
            after["medications"].append({"name": name, "dose": dose, "reason": ""})
    return after
