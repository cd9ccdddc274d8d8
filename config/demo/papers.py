"""Papers of a few demo patients: an insurance card with two sides and a signed consent, drawn here, of nobody real."""
import io
from datetime import timedelta

from PIL import Image, ImageDraw, ImageFont

from clinic.files.examine import examine
from clinic.models import Document, Patient
from config.demo.opening import acting

PATIENTS = 3
CARRIERS = [("Harbour Health", "#0d6464"), ("Bluestone Dental", "#2b4f79"), ("Prairie Mutual", "#7d4f00")]
CONSENT = (
    "I was told what will be done, what it costs, what can go wrong, and what else is possible. "
    "I could ask whatever I wanted, and I agree to the treatment that was explained to me.")


def file_papers(house):
    """A card for each of a few patients who pay for themselves, and a consent for the first of them."""
    desk = acting(house, "receptionist")
    patients = Patient.objects.filter(
        clinic=house.clinic, status=Patient.Status.ACTIVE, guarantor_patient=None).order_by("last_key", "pk")[:PATIENTS]
    for index, patient in enumerate(patients):
        carrier, colour = CARRIERS[index % len(CARRIERS)]
        number = f"{house.chance.randrange(10**9):09d}"
        front = [
            (carrier, 46), ("", 20), ("Dental plan", 26), ("", 30),
            (patient.name, 34), (f"Member {number}", 28), ("Group 4471", 28)]
        back = [("For members", 40), ("", 34), ("Show this card at every visit.", 26), ("Questions: (555) 010-0199", 26)]
        Document.add(
            by=desk, patient=patient, kind=Document.Kind.INSURANCE_CARD, title=f"{carrier} card",
            content=picture(front, colour), name="card-front.jpg", back=picture(back, "#3a4245"), back_name="card-back.jpg",
            received_on=house.today - timedelta(days=house.chance.randint(20, 300)))
        if index == 0:
            Document.add(
                by=desk, patient=patient, kind=Document.Kind.CONSENT, title="Consent to treatment",
                content=examine(consent(patient), "consent.pdf"), received_on=house.today - timedelta(days=9))


def picture(lines, colour):
    """A card of plastic as a JPEG."""
    image = Image.new("RGB", (1012, 638), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 1012, 120), fill=colour)
    return _written(image, draw, lines, start=34, first_fill="white", form="JPEG")


def consent(patient):
    """A letter-size page as a PDF."""
    image = Image.new("RGB", (1275, 1650), "white")
    words, lines = CONSENT.split(), [("Consent to treatment", 52), (patient.name, 34), ("", 30)]
    while words:
        line = ""
        while words and len(line) + len(words[0]) < 66:
            line += f"{words.pop(0)} "
        lines.append((line.strip(), 32))
    return _written(image, ImageDraw.Draw(image), [*lines, ("", 120), ("Signed in the practice", 28)], start=140, form="PDF")


def _written(image, draw, lines, *, start, form, first_fill="#1a2022"):
    y = start
    for index, (text, size) in enumerate(lines):
        draw.text((60, y), text, font=ImageFont.load_default(size), fill="#1a2022" if index else first_fill)
        y += round(size * 1.7)
    out = io.BytesIO()
    image.save(out, form, **({"quality": 82} if form == "JPEG" else {"resolution": 150}))
    return out.getvalue()
