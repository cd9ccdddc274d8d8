"""Texts with fields in braces: what stands in one and means nothing, each in a sentence for whoever writes the text."""
import difflib
import re


def no_field(name, known):
    """That there is no field of this name, and the one that may have been meant."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"There is no field {{{name}}}." + (f" {{{close[0]}}} is one." if close else "")


def lone(text, belonging):
    """A sentence for each brace that stands alone; `belonging`: the pattern of those that do not, with what is between them."""
    found = []
    for brace in re.finditer(r"[{}]", belonging.sub(lambda fields: "_" * len(fields[0]), text)):
        around = " ".join(text[max(0, brace.start() - 12):brace.end() + 12].split())
        found.append(f"A brace stands alone in “{around}”.")
    return found
