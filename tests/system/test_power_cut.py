"""The power goes while stemd records onto an ext4 of its own.

All that the file system writes to its disk, and its flushes, is kept with the moment. A cut at a
moment is played afterwards, onto a copy of the first image: what was flushed is there; of what came
later the disk has kept any part. So one recording serves many cuts. The image is mounted (which
replays its journal), the takes are recovered, and the ruler and `stemctl verify` must agree; what is
lost may be no more than the sync interval and the file system's commit interval together.

STEMD_CUTS sets how many cuts are played, STEMD_SEED the random seed. Needs root, loop devices and
FUSE.
"""

import os
import pathlib
import random
import shutil
import struct
import subprocess
import time

import pytest

from studio import BUILD, mono_stems, wait_for

DISK = BUILD / "tests/support/power_disk"
CUTS = int(os.environ.get("STEMD_CUTS", "30"))
SEED = int(os.environ.get("STEMD_SEED", random.SystemRandom().randrange(10**6)))
SYNC_SECONDS = 2
COMMIT_SECONDS = 5
HEAD = struct.Struct("=qqq")

pytestmark = pytest.mark.skipif(
    os.getuid() != 0 or not os.path.exists("/dev/fuse") or not os.path.exists("/dev/loop-control")
    or not DISK.exists(), reason="needs root, FUSE and loop devices")


class PowerDisk:
    """An ext4 on a loop device on a disk whose writes are kept."""

    def __init__(self, studio, megabytes=192):
        self.studio = studio
        self.first, self.image = studio.folder / "first.img", studio.folder / "disk.img"
        self.log = studio.folder / "writes"
        self.outside, self.inside = studio.folder / "fuse", studio.folder / "mounted"
        with open(self.first, "wb") as image:
            image.truncate(megabytes << 20)
        self.must("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.first)
        shutil.copyfile(self.first, self.image)
        self.outside.mkdir()
        self.inside.mkdir()
        self.server = studio.start(DISK, self.outside, self.image, self.log, log="power_disk.log")
        wait_for(lambda: (self.outside / "disk").exists() or self.server.poll() is not None, "FUSE")
        self.loop = self.must("losetup", "--find", "--show", self.outside / "disk").strip()
        self.must("mount", "-o", f"commit={COMMIT_SECONDS}", self.loop, self.inside)

    def must(self, *command):
        result = self.studio.run(*command)
        assert result.returncode == 0, (command, result.stdout, result.stderr)
        return result.stdout

    def close(self):
        for command in (["umount", self.inside], ["losetup", "-d", getattr(self, "loop", "")],
                        ["umount", "-l", self.outside]):
            self.studio.run(*command)

    def records(self):
        """(moment in seconds, offset, bytes) of each write; offset -1 is a flush."""
        with open(self.log, "rb") as log:
            while len(head := log.read(HEAD.size)) == HEAD.size:
                moment, offset, size = HEAD.unpack(head)
                yield moment / 1e9, offset, log.read(size)

    def cut(self, records, moment, chance, path):
        """Makes the image of a disk whose power went at a moment."""
        shutil.copyfile(self.first, path)
        done = [record for record in records if record[0] <= moment]
        flushed = max((k for k, record in enumerate(done) if record[1] < 0), default=0)
        share = chance.random()
        with open(path, "r+b") as image:
            for k, (_, offset, data) in enumerate(done):
                if offset >= 0 and (k < flushed or chance.random() < share):
                    image.seek(offset)
                    image.write(data)


@pytest.fixture
def disk(studio):
    the_disk = PowerDisk(studio)
    try:
        yield the_disk
    finally:
        studio.oscs.clear()
        for process in reversed(studio.processes):
            if process is not the_disk.server:
                studio.end_surely(process)
        the_disk.close()


def record(studio, disk, seconds, form):
    """Records, and notes how long the takes were at which moment: [(moment, folder, frames)]."""
    studio.server()
    studio.ruler(3)
    text, _ = mono_stems(3)
    takes = disk.inside / "takes"
    takes.mkdir()
    subprocess.run(["sync"], check=True)
    studio.configure(text, takes=str(takes), format=form, sync=SYNC_SECONDS)
    studio.stemd()
    folder = pathlib.Path(studio.ok("start"))
    told, begin = [], time.monotonic()
    while time.monotonic() - begin < seconds:
        status = studio.status()
        told.append((time.monotonic(), folder.name, status["frames"]))
        if len(told) % 80 == 79:
            folder = pathlib.Path(studio.ok("split"))
        time.sleep(0.1)
    studio.ok("stop")
    return told


def check_cut(studio, disk, image, moment, told):
    """Mounts, recovers, judges. Returns the seconds lost of the take that ran, or None."""
    mounted = studio.folder / "after"
    mounted.mkdir(exist_ok=True)
    disk.must("mount", "-o", "loop", image, mounted)
    try:
        takes = mounted / "takes"
        last = [entry for entry in told if entry[0] <= moment][-1]
        if takes.exists():
            result = studio.stemctl("recover", "--json", takes)
            assert result.returncode == 0, result.stdout
        for folder in sorted(takes.iterdir()) if takes.exists() else []:
            if not (folder / "take.json").exists():
                continue  # it had only just begun
            manifest = studio.manifest(folder)
            assert manifest["progress"] in ("complete", "recovered"), manifest["progress"]
            if manifest["frames"] == 0:
                continue
            files = sorted(path.name for path in folder.glob("0[1-9]_*"))
            assert len(files) == 3
            studio.check(folder, [(name, channel, [k + 1]) for k, name in enumerate(files)
                                  for channel in (1, 2)], end_ruler=False)
            result = studio.stemctl("verify", "--json", folder)
            assert result.returncode == 0, result.stdout
        return (last[2] - whole_frames(studio, takes / last[1])) / studio.rate
    finally:
        disk.must("umount", mounted)


def whole_frames(studio, folder):
    """Frames that all files have: up to the first recovered gap."""
    if not (folder / "take.json").exists():
        return 0
    manifest = studio.manifest(folder)
    gaps = [gap["frame"] for gap in manifest["gaps"] if "recovered" in gap["reasons"]]
    return min(gaps + [manifest["frames"]])


@pytest.mark.slow
@pytest.mark.parametrize("form", ["wav", "flac"])
def test_power_cut_loses_no_more_than_the_intervals(studio, disk, form):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    told = record(studio, disk, 20, form)
    records = list(disk.records())
    assert any(offset < 0 for _, offset, _ in records), "nothing was flushed"
    image = studio.folder / "cut.img"
    lost = []
    for _ in range(CUTS):
        moment = chance.uniform(told[0][0], told[-1][0])
        disk.cut(records, moment, chance, image)
        lost.append(check_cut(studio, disk, image, moment, told))
    lost.sort()
    print(f"{form}: {CUTS} cuts, lost: median {lost[len(lost) // 2]:.2f} s, most {lost[-1]:.2f} s "
          f"(sync {SYNC_SECONDS} s, commit {COMMIT_SECONDS} s)")
    assert lost[-1] <= SYNC_SECONDS + COMMIT_SECONDS
