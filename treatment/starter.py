"""What treatment comes with: the library of interventions, in our own words, and rules for the codes of the starter catalogue."""
from django.db import transaction

from clinic.access.actor import Actor
from clinic.models import ProcedureCode
from treatment.models import CodeRule, Intervention

STRONG, MODERATE, EMERGING = "strong", "moderate", "emerging"
# modality: [(name, what it is, evidence)]
LIBRARY = {
    "CBT": [
        ("Cognitive restructuring",
         "Notice a thought that hurts, look at what speaks for and against it, and find a fairer one.", STRONG),
        ("Behavioral activation",
         "Plan small rewarding things into the week, and do them before the mood for them has come.", STRONG),
        ("Exposure therapy", "Meet what is feared step by step, long enough to learn that the fear passes.", STRONG),
    ],
    "DBT": [
        ("Mindfulness", "Notice what is there now, on purpose, without judging it.", STRONG),
        ("Distress tolerance",
         "Get through a hard moment without making it worse: cold water, distraction, breathing.", MODERATE),
        ("Emotion regulation",
         "Name a feeling, find what set it off, and act against its first impulse where that helps.", MODERATE),
        ("Interpersonal effectiveness", "Ask, refuse and listen in a way that keeps both the aim and the relationship.", MODERATE),
    ],
    "Relaxation": [
        ("Progressive muscle relaxation",
         "Tense one group of muscles after the other and let go, from the feet to the face.", STRONG),
        ("Deep breathing", "Breathe slowly into the belly, out longer than in, for some minutes.", MODERATE),
        ("Guided imagery", "Picture a calm place in all its detail while somebody speaks along.", MODERATE),
    ],
    "Behavioral": [
        ("Activity scheduling", "Write the week's activities down with a day and an hour, and look back at how they went.", STRONG),
        ("Sleep hygiene", "Regular hours, a dark and quiet room, no screens and no coffee before bed.", MODERATE),
        ("Assertiveness training", "Practise saying what one thinks and wants, calmly and clearly.", MODERATE),
    ],
    "Dental": [
        ("Oral hygiene instruction",
         "Show and practise brushing on the patient's own teeth, and look at it again at each visit.", STRONG),
        ("Interdental cleaning", "Brushes or floss that fit the gaps, once a day, shown tooth by tooth.", MODERATE),
        ("Tobacco cessation", "Ask, advise, help with a date to stop and with aids, and ask again.", STRONG),
        ("Dietary counselling", "Look at what is eaten and drunk and how often, and agree on one or two changes.", MODERATE),
        ("Fluoride use", "The right toothpaste, and varnish or gel at home where the risk is high.", STRONG),
        ("Appliance wear", "Agree on the hours of wear a day, write them down, and look at them together.", EMERGING),
    ],
}
RESTORATION, CROWN, MISSING, ROOT_CANAL = "restoration", "crown", "missing", "root_canal"
# code: (drawn as, material, offered for, (from, to) surfaces, quick button)
RULES = {
    "D1351": ("sealant", "", "", None, 6),
    "D2140": (RESTORATION, "amalgam", "", (1, 1), None), "D2150": (RESTORATION, "amalgam", "", (2, 2), None),
    "D2160": (RESTORATION, "amalgam", "", (3, 3), None), "D2161": (RESTORATION, "amalgam", "", (4, 5), None),
    "D2330": (RESTORATION, "composite", "anterior", (1, 1), 1), "D2331": (RESTORATION, "composite", "anterior", (2, 2), 1),
    "D2332": (RESTORATION, "composite", "anterior", (3, 3), 1), "D2335": (RESTORATION, "composite", "anterior", (4, 5), 1),
    "D2391": (RESTORATION, "composite", "posterior", (1, 1), 1), "D2392": (RESTORATION, "composite", "posterior", (2, 2), 1),
    "D2393": (RESTORATION, "composite", "posterior", (3, 3), 1), "D2394": (RESTORATION, "composite", "posterior", (4, 5), 1),
    "D2644": ("onlay", "porcelain", "posterior", (4, 5), None),
    "D2740": (CROWN, "porcelain", "", None, 2), "D2750": (CROWN, "pfm", "", None, None), "D2790": (CROWN, "gold", "", None, None),
    "D2930": (CROWN, "steel", "primary", None, None), "D2954": ("post", "", "", None, None),
    "D3310": (ROOT_CANAL, "", "anterior", None, 3), "D3320": (ROOT_CANAL, "", "premolar", None, 3),
    "D3330": (ROOT_CANAL, "", "molar", None, 3), "D3346": (ROOT_CANAL, "", "anterior", None, None),
    "D3348": (ROOT_CANAL, "", "molar", None, None),
    "D6010": ("implant", "", "", None, 5), "D6058": (CROWN, "porcelain", "", None, None),
    "D6065": (CROWN, "porcelain", "", None, None),
    "D6240": ("pontic", "pfm", "", None, None), "D6245": ("pontic", "porcelain", "", None, None),
    "D6740": ("bridge", "porcelain", "", None, None), "D6750": ("bridge", "pfm", "", None, None),
    "D7140": (MISSING, "", "", None, 4), "D7210": (MISSING, "", "", None, None), "D7220": (MISSING, "", "", None, None),
    "D7230": (MISSING, "", "", None, None), "D7240": (MISSING, "", "", None, None), "D7250": (MISSING, "", "", None, None),
}
NARRATIVES = {
    RESTORATION: """\
# Filling, tooth {tooth} {surfaces}
Anaesthetic: {anaesthetic|articaine|lidocaine; none}, {cartridges|1|0; 2} cartridges.
Isolated with {isolation|rubber dam|cotton rolls}.
Decay removed, {pulp|no pulp exposed|pulp exposed, capped}. Filled, contact and bite checked.
Told what to expect: ___""",
    CROWN: """\
# Crown, tooth {tooth}
Anaesthetic: {anaesthetic|articaine|lidocaine; none}, {cartridges|1|0; 2} cartridges.
{step|Prepared, scanned, temporary placed|Fitted: margins, contacts and bite checked, cemented}. Shade: {shade|A2|A1; A3; B1}
Next: ___""",
    ROOT_CANAL: """\
# Root canal, tooth {tooth}
Anaesthetic: {anaesthetic|articaine|lidocaine}, {cartridges|1|2; 3} cartridges. Rubber dam.
Canals: ___ Lengths: ___ mm. {step|Shaped, rinsed, filled|Shaped and rinsed, medicated, closed for now}
Told what to expect: ___ Next: ___""",
    MISSING: """\
# Extraction, tooth {tooth}
Anaesthetic: {anaesthetic|articaine|lidocaine}, {cartridges|1|2; 3} cartridges.
Taken out {how|whole|in parts; with bone removed}. {stitches|No stitches|Stitches: ___}.
Bleeding {bleeding|stopped|controlled with a dressing}.
Instructions given in words and on paper. Pain relief: ___""",
}


@transaction.atomic
def load_library():
    """Add the interventions of the library that are not there yet, by name. After each `migrate`."""
    there = set(Intervention.objects.filter(clinic=None).values_list("modality", "name"))
    by = Actor.system(None)
    for modality, rows in LIBRARY.items():
        for name, description, evidence in rows:
            if (modality, name) not in there:
                Intervention(name=name, description=description, modality=modality, evidence_level=evidence).record(
                    by=by, because="Library")


@transaction.atomic
def load_rules(*, by):
    """Add a rule to each code that has none and for which we know one. Returns them."""
    codes = ProcedureCode.objects.filter(clinic=by.clinic_id, code__in=RULES, rule=None).order_by("code")
    made = []
    for code in codes:
        condition, material, teeth, surfaces, button = RULES[code.code]
        least, most = surfaces or (None, None)
        made.append(CodeRule(
            procedure_code=code, condition=condition, material=material, teeth=teeth, least_surfaces=least, most_surfaces=most,
            quick_button=button, narrative=NARRATIVES.get(condition, "")).record(by=by, because="Treatment opened"))
    return made
