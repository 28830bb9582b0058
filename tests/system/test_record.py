"""What is recorded is what was played: frame by frame, bit by bit."""

import json
import pathlib
import time

import pytest

from studio import CHECK, Osc, mono_stems, wait_for


@pytest.mark.sanitize
def test_record_holds_every_frame(two_stems):
    folder = two_stems.record(2)
    manifest = two_stems.manifest(folder)
    assert manifest["progress"] == "complete"
    assert manifest["frames"] >= 2 * 48000
    counts = two_stems.check(folder, two_stems.channels)
    assert counts["samples"] == 4 * manifest["frames"]


@pytest.mark.parametrize("container,encoding", [
    ("wav", "pcm24"), ("w64", "pcm24"), ("caf", "pcm24"), ("aiff", "pcm24"), ("flac", "pcm24"),
    ("wav", "float"), ("wav", "pcm32"), ("wav", "double"), ("caf", "float"), ("aiff", "float"),
    ("flac", "pcm16"), ("wav", "pcm16")])
def test_record_is_bit_transparent_at_full_scale(studio, container, encoding):
    studio.server()
    studio.ruler(2, bits=24)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; '
                     'from = [ "ruler:out_1", "ruler:out_2" ]; } ); }',
                     format=container, encoding=encoding)
    studio.stemd()
    folder = studio.record(1)
    manifest = studio.manifest(folder)
    file = manifest["stems"][0]["file"]
    if encoding != "pcm16":  # it rounds to nearest; the uppermost half step saturates
        assert manifest["stems"][0]["clips"] == 0
    assert manifest["stems"][0]["peak"] > 0.9999  # the full scale was there
    counts = studio.check(folder, [(file, 1, [1]), (file, 2, [2])])
    assert counts["wrong"] == 0


def test_record_sums_inputs_and_shared_returns_exactly(studio):
    studio.server()
    studio.ruler(10, bits=20)
    studio.configure(
        '{ name = "A"; inputs = ( { name = "One"; from = "ruler:out_1"; },'
        ' { name = "Pair"; from = [ "ruler:out_2", "ruler:out_3" ]; } );'
        ' returns = ( { name = "Room"; from = [ "ruler:out_4", "ruler:out_5" ]; },'
        ' { use = "Plate"; share = 1.0; } ); },'
        '{ name = "B"; channels = 1; inputs = ( { name = "Mono"; from = "ruler:out_8"; } ); },'
        '{ name = "C"; channels = 4; inputs = ( { name = "Spot"; from = "ruler:out_9"; channel = 3; },'
        ' { name = "All"; from = "ruler:out_10"; } ); }',
        returns='( { name = "Plate"; from = [ "ruler:out_6", "ruler:out_7" ]; } )')
    studio.stemd()
    folder = studio.record(1)
    studio.check(folder, [
        ("01_A.wav", 1, [1, 2, 4, 6]), ("01_A.wav", 2, [1, 3, 5, 7]), ("02_B.wav", 1, [8]),
        ("03_C.wav", 1, [10]), ("03_C.wav", 2, [10]), ("03_C.wav", 3, [9, 10]),
        ("03_C.wav", 4, [10])])


def test_record_start_lands_on_one_frame_for_all_stems(studio):
    studio.server()
    studio.ruler(24)
    stems, channels = mono_stems(24)
    studio.configure(stems)
    studio.stemd()
    for _ in range(3):
        folder = studio.record(0.2)
        assert len({stem["frames"] for stem in studio.manifest(folder)["stems"]}) == 1
        studio.check(folder, channels, end_ruler=False)


@pytest.mark.sanitize
def test_record_split_loses_and_doubles_no_frame(two_stems):
    folders = []
    two_stems.ok("start", "Song 0")
    for number in range(1, 6):
        two_stems.run_for(0.3)
        two_stems.ok("split", f"Song {number}")
    two_stems.run_for(0.3)
    two_stems.ok("stop")
    folders = sorted(two_stems.takes.iterdir(), key=lambda f: two_stems.manifest(f)["start_frame"])
    assert [two_stems.manifest(f)["title"] for f in folders] == [f"Song {n}" for n in range(6)]
    for before, after in zip(folders, folders[1:]):
        result = two_stems.run(CHECK, "--consecutive", before, after)
        assert result.returncode == 0, result.stdout
        assert two_stems.manifest(after)["previous"] == before.name
    for folder in folders:
        two_stems.check(folder, two_stems.channels)


def test_record_what_comes_with_a_split_or_after_a_stop_is_for_the_next_take(two_stems):
    """A console sends them in one go: the last frames of the take are not on the disk yet."""
    osc = two_stems.osc()
    one = two_stems.ok("start", "One")
    two_stems.run_for(0.2)
    osc.send(Osc.bundle(None, Osc.message("/record/split"), Osc.message("/take/title", "Two"),
                        Osc.message("/take/tempo", 99.0), Osc.message("/marker", "Verse")))
    answers = dict(values for _, values in (osc.receive() for _ in range(4)))
    assert answers["/marker"] == "0"
    two_stems.run_for(0.2)
    osc.send(Osc.bundle(None, Osc.message("/record/stop"), Osc.message("/take/title", "Three"),
                        Osc.message("/marker", "too late")))
    two, *rest = (osc.receive() for _ in range(3))
    assert two[1][0] == "/record/stop" and [path for path, _ in rest] == ["/reply", "/error"]
    told = [(m["title"], m["tempo_bpm"], [(mark["frame"], mark["text"]) for mark in m["markers"]])
            for m in map(two_stems.manifest, (one, two[1][1]))]
    assert told == [("One", 0, []), ("Two", 99, [(0, "Verse")])]
    assert two_stems.manifest(two_stems.record(0.2))["title"] == "Three"


def test_record_preroll_keeps_what_was_before_the_start(studio):
    studio.server()
    studio.ruler(1)
    stems, channels = mono_stems(1)
    studio.configure(stems, preroll=1.5)
    studio.stemd()
    studio.record(0.1)  # the tape holds something for sure
    wait_for(lambda: len(list(studio.takes.iterdir())) == 1, "first take")
    time.sleep(2)
    studio.ok("start", "Second")
    frames = studio.frames()
    folder = pathlib.Path(studio.ok("stop"))
    assert frames >= 0
    assert studio.manifest(folder)["frames"] >= 1.5 * 48000
    studio.check(folder, channels)


@pytest.mark.sanitize
def test_record_freewheel_loses_no_frame(studio):
    studio.server()
    studio.ruler(8)
    stems, channels = mono_stems(8)
    studio.configure(stems, tape=1.0)  # a short tape: JACK has to wait for the disk
    studio.stemd()
    studio.ok("start")
    freewheel = studio.start("jack_freewheel", "y", log="freewheel.log")
    wait_for(lambda: studio.status()["jack"] == "freewheel" or freewheel.poll() is not None,
             "freewheel")
    studio.run_for(20)
    studio.run("jack_freewheel", "n")
    folder = pathlib.Path(studio.ok("stop"))
    manifest = studio.manifest(folder)
    assert manifest["frames"] >= 20 * 48000
    overflow = [gap for gap in manifest["gaps"] if "overflow" in gap["reasons"]]
    assert overflow == []
    studio.check(folder, channels)


def test_record_goes_on_while_the_period_changes(two_stems):
    two_stems.ok("start")
    for period in (64, 1024, 256, 4096, 128):
        two_stems.run_for(0.3)
        assert two_stems.run("jack_bufsize", period).returncode == 0
        wait_for(lambda: two_stems.status()["period"] == period, f"period {period}")
    two_stems.run_for(0.3)
    folder = two_stems.ok("stop")
    two_stems.check(folder, two_stems.channels)


def test_record_mute_silences_one_stem_and_no_other(two_stems):
    two_stems.ok("start")
    two_stems.run_for(0.3)
    assert two_stems.ok("mute", "Lead Vocals") == "muted"
    two_stems.run_for(0.5)
    assert json_stem(two_stems, "Lead Vocals")["muted"] == 1
    assert two_stems.ok("mute", "Lead Vocals", "off") == "unmuted"
    two_stems.run_for(0.5)
    folder = two_stems.ok("stop")
    two_stems.check(folder, two_stems.channels[:2])
    assert b"\0" * (6 * 4800) in pathlib.Path(folder, "02_Lead-Vocals.wav").read_bytes()


def json_stem(studio, name):
    stems = json.loads(studio.ok("stems", "--json"))["stems"]
    return next(stem for stem in stems if stem["name"] == name)


def test_record_muted_stem_starts_muted_and_says_so(studio):
    studio.server()
    studio.ruler(1)
    studio.configure('{ name = "Click"; muted = true; inputs = ( { name = "In"; '
                     'from = "ruler:out_1"; } ); }')
    studio.stemd()
    manifest = studio.manifest(studio.record(0.3))
    assert manifest["stems"][0]["muted"] is True
    assert manifest["stems"][0]["peak"] == 0


def test_record_clips_are_counted(studio):
    studio.server()
    studio.ruler(1)
    studio.configure('{ name = "Hot"; channels = 1; inputs = ( { name = "In"; '
                     'from = "ruler:out_1"; gain = 6.0; } ); }')
    studio.stemd()
    manifest = studio.manifest(studio.record(0.5))
    share = manifest["stems"][0]["clips"] / manifest["frames"]
    assert 0.4 < share < 0.6  # about half of a uniform full-scale signal at +6 dB
    assert manifest["stems"][0]["peak"] > 1.9


@pytest.mark.slow
def test_record_64_stems_from_512_ports_for_a_minute(studio):
    """Every frame right outside the listed gaps, and no gap caused by stemd itself."""
    studio.server(period=64, realtime=True, sync=True, ports=2048)
    studio.ruler(512, bits=20)
    stems, channels = [], []
    for k in range(64):
        ports = [8 * k + n + 1 for n in range(8)]
        inputs = ", ".join(f'{{ name = "In{n}"; from = "ruler:out_{port}"; channel = {n % 2 + 1}; }}'
                           for n, port in enumerate(ports))
        stems.append(f'{{ name = "S{k + 1}"; inputs = ( {inputs} ); }}')
        channels += [(f"{k + 1:02}_S{k + 1}.wav", 1, ports[0::2]),
                     (f"{k + 1:02}_S{k + 1}.wav", 2, ports[1::2])]
    studio.configure(", ".join(stems), tape=20.0)
    studio.stemd()
    folder = studio.record(60)
    manifest = studio.manifest(folder)
    assert manifest["frames"] >= 60 * 48000
    assert [gap for gap in manifest["gaps"] if "overflow" in gap["reasons"]] == []
    counts = studio.check(folder, channels)
    print(counts)


def test_record_future_timetag_starts_and_stops_on_that_frame(two_stems):
    """Both times come in one bundle, so that they are counted from the same moment; only when the
    daemon is held up between the two (or a cycle ends there) do they differ by that."""
    osc = two_stems.osc()

    def one_second():
        start = time.time() + 0.3
        osc.send(Osc.bundle(0, Osc.bundle(start, Osc.message("/record/start", "Later")),
                            Osc.bundle(start + 1, Osc.message("/record/stop"))))
        path, values = osc.receive()
        assert (path, values[0]) == ("/reply", "/record/start")
        path, values = osc.receive()
        assert (path, values[0]) == ("/reply", "/record/stop")
        return values[1], two_stems.manifest(values[1])["frames"]

    folder, frames = one_second()
    for _ in range(4):
        if abs(frames - 48000) > 300:
            folder, frames = one_second()
    assert abs(frames - 48000) <= 300
    two_stems.check(folder, two_stems.channels)
