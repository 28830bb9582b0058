"""Holds finished takes against the ruler and `stemctl verify`, counts, and explains gaps."""

import collections
import json
import re
import shutil

from studio import CHECK

# What a run may do to a stem without a gap: see ruler_check's map.
SILENT, ABSENT, ANY = "silent", "absent", "any"


class Counts:
    """What all evenings of a soak add up to."""

    def __init__(self):
        self.takes = collections.Counter()  # by progress, as the manifest says
        self.right = self.wrong = 0
        self.copies = self.parts = 0
        self.frames = self.samples = self.excused = 0
        self.seconds = 0.0
        self.faults = collections.Counter()
        self.actions = collections.Counter()
        self.explained = collections.Counter()  # gaps by reason
        self.gap_frames = 0
        self.unexplained = 0
        self.lives = []  # of daemons: what vitals.py says

    def as_json(self):
        return {"takes": sum(self.takes.values()), "takes_by_progress": dict(self.takes),
                "right": self.right, "wrong": self.wrong, "mirror_copies": self.copies,
                "continued_parts": self.parts, "frames": self.frames,
                "samples_checked": self.samples, "samples_excused": self.excused,
                "audio_hours": self.seconds / 3600, "actions": dict(self.actions),
                "faults": dict(self.faults), "gaps_explained": dict(self.explained),
                "gap_frames": self.gap_frames, "gaps_unexplained": self.unexplained,
                "lives": self.lives}

    def lines(self):
        def listed(counter):
            return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"

        yield (f"takes     {sum(self.takes.values())} ({listed(self.takes)}), "
               f"{self.parts} of them continued elsewhere, and {self.copies} mirror copies")
        yield (f"audio     {self.seconds / 3600:.2f} hours, {self.frames} frames; "
               f"{self.samples} samples checked, {self.excused} of them a late client's")
        yield f"actions   {sum(self.actions.values())}: {listed(self.actions)}"
        yield f"faults    {sum(self.faults.values())}: {listed(self.faults)}"
        yield (f"gaps      {sum(self.explained.values())} explained ({listed(self.explained)}), "
               f"{self.gap_frames} frames in them")
        yield f"gaps      {self.unexplained} unexplained"


class Stretches:
    """What happened on a daemon's timeline, in absolute frames: where the ruler may be away, where a
    stem is muted, and where a fault may have made gaps, with the reasons that these may have."""

    def __init__(self):
        self.allowed = []  # (kind, stem or None, from, to)
        self.faults = []   # (name, reasons, from, to)

    def allow(self, kind, stem, begin, end):
        self.allowed.append((kind, stem, begin, end))

    def fault(self, name, reasons, begin, end):
        self.faults.append((name, frozenset(reasons), begin, end))

    def lines(self, manifest):
        """For the map, with frames counted from the take's start."""
        start, end = manifest["start_frame"], manifest["start_frame"] + manifest["frames"]
        for kind, stem, begin, until in self.allowed:
            if begin < end and until > start:
                file = manifest["stems"][stem]["file"] if stem is not None else "*"
                yield f"!{kind} {file} {max(begin - start, 0)} {until - start}\n"

    def fault_of(self, begin, end, reasons):
        """The name of a fault that may have made a gap."""
        for name, may_be, first, last in self.faults:
            if begin < last and end > first and reasons <= may_be:
                return name
        return None


def explain(manifest, gap, stretches, waits):
    """In words why a gap is there, or None. waits: the server waits for everybody."""
    begin = manifest["start_frame"] + gap["frame"]
    reasons = frozenset(gap["reasons"])
    fault = stretches.fault_of(begin, begin + gap["frames"], reasons)
    if fault:
        return f"{'+'.join(sorted(reasons))} by {fault}"
    if reasons <= {"skipped", "clock"} and not waits:
        return f"{'+'.join(sorted(reasons))} by a late client"
    if reasons == {"recovered"} and manifest["progress"] == "recovered":
        return "recovered"
    return None


class Judge:
    """For one evening: studio and stems are its, counts everybody's."""

    def __init__(self, studio, counts, waits, say):
        self.studio, self.counts, self.waits, self.say = studio, counts, waits, say
        self.periods = set()
        self.ends = {}  # name of a folder: where the next take of a split must begin
        self.problems = []

    def wrong(self, folder, text):
        self.problems.append(f"{folder}: {text}")
        self.say(f"WRONG: {folder}: {text}")

    def check_ruler(self, folder, manifest, stretches):
        path = self.studio.folder / "map"
        lines = list(stretches.lines(manifest))
        for number, ports in enumerate(self.studio.stem_ports):
            for channel, of_channel in enumerate(ports):
                words = " ".join(map(str, of_channel))
                lines.append(f"{manifest['stems'][number]['file']} {channel + 1} {words}\n")
        path.write_text("".join(lines))
        late = [] if self.waits else [word for period in self.periods for word in ("--late", period)]
        result = self.studio.run(CHECK, folder, path, "--bits", self.studio.bits, "--log",
                                 self.studio.late_log(), *late, timeout=3600)
        figures = dict(re.findall(r"(frames|samples|excused|wrong) (\d+)",
                                  (result.stdout.splitlines() or [""])[-1]))
        self.counts.samples += int(figures.get("samples", 0))
        self.counts.excused += int(figures.get("excused", 0))
        if result.returncode != 0 or not figures:
            runs = re.search(r"runs of wrong frames: (\d+)", result.stdout)
            self.counts.unexplained += int(runs.group(1)) if runs else 1
            self.wrong(folder, f"the ruler: {result.stdout}{result.stderr}\nmap:\n{path.read_text()}")

    def check_gaps(self, folder, manifest, stretches):
        for gap in manifest["gaps"]:
            why = explain(manifest, gap, stretches, self.waits)
            self.counts.gap_frames += gap["frames"]
            if why:
                self.counts.explained[why] += 1
            else:
                self.counts.unexplained += 1
                self.wrong(folder, f"a gap that nobody made: {gap}; the take starts at "
                           f"{manifest['start_frame']}; faults: {stretches.faults[-6:]}")

    def check_verify(self, folder):
        result = self.studio.stemctl("verify", "--json", folder)
        try:
            problems = json.loads(result.stdout)["problems"]
        except (ValueError, KeyError):
            problems = [result.stdout + result.stderr]
        if result.returncode != 0 or problems:
            self.wrong(folder, f"stemctl verify: {result.returncode}, {problems}")

    def check_place(self, folder, manifest):
        """After a split, and in the next part, not a frame is lost or doubled."""
        before = manifest.get("previous")
        if manifest.get("part", 1) > 1:
            before = folder.name, manifest["part"] - 1
        elif before:
            before = before, 1
            # the part in which the previous take ended may be a later one
            while (before[0], before[1] + 1) in self.ends:
                before = before[0], before[1] + 1
        if before in self.ends and self.ends[before] != manifest["start_frame"]:
            self.wrong(folder, f"{before} ends at {self.ends[before]}, this one starts at "
                       f"{manifest['start_frame']}")
        self.ends[folder.name, manifest.get("part", 1)] = (
            manifest["start_frame"] + manifest["frames"])

    def judge(self, folder, stretches, is_copy=False, allowed=("complete",)):
        """Judges a take that is over and deletes it if it is right."""
        manifest = self.studio.manifest(folder)
        before = len(self.problems)
        if manifest["progress"] not in allowed:
            self.wrong(folder, f"{manifest['progress']}: {manifest.get('failure')}")
        if manifest["frames"] > 0:
            self.check_ruler(folder, manifest, stretches)
            self.check_verify(folder)
        self.check_gaps(folder, manifest, stretches)
        if not is_copy:
            self.check_place(folder, manifest)
        is_right = len(self.problems) == before
        self.count(manifest, is_copy, is_right)
        if is_right:
            shutil.rmtree(folder)
        else:  # to be looked at, and not to be judged again
            kept = self.studio.folder / "wrong"
            kept.mkdir(exist_ok=True)
            shutil.move(folder, kept)
        return is_right

    def count(self, manifest, is_copy, is_right):
        counts = self.counts
        counts.right += is_right
        counts.wrong += not is_right
        if is_copy:
            counts.copies += 1
            return
        counts.takes[manifest["progress"]] += 1
        if manifest.get("continued_in"):
            counts.parts += 1
            counts.faults["full_disk"] += 1
        counts.frames += manifest["frames"]
        counts.seconds += manifest["frames"] / manifest["rate_hz"]
