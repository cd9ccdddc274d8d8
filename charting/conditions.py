"""What can be found at a tooth: the standard kinds as data. A practice adds kinds of its own (`FindingKind`) beside these.

`words` are what the entry line understands. `surfaces` says whether a finding names surfaces: it must, it may, or it does
not. `effect` is what it makes of the tooth: see `charting.mouth`. `symbol` is how it is drawn: see `charting.drawing`.
"""
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Surfaces(StrEnum):
    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


class Effect(StrEnum):
    """What a finding makes of its tooth."""

    NOTHING = "nothing"
    SOUND = "sound"  # examined, and nothing found
    MISSING = "missing"
    HIDDEN = "hidden"  # the space is closed: neither a gap nor a tooth
    UNERUPTED = "unerupted"
    IMPLANT = "implant"
    PONTIC = "pontic"


@dataclass(frozen=True, eq=False)  # told apart by identity: they are keys of a cache, hundreds of times a page
class Kind:
    code: str
    name: str
    words: tuple[str, ...]
    surfaces: str = Surfaces.NONE
    symbol: str = "letter"
    effect: str = Effect.NOTHING
    status: str = "condition"  # when none is said
    usual: str = ""  # the surfaces when none are said: F and B each mean the outer side
    is_range: bool = False  # one finding over several teeth, like a bridge: they belong together

    def usual_of(self, tooth):
        """The surfaces of this tooth that are meant when none are said."""
        return {"F": tooth.facial, "O": "I" if tooth.is_anterior else "O"}.get(self.usual, self.usual)

    @property
    def letter(self):
        """What is written at the tooth where no other sign says it."""
        return self.name[0].upper()


def _kinds():
    required, optional = Surfaces.REQUIRED, Surfaces.OPTIONAL
    here = {"status": "existing"}
    yield Kind("caries", "Caries", ("caries", "decay", "cavity", "car"), required, "fill")
    yield Kind("recurrent_caries", "Recurrent caries", ("recurrent", "recur"), required, "fill")
    yield Kind("restoration", "Restoration", ("filling", "restoration", "rest"), required, "fill", **here)
    yield Kind("defective_restoration", "Defective restoration", ("defective", "open-margin"), required, "fill")
    yield Kind("inlay", "Inlay", ("inlay",), required, "fill", **here)
    yield Kind("onlay", "Onlay", ("onlay",), required, "fill", **here)
    yield Kind("crown", "Crown", ("crown", "crn", "cr"), symbol="crown", **here)
    yield Kind("veneer", "Veneer", ("veneer", "ven"), optional, "fill", usual="F", **here)
    yield Kind("sealant", "Sealant", ("sealant", "seal"), optional, "sealant", usual="O", **here)
    yield Kind("bridge", "Bridge", ("bridge", "bpd"), symbol="bridge", is_range=True, **here)
    yield Kind("pontic", "Bridge pontic", ("pontic",), symbol="pontic", effect=Effect.PONTIC, **here)
    yield Kind("denture", "Denture", ("denture", "full-denture"), symbol="denture", effect=Effect.MISSING, is_range=True, **here)
    yield Kind(
        "partial_denture", "Partial denture", ("partial", "rpd"), symbol="denture", effect=Effect.MISSING, is_range=True, **here)
    yield Kind("implant", "Implant", ("implant", "impl"), symbol="implant", effect=Effect.IMPLANT, **here)
    yield Kind("root_canal", "Root canal treated", ("root-canal", "rct", "endo"), symbol="root_canal", **here)
    yield Kind("post", "Post", ("post", "pin"), symbol="post", **here)
    yield Kind("apicoectomy", "Root end resected", ("apico", "apicoectomy"), symbol="apicoectomy", **here)
    yield Kind("missing", "Missing", ("missing", "miss", "x", "extracted"), symbol="missing", effect=Effect.MISSING, **here)
    yield Kind("space_closed", "Missing, space closed", ("closed", "space-closed"), symbol="closed", effect=Effect.HIDDEN, **here)
    yield Kind("unerupted", "Unerupted", ("unerupted", "unerup"), symbol="unerupted", effect=Effect.UNERUPTED)
    yield Kind("impacted", "Impacted", ("impacted", "imp"), symbol="impacted", effect=Effect.UNERUPTED)
    yield Kind("erupting", "Erupting", ("erupting",), symbol="erupting")
    yield Kind("retained", "Retained primary tooth", ("retained",), symbol="letter")
    yield Kind("remnant", "Root remnant", ("remnant", "root-tip"), symbol="remnant")
    yield Kind("fracture", "Fracture", ("fracture", "fx", "broken", "chip", "chipped"), optional, "fracture")
    yield Kind("crack", "Crack", ("crack", "cracked"), optional, "fracture")
    yield Kind("wear", "Wear (attrition)", ("wear", "attrition"), optional, "wear")
    yield Kind("abrasion", "Abrasion", ("abrasion", "abr"), optional, "fill", usual="V")
    yield Kind("abfraction", "Abfraction", ("abfraction", "abf"), optional, "fill", usual="V")
    yield Kind("erosion", "Erosion", ("erosion", "ero"), optional, "wear")
    yield Kind("rotation", "Rotation", ("rotated", "rotation", "rot"), optional, "rotation")
    yield Kind("drift", "Drift", ("drift", "drifted"), optional, "drift")
    yield Kind("tipped", "Tipped", ("tipped", "tilted"), optional, "drift")
    yield Kind("supraerupted", "Over-erupted", ("overerupted", "supraerupted"), symbol="letter")
    yield Kind("diastema", "Diastema", ("diastema", "gap"), optional, "letter")
    yield Kind("watch", "Watch", ("watch", "w"), optional, "watch")
    yield Kind("periapical_lesion", "Periapical lesion", ("lesion", "pap", "abscess"), symbol="lesion")
    yield Kind("resorption", "Root resorption", ("resorption",), symbol="letter")
    yield Kind("nonvital", "Not vital", ("nonvital", "devital"), symbol="letter")
    yield Kind("hypoplasia", "Hypoplasia", ("hypoplasia", "hypo", "mih"), optional, "fill")
    yield Kind("fluorosis", "Fluorosis", ("fluorosis",), optional, "letter")
    yield Kind("stain", "Stain", ("stain", "stained"), optional, "letter")
    yield Kind("sensitive", "Sensitive", ("sensitive", "sens"), optional, "letter")
    yield Kind("ankylosis", "Ankylosis", ("ankylosed", "ankylosis"), symbol="letter")
    yield Kind("bracket", "Bracket", ("bracket", "brkt"), symbol="bracket", **here)
    yield Kind("band", "Band", ("band",), symbol="band", **here)
    yield Kind("archwire", "Archwire", ("wire", "archwire"), symbol="wire", is_range=True, **here)
    yield Kind("retainer", "Bonded retainer", ("retainer",), symbol="retainer", is_range=True, **here)
    yield Kind("appliance", "Appliance part", ("appliance", "attachment"), symbol="letter", **here)
    yield Kind("sound", "Sound", ("sound", "ok", "healthy"), symbol="sound", effect=Effect.SOUND, **here)


STANDARD = {kind.code: kind for kind in _kinds()}

MATERIALS = {
    "amalgam": "Amalgam", "composite": "Composite", "glass_ionomer": "Glass ionomer", "gold": "Gold", "metal": "Metal",
    "pfm": "Porcelain on metal", "porcelain": "Porcelain", "zirconia": "Zirconia", "lithium_disilicate": "Lithium disilicate",
    "resin": "Resin", "steel": "Stainless steel", "temporary": "Temporary", "fiber": "Fibre", "titanium": "Titanium"}
MATERIAL_WORDS = {
    "amalgam": "amalgam", "amal": "amalgam", "am": "amalgam", "silver": "amalgam", "composite": "composite", "comp": "composite",
    "gi": "glass_ionomer", "gic": "glass_ionomer", "ionomer": "glass_ionomer", "gold": "gold", "au": "gold", "metal": "metal",
    "pfm": "pfm", "vmk": "pfm", "porcelain": "porcelain", "porc": "porcelain", "ceramic": "porcelain", "zirconia": "zirconia",
    "zirc": "zirconia", "zr": "zirconia", "emax": "lithium_disilicate", "resin": "resin", "acrylic": "resin", "steel": "steel",
    "ssc": "steel", "temporary": "temporary", "temp": "temporary", "fiber": "fiber", "fibre": "fiber", "titanium": "titanium",
    "ti": "titanium"}
STATUSES = {
    "existing": "here", "existing_other": "elsewhere", "condition": "condition", "planned": "planned", "completed": "completed"}


@lru_cache(maxsize=4096)
def in_words(kind, surfaces, material, status):
    """A finding in words: "MOD restoration, composite, here". What goes without saying is left out: that caries is a condition,
    and where a missing tooth is missing."""
    words = [f"{surfaces} {kind.name.lower()}".strip()]
    if material:
        words.append(MATERIALS[material].lower())
    if status != kind.status or (status == "existing" and kind.effect in (Effect.NOTHING, Effect.IMPLANT, Effect.PONTIC)):
        words.append(STATUSES[status])
    return ", ".join(words)


# Words that say what it is and of what at once.
BOTH = {"ssc": "crown"}
