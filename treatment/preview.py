"""What the plan's entry line is read as, while one types."""
from charting.chart import Chart
from charting.grammar import Unreadable, completions
from treatment import entry


def understood(actor, patient):
    """What the line understands for this patient, and "others" means: the chart's own language."""
    return Chart(actor, patient).language


def previewed(actor, patient, text, error=None):
    """{"lines": [(code, words, place, fee, other codes, whether it fits)], "error", "marked": (before, word, after) or None,
    "completions"}."""
    language, lines = understood(actor, patient), []
    if error is None and text.strip():
        try:
            lines = [
                (item.code.code, item.code.description, item.place.said(language.numbering), item.code.fee,
                 [other.code for other in item.others[:3]], item.fits)
                for item in entry.read(text, language, entry.Catalogue(actor.clinic))]
        except Unreadable as fault:
            error = fault
    fault = error if isinstance(error, Unreadable) and error.word else None
    sentence = "" if error is None else str(error) if isinstance(error, Unreadable) else " ".join(error.messages)
    return {"lines": lines, "error": sentence, "completions": completions(text, language, fault),
            "marked": (text[:fault.start], text[fault.start:fault.end], text[fault.end:]) if fault else None}
