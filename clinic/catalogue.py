"""The starter catalogue: everyday procedure codes in our own plain words, with made-up demo fees.

Not the licensed descriptions of the code set: those come with the practice's own list.
"""
from decimal import Decimal

from clinic.db.records import record_bulk
from clinic.models import ProcedureCode

MOUTH, TOOTH, SURFACE, QUADRANT, ARCH, RANGE = "mouth", "tooth", "surface", "quadrant", "arch", "tooth_range"

# category: (code, our words, treatment area, minutes, demo fee in whole units of the clinic's currency)
STARTER = {
    "diagnostic": [
        ("D0120", "Check-up of a known patient", MOUTH, 10, 62),
        ("D0140", "Look at one problem", MOUTH, 15, 88),
        ("D0145", "First look and advice for a child under three", MOUTH, 20, 71),
        ("D0150", "First full examination", MOUTH, 40, 104),
        ("D0160", "Long examination of a difficult problem", MOUTH, 40, 158),
        ("D0170", "Second look at an earlier problem", MOUTH, 10, 54),
        ("D0180", "Full gum examination", MOUTH, 40, 112),
        ("D0210", "X-rays of the whole mouth", MOUTH, 20, 158),
        ("D0220", "X-ray of a root, first picture", TOOTH, 5, 34),
        ("D0230", "X-ray of a root, each further picture", TOOTH, 5, 26),
        ("D0240", "X-ray laid on the bite", ARCH, 5, 38),
        ("D0270", "Bitewing X-ray, one picture", MOUTH, 5, 32),
        ("D0272", "Bitewing X-rays, two pictures", MOUTH, 5, 52),
        ("D0273", "Bitewing X-rays, three pictures", MOUTH, 10, 62),
        ("D0274", "Bitewing X-rays, four pictures", MOUTH, 10, 76),
        ("D0277", "Upright bitewing X-rays, seven or eight", MOUTH, 15, 108),
        ("D0330", "Panoramic X-ray", MOUTH, 10, 132),
        ("D0340", "Side X-ray of the head, measured", MOUTH, 10, 138),
        ("D0350", "Photographs of face or mouth", MOUTH, 10, 68),
        ("D0367", "3D scan of both jaws", MOUTH, 15, 365),
        ("D0460", "Test whether a tooth is alive", TOOTH, 10, 58),
        ("D0470", "Models of the teeth", MOUTH, 20, 122),
    ],
    "preventive": [
        ("D1110", "Cleaning, adult", MOUTH, 50, 112),
        ("D1120", "Cleaning, child", MOUTH, 30, 78),
        ("D1206", "Fluoride varnish", MOUTH, 5, 48),
        ("D1208", "Fluoride, not varnish", MOUTH, 5, 42),
        ("D1310", "Advice on food and teeth", MOUTH, 10, 44),
        ("D1320", "Advice on giving up tobacco", MOUTH, 10, 46),
        ("D1330", "Teaching how to clean the teeth", MOUTH, 10, 48),
        ("D1351", "Sealing the grooves of a tooth", TOOTH, 10, 58),
        ("D1354", "Stopping decay with a brushed-on medicine", TOOTH, 10, 52),
        ("D1510", "Space keeper, fixed, one side", QUADRANT, 30, 318),
        ("D1516", "Space keeper, fixed, both sides, upper", ARCH, 40, 432),
        ("D1517", "Space keeper, fixed, both sides, lower", ARCH, 40, 432),
    ],
    "restorative": [
        ("D2140", "Silver filling, one surface", SURFACE, 30, 148),
        ("D2150", "Silver filling, two surfaces", SURFACE, 40, 186),
        ("D2160", "Silver filling, three surfaces", SURFACE, 50, 224),
        ("D2161", "Silver filling, four surfaces or more", SURFACE, 60, 268),
        ("D2330", "White filling, front tooth, one surface", SURFACE, 30, 168),
        ("D2331", "White filling, front tooth, two surfaces", SURFACE, 40, 208),
        ("D2332", "White filling, front tooth, three surfaces", SURFACE, 50, 252),
        ("D2335", "White filling, front tooth, four surfaces or the edge", SURFACE, 60, 312),
        ("D2391", "White filling, back tooth, one surface", SURFACE, 40, 184),
        ("D2392", "White filling, back tooth, two surfaces", SURFACE, 50, 238),
        ("D2393", "White filling, back tooth, three surfaces", SURFACE, 60, 292),
        ("D2394", "White filling, back tooth, four surfaces or more", SURFACE, 60, 348),
        ("D2644", "Ceramic onlay, four surfaces or more", SURFACE, 90, 1180),
        ("D2740", "Crown, all ceramic", TOOTH, 90, 1345),
        ("D2750", "Crown, ceramic on precious metal", TOOTH, 90, 1310),
        ("D2790", "Crown, precious metal", TOOTH, 90, 1365),
        ("D2920", "Cementing a crown again", TOOTH, 20, 128),
        ("D2930", "Ready-made steel crown, milk tooth", TOOTH, 40, 312),
        ("D2940", "Filling for the time being", TOOTH, 20, 118),
        ("D2950", "Building up a tooth for a crown", TOOTH, 30, 298),
        ("D2954", "Ready-made post with build-up", TOOTH, 40, 372),
    ],
    "endodontics": [
        ("D3110", "Covering an open nerve", TOOTH, 15, 92),
        ("D3120", "Covering a nerve that is nearly open", TOOTH, 15, 84),
        ("D3220", "Taking out the upper part of a nerve", TOOTH, 40, 228),
        ("D3221", "Opening a painful tooth", TOOTH, 30, 262),
        ("D3310", "Root canal, front tooth", TOOTH, 70, 845),
        ("D3320", "Root canal, small back tooth", TOOTH, 90, 968),
        ("D3330", "Root canal, molar", TOOTH, 110, 1225),
        ("D3346", "Root canal once more, front tooth", TOOTH, 90, 1060),
        ("D3348", "Root canal once more, molar", TOOTH, 120, 1460),
    ],
    "periodontics": [
        ("D4210", "Cutting back gum, four teeth or more", QUADRANT, 60, 682),
        ("D4249", "Laying more of a tooth free", TOOTH, 60, 798),
        ("D4341", "Deep cleaning, four teeth or more of a quarter", QUADRANT, 50, 274),
        ("D4342", "Deep cleaning, one to three teeth of a quarter", QUADRANT, 30, 196),
        ("D4346", "Cleaning of inflamed gums", MOUTH, 50, 158),
        ("D4355", "First rough cleaning before an examination", MOUTH, 50, 188),
        ("D4381", "Medicine laid into a gum pocket", TOOTH, 10, 92),
        ("D4910", "Cleaning after gum treatment", MOUTH, 50, 154),
    ],
    "prosthodontics": [
        ("D5110", "Full denture, upper", ARCH, 60, 1685),
        ("D5120", "Full denture, lower", ARCH, 60, 1685),
        ("D5130", "Full denture at once after extractions, upper", ARCH, 60, 1790),
        ("D5140", "Full denture at once after extractions, lower", ARCH, 60, 1790),
        ("D5211", "Part denture of resin, upper", ARCH, 50, 1290),
        ("D5212", "Part denture of resin, lower", ARCH, 50, 1290),
        ("D5213", "Part denture on metal, upper", ARCH, 60, 1820),
        ("D5214", "Part denture on metal, lower", ARCH, 60, 1820),
        ("D5410", "Adjusting a full denture, upper", ARCH, 20, 88),
        ("D5411", "Adjusting a full denture, lower", ARCH, 20, 88),
        ("D5750", "New lining of a full denture, upper", ARCH, 40, 462),
        ("D6240", "Bridge tooth, ceramic on precious metal", TOOTH, 60, 1295),
        ("D6245", "Bridge tooth, all ceramic", TOOTH, 60, 1330),
        ("D6740", "Bridge crown, all ceramic", TOOTH, 90, 1345),
        ("D6750", "Bridge crown, ceramic on precious metal", TOOTH, 90, 1310),
        ("D6930", "Cementing a bridge again", RANGE, 30, 186),
    ],
    "implants": [
        ("D6010", "Placing an implant", TOOTH, 90, 2180),
        ("D6056", "Ready-made post on an implant", TOOTH, 40, 682),
        ("D6057", "Custom post on an implant", TOOTH, 40, 818),
        ("D6058", "Ceramic crown on an implant's post", TOOTH, 60, 1480),
        ("D6065", "Ceramic crown on an implant", TOOTH, 60, 1520),
        ("D6080", "Care of implants, taking the work off", MOUTH, 40, 212),
    ],
    "surgery": [
        ("D7140", "Taking out a tooth", TOOTH, 30, 198),
        ("D7210", "Taking out a tooth with bone or cutting", TOOTH, 50, 326),
        ("D7220", "Taking out a tooth under gum", TOOTH, 50, 372),
        ("D7230", "Taking out a tooth partly in bone", TOOTH, 60, 462),
        ("D7240", "Taking out a tooth wholly in bone", TOOTH, 70, 548),
        ("D7250", "Taking out left roots", TOOTH, 50, 338),
        ("D7310", "Smoothing bone with extractions", QUADRANT, 30, 352),
        ("D7510", "Opening an abscess in the mouth", TOOTH, 30, 238),
        ("D7953", "Bone filled into the gap of a tooth", TOOTH, 30, 498),
    ],
    "orthodontics": [
        ("D8010", "Short orthodontics, milk teeth", MOUTH, 60, 1850),
        ("D8020", "Short orthodontics, mixed teeth", MOUTH, 60, 2250),
        ("D8070", "Full orthodontics, mixed teeth", MOUTH, 90, 4900),
        ("D8080", "Full orthodontics, adolescent", MOUTH, 90, 5650),
        ("D8090", "Full orthodontics, adult", MOUTH, 90, 6150),
        ("D8210", "Removable appliance against a habit", MOUTH, 40, 780),
        ("D8220", "Fixed appliance against a habit", MOUTH, 40, 860),
        ("D8660", "Look before orthodontics, to watch growth", MOUTH, 30, 92),
        ("D8670", "Orthodontic adjustment visit", MOUTH, 20, 235),
        ("D8680", "Braces off, retainers fitted", MOUTH, 60, 560),
        ("D8695", "Braces off early", MOUTH, 60, 420),
        ("D8703", "New retainer, upper", ARCH, 30, 285),
        ("D8704", "New retainer, lower", ARCH, 30, 285),
    ],
    "adjunctive": [
        ("D9110", "Quick relief of pain", MOUTH, 20, 138),
        ("D9222", "Deep sedation, first quarter of an hour", MOUTH, 15, 265),
        ("D9230", "Laughing gas", MOUTH, 10, 82),
        ("D9243", "Sedation by vein, each further quarter of an hour", MOUTH, 15, 188),
        ("D9310", "Second opinion for another dentist", MOUTH, 30, 136),
        ("D9910", "Medicine against sensitive teeth", MOUTH, 10, 56),
        ("D9944", "Hard night guard, whole arch", ARCH, 30, 585),
        ("D9951", "Small bite adjustment", MOUTH, 20, 142),
        ("D9972", "Whitening at the practice, one jaw", ARCH, 60, 345),
    ],
}


def rows():
    """(code, description, category, treatment area, minutes, fee) of every starter code, by code."""
    for category, codes in STARTER.items():
        for code, description, area, minutes, fee in codes:
            yield code, description, category, area, minutes, Decimal(fee)


def load_starter(by):
    """Add the starter codes that the clinic of `by` lacks; what it has, changed or retired, stays. Returns the new ones."""
    there = set(ProcedureCode.objects.filter(clinic=by.clinic_id).values_list("code", flat=True))
    return record_bulk((
        ProcedureCode(
            clinic=by.clinic, code=code, description=description, category=category, treatment_area=area,
            minutes=minutes, fee=fee)
        for code, description, category, area, minutes, fee in rows() if code not in there
    ), by=by, because="Starter catalogue")
