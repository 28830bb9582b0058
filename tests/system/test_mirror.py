"""A mirror: every take is written to two disks at once, and neither can harm the other."""

import pathlib
import signal

import pytest

from studio import mono_stems, wait_for
from tracing import Frozen


STEM = '{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }'
CHANNELS = [("01_A.wav", 1, [1]), ("01_A.wav", 2, [1])]


def start(studio, **settings):
    studio.mirror = studio.folder / "mirror"
    studio.server()
    studio.ruler(4)
    stems, studio.channels = mono_stems(4)
    studio.configure(stems, mirror=str(studio.mirror), **settings)
    studio.stemd()
    return studio


def copy_of(studio, folder):
    """The mirror's folder of a take: it has the same name."""
    copy = studio.mirror / pathlib.Path(folder).name
    wait_for(lambda: (copy / "take.json").exists()
             and studio.manifest(copy)["progress"] != "recording", "the mirror's end")
    return copy


def same_audio(studio, one, two):
    for stem in studio.manifest(one)["stems"]:
        assert (one / stem["file"]).read_bytes() == (two / stem["file"]).read_bytes()


def test_mirror_holds_the_same_take(studio):
    start(studio)
    for title in ("One", "Two"):
        folder = studio.record(1, title)
        copy = copy_of(studio, folder)
        one, two = studio.manifest(folder), studio.manifest(copy)
        for key in ("id", "title", "started", "start_frame", "frames", "gaps"):
            assert one[key] == two[key], key
        assert one["mirror"] == str(studio.mirror) and two["mirror"] == str(studio.takes)
        same_audio(studio, folder, copy)
        studio.check(folder, studio.channels, end_ruler=False)
    studio.check(copy, studio.channels)


def test_mirror_is_compared_by_verify(studio):
    start(studio)
    folder = studio.record(0.5, "One")
    copy = copy_of(studio, folder)
    for take in (folder, copy):
        assert studio.stemctl("verify", take).returncode == 0
    file = copy / "02_S2.wav"
    audio = bytearray(file.read_bytes())
    audio[-6 * 100] ^= 1  # the lowest bit of one sample, a hundred frames before the end
    file.write_bytes(audio)
    frame = studio.manifest(folder)["frames"] - 100
    result = studio.stemctl("verify", folder)
    assert result.returncode == 1
    assert f"mirror: 02_S2.wav differs in 1 frames, from frame {frame} on" in result.stdout
    for path in copy.iterdir():
        path.unlink()
    result = studio.stemctl("verify", folder)
    assert result.returncode == 0 and "no copy of this take" in result.stdout


def test_mirror_is_compared_after_a_rename_too(studio):
    """The files' names tell the title: those of take and mirror are not the same then."""
    start(studio, naming="delivery")
    copy = copy_of(studio, studio.record(0.5, "One"))
    folder = pathlib.Path(studio.ok("rename", studio.takes / copy.name, "Two"))
    assert not {path.name for path in folder.glob("*.wav")} & {path.name for path in copy.iterdir()}
    for take in (folder, copy):
        told = studio.ok("verify", take)
        assert "mirror:" not in told and "no copy" not in told


def test_mirror_splits_on_the_same_frames(studio):
    start(studio)
    studio.ok("start", "Song 0")
    for number in (1, 2):
        studio.run_for(0.5)
        studio.ok("split", f"Song {number}")
    studio.run_for(0.5)
    studio.ok("stop")
    folders = studio.folders()
    assert len(folders) == 3
    for folder in folders:
        copy = copy_of(studio, folder)
        assert studio.manifest(copy)["start_frame"] == studio.manifest(folder)["start_frame"]
        same_audio(studio, folder, copy)
        studio.check(copy, studio.channels)


def writer_threads(studio):
    """Thread ids of the writer and of the mirror's, in the order of their making."""
    threads = pathlib.Path(f"/proc/{studio.daemon.pid}/task")
    return sorted(int(thread.name) for thread in threads.iterdir()
                  if (thread / "comm").read_text() == "stemd-writer\n")


@pytest.mark.parametrize("stalled", ["writer", "mirror"])
def test_mirror_of_a_disk_that_stalls_has_everything(studio, stalled):
    """One writer is held up for longer than the tape lasts; the other one loses nothing."""
    start(studio, tape=2.0)
    writer, mirror = writer_threads(studio)
    folder = pathlib.Path(studio.ok("start"))
    studio.run_for(0.5)
    frozen = writer if stalled == "writer" else mirror
    with Frozen(frozen):
        cycles = studio.folder / "stemd.log"
        osc = studio.osc()
        osc.ask("/ping")
        copy = studio.mirror / folder.name
        going = copy if stalled == "writer" else folder
        size = (going / "01_S1.wav").stat().st_size
        wait_for(lambda: (going / "01_S1.wav").stat().st_size > size + 4 * 6 * 48000,
                 "four seconds more in the other one", nap=0.1)
        assert cycles.exists() and osc.ask("/ping")[0] == "/reply"
    studio.run_for(0.5)
    studio.ok("stop")
    copy = copy_of(studio, folder)
    whole, torn = (copy, folder) if stalled == "writer" else (folder, copy)
    assert studio.manifest(whole)["gaps"] == []
    gaps = studio.manifest(torn)["gaps"]
    assert gaps and all(gap["reasons"] == ["overflow"] for gap in gaps)
    assert studio.manifest(whole)["frames"] == studio.manifest(torn)["frames"]
    studio.check(whole, studio.channels)
    studio.check(torn, studio.channels)
    assert studio.stemctl("verify", whole).returncode == 0  # outside the gaps they are the same


def test_mirror_goes_on_when_the_disk_is_full(small_disk):
    mirror = small_disk.mirror = small_disk.folder / "mirror"
    small_disk.configure('{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }',
                         mirror=str(mirror))
    small_disk.stemd()
    folder = pathlib.Path(small_disk.ok("start"))
    wait_for(lambda: small_disk.manifest(folder)["progress"] == "failed", "a full disk")
    assert small_disk.status()["state"] == "recording"  # in the mirror
    small_disk.run_for(1)
    stopped = pathlib.Path(small_disk.ok("stop"))
    assert stopped == mirror / folder.name
    assert small_disk.manifest(stopped)["progress"] == "complete"
    assert small_disk.manifest(stopped)["frames"] > small_disk.manifest(folder)["frames"]
    for take in (folder, stopped):
        small_disk.check(take, [("01_A.wav", 1, [1]), ("01_A.wav", 2, [1])])


def test_mirror_is_compared_with_every_part_of_a_take(small_disk):
    """A full disk makes two parts of the take, its mirror has it whole: each is held against the
    frames that belong to it, from either side."""
    mirror = small_disk.mirror = small_disk.folder / "mirror"
    spare = small_disk.folder / "spare"
    small_disk.configure(STEM, mirror=str(mirror), spare=str(spare))
    small_disk.stemd()
    first = pathlib.Path(small_disk.ok("start"))
    wait_for(lambda: spare.exists() and list(spare.iterdir()), "the spare folder")
    small_disk.run_for(1)
    second = pathlib.Path(small_disk.ok("stop"))
    copy = copy_of(small_disk, first)
    begin = small_disk.manifest(second)["part_frame"]
    assert second.parent == spare and begin > 0
    for take in (first, second, copy):
        result = small_disk.stemctl("verify", take)
        assert result.returncode == 0, result.stdout
        assert "mirror:" not in result.stdout and "no copy" not in result.stdout
    file = copy / "01_A.wav"
    audio = bytearray(file.read_bytes())
    audio[-6 * 100] ^= 1  # a hundred frames before the end
    file.write_bytes(audio)
    frame = small_disk.manifest(copy)["frames"] - 100
    assert small_disk.stemctl("verify", first).returncode == 0
    for take, at in ((second, frame - begin), (copy, frame)):
        result = small_disk.stemctl("verify", take)
        assert result.returncode == 1
        assert f"mirror: 01_A.wav differs in 1 frames, from frame {at} on" in result.stdout
    for path in second.iterdir():
        path.unlink()
    result = small_disk.stemctl("verify", copy)
    assert result.returncode == 0, result.stdout
    frames = small_disk.manifest(copy)["frames"]
    assert f"mirror: only {begin} of the {frames} frames have a copy" in result.stdout


def states(osc, count):
    """The next states that subscribers are told, as (state, folder)."""
    told = []
    while len(told) < count:
        path, values = osc.receive()
        told += [(values[0], pathlib.Path(values[1]))] if path == "/state" else []
    return told


def test_mirror_that_goes_on_alone_is_what_is_told(small_disk):
    """A full disk ends one copy of the take: everybody is told that the other one is being recorded,
    and that it is the only one. The button for stop and start ends it."""
    mirror = small_disk.folder / "mirror"
    small_disk.configure(STEM, mirror=str(mirror))
    small_disk.stemd()
    osc = small_disk.osc()
    osc.ask("/subscribe", 600, "state")
    folder = pathlib.Path(small_disk.ok("start"))
    copy = mirror / folder.name
    assert states(osc, 2) == [("recording", folder), ("recording", copy)]
    small_disk.wait_for_log("in one of its two folders only")
    status = small_disk.status()
    assert (status["state"], status["folder"]) == ("recording", str(copy))
    assert (status["health"], status["health_mirror"]) == ("yellow", "yellow")
    assert str(copy) in status["message"]
    small_disk.run_for(0.5)
    answer = small_disk.osc().ask("/record/toggle", 1)
    assert answer == ["/reply", "/record/toggle", str(copy)]
    assert states(osc, 1) == [("idle", copy)]
    assert small_disk.status()["state"] == "idle"
    assert small_disk.manifest(copy)["progress"] == "complete"
    small_disk.check(copy, CHANNELS)


@pytest.fixture
def no_place(studio):
    """A studio with a mirror; the test puts a file in one folder's place."""
    studio.mirror = studio.folder / "mirror"
    studio.server()
    studio.ruler(1)
    studio.configure(STEM, mirror=str(studio.mirror))
    studio.stemd()
    return studio


@pytest.mark.parametrize("missing", ["takes", "mirror"])
def test_mirror_and_takes_need_not_both_be_there_at_the_start(no_place, missing):
    """One folder cannot be recorded in: the take is in the other one, and it is told that it is there
    only. When the folder is back, so is the second copy."""
    lost, there = ((no_place.takes, no_place.mirror) if missing == "takes" else
                   (no_place.mirror, no_place.takes))
    lost.rmdir()
    lost.write_text("a file in its place")
    osc = no_place.osc()
    osc.ask("/subscribe", 600)
    folder = pathlib.Path(no_place.ok("start"))
    assert folder.parent == there
    told, told_folder = states(osc, 1)[0]
    if missing == "takes" and told == "idle":  # before the mirror began
        told, told_folder = states(osc, 1)[0]
    assert (told, told_folder) == ("recording", folder)
    wait_for(lambda: no_place.status()["health_mirror"] == "yellow", "health")
    no_place.wait_for_log("no take: ")
    no_place.run_for(0.3)
    assert no_place.ok("stop") == str(folder)
    assert no_place.status()["state"] == "idle"
    lost.unlink()
    second = pathlib.Path(no_place.ok("start", "Second"))
    assert second.parent == no_place.takes
    wait_for(lambda: no_place.status()["health_mirror"] == "green", "health")
    no_place.run_for(0.3)
    no_place.ok("stop")
    copy_of(no_place, second)
    for take in (folder, second, no_place.mirror / second.name):
        no_place.check(take, CHANNELS)


def test_mirror_whose_disk_fills_up_is_warned_of(small_disk):
    full, small_disk.takes = small_disk.takes, small_disk.folder / "large"
    small_disk.takes.mkdir()
    small_disk.configure(STEM, mirror=str(full))
    small_disk.stemd()
    osc = small_disk.osc()
    osc.ask("/subscribe", 600, "warnings")
    small_disk.ok("start")
    told = osc.receive()
    while told[0] != "/warning" or "the mirror's disk lasts" not in told[1][0]:
        told = osc.receive()
    assert small_disk.status()["health_mirror"] == "yellow"
    assert small_disk.status()["state"] == "recording"


def test_mirror_that_is_full_does_no_harm(small_disk):
    full, small_disk.takes = small_disk.takes, small_disk.folder / "large"
    small_disk.takes.mkdir()
    small_disk.configure('{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }',
                         mirror=str(full))
    small_disk.stemd()
    folder = pathlib.Path(small_disk.ok("start"))
    small_disk.wait_for_log("mirror: the take in")
    small_disk.run_for(0.5)
    assert pathlib.Path(small_disk.ok("stop")) == folder
    assert small_disk.manifest(folder)["progress"] == "complete"
    small_disk.check(folder, [("01_A.wav", 1, [1]), ("01_A.wav", 2, [1])])


def test_mirror_is_completed_at_the_end_too(studio):
    start(studio)
    folder = pathlib.Path(studio.ok("start"))
    studio.run_for(0.5)
    assert studio.end(studio.daemon, signal.SIGTERM) == 0
    copy = studio.mirror / folder.name
    assert studio.manifest(folder)["progress"] == studio.manifest(copy)["progress"] == "complete"
    same_audio(studio, folder, copy)
    studio.check(copy, studio.channels)


def test_mirror_folder_must_be_another_one(studio):
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }', mirror=str(studio.takes))
    studio.stemd(on_server=False, wait=False)
    assert studio.daemon.wait(60) == 1
    assert "mirror: expected another folder" in studio.read("stemd.log")
