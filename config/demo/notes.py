"""The notes of the demo's visits: those of the past are signed, the newest of some wait for their author or a second signature."""
from datetime import timedelta

from charting.models import ClinicalNote, NoteTemplate
from charting.starter import load_templates
from clinic.db.records import record_bulk
from config.demo.opening import BECAUSE
from scheduling.models import Appointment

MOST = 4000  # of a clinic, the newest: what a demo of any size is looked at for
FRESH = timedelta(days=2)  # so long a note may wait for its signature
HYGIENE = """\
# Prophylaxis
- Medical history: {history}
- Plaque: {plaque}
- Calculus: {calculus}
- Bleeding: {bleeding}
Scaled with ultrasonic and hand instruments, polished, flossed. {fluoride}
{instruction}
Next: {next}"""
EXAM = """\
# Emergency
Complaint: {complaint}
- Percussion: {percussion}
- Cold test: {cold}
X-ray taken and looked at. {assessment}"""
FILLING = """\
# Filling
Anaesthetic: {drug}, {cartridges}. Isolation with {isolation}.
Caries removed, composite shade {shade}. Occlusion checked, contacts tight.
Told: numb for some hours."""
CROWN = """\
# Crown
{step}
Occlusion checked. {comfort}"""
ORTHO = """\
# Adjustment
- Oral hygiene: {hygiene}
- Wire: {wire}
{comfort}"""
OTHER = """\
{done}
{comfort}"""
WORDS = {
    "history": ["reviewed, no change", "reviewed, no change", "reviewed, new blood pressure tablets"],
    "plaque": ["light", "moderate", "light, lower front", "none"], "calculus": ["light", "light, lower front", "moderate", "none"],
    "bleeding": ["localised", "none", "localised, molars", "generalised"],
    "fluoride": ["Fluoride varnish applied.", "Fluoride declined.", "Fluoride not indicated."],
    "instruction": ["Interdental brushes shown, size 0.5.", "Home care is good, keep on.", "Showed brushing along the gum line."],
    "next": ["6 months", "6 months", "4 months", "3 months"],
    "complaint": ["pain on biting, since the weekend", "a piece of a filling came off", "cold water hurts, upper left"],
    "percussion": ["negative", "positive"], "cold": ["normal", "lingering", "short, sharp"],
    "assessment": ["Reversible pulpitis, temporary filling placed.", "Fractured cusp, smoothed; a crown is needed.", "Watched."],
    "drug": ["articaine 1:200,000", "lidocaine 1:100,000", "none wanted"], "cartridges": ["1 cartridge", "2 cartridges"],
    "isolation": ["rubber dam", "cotton rolls"], "shade": ["A2", "A3", "A1"],
    "step": ["Prepared, scanned, temporary placed.", "Seated with resin cement, excess removed."],
    "comfort": ["Patient comfortable on leaving.", "No complaint.", "Tolerated well."],
    "hygiene": ["good", "needs work around the brackets"], "wire": ["0.016 NiTi", "0.018 steel", "0.019 × 0.025 steel"],
    "done": ["Treated as planned.", "Looked at, nothing to be done today.", "Advice given, see plan."]}
OF_TYPE = {
    **dict.fromkeys(("cleaning", "child", "gums", "deep", "new"), ("hygiene", HYGIENE)), "problem": ("exam", EXAM),
    "filling": ("progress", FILLING), "sealants": ("progress", OTHER), "crown": ("progress", CROWN), "seating": ("progress", CROWN),
    **dict.fromkeys(("adjustment", "braces", "retainer", "ortho_look"), ("progress", ORTHO))}


class NoteBook:
    """Writes the notes of visits as they come, the newest first, until there are enough."""

    def __init__(self, house, chance, now):
        self.house, self.chance, self.now, self.left = house, chance, now, MOST
        self.keys = {kind.pk: key for key, kind in house.types.items()}
        load_templates(by=house.by)
        self.templates = dict(NoteTemplate.objects.filter(clinic=house.clinic).values_list("kind", "pk").order_by("-name"))

    def of_visits(self, visits):
        """Write a note of each of these visits that is over."""
        over = [visit for visit in visits if visit.status in (Appointment.Status.CHECKED_OUT, Appointment.Status.COMPLETED)]
        notes = [self._note(visit) for visit in over[:self.left]]
        self.left -= len(notes)
        record_bulk(notes, by=self.house.by, because=BECAUSE)

    def _note(self, visit):
        kind, text = OF_TYPE.get(self.keys[visit.appointment_type_id], ("progress", OTHER))
        at = min(visit.ends_at, self.now - timedelta(minutes=2))
        author, assists = self._author(visit)
        note = ClinicalNote(
            id=self.chance.key(at), clinic=self.house.clinic, patient_id=visit.patient_id, kind=kind, appointment=visit,
            template_id=self.templates.get(kind), author=author, created_at=at,
            body=text.format(**{name: self.chance.choice(words) for name, words in WORDS.items()}))
        is_fresh = self.now - at < FRESH
        if not (is_fresh and self.chance.yes(0.4)):
            self._sign(note, visit, at + timedelta(minutes=1), assists, waits=is_fresh)
        note.updated_at = note.cosigned_at or note.signed_at or at
        return note

    def _author(self, visit):
        """(who wrote it, whether that was the assistant); who has no sign-in has it written by somebody of the house."""
        users, provider = self.house.users, visit.provider
        if "assistant" in users and self.chance.yes(0.12):
            return users["assistant"], True
        role = "hygienist" if provider.kind == "hygienist" else "dentist"
        return provider.user or users[role], False

    def _sign(self, note, visit, at, assists, waits):
        note.status, note.signed_at, note.signed_for, note.needs_cosign = note.Status.SIGNED, at, visit.patient_id, assists
        note.content_hash = note._seal()
        if assists and not waits:
            note.cosigned_at, note.cosigned_by = at + timedelta(minutes=30), self.house.users["dentist"]
