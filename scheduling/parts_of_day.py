"""The parts of a day that people name when they say when they can come, as wall times."""
from datetime import time

PARTS_OF_DAY = {
    "": (time(0), time(23, 59)), "morning": (time(0), time(12)), "afternoon": (time(12), time(17)),
    "evening": (time(17), time(23, 59)),
}
