"""What both sides are loaded with: so many patients, ten providers, 150 visits a day, three visits a patient."""
from dataclasses import dataclass
from datetime import date, timedelta

PROVIDERS = 10
A_DAY = 150
A_PATIENT = 3
AHEAD = 60  # days with visits after the day of loading; the search for free times looks at six weeks
EARLIEST = date(1990, 1, 8)  # Chairside keeps no visit before 1990
FIRST_MINUTE, VISIT_MINUTES = 8 * 60, 30
EMAIL, PASSWORD = "bench@bench.example", "a-password-for-the-bench"  # who is signed in to Chairside
SESSION = "floorfloorfloorfloorfloorfloor00"  # the key of the floor's session that is signed in
SYLLABLES = "ba cor del fin gus ham jo kel li mon nur os pra quin ro ste tol va wim zu".split()


def word(number):
    """One of 8,000 names of three syllables."""
    base = len(SYLLABLES)
    parts = (SYLLABLES[number // base ** place % base] for place in range(3))
    return "".join(parts).capitalize()


@dataclass(frozen=True)
class Shape:
    """A practice with so many patients, as it stands on the day of loading."""

    patients: int
    today: date

    @property
    def visits(self):
        return self.patients * A_PATIENT

    @property
    def per_day(self):
        """150, or as many more as it takes to have room after 1990: a million patients fill one practice's past."""
        days = (self.today + timedelta(days=AHEAD) - EARLIEST).days
        return max(A_DAY, -(-self.visits // days // PROVIDERS) * PROVIDERS)

    def name(self, number):
        """(given, family) of the patient with this number; both walk through the table, out of step."""
        return word(number * 7919), word(number * 5417 + number // 8000 * 1237)

    def born(self, number):
        return self.today - timedelta(days=400 + number * 37 % 29000)

    def phone(self, number):
        return f"+1{2_012_000_000 + number}"

    def sample(self):
        """The numbers of up to 100 patients, spread over all."""
        return range(self.patients // 200, self.patients, max(1, self.patients // 100))

    def patient_of(self, visit):
        """Which patient comes to the visit with this number: everyone once before anyone twice."""
        return visit * 7919 % self.patients

    def days(self):
        """[(day, number of its first visit, how many)], the oldest day first. The days ahead hold 150 each."""
        left, day, days = self.visits, self.today + timedelta(days=AHEAD - 1), []
        while left > 0:
            count = min(left, A_DAY if day >= self.today - timedelta(days=AHEAD) else self.per_day)
            left -= count
            days.append((day, left, count))
            day -= timedelta(days=1)
        return days[::-1]
