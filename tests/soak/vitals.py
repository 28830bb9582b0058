"""Memory and descriptors of a daemon over its life: they must not grow.

They are looked at when the daemon is idle, has no job and no server is away, so that the same state
is compared with itself: descriptors must then be as many as after the warm-up. Memory is what the
heap holds (RssAnon; the tape is in it, and wholly there from the start). It may grow while the first
takes fill libraries' caches: that is the warm-up, a quarter of the looks. After it a straight line is
fitted, and must not rise by more than LIMIT_KB over the life. That is less than two hundred bytes a
second of a ten minutes' life, and what the heap's fragments come to in the beginning. These come to
most of a megabyte with the first fifty takes (measured: 876 kB in the first three minutes, 172 kB in
the nine that followed), so that a life of less than LEAST_SECONDS is all warm-up: there only
descriptors count.
"""

import pathlib
import time

LIMIT_KB = 512
FEWEST_LOOKS = 8
LEAST_SECONDS = 90


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: line.split(":")[1].split()[0] for line in lines if "kB" in line}


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def slope(points):
    """Least squares: growth over the time that the points span."""
    n = len(points)
    middle_x, middle_y = (sum(column) / n for column in zip(*points))
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    if spread == 0:
        return 0.0
    rise = sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
    return rise * (points[-1][0] - points[0][0])


class Vitals:
    def __init__(self, pid):
        self.pid = pid
        self.begin = time.monotonic()
        self.looks = []  # (seconds, kB, descriptors)

    def look(self):
        """To be called when the daemon is idle."""
        now = time.monotonic() - self.begin
        figures = status(self.pid)
        self.rss_kb = int(figures["VmRSS"])
        self.looks.append((now, int(figures["RssAnon"]), descriptors(self.pid)))

    def verdict(self):
        """Figures for the summary, with `trouble` when something grows."""
        if not self.looks:
            return None
        warm = self.looks[len(self.looks) // 4:]
        figures = {
            "seconds": round(self.looks[-1][0], 1), "looks": len(self.looks),
            "rss_kb": self.rss_kb,
            "heap_kb": [self.looks[0][1], warm[0][1], self.looks[-1][1]],
            "descriptors": [self.looks[0][2], warm[0][2], self.looks[-1][2]], "trouble": None}
        if len(self.looks) < FEWEST_LOOKS:
            return figures
        figures["heap_growth_kb"] = round(slope([(t, kb) for t, kb, _ in warm]), 1)
        if figures["heap_growth_kb"] > LIMIT_KB and figures["seconds"] > LEAST_SECONDS:
            figures["trouble"] = f"memory grows by {figures['heap_growth_kb']} kB"
        fewest = min(count for _, _, count in warm)
        if warm[-1][2] > warm[0][2] and min(c for _, _, c in warm[-3:]) > fewest:
            figures["trouble"] = f"descriptors grow from {warm[0][2]} to {warm[-1][2]}"
        return figures
