"""The stage of an evening: a studio with stems of every width, on a disk of its own, that keeps book
of what was done to it, in frames of the daemon's timeline."""

import os
import pathlib
import shutil
import subprocess
import time

from disks import Disk
from judge import ABSENT, Stretches
from studio import RULER, Osc, Studio, wait_for
from vitals import Vitals

BITS = 20  # sums of some ports stay exact
CAN_MOUNT = os.getuid() == 0
CAN_LOOP = CAN_MOUNT and os.path.exists("/dev/loop-control") and bool(shutil.which("mkfs.ext4"))


class Plan:
    """What an evening is like, drawn by chance."""

    def __init__(self, chance, long_life):
        self.waits = chance.random() < 0.4
        self.rate = chance.choice([44100, 48000, 48000, 96000])
        self.period = chance.choice([128, 256, 512, 1024])
        self.format, self.encoding = chance.choice([
            ("wav", "pcm24"), ("wav", "pcm24"), ("wav", "pcm16"), ("wav", "float"),
            ("w64", "pcm24"), ("caf", "pcm32"), ("aiff", "pcm24"), ("flac", "pcm24")])
        self.stems = [self.stem(chance) for _ in range(chance.randint(1, 6))]
        self.tape = chance.choice([4.0, 6.0, 10.0])
        self.finish = chance.random() < 0.3
        self.disk = "plain"
        if not long_life:
            self.disk = chance.choice(["plain", "plain"] + ["small"] * CAN_MOUNT + ["loop"] * CAN_LOOP)
        self.mirror = self.disk != "small" and chance.random() < 0.3
        self.kills = not long_life and chance.random() < 0.6

    @staticmethod
    def stem(chance):
        """Ports of each channel: mono, stereo, or a sum of three."""
        return chance.choice([[1], [2], [1, 2]])

    def __str__(self):
        return (f"{'synchronous' if self.waits else 'asynchronous'} server, {self.rate} Hz, period "
                f"{self.period}, {len(self.stems)} stems, {self.format} {self.encoding}, tape "
                f"{self.tape:g} s, {self.disk} disk"
                f"{', mirror' if self.mirror else ''}{', finishing' if self.finish else ''}"
                f"{', kills' if self.kills else ''}")


class Stage(Studio):
    def __init__(self, folder, plan):
        super().__init__(folder)
        self.plan = plan
        self.disk = None
        self.spare = self.mirror = self.small = None
        self.bits = BITS
        self.stretches = Stretches()
        self.kept_late = folder / "kept.late"
        self.vitals = None
        self.place_disk()
        self.spread_ports()

    def place_disk(self):
        if self.plan.disk == "loop":
            self.disk = Disk(self, megabytes=512)
        if self.plan.disk == "small":
            self.small = self.folder / "small"
            self.small.mkdir()
            frame_bytes = sum(self.widths()) * 4
            size = int(25 * self.plan.rate * frame_bytes)  # at least 25 seconds
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.small],
                           check=True)
            self.takes = self.small / "takes"
            self.takes.mkdir()
            self.spare = self.folder / "spare"
        if self.plan.mirror:
            self.mirror = self.folder / "mirror"

    def widths(self):
        return [max(ports) for ports in self.plan.stems]

    def spread_ports(self):
        """Names the ruler's ports that each channel of each stem sums."""
        self.stem_ports, texts, port = [], [], 0
        for number, shape in enumerate(self.plan.stems):
            if shape == [1, 2]:  # a mono and a stereo input
                inputs, channels = [1, 2], [[port + 1, port + 2], [port + 1, port + 3]]
            else:
                inputs, channels = shape, [[port + k + 1] for k in range(shape[0])]
            words = []
            for k, width in enumerate(inputs):
                names = ", ".join(f'"ruler:out_{port + 1 + c}"' for c in range(width))
                words.append(f'{{ name = "I{k + 1}"; channels = {width}; from = [ {names} ]; }}')
                port += width
            texts.append(f'{{ name = "S{number + 1}"; channels = {max(shape)}; '
                         f'inputs = ( {", ".join(words)} ); }}')
            self.stem_ports.append(channels)
        self.stem_text, self.ports = ", ".join(texts), port

    def open(self):
        plan = self.plan
        self.server(period=plan.period, rate=plan.rate, sync=plan.waits)
        self.begin_ruler()
        folders = {key: str(value) for key, value in
                   (("spare", self.spare), ("mirror", self.mirror)) if value}
        self.configure(self.stem_text, tape=plan.tape, format=plan.format, encoding=plan.encoding,
                       finish=plan.finish, **folders)
        self.begin_life()

    def begin_life(self):
        """Starts a daemon; its timeline is a new one."""
        self.stretches = Stretches()
        self.stemd()
        self.all_connected()
        self.vitals = Vitals(self.daemon.pid)

    def close(self):
        if self.disk:
            disk, self.disk = self.disk, None
            disk.close()
            return
        super().close()
        if self.small:
            subprocess.run(["umount", "-l", self.small], check=False)

    # The ruler

    def late_log(self):
        """All that any ruler has told so far."""
        path = self.folder / "all.late"
        parts = [p.read_text() for p in (self.kept_late, self.ruler_log) if p.exists()]
        path.write_text("".join(parts))
        return path

    def begin_ruler(self):
        """JACK2 1.9.21 may refuse a client that comes while it still talks to one that was killed."""
        for chances in (2, 1, 0):
            (self.folder / "ruler.log").unlink(missing_ok=True)
            try:
                self.ruler(self.ports, bits=BITS)
                return
            except AssertionError:
                self.end_surely(self.ruler_process)
                self.forget(self.ruler_process)
                if chances == 0:
                    raise
                time.sleep(0.5)

    def end_ruler(self, surely=False):
        if surely:
            self.end_surely(self.ruler_process)
        else:
            self.end(self.ruler_process)
        self.forget(self.ruler_process)
        if self.ruler_log.exists():
            with open(self.kept_late, "a") as kept:
                kept.write(self.ruler_log.read_text())
            self.ruler_log.unlink()

    def visitor_words(self):
        """Another client with some ports."""
        return [RULER, "--server", self.server_name, "--client", "visitor", "--ports", 8]

    def forget(self, process):
        """An ended process needs no ending any more."""
        if process in self.processes:
            self.processes.remove(process)

    def all_connected(self):
        def connected():
            client = self.osc()
            try:
                client.ask("/stems")
                return all(values[3] == values[4] for path, values in client.data)
            finally:
                self.oscs.remove(client)
                client.close()
        wait_for(connected, "all connections", nap=0.05)

    # Where we are

    def ask(self, *words):
        client = self.osc()
        try:
            return client.ask(*words)
        finally:
            self.oscs.remove(client)
            client.close()

    def position(self):
        """The frame that the daemon's timeline has come to, or None when no take runs: a marker is
        set and tells."""
        status = self.status()
        if status["state"] != "recording":
            return None
        try:
            manifest = self.manifest(status["folder"])
        except FileNotFoundError:  # it has just come to its end, and got another name
            return None
        answer = self.ask("/marker", "here")
        if answer[0] != "/reply" or self.status()["folder"] != status["folder"]:
            return None
        return manifest["start_frame"] - manifest.get("part_frame", 0) + int(answer[2])

    def let_grow(self, seconds):
        """Lets the take grow by that much; nothing when none runs."""
        status = self.status()
        if status["state"] == "recording" and status["jack"] == "running":
            end = status["frames"] + seconds * status["rate"]

            def grown():
                now = self.status()
                return now["state"] != "recording" or now["frames"] >= end
            wait_for(grown, f"{seconds} s more of the take", seconds=seconds * 4 + 60, nap=0.05)

    def noted(self, name, reasons, fault, absent=False):
        """Does a fault, and notes where on the timeline it was."""
        begin = self.position()
        fault()
        if begin is None:
            return
        end = self.position()
        if end is None:  # the take has ended meanwhile
            end = begin + 3600 * self.plan.rate
        # Cycles that were late are known when the next one comes, which may be after the marker.
        slack = 16 * 4096
        self.stretches.fault(name, reasons, begin - slack, end + slack)
        if absent:
            self.stretches.allow(ABSENT, None, begin, end + 4096)

    # Takes

    def places(self):
        """Folders of takes, and whether they are copies."""
        yield self.takes, False
        if self.spare:
            yield self.spare, False
        if self.mirror:
            yield self.mirror, True

    def takes_there(self):
        """(folder, is a copy, manifest) of all takes, in the order of their starts."""
        found = []
        for place, is_copy in self.places():
            for folder in place.iterdir() if place.exists() else []:
                try:
                    found.append((folder, is_copy, self.manifest(folder)))
                except FileNotFoundError:  # it begins, or has just got another name
                    pass
        return sorted(found, key=lambda f: (f[1], f[2]["start_frame"], f[2].get("part", 1)))


def make_garbage(chance):
    """One datagram of nonsense."""
    good = Osc.message(chance.choice(["/marker", "/status", "/take/title", "/subscribe", "/stems",
                                      "/ping", "/nothing", "/take/*", "/{a,b}/[x-z]?"]),
                       *chance.choice([(), (1,), ("x" * chance.randint(0, 400),), (1.5, "a", 2)]))
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randbytes(chance.randint(0, 2000))
    if kind == 1:
        return good[:chance.randint(0, len(good))]
    if kind == 2:
        bad = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        return bytes(bad)
    if kind == 3:
        nested = Osc.message("/ping")
        for _ in range(chance.randint(1, 40)):
            nested = Osc.bundle(chance.choice([1, 2e9, 0]), nested)
        return nested
    return Osc._text(chance.choice([b"/marker", b"/status", b"\xff\xfe", b"//"])) + Osc._text(
        b"," + chance.randbytes(chance.randint(0, 60)))


def folder_for(top, number):
    folder = pathlib.Path(top) / f"evening-{number}"
    folder.mkdir()
    return folder
