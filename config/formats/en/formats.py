"""English: as on our own pages, such as Mon 30 Nov 2026, 14:05."""
DATE_FORMAT = "D j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "D j M Y, H:i"
