"""What the entry page of an exam is made of, and what its plain form says: texts to figures, without the database."""
import re

from charting.perio import (
    DEPTHS,
    FACIAL,
    FLAGS,
    LINGUAL,
    MARGINS,
    MUCOGINGIVAL,
    PATHS,
    ToothFigures,
    fault,
    site_order,
)
from charting.teeth import TEETH

LETTERS = {"b": "bleeding", "s": "suppuration", "p": "plaque", "c": "calculus"}
BOUNDS = {"pd": DEPTHS, "gm": MARGINS, "mgj": MUCOGINGIVAL}
SIDES = {FACIAL: (0, 1, 2), LINGUAL: (3, 4, 5)}


def paths_of(own):
    """{code: (name, legs)}: the two usual paths and the practice's own (`PerioPath` rows)."""
    return PATHS | {str(row.pk): (row.name, row.as_legs()) for row in own if row.is_active}


def page_of(mouth, skipped, numbering, own_paths):
    """What the page's script needs of the mouth: the paths over the teeth that are there, and what each tooth has."""
    teeth = {place.tooth.position: place.tooth.key for place in mouth.places if place.tooth.key not in skipped}
    return {
        "paths": {code: {"name": name, "order": site_order(legs, teeth)} for code, (name, legs) in paths_of(own_paths).items()},
        "teeth": {key: {
            "label": TEETH[key].label(numbering), "furcations": [letter.lower() for letter in TEETH[key].furcations],
            "palate": TEETH[key].is_upper} for key in teeth.values()},
    }


def grid_of(mouth, skipped, numbering):
    """The rows of the page: [(arch, [(place's key, label, is skipped, sites from left to right facial, the same lingual)])]."""
    arches = []
    for name, positions in (("Upper", range(1, 17)), ("Lower", range(32, 16, -1))):
        row = []
        for position in positions:
            tooth = mouth.places[position - 1].tooth
            order = (0, 1, 2) if tooth.is_right else (2, 1, 0)
            row.append({
                "key": tooth.key, "label": tooth.label(numbering), "is_skipped": tooth.key in skipped, "facial": order,
                "lingual": [site + 3 for site in order]})
        arches.append((name, row))
    return arches


def from_page(sent):
    """{canonical key: ToothFigures} of what the page's script or a draft holds; ValueError for what is no such thing."""
    teeth = {}
    if not isinstance(sent, dict):
        raise ValueError("This is no exam.")
    for key, said in sent.items():
        if key not in TEETH or not isinstance(said, dict):
            raise ValueError("This is no tooth.")
        figures = ToothFigures()
        for name in ("pd", "gm", "mgj"):
            setattr(figures, name, _six(said.get(name), lambda value: value is None or type(value) is int, None))
        for flag in FLAGS:
            setattr(figures, flag, [bool(value) for value in _six(said.get(flag), _is_yes_or_no, False)])
        mobility, furcation = said.get("mobility"), said.get("furcation") or {}
        if not (mobility is None or type(mobility) is int) or not isinstance(furcation, dict):
            raise ValueError("This is no tooth.")
        figures.mobility = mobility
        figures.furcation = {letter: grade for letter, grade in furcation.items() if type(grade) is int}
        teeth[key] = figures
    return teeth


def _is_yes_or_no(value):
    return value in (None, False, True)


def _six(values, is_one, empty):
    if values is None:
        return [empty] * 6
    if not isinstance(values, list) or len(values) != 6 or not all(is_one(value) for value in values):
        raise ValueError("A tooth has six sites.")
    return values


def as_page(figures):
    """The same figures as the page's script holds them."""
    return {
        "pd": figures.pd, "gm": figures.gm, "mgj": figures.mgj, **{flag: getattr(figures, flag) for flag in FLAGS},
        "mobility": figures.mobility, "furcation": figures.furcation}


def from_form(posted, keys):
    """({key: ToothFigures}, {field: sentence}) of the plain form. Fields: pd-14-facial "3 2 3" or "323", gm-…, mgj-…,
    marks-14-facial "b - bs", mobility-14 "1", furcation-14 "b1 m2"."""
    teeth, wrong = {}, {}
    for key in keys:
        figures = ToothFigures()
        for side, sites in SIDES.items():
            for name in ("pd", "gm", "mgj"):
                field = f"{name}-{key}-{side}"
                try:
                    values = three(posted.get(field, ""))
                except ValueError as error:
                    wrong[field] = str(error)
                    continue
                for site, value in zip(sites, values, strict=True):
                    getattr(figures, name)[site] = value
                low, high = BOUNDS[name]
                if any(value is not None and not low <= value <= high for value in values):
                    wrong[field] = f"Between {low} and {high} mm."
            marks = posted.get(f"marks-{key}-{side}", "").lower().split()
            if len(marks) > 3:
                wrong[f"marks-{key}-{side}"] = "A side has three sites."
            for site, letters in zip(sites, (marks + ["-"] * 3)[:3], strict=True):
                for letter in letters.replace("-", ""):
                    if letter not in LETTERS:
                        wrong[f"marks-{key}-{side}"] = "Marks are b, s, p and c; - for a site without one."
                    else:
                        getattr(figures, LETTERS[letter])[site] = True
        mobility = posted.get(f"mobility-{key}", "").strip()
        if re.fullmatch("[0-3]", mobility):
            figures.mobility = int(mobility)
        elif mobility:
            wrong[f"mobility-{key}"] = "A grade, 0 to 3."
        for word in posted.get(f"furcation-{key}", "").lower().split():
            if not re.fullmatch("[bmdl][0-9]", word):
                wrong[f"furcation-{key}"] = "Side and grade, like b1 m2."
            else:
                figures.furcation[word[0]] = int(word[1])
        found = fault(key, figures)
        if found and found[0] in ("mobility", "furcation"):
            wrong[f"{found[0]}-{key}"] = found[1]
        elif found and not any(name.startswith(f"{found[0]}-{key}-") for name in wrong):
            wrong[f"{found[0]}-{key}-lingual"] = found[1]  # the palate, where there is no mucogingival line
        teeth[key] = figures
    return teeth, wrong


def three(text):
    """Three figures of a text: "323", "3 12 4", "-1 0 2"; a dash or dot alone is not measured."""
    text = text.strip()
    if re.fullmatch(r"[0-9]{2}", text):
        raise ValueError(f"{text} may be one figure or two: put spaces between the sites.")
    tokens = list(text) if re.fullmatch(r"[0-9]{3}", text) else re.split(r"[\s,;]+", text) if text else []
    if len(tokens) > 3:
        raise ValueError("A side has three sites.")
    values = []
    for token in tokens:
        if token in ("-", "."):
            values.append(None)
        elif re.fullmatch(r"-?\d{1,2}", token):
            values.append(int(token))
        else:
            raise ValueError(f"“{token[:8]}” is no figure.")
    return values + [None] * (3 - len(values))


def form_of(figures, key):
    """The fields of the plain form that say these figures."""
    fields = {}
    for side, sites in SIDES.items():
        for name in ("pd", "gm", "mgj"):
            values = [getattr(figures, name)[site] for site in sites]
            fields[f"{name}-{key}-{side}"] = "" if values == [None] * 3 else " ".join(
                "-" if value is None else str(value) for value in values)
        marks = ["".join(letter for letter, flag in LETTERS.items() if getattr(figures, flag)[site]) or "-" for site in sites]
        fields[f"marks-{key}-{side}"] = "" if marks == ["-"] * 3 else " ".join(marks)
    fields[f"mobility-{key}"] = "" if figures.mobility is None else str(figures.mobility)
    fields[f"furcation-{key}"] = " ".join(f"{letter}{grade}" for letter, grade in figures.furcation.items())
    return fields
