"""The periodontal exam as pure calculation: sites, paths, figures, and what follows from them. Nothing here asks the database.

The six sites of a tooth stand in the order DB B MB DL L ML, as in the API. Sources: `domain.md` of the design for paths, bounds and
indices; the 2017 World Workshop (Papapanou et al., Tonetti et al., 2018) for stage and grade.
"""
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from charting.teeth import PERMANENT, SITES, TEETH

FACIAL, LINGUAL = "facial", "lingual"
DEPTHS, MARGINS, MUCOGINGIVAL, MOBILITY, FURCATION = (0, 15), (-5, 10), (0, 15), (0, 3), (0, 3)  # bounds, in mm and grades
FLAGS = ("bleeding", "suppuration", "plaque", "calculus")
COUNTED = ("bleeding", "suppuration", "plaque")  # marks of what is found at the gum when it is probed
WORSE = 2  # mm from which a change at a site is news
SITES_SAID = ("distal facial", "facial", "mesial facial", "distal lingual", "lingual", "mesial lingual")

# A path: legs of (first tooth, last tooth, side), walked in this order.
PATHS = {
    "around": ("Around each arch", [("1", "16", FACIAL), ("16", "1", LINGUAL), ("32", "17", FACIAL), ("17", "32", LINGUAL)]),
    "facials_first": (
        "Both facial sides first", [("1", "16", FACIAL), ("32", "17", FACIAL), ("17", "32", LINGUAL), ("16", "1", LINGUAL)]),
}


def site_order(legs, teeth):
    """[(tooth, site index)] along a path; `teeth`: {position: canonical key} of those that are probed, others are skipped.

    Along each leg the sites come in the order of the walk: on the patient's right towards the midline that is distal, middle,
    mesial; past the midline mesial first.
    """
    order = []
    for first, last, side in legs:
        start, end = int(first), int(last)
        step = 1 if end >= start else -1
        for position in range(start, end + step, step):
            if position not in teeth:
                continue
            tooth = TEETH[str(position)]
            # Positions run from right to left in the upper arch, from left to right in the lower one.
            towards_left = (step == 1) == tooth.is_upper
            distal_first = tooth.is_right == towards_left
            sites = (0, 1, 2) if side == FACIAL else (3, 4, 5)
            order += [(teeth[position], site) for site in (sites if distal_first else reversed(sites))]
    return order


@dataclass
class ToothFigures:
    """What was measured at one tooth; None is not measured, which is not 0."""

    pd: list = field(default_factory=lambda: [None] * 6)  # probing depth, mm
    gm: list = field(default_factory=lambda: [None] * 6)  # gingival margin, mm; recession positive
    mgj: list = field(default_factory=lambda: [None] * 6)  # mucogingival line, mm
    bleeding: list = field(default_factory=lambda: [False] * 6)
    suppuration: list = field(default_factory=lambda: [False] * 6)
    plaque: list = field(default_factory=lambda: [False] * 6)
    calculus: list = field(default_factory=lambda: [False] * 6)
    mobility: int | None = None
    furcation: dict = field(default_factory=dict)  # {"b", "m", "d", "l": grade}

    @property
    def cal(self):
        """Clinical attachment loss = depth + margin; None where either is missing, 0 is a value. Never typed."""
        return [None if None in pair else pair[0] + pair[1] for pair in zip(self.pd, self.gm, strict=True)]

    @property
    def sixes(self):
        """Depths, margins and losses by side, for a table: facial, lingual of each."""
        return [half for six in (self.pd, self.gm, self.cal) for half in (six[:3], six[3:])]

    @property
    def is_empty(self):
        return self == ToothFigures()

    @property
    def is_probed(self):
        """Whether a depth was measured anywhere."""
        return any(depth is not None for depth in self.pd)

    @property
    def uncounted_marks(self):
        """How many marks stand at sites without a depth: no rate counts them."""
        return sum(getattr(self, flag)[site] for flag in COUNTED for site, depth in enumerate(self.pd) if depth is None)


def fault(key, figures):
    """(field, sentence) of the first figure of this tooth that can't be, None when all can. Bounds: `domain.md`."""
    tooth = TEETH[key]
    for name, what, (low, high) in (
        ("pd", "A probing depth", DEPTHS), ("gm", "A gingival margin", MARGINS), ("mgj", "A mucogingival line", MUCOGINGIVAL),
    ):
        if any(value is not None and not low <= value <= high for value in getattr(figures, name)):
            return name, f"{what} lies between {low} and {high} mm."
    if any(value is not None and not tooth.has_mucogingival_line(site) for site, value in zip(SITES, figures.mgj, strict=True)):
        return "mgj", "The palate has no mucogingival line."
    if figures.mobility is not None and not MOBILITY[0] <= figures.mobility <= MOBILITY[1]:
        return "mobility", "Mobility has the grades 0 to 3."
    for letter, grade in figures.furcation.items():
        if not letter.islower() or letter.upper() not in tooth.furcations:
            where = ", ".join(tooth.furcations) or "nowhere: it has one root"
            return "furcation", f"The roots of this tooth part at: {where}."
        if grade is not None and not FURCATION[0] <= grade <= FURCATION[1]:
            return "furcation", "A furcation has the grades 0 to 3."
    return None


@dataclass(frozen=True)
class Indices:
    """Sums over the measured sites; rates and means follow. Nothing measured gives None, never a healthy nought."""

    sites_possible: int
    sites_measured: int
    bleeding_sites: int
    plaque_sites: int
    sites_ge_4: int
    sites_ge_5: int
    pd_sum: int
    cal_sum: int
    cal_sites: int

    @property
    def completeness(self):
        """The share of possible sites that were measured, 0 to 1."""
        return _rounded(self.sites_measured, self.sites_possible)

    @property
    def bleeding_percent(self):
        return _rounded(100 * self.bleeding_sites, self.sites_measured)

    @property
    def plaque_percent(self):
        return _rounded(100 * self.plaque_sites, self.sites_measured)

    @property
    def mean_pd(self):
        return _rounded(self.pd_sum, self.sites_measured)

    @property
    def mean_cal(self):
        return _rounded(self.cal_sum, self.cal_sites)


def _rounded(part, whole):
    """To two decimals, half up; None of nothing."""
    if not whole:
        return None
    share = Fraction(part, whole)
    return (Decimal(share.numerator) / share.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)


def possible_sites(teeth, skipped):
    """How many sites there are to measure: six of each tooth that is probed.

    That is one tooth at each of the 32 places but the skipped ones, and whatever was measured beside it there: a supernumerary
    tooth, or the primary one and its successor at once.
    """
    probed = [TEETH[key] for key, figures in teeth.items() if figures.is_probed]
    places = {tooth.position for tooth in probed if not tooth.is_supernumerary}
    beside = len(probed) - len(places)
    return 6 * (len(PERMANENT) - len(skipped) + beside)


def indices(teeth, skipped):
    """The Indices of {tooth: ToothFigures}, over sites with a probing depth; `skipped`: the teeth that were not there to probe."""
    depths = [(figures, site, depth) for figures in teeth.values() for site, depth in enumerate(figures.pd) if depth is not None]
    losses = [loss for figures in teeth.values() for loss in figures.cal if loss is not None]
    return Indices(
        sites_possible=possible_sites(teeth, skipped), sites_measured=len(depths),
        bleeding_sites=sum(figures.bleeding[site] for figures, site, _ in depths),
        plaque_sites=sum(figures.plaque[site] for figures, site, _ in depths),
        sites_ge_4=sum(depth >= 4 for _, _, depth in depths), sites_ge_5=sum(depth >= 5 for _, _, depth in depths),
        pd_sum=sum(depth for _, _, depth in depths), cal_sum=sum(losses), cal_sites=len(losses))


def changes(before, after, measure="pd"):
    """[(tooth, site, from, to)] of the sites measured in both exams where the figure changed by 2 mm or more, worst first."""
    found = []
    for tooth in after:
        if tooth not in before:
            continue
        for site, (old, new) in enumerate(zip(getattr(before[tooth], measure), getattr(after[tooth], measure), strict=True)):
            if old is not None and new is not None and abs(new - old) >= WORSE:
                found.append((tooth, site, old, new))
    return sorted(found, key=lambda row: (row[2] - row[3], TEETH[row[0]].position, row[1]))


def worst_loss(before, after):
    """The most attachment loss, in mm, that came at a site which both exams know; None where they share none."""
    pairs = [pair for tooth in after if tooth in before for pair in zip(before[tooth].cal, after[tooth].cal, strict=True)]
    return max((new - old for old, new in pairs if old is not None and new is not None), default=None)


def deepest(teeth, deep, most=6):
    """[(tooth, site, depth)] of the deepest pockets from `deep` mm on, the worst first."""
    found = [(tooth, site, depth) for tooth, figures in teeth.items() for site, depth in enumerate(figures.pd)
             if depth is not None and depth >= deep]
    return sorted(found, key=lambda row: (-row[2], TEETH[row[0]].position, row[1]))[:most]


FIVE_YEARS = (4 * 365, 6 * 365)  # days between two exams that tell of "about five years"
INTERDENTAL = (0, 2, 3, 5)
STAGES = {1: "I", 2: "II", 3: "III", 4: "IV"}


@dataclass(frozen=True)
class Suggestion:
    """A stage and grade that the figures suggest, with each figure that led there, and what is not known. A dentist confirms."""

    stage: str  # "I" to "IV", "" for none
    grade: str  # "A" to "C", "" for none
    extent: str  # "localized", "generalized", ""
    reasons: list
    unknown: list


def suggested(teeth, missing_count, smokes=None, has_diabetes=None, worst_loss_in_five_years=None):
    """What the 2017 classification makes of the figures; `missing_count`: teeth that are gone, for whatever cause.

    Interdental attachment loss of 1 mm or more at two teeth that do not stand side by side makes periodontitis. `smokes` and
    `has_diabetes`: None when nobody asked. `worst_loss_in_five_years`: mm at the worst site, None without an exam to compare.
    """
    reasons = []
    unknown = ["how many of the missing teeth were lost to periodontitis", "bone loss in images"]
    interdental = {
        tooth: max((loss for site, loss in enumerate(figures.cal) if site in INTERDENTAL and loss is not None), default=None)
        for tooth, figures in teeth.items()}
    measured = {tooth: loss for tooth, loss in interdental.items() if loss is not None}
    if not measured:
        return Suggestion("", "", "", ["No attachment loss can be computed: it needs depth and margin between the teeth."], unknown)
    places = sorted(TEETH[tooth].position for tooth, loss in measured.items() if loss >= 1)
    if not any(later - first > 1 for first in places for later in places if later > first):
        said = "No attachment loss between the teeth at two teeth that stand apart: no periodontitis."
        return Suggestion("", "", "", [said], unknown)
    worst = max(measured.values())
    stage = 1 if worst <= 2 else 2 if worst <= 4 else 3
    reasons.append(f"Most attachment loss between the teeth: {worst} mm (1 to 2: I, 3 to 4: II, 5 and more: III or IV).")
    deepest = max((depth for figures in teeth.values() for depth in figures.pd if depth is not None), default=0)
    by_depth = 1 if deepest <= 4 else 2 if deepest <= 5 else 3
    reasons.append(f"Deepest pocket: {deepest} mm (up to 4: I, 5: II, 6 and more: III).")
    stage = max(stage, by_depth)
    branched = max((grade or 0 for figures in teeth.values() for grade in figures.furcation.values()), default=0)
    if branched >= 2:
        reasons.append(f"Furcation of grade {branched}: at least III.")
        stage = max(stage, 3)
    loose = max((figures.mobility or 0 for figures in teeth.values()), default=0)
    if stage == 3 and (loose >= 2 or missing_count >= 12):
        reasons.append(
            f"Mobility of grade {loose}: IV is to be considered." if loose >= 2 else
            f"{missing_count} teeth are missing: IV where they were lost to periodontitis.")
        stage = 4 if loose >= 2 else stage
    involved = sum(loss >= max(1, {1: 1, 2: 3}.get(stage, 5)) for loss in measured.values())
    share = 100 * involved // len(measured)
    extent = "generalized" if share >= 30 else "localized"
    reasons.append(
        f"{involved} of {len(measured)} teeth have loss of that stage, {share} %: {extent} (30 % and more: generalized).")
    grade = _grade(smokes, has_diabetes, worst_loss_in_five_years, reasons, unknown)
    return Suggestion(STAGES[stage], grade, extent, reasons, unknown)


def _grade(smokes, has_diabetes, loss, reasons, unknown):
    """A to C: by what was lost in five years, else B until proven otherwise; then as smoking and diabetes raise it."""
    if loss is None:
        grade = "B"
        unknown.append("how fast it goes: no exam of about five years ago")
        reasons.append("Grade B until there is an earlier exam to compare with.")
    else:
        grade = "A" if loss <= 0 else "B" if loss < 2 else "C"
        reasons.append(f"Most loss at a site over five years: {loss} mm (none: A, under 2: B, 2 and more: C).")
    for known, what in ((smokes, "Smoking"), (has_diabetes, "Diabetes")):
        if known is None:
            unknown.append(f"{what.lower()}: nobody asked")
        elif known:
            grade = max(grade, "B")
            reasons.append(f"{what}: at least B; C from ten cigarettes a day." if what == "Smoking" else
                           f"{what}: at least B; C where HbA1c is 7 % or more.")
    return grade
