"""Names, streets and telephone numbers of people who do not exist, by country."""
from functools import cache

from clinic.db.fields import normalise
from clinic.imports import read_phone

FEMALE = {
    "US": """Olivia Emma Charlotte Amelia Sophia Mia Isabella Ava Evelyn Luna Harper Camila Sofia Scarlett Elizabeth Eleanor
        Emily Chloe Mila Violet Penelope Gianna Aria Abigail Ella Avery Hazel Nora Layla Lily Aurora Nova Ellie Madison Grace
        Isla Willow Zoë Riley Stella Eliana Ivy Victoria Naomi Maya Elena Hannah Valentina Ruth Alice Margaret Joan Dorothy
        Renée Siobhán Aaliyah Mei Priya Fatima Ngozi Ximena Beatriz Chiara Yuki Soo-Jin""".split(),
    "DE": """Emilia Emma Sophia Hannah Mia Lina Ella Leni Marie Clara Frieda Ida Lotte Greta Käthe Jördis Söhnke Anneliese
        Ursula Renate Birgit Sabine Petra Jana Aylin Zeynep Katarzyna Svenja Wiebke Hedwig""".split(),
}
MALE = {
    "US": """Liam Noah Oliver Theodore James Henry Mateo Elijah Lucas William Benjamin Levi Ezra Sebastian Jack Daniel Samuel
        Michael Ethan Asher John Hudson Luca Leo Elias Owen Alexander Dylan Santiago Julian David Joseph Matthew Luke Jackson
        Isaac Gabriel Anthony Wyatt Thomas Caleb Nathan Aaron Isaiah Charles Josiah Adrian Cameron Walter Harold Frank George
        José André Łukasz Søren Kwame Chidi Arjun Omar Hiroshi Minh Dmitri Björn""".split(),
    "DE": """Noah Leon Paul Matteo Ben Elias Finn Felix Henry Jonas Anton Emil Jörg Günther Jürgen Klaus Dieter Uwe Holger Torben
        Malte Fiete Ole Yusuf Mehmet Paweł Björn Sönke Hinnerk Götz""".split(),
}
LAST = {
    "US": """Smith Johnson Williams Brown Jones Garcia Miller Davis Rodríguez Martínez Hernández Lopez Gonzalez Wilson Anderson
        Thomas Taylor Moore Jackson Martin Lee Pérez Thompson White Harris Sánchez Clark Ramirez Lewis Robinson Walker Young
        Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts
        Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers Gutierrez
        Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks Chavez Wood Bennett
        Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Jimenez O'Brien O'Connor D'Angelo
        MacDonald Van-Dyke Kowalski Müller Dvořák Nuñez Françoise Ivanov Yamamoto Chen Wang Okonkwo Adeyemi Haddad Cohen Katz
        Rossi Esposito Andersson Larsen Papadopoulos Demir Silva Ferreira""".split(),
    "DE": """Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf
        Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Krause Meier Lehmann Köhler Groß
        Weiß Jürgens Petersen Hansen Brüggemann Yılmaz Kaya Nowak Großmann""".split(),
}
STREETS = {
    "US": ["Harbor Street", "Maple Avenue", "Oak Street", "King Street", "Westchester Avenue", "Pearl Street", "Irving Place",
           "Willett Avenue", "Grace Church Street", "Ridge Road", "Meadow Lane", "Locust Avenue", "Cedar Drive", "Purdy Street",
           "Bowman Avenue", "Lincoln Avenue", "Hillside Terrace", "Orchard Lane", "Park Place", "Water Street"],
    "DE": ["Hafenstraße", "Elbchaussee", "Lange Reihe", "Osterstraße", "Große Bergstraße", "Mühlenkamp", "Schanzenstraße",
           "Eppendorfer Weg", "Fährstraße", "Grindelallee", "Kleine Freiheit", "Süderstraße"],
}
TOWNS = {
    "harbour": [("Port Chester", "NY", "10573"), ("Rye", "NY", "10580"), ("Rye Brook", "NY", "10573"), ("Harrison", "NY", "10528"),
                ("Mamaroneck", "NY", "10543"), ("Greenwich", "CT", "06830"), ("White Plains", "NY", "10601")],
    "west": [("Seattle", "WA", "98107"), ("Seattle", "WA", "98117"), ("Shoreline", "WA", "98133"), ("Bellevue", "WA", "98004")],
    "hamburg": [("Hamburg", "", "22767"), ("Hamburg", "", "20253"), ("Hamburg", "", "20459"), ("Wedel", "", "22880")],
}
# 555-0100 to 555-0199 belong to nobody in each of these areas; the German ranges are set aside for films.
AREAS = [
    "201", "203", "206", "212", "215", "253", "267", "301", "315", "332", "347", "360", "401", "410", "425", "475", "484", "508",
    "516", "518", "585", "607", "609", "610", "617", "631", "646", "703", "716", "718", "732", "774", "845", "856", "860", "862",
    "908", "914", "917", "929", "973",
]


def phone(chance, country):
    """A valid number that rings nowhere."""
    if country == "DE":
        return number(f"+494066969{chance.randrange(1000):03d}" if chance.yes(0.5) else f"+4917139200{chance.randrange(100):02d}")
    return number(f"+1{chance.choice(AREAS)}55501{chance.randrange(100):02d}")


@cache
def number(text):
    """Read once: there are few of them, and reading one takes longer than saving a patient."""
    return read_phone(text, None)


def first_name(chance, country, sex):
    return chance.choice((FEMALE if sex == "female" else MALE)[country])


def last_name(chance, country):
    return chance.choice(LAST[country])


def address(chance, country, town_key):
    """The fields of an address, for accounts and patients alike."""
    city, region, postal_code = chance.choice(TOWNS[town_key])
    street, number = chance.choice(STREETS[country]), chance.randint(1, 240)
    return {
        "line1": f"{street} {number}" if country == "DE" else f"{number} {street}",
        "line2": f"Apt {chance.randint(1, 40)}" if country == "US" and chance.yes(0.2) else "",
        "city": city, "region": region, "postal_code": postal_code, "country": country,
    }


def email(chance, first, last):
    """An address in a domain that can't exist."""
    plain = ".".join("".join(char for char in normalise(part) if char.isascii() and char.isalnum()) for part in (first, last))
    return f"{plain}{chance.randint(1, 99)}@{chance.choice(('mail', 'post', 'home'))}.example"
