"""A bar for long work on a terminal; elsewhere one line at the end, so that logs stay short."""
import sys
import time

WIDTH = 30


class Progress:
    """Counts what is done of `total`. Draws at most ten times a second, and only where a person looks on."""

    def __init__(self, label, total, out=None, clock=time.monotonic):
        self.label, self.total, self.done = label, total, 0
        # A command's own stream ends every write with a line; the bar stays on one.
        self.out, self.clock = getattr(out, "_out", out) or sys.stderr, clock
        self.started = self.drawn = clock()
        self.is_live = bool(getattr(self.out, "isatty", bool)())

    def __enter__(self):
        self._draw()
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self._finish()
        elif self.is_live:
            self.out.write("\n")

    def step(self, count=1):
        """So many more are done."""
        self.done += count
        if self.clock() - self.drawn >= 0.1:
            self._draw()

    def _draw(self):
        if not self.is_live:
            return
        self.drawn = self.clock()
        share = min(1, self.done / self.total) if self.total else 1
        bar = "█" * round(WIDTH * share) + "░" * (WIDTH - round(WIDTH * share))
        self._write(f"\r{self.label} {bar} {share:4.0%} {self.done:,} of {self.total:,}")

    def _finish(self):
        line = f"{self.label}: {self.done:,} in {self.clock() - self.started:.1f} s"
        self._write(f"\r{line:<{len(self.label) + WIDTH + 30}}\n" if self.is_live else f"{line}\n")

    def _write(self, text):
        self.out.write(text)
        self.out.flush()
