"""The note templates that a practice begins with; a manager changes them, or takes them out of use."""
from django.db import transaction

from charting.models import ClinicalNote, NoteTemplate

Kind = ClinicalNote.Kind
# name, kind, short code, text
TEMPLATES = [
    ("Prophylaxis", Kind.HYGIENE, "proph", """\
# Prophylaxis
{patient}, {age} years, {visit}.
- Medical history: {medical history|reviewed, no change|reviewed, updated}
- Plaque: {plaque|light|none; moderate; heavy}
- Calculus: {calculus|light|none; moderate; heavy}
- Bleeding: {bleeding|localised|none; generalised}
Scaled {scaled with|ultrasonic and hand instruments|hand instruments only; ultrasonic only}, polished, flossed.
Fluoride: {fluoride|varnish applied|declined; not indicated}
Instruction: {instruction|interdental cleaning shown|brushing shown; none needed}
Next: {next visit|6 months|3 months; 4 months; 12 months}"""),
    ("Child's cleaning", Kind.HYGIENE, "child", """\
# Child's cleaning
{first_name}, {age} years. Came with {came with|mother|father; guardian; alone}.
- Behaviour: {behaviour|cooperative|anxious, settled; could not be treated}
- Oral hygiene: {oral hygiene|good|fair; poor}
Cleaned, fluoride {fluoride|varnish applied|declined}. Sealants: {sealants|intact|placed; none}
Advice to the parent: {advice|brushing twice a day with help|less sugar between meals}"""),
    ("Periodontal maintenance", Kind.HYGIENE, "pm", """\
# Periodontal maintenance
Since the last visit: {since last visit|no complaint|sensitivity; bleeding when brushing}
- Probing: {probing|recorded, stable|recorded, deeper at some sites; not recorded today}
- Plaque: {plaque|light|none; moderate; heavy}
- Bleeding: {bleeding|localised|none; generalised}
Debrided, sites ___. Home care: {home care|good|needs help}
Next: {next visit|3 months|4 months; 6 months}"""),
    ("Scaling and root planing", Kind.HYGIENE, "srp", """\
# Scaling and root planing
Quadrant: {quadrant|upper right|upper left; lower left; lower right}
Anaesthetic: {anaesthetic|}, {cartridges|1|0; 2; 3} cartridges. Aspirated, no adverse reaction.
Scaled and root planed with {instruments|ultrasonic and hand instruments|hand instruments}. Irrigated.
Told what to expect: soreness, sensitivity to cold. Next quadrant: ___"""),
    ("Check-up", Kind.EXAM, "exam", """\
# Check-up
Chief complaint: {complaint|none|}
- Extraoral: {extraoral|no finding|see below}
- Soft tissue: {soft tissue|no finding|see below}
- Hard tissue: see the chart. {new|No new findings|New findings charted}
- Occlusion: {occlusion|stable|wear; fremitus}
- Cancer screening: {screening|done, no finding|done, see below; declined}
X-rays: {x-rays|none today|bitewings; periapical; panoramic}
Assessment: ___
Plan: ___"""),
    ("Emergency", Kind.EXAM, "emerg", """\
# Emergency
Complaint in the patient's words: ___
Since: ___ Pain: {pain|moderate|none; light; strong}, {kind of pain|on biting|to cold; to heat; spontaneous}
- Percussion: {percussion|negative|positive}
- Cold test: {cold|normal|lingering; no response}
- Swelling: {swelling|none|localised; facial}
Diagnosis: ___
Done today: ___"""),
    ("Filling", Kind.PROGRESS, "fill", """\
# Filling
Tooth ___, surfaces ___
Anaesthetic: {anaesthetic|}, {cartridges|1|0; 2}. Isolation: {isolation|rubber dam|cotton rolls}
Caries removed, {depth|dentine|enamel; close to the pulp}.
Material: {material|composite|amalgam; glass ionomer}, shade {shade|A2|A1; A3; A3.5}
Occlusion checked, contacts {contacts|tight|open}. Told: numb for some hours."""),
    ("Crown preparation", Kind.PROGRESS, "crown", """\
# Crown preparation
Tooth ___, {material|zirconia|porcelain on metal; lithium disilicate; gold}, shade ___
Anaesthetic: {anaesthetic|}. Build-up: {build-up|none|composite}
Impression: {impression|scan|silicone}. Temporary placed with temporary cement, occlusion checked.
Lab: ___ Seating planned: ___"""),
    ("Extraction", Kind.PROGRESS, "ext", """\
# Extraction
Tooth ___, because of ___. Consent: {consent|spoken and signed|spoken}
Anaesthetic: {anaesthetic|}, {cartridges|2|1; 3}.
Removed {how|whole with forceps|in parts; surgically}. Socket {socket|curetted, clots|sutured}.
Bleeding {bleeding|stopped|oozing, gauze given}.
Instructions given in words and on paper. Pain relief: ___"""),
    ("Soft tissue finding", Kind.SOFT_TISSUE, "soft", """\
# Soft tissue
Where: ___ Size: ___ mm
Colour {colour|red|white; mixed; pigmented}, surface {surface|smooth|rough; ulcerated}, {firmness|soft|firm}
Since: ___ Likely cause: ___
{next step|Look again in 14 days|Photograph taken; Referred for biopsy}"""),
    ("Phone call", Kind.PHONE, "call", """\
Spoke with {spoke with|the patient|a parent; the guarantor} on {today}.
About: ___
Agreed: ___"""),
    ("Administrative", Kind.ADMINISTRATIVE, "admin", """\
{about|Address|Insurance; Records request; Complaint; Payment}: ___"""),
]


@transaction.atomic
def load_templates(*, by):
    """Add those of them that are not there yet, by name; a short code that is taken is left out. Returns them."""
    there = NoteTemplate.objects.filter(clinic=by.clinic_id)
    names, codes = (set(there.values_list(field, flat=True)) for field in ("name", "short_code"))
    return [
        NoteTemplate(name=name, kind=kind, short_code="" if code in codes else code, body=body).record(
            by=by, because="Charting opened")
        for name, kind, code, body in TEMPLATES if name not in names]
