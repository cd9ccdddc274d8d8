"""How well interventions do: the ratings of 1 to 5 that they were given, in sessions and on goals, and how often they were used."""
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Effect:
    """`average_rating`: the mean of all ratings to two decimals, None without any; `uses`: sessions in which it was used."""

    average_rating: float | None = None
    ratings: int = 0
    uses: int = 0

    @classmethod
    def of(cls, total, ratings, uses):
        return cls(round(float(Fraction(total, ratings)), 2) if ratings else None, ratings, uses)


UNKNOWN = Effect()
