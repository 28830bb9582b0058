"""A disk that fails in the middle of a take: writes that end with an input/output error, and a file
system that has become read-only.

What a disk had taken and then lost is lost; stemd syncs so often that this is little. What it had
not taken yet is on the tape, and goes to the spare folder, from the very next frame on."""

import pathlib

import pytest

from disks import FaultyDisk, must, needs_fuse, needs_loop
from studio import mono_stems, wait_for

pytestmark = [needs_loop, needs_fuse, pytest.mark.slow]

STEMS = 3
SYNC_SECONDS = 2.0


@pytest.fixture
def disk(studio):
    the_disk = FaultyDisk(studio)
    try:
        yield the_disk
    finally:
        the_disk.close()


def recording(studio, **settings):
    """A take on the disk, of which some seconds have surely been synced. Returns its folder."""
    studio.server()
    studio.ruler(STEMS)
    stems, studio.channels = mono_stems(STEMS)
    studio.configure(stems, **{"sync": SYNC_SECONDS, **settings})
    studio.stemd()
    folder = pathlib.Path(studio.ok("start", "Show"))
    studio.run_for(3 * SYNC_SECONDS)
    return folder


def fail(disk, how):
    if how == "eio":
        disk.break_down()
    else:
        must("mount", "-o", "remount,abort", disk.inside)  # as after an error of its own


def judge(studio, folder):
    """The ruler's judgement, and stemctl's; returns the manifest."""
    studio.check(folder, studio.channels)
    result = studio.stemctl("verify", folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return studio.manifest(folder)


def after_repair(studio, disk, folder):
    """The take on the disk that was repaired and mounted anew, recovered as at stemd's start."""
    studio.end(studio.daemon)
    disk.repair()
    disk.unmount()
    disk.mount()
    result = studio.stemctl("recover", disk.inside / "takes")
    assert result.returncode == 0, result.stdout + result.stderr
    return judge(studio, folder)


@pytest.mark.parametrize("how", ["eio", "read-only"])
def test_faulty_disk_ends_the_take_cleanly(studio, disk, how):
    folder = recording(studio)
    osc = studio.osc()
    osc.ask("/subscribe", 600, "warnings")
    frames = studio.frames()
    fail(disk, how)
    wait_for(lambda: studio.status()["state"] == "idle", "end of the take")
    told = []
    while not told or "had to end" not in told[-1]:
        path, values = osc.receive()
        told += values[:1] if path == "/warning" else []
    assert "Input/output error" in told[-1] or "Read-only file system" in told[-1], told
    assert studio.stemctl("start").returncode == 1  # no take, and it says why
    assert studio.answers()
    manifest = after_repair(studio, disk, folder)
    assert manifest["frames"] >= frames - (SYNC_SECONDS + 1) * studio.rate


def test_faulty_disk_that_was_never_waited_for_leaves_the_tape_room(studio, disk):
    """Without syncs no frame is safe; all that the tape has would be too much to write again."""
    spare = studio.folder / "spare"
    recording(studio, spare=str(spare), sync=0.0, tape=3.0)
    fail(disk, "eio")
    wait_for(lambda: spare.exists() and list(spare.iterdir()), "the spare folder")
    studio.run_for(4)
    part = judge(studio, pathlib.Path(studio.ok("stop")))
    assert (part["part"], part["progress"], part["gaps"]) == (2, "complete", [])
    assert part["frames"] > 6 * studio.rate  # from the tape, and what came after


@pytest.mark.parametrize("how", ["eio", "read-only"])
def test_faulty_disk_goes_on_in_the_spare_folder(studio, disk, how):
    spare = studio.folder / "spare"
    first = recording(studio, spare=str(spare))
    fail(disk, how)
    wait_for(lambda: spare.exists() and list(spare.iterdir()), "the spare folder")
    studio.run_for(1)
    second = pathlib.Path(studio.ok("stop"))
    part = judge(studio, second)
    assert (second.parent, part["part"], part["progress"]) == (spare, 2, "complete")
    assert part["gaps"] == []
    manifest = after_repair(studio, disk, first)
    assert manifest["id"] == part["id"]
    assert part["part_frame"] <= manifest["frames"]  # nothing is missing between the two
    lost = sum(gap["frames"] for gap in manifest["gaps"])
    print(f"{how}: {lost} frames lost that the disk had taken")
    assert lost <= (SYNC_SECONDS + 1) * studio.rate


def test_faulty_disk_is_seen_at_the_start_of_a_take(studio, disk):
    """A disk that is broken already: the take begins in the spare folder."""
    spare = studio.folder / "spare"
    studio.server()
    studio.ruler(STEMS)
    stems, studio.channels = mono_stems(STEMS)
    studio.configure(stems, spare=str(spare))
    studio.stemd()
    fail(disk, "read-only")
    folder = studio.record(0.5)
    assert folder.parent == spare
    assert judge(studio, folder)["gaps"] == []
