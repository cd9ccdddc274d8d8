"""The kinds of visit that the demo clinics book. All lengths are multiples of the grid's ten minutes."""
from dataclasses import dataclass

DENT, ORTHO, HYG, THER, ASSIST = "dentist", "orthodontist", "hygienist", "therapist", "assistant"


@dataclass(frozen=True)
class VisitType:
    """A type with its codes. `own`: the provider's part, from and minutes; `look`: the doctor's part, when one looks in."""

    key: str
    name: str
    minutes: int
    kinds: tuple
    colour: int
    codes: tuple = ()
    after: int = 0
    own: tuple = ()
    look: tuple = ()
    german: str = ""

    @property
    def pattern(self):
        spans = [("provider", self.own or (0, self.minutes)), ("doctor", self.look)]
        return [{"who": who, "from": span[0], "minutes": span[1]} for who, span in spans if span]


VISIT_TYPES = [
    VisitType("cleaning", "Cleaning and check-up", 60, (HYG,), 1, ("D1110", "D0120", "D0274"), look=(40, 10),
              german="Prophylaxe und Kontrolle"),
    VisitType("child", "Child's cleaning", 40, (HYG,), 2, ("D1120", "D0120", "D1206"), look=(20, 10),
              german="Kinderprophylaxe"),
    VisitType("gums", "Cleaning after gum treatment", 60, (HYG,), 3, ("D4910",), german="Parodontitis-Nachsorge"),
    VisitType("deep", "Deep cleaning", 90, (HYG,), 3, ("D4341", "D4342"), after=10, german="Parodontitisbehandlung"),
    VisitType("new", "New patient", 80, (HYG,), 4, ("D0150", "D0210", "D1110"), after=10, look=(50, 20),
              german="Erstuntersuchung"),
    VisitType("problem", "Emergency", 30, (DENT,), 5, ("D0140", "D0220"), german="Notfall"),
    VisitType("filling", "Filling", 60, (DENT,), 6, ("D2391", "D2392"), after=10, own=(10, 40), german="Füllung"),
    VisitType("crown", "Crown", 90, (DENT,), 7, ("D2740", "D2950"), after=10, own=(10, 60), german="Krone"),
    VisitType("seating", "Crown seating", 30, (DENT,), 7, german="Krone einsetzen"),
    VisitType("root", "Root canal", 90, (DENT,), 8, ("D3320", "D3330"), after=10, own=(10, 70), german="Wurzelkanal"),
    VisitType("extraction", "Extraction", 40, (DENT,), 9, ("D7140",), after=10, german="Zahn ziehen"),
    VisitType("denture", "Denture or implant consultation", 40, (DENT,), 10, ("D0160", "D0367"), german="Prothetik-Beratung"),
    VisitType("sealants", "Sealants", 40, (ASSIST, HYG), 2, ("D1351",), german="Versiegelung"),
    VisitType("ortho_look", "Orthodontic consultation", 40, (ORTHO,), 11, ("D8660", "D0340", "D0330"),
              german="Kieferorthopädische Beratung"),
    VisitType("braces", "Braces on", 90, (ORTHO,), 11, ("D8080", "D8090"), after=10, own=(20, 50), german="Bänder setzen"),
    VisitType("adjustment", "Orthodontic adjustment", 20, (ORTHO,), 12, ("D8670",), german="Bogenwechsel"),
    VisitType("retainer", "Retainer check", 20, (ORTHO,), 12, german="Retainer-Kontrolle"),
    VisitType("therapy", "Myofunctional therapy", 50, (THER,), 10, german="Myofunktionelle Therapie"),
]
BY_KEY = {kind.key: kind for kind in VISIT_TYPES}
