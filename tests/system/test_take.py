"""A take on disk: names, manifest, markers, the end in every way, and the verdict of verify."""

import json
import pathlib
import re
import shutil
import signal
import struct
import time

import pytest

from studio import wait_for

NAME = r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d"


def test_take_carries_title_tempo_and_key(two_stems):
    folder = two_stems.record(0.2, "Night Train", "--tempo", "120", "--key", "F# minor")
    assert re.fullmatch(NAME + "_Night-Train_120bpm", folder.name)
    manifest = two_stems.manifest(folder)
    assert (manifest["title"], manifest["tempo_bpm"], manifest["key"]) == (
        "Night Train", 120, "F# minor")
    assert [stem["file"] for stem in manifest["stems"]] == ["01_Drums.wav", "02_Lead-Vocals.wav"]
    raw = (folder / "01_Drums.wav").read_bytes()
    at = raw.index(b"acid")
    assert struct.unpack("<f", raw[at + 28:at + 32])[0] == 120


def test_take_title_and_tempo_that_come_late_rename_the_folder(two_stems):
    osc = two_stems.osc()
    started = pathlib.Path(two_stems.ok("start"))
    assert re.fullmatch(NAME, started.name)
    assert osc.ask("/take/title", "Später Zug") == ["/reply", "/take/title", "Später Zug"]
    assert osc.ask("/take/tempo", 98.5)[0] == "/reply"
    two_stems.run_for(0.2)
    folder = pathlib.Path(two_stems.ok("stop"))
    assert folder.name == started.name + "_Spaeter-Zug_98.5bpm"
    assert not started.exists()
    assert two_stems.manifest(folder)["title"] == "Später Zug"
    two_stems.check(folder, two_stems.channels)


def test_take_title_is_kept_for_the_next_take_and_can_be_cleared(two_stems):
    two_stems.record(0.1, "Song")
    assert "_Song" in two_stems.record(0.1).name
    assert two_stems.osc().ask("/take/title", "")[0] == "/reply"
    assert re.fullmatch(NAME, two_stems.record(0.1).name)


@pytest.mark.parametrize("title", [
    "../../etc/passwd", "a/b", "..", "x" * 250, "Ünï çødé ★", "quote\" \\ \n tab\t", "."])
def test_take_title_cannot_leave_the_takes_folder(two_stems, title):
    folder = two_stems.record(0.1, title)
    assert folder.parent == two_stems.takes
    assert re.fullmatch(r"[A-Za-z0-9._-]+", folder.name)
    assert two_stems.manifest(folder)["title"] == title


def test_take_folders_of_the_same_second_do_not_collide(two_stems):
    folders = [two_stems.record(0.05, "Same") for _ in range(5)]
    assert len(set(folders)) == 5
    assert all(two_stems.manifest(folder)["progress"] == "complete" for folder in folders)


def test_take_markers_stand_where_they_were_set(two_stems):
    two_stems.ok("start")
    told = []
    for text in ("Intro", "Refrain: „laut“"):
        two_stems.run_for(0.2)
        told.append((int(two_stems.ok("mark", text)), text))
    two_stems.run_for(0.1)
    manifest = two_stems.manifest(two_stems.ok("stop"))
    assert [(marker["frame"], marker["text"]) for marker in manifest["markers"]] == told
    assert 0.2 * 48000 <= told[0][0] < told[1][0] <= manifest["frames"]


def test_take_manifest_is_valid_at_every_moment(two_stems):
    folder = pathlib.Path(two_stems.ok("start"))
    osc = two_stems.osc()
    end = two_stems.frames() + 2.5 * 48000
    lengths, read = set(), 0
    while two_stems.frames() < end:
        osc.ask("/marker", f"mark {read}")
        for _ in range(50):
            manifest = two_stems.manifest(folder)  # raises when it is not whole
            assert manifest["progress"] == "recording"
            read += 1
        lengths.add(manifest["frames"])
    assert len(lengths) > 1  # it is renewed while the take runs
    assert len(two_stems.manifest(two_stems.ok("stop"))["markers"]) > 1


def test_take_files_are_playable_while_it_runs_and_after_a_kill(two_stems):
    """Headers follow about once a second, so a killed daemon leaves what it wrote."""
    folder = pathlib.Path(two_stems.ok("start"))
    two_stems.run_for(0.1)
    path = folder / "01_Drums.wav"
    wait_for(lambda: frames_in_header(path) > 24000, "header of a running file", nap=0.1)
    two_stems.daemon.send_signal(signal.SIGKILL)
    two_stems.daemon.wait()
    frames = [frames_in_header(folder / f"{name}.wav") for name in ("01_Drums", "02_Lead-Vocals")]
    assert min(frames) > 24000
    assert two_stems.manifest(folder)["progress"] == "recording"
    two_stems.stemd()  # the next daemon records beside it
    two_stems.check(two_stems.record(0.1), two_stems.channels)


def frames_in_header(path):
    """Frames that a RIFF or RF64 header of a stereo 24-bit file tells."""
    raw = path.read_bytes()
    if raw[:4] == b"RF64":
        at = raw.index(b"ds64") + 8
        return struct.unpack_from("<Q", raw, at + 8)[0] // 6
    at = raw.index(b"data") + 4
    return struct.unpack_from("<I", raw, at)[0] // 6


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_take_is_completed_when_the_daemon_is_told_to_end(two_stems, how):
    folder = pathlib.Path(two_stems.ok("start", "Last one"))
    two_stems.run_for(0.3)
    assert two_stems.end(two_stems.daemon, how) == 0
    manifest = two_stems.manifest(folder)
    assert manifest["progress"] == "complete"
    assert manifest["frames"] >= 0.3 * 48000
    two_stems.check(folder, two_stems.channels)


def test_take_list_tells_of_all_takes(two_stems):
    first = two_stems.record(0.3, "One")
    two_stems.ok("start", "Two")
    takes = json.loads(two_stems.ok("takes", "--json"))["takes"]
    assert [(take["title"], take["state"]) for take in takes] == [
        ("One", "complete"), ("Two", "recording")]
    assert takes[0]["folder"] == str(first)
    assert takes[0]["seconds"] == pytest.approx(two_stems.manifest(first)["seconds"])
    assert "One" in two_stems.ok("takes")


def test_take_status_tells_how_it_goes(two_stems):
    assert two_stems.status()["state"] == "idle"
    folder = two_stems.ok("start", "Song", "--tempo", "90")
    two_stems.run_for(0.5)
    status = json.loads(two_stems.ok("status", "--json"))
    assert (status["state"], status["folder"], status["title"], status["tempo"]) == (
        "recording", folder, "Song", 90)
    assert status["frames"] >= 24000
    assert status["seconds"] == pytest.approx(status["frames"] / 48000, rel=1e-6)
    assert (status["rate"], status["period"], status["format"], status["stems"]) == (
        48000, 256, "wav pcm24", 2)
    assert 0 < status["disk_seconds"] == pytest.approx(
        status["disk_free_bytes"] / (4 * 3 * 48000), rel=1e-6)
    text = two_stems.ok("status")
    assert folder in text and "recording" in text
    two_stems.ok("stop")


def test_take_levels_are_shown_live(two_stems):
    wait_for(lambda: "connected" in two_stems.ok("stems"), "stems")

    def stems():
        rows = json.loads(two_stems.ok("stems", "--json"))["stems"]
        return {row["name"]: row for row in rows}

    wait_for(lambda: stems()["Drums"]["peak_dbfs"] > -0.1, "level of a full-scale ruler")
    assert (stems()["Drums"]["ports"], stems()["Drums"]["connected"]) == (2, 2)
    two_stems.ok("mute", "Drums")
    wait_for(lambda: stems()["Drums"]["peak_dbfs"] == -200, "silence of a muted stem")
    assert stems()["Lead Vocals"]["peak_dbfs"] > -0.1


# The null test


MIXED = ('{ name = "Drums"; inputs = ( { name = "Kit"; from = [ "ruler:out_1", "ruler:out_2" ]; } ); },'
         '{ name = "Lead"; inputs = ( { name = "Lead"; from = "ruler:out_3"; } ); }')


def mixed(studio, reference, **settings):
    """A studio whose mix is patched by hand from the same ports."""
    studio.server()
    studio.ruler(4, bits=20)
    studio.configure(MIXED, mix="{ channels = 2; }", **settings)
    studio.stemd()
    for side, ports in zip("LR", reference):
        for port in ports:
            assert studio.run("jack_connect", f"ruler:out_{port}", f"stemd:Mix-{side}").returncode == 0
    return studio.record(0.5)


@pytest.mark.parametrize("encoding", ["pcm24", "float", "pcm16"])
def test_take_whose_stems_add_up_to_the_mix_passes(studio, encoding):
    folder = mixed(studio, ([1, 3], [2, 3]), encoding=encoding)
    result = studio.stemctl("verify", folder, "--json")
    report = json.loads(result.stdout)
    assert result.returncode == 0, report
    assert report["null_test"]["passed"] is True
    if encoding != "pcm16":  # there both sides are rounded
        assert report["null_test"]["residual_peak_dbfs"] is None
        studio.check(folder, [("00_Mix.wav", 1, [1, 3]), ("00_Mix.wav", 2, [2, 3]),
                              ("01_Drums.wav", 1, [1]), ("02_Lead.wav", 2, [3])])
    assert report["problems"] == []
    assert "passed" in studio.ok("verify", folder)


def test_take_whose_mix_has_a_channel_that_nobody_recorded_fails(studio):
    folder = mixed(studio, ([1, 3, 4], [2, 3]))
    result = studio.stemctl("verify", folder)
    assert result.returncode == 1
    assert "null test: failed" in result.stdout


def spoil_length(folder):
    path = folder / "02_Lead-Vocals.wav"
    path.write_bytes(path.read_bytes()[:-6000])


def spoil_file(folder):
    (folder / "01_Drums.wav").unlink()


def spoil_header(folder):
    path = folder / "01_Drums.wav"
    path.write_bytes(b"XXXX" + path.read_bytes()[4:])


@pytest.mark.parametrize("spoil", [spoil_length, spoil_file, spoil_header])
def test_take_that_was_damaged_is_found_by_verify(two_stems, spoil):
    folder = two_stems.record(0.3)
    assert two_stems.stemctl("verify", folder).returncode == 0
    copy = two_stems.folder / "damaged"
    shutil.copytree(folder, copy)
    spoil(copy)
    result = two_stems.stemctl("verify", copy)
    assert result.returncode == 1
    assert "PROBLEM" in result.stdout


def test_take_without_a_manifest_is_no_take(studio):
    result = studio.stemctl("verify", studio.takes)
    assert result.returncode == 1
    assert "take.json" in result.stderr and len(result.stderr.splitlines()) == 1


def test_take_start_time_is_the_time_of_its_first_frame(two_stems):
    before = time.time()
    folder = two_stems.record(0.2)
    manifest = two_stems.manifest(folder)
    started = time.mktime(time.strptime(manifest["started"][:19], "%Y-%m-%dT%H:%M:%S"))
    assert before - 2 <= started <= time.time()
    assert time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(started)) == folder.name[:19]
