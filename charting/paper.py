"""The chart on paper: the drawing, and every finding in words beside its tooth."""
from django.utils.formats import date_format

from clinic.paper.typeset import typeset

# Paper has one ink: the patterns alone tell the status.
INKS = {"condition": "#a8221a", "planned": "#7d4f00", "existing": "#1c4f94", "existing_other": "#1c4f94", "completed": "#14532d"}
STYLE = "<style>" + "".join(
    f".s-{status}, #p-{status} {{ color: {ink} }} .side.s-{status}, .crown.s-{status}, .neck.s-{status} {{ fill: url(#p-{status}); "
    f"stroke: {ink} }} .sign.s-{status}, .cap.s-{status}, .ring.s-{status}, .joint.s-{status} {{ stroke: {ink} }} "
    f"#p-{status} .ink {{ stroke: {ink} }}"
    for status, ink in INKS.items()) + (
    ".root, .crown, .side { fill: #ffffff; stroke: #777777; stroke-width: 0.8 } .neck { fill: none }"
    ".side.s-existing, .crown.s-existing, .neck.s-existing { fill: #1c4f94 }"
    ".sign, .cap, .ring { fill: none; stroke-width: 2.4 } .joint { fill: none; stroke-width: 5 }"
    ".ink { fill: none; stroke-width: 1.4 } circle.ink { fill: #14532d; stroke: none } .ink-bg { fill: #ffffff }"
    ".groove { fill: none; stroke: #999999; stroke-width: 0.7 } .midline { fill: none; stroke: #999999; stroke-dasharray: 3 4 }"
    ".number { font-size: 13px; font-weight: 600; text-anchor: middle } .beside { font-size: 9px; text-anchor: end }"
    ".letters { font-size: 15px; font-weight: 700; text-anchor: middle }"
    ".screw { fill: #dddddd; stroke: #555555; stroke-width: 1.6 }"
    ".is-not_examined .root, .is-not_examined .crown, .is-not_examined .side { stroke-dasharray: 2.5 2.5 }"
    ".is-missing .root, .is-missing .crown { stroke: #cccccc } .is-unerupted .crown { stroke-dasharray: 2 3 }</style>")


def summary(shown, alerts):
    """The chart of a day as a PDF, tagged; `alerts`: what stands in red on the screen."""
    patient, clinic = shown.patient, shown.clinic
    title = f"Tooth chart, {date_format(shown.on, 'j F Y')}"
    svg = shown.drawing().replace("<defs>", f"{STYLE}<defs>").replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    rows = [
        {"tooth": label, "what": words, "since": date_format(row.noted_on, "j M Y"),
         "by": row.seen_by or "", "note": row.note}
        for row, label, words in shown.rows(shown.findings_on(shown.on))]
    unknown = [place.tooth.label(shown.numbering) for place in shown.mouth.places if place.state == "not_examined"]
    return typeset("charting/chart.typ", {
        "svg": svg, "rows": rows, "sound": ", ".join(shown.sound), "unknown": ", ".join(unknown), "alerts": alerts,
        "patient": f"{patient.name}, born {date_format(patient.date_of_birth, 'j F Y')}, #{patient.chart_number}",
        "numbering": clinic.get_tooth_numbering_display(),
    }, clinic=clinic, title=title, on=shown.today)
