"""A take in Ardour: take.ardour is opened by Ardour itself, in the take's own folder."""

import pathlib
import subprocess

import pytest

from ardour import bounce, open_session, require_ardour
from studio import wait_for
from test_finish import Made, add_up, finish
from test_start import MUSIC, Conductor, bar_lines

require_ardour()


def sums_fit(folder):
    result = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder,
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def files(take):
    """Entries of the manifest in the order of the tracks, and whether they are muted."""
    return [(stem, False) for stem in take["stems"]] + [(take["mix"], True)] * bool(take["mix"])


def check_tracks(facts, take):
    begin, frames = str(take["time_reference"]), str(take["frames"])
    assert facts["rate"] == [[str(take["rate_hz"])]]
    routes = {name: (muted, inputs) for name, muted, inputs, _, _ in facts["route"]}
    assert routes.pop("Master") == ("false", "2")
    assert routes == {stem["name"]: (str(muted).lower(), str(stem["channels"]))
                      for stem, muted in files(take)}
    assert [region[:5] for region in facts["region"]] == [
        [stem["name"], stem["file"], begin, frames, str(stem["channels"])]
        for stem, _ in files(take)]
    for region, (stem, _) in zip(facts["region"], files(take)):
        assert float(region[5]) == pytest.approx(stem["peak"], abs=2**-22), stem["name"]


def check_places(facts, take):
    begin = take["time_reference"]
    assert facts["range"] == [["session", str(begin), str(begin + take["frames"])]]
    assert sorted(facts["mark"]) == sorted(
        [mark["text"], *[str(begin + mark["frame"])] * 2] for mark in take["markers"])


def check_bars(folder, take):
    """Every bar line of the music in the take is one of Ardour's, with its number; behind it are
    tempo and meter of the music."""
    begin, end = take["time_reference"], take["time_reference"] + take["frames"]
    bars = [(number + 1, line) for number, line in enumerate(bar_lines(end)) if line >= begin - 0.5]
    assert len(bars) > 4
    facts = open_session(folder, *(f"{number}|1" for number, _ in bars),
                         *(round(line) + 200 for _, line in bars))
    for (number, line), (_, place) in zip(bars, facts["bar"], strict=True):
        assert int(place) == pytest.approx(float(line), abs=1), number
    for (number, line), (_, bbt, bpm, meter) in zip(bars, facts["place"], strict=True):
        _, music, beats, kind = [part for part in MUSIC if part[0] <= line + 1][-1]
        assert bbt.startswith(f"{number}|1|"), (number, bbt)
        assert float(bpm) == pytest.approx(float(music * 4 / kind), abs=1e-5)
        assert meter == f"{beats}/{kind}"


def test_ardour_opens_a_recorded_take(studio):
    studio.server()
    studio.ruler(4, bits=16)
    studio.configure(
        '{ name = "Drums & <\\"Kit\\">"; inputs = ( { name = "In"; from = '
        '[ "ruler:out_1", "ruler:out_2" ]; } ); },'
        '{ name = "Lead"; channels = 1; inputs = ( { name = "In"; from = "ruler:out_3"; } ); }',
        mix='{ from = [ "ruler:out_1", "ruler:out_2" ]; }')
    studio.stemd()
    conductor = Conductor(studio, MUSIC)
    conductor.roll(60000)
    folder = pathlib.Path(studio.ok("start", "In Ardour", "--at", "bar"))
    studio.ok("mark", "Intro")
    wait_for(lambda: conductor.where()[1] > 300000, "a change of tempo")
    studio.ok("mark", 'Zwei & "drei" <4>')
    wait_for(lambda: conductor.where()[1] > 560000, "another change of tempo")
    folder = pathlib.Path(studio.ok("stop"))
    studio.ok("finish", folder)
    take = studio.manifest(folder)
    assert take["time_reference"] > 60000 and len(take["markers"]) == 2
    facts = open_session(folder)
    check_tracks(facts, take)
    check_places(facts, take)
    check_bars(folder, take)
    sums_fit(folder)  # Ardour looked, and changed nothing that was there
    studio.check(folder, [("01_Drums-Kit.wav", 1, [1]), ("01_Drums-Kit.wav", 2, [2]),
                          ("02_Lead.wav", 1, [3])])


def test_ardour_opens_a_take_that_is_being_recorded(two_stems):
    folder = pathlib.Path(two_stems.ok("start", "Live"))
    two_stems.run_for(1.2)
    wait_for((folder / "take.ardour").exists, "audio in the session")
    facts = open_session(folder)
    begin = two_stems.manifest(folder)["time_reference"]
    assert [(name, int(place)) for name, _, place, *_ in facts["region"]] == [
        ("Drums", begin), ("Lead Vocals", begin)]
    frames = {int(length) for _, _, _, length, *_ in facts["region"]}
    assert len(frames) == 1 and 24000 < min(frames)
    assert all(float(region[5]) > 0 for region in facts["region"])
    folder = pathlib.Path(two_stems.ok("stop"))
    two_stems.ok("finish", folder)
    assert {int(region[3]) for region in open_session(folder)["region"]} == {
        two_stems.manifest(folder)["frames"]}
    two_stems.check(folder, two_stems.channels)


def make_take(folder, **facts):
    """Two stems of noise and their mix, made with sox."""
    made = Made(folder, frames=48000 * 3 + 77, time_reference=5 * 48000 + 1, **facts)
    made.stem("01_Drums.wav", "pinknoise", "vol", "0.2")
    made.stem("02_Bass.wav", "brownnoise", "vol", "0.3", channels=1)
    made.mix(add_up)
    finish(made.save())
    return made


def test_ardour_master_has_the_sum_of_the_stems(tmp_path):
    made = make_take(tmp_path / "take")
    bounce(made.folder, tmp_path / "sum.wav")
    sounds = [subprocess.run(["sox", path, "-t", "raw", "-"], capture_output=True, check=True).stdout
            for path in (tmp_path / "sum.wav", made.folder / "00_Mix.wav")]
    assert any(sounds[0]) and sounds[0] == sounds[1]


@pytest.mark.parametrize("container,ending", [("flac", "flac"), ("aiff", "aiff"), ("caf", "caf"),
                                              ("w64", "w64")])
def test_ardour_opens_every_kind_of_file(tmp_path, container, ending):
    made = Made(tmp_path / "take", rate=44100, frames=44100 * 2,
                format={"container": container, "encoding": "pcm24"})
    made.stem(f"01_A.{ending}", "sine", "440", "vol", "0.25")
    finish(made.save())
    facts = open_session(made.folder)
    assert [region[2:4] for region in facts["region"]] == [["0", str(44100 * 2)]]
    assert float(facts["region"][0][5]) == pytest.approx(0.25, abs=1e-3)


def entry(frame, bar, beat, tick=0, bpm=120, beats=4, kind=4):
    return {"frame": frame, "bpm": bpm, "beats_per_bar": beats, "beat_type": kind,
            "ticks_per_beat": 1920, "bar": bar, "beat": beat, "tick": tick}


@pytest.mark.parametrize("reference,tempo_map,places", [
    # at the clock's zero, in another bar than the first
    (0, [entry(0, 5, 1)], {0: "5|1|0", 96000: "6|1|0"}),
    # later, in a bar that the session has passed by then; in the middle of a beat
    (1000000, [entry(0, 2, 3, 960)], {1000000 + 36000: "3|1|0", 1000000 + 132000: "4|1|0"}),
    # the transport is moved; back goes no bar in Ardour, it counts on from there
    (48000, [entry(0, 9, 1), entry(48000, 40, 1), entry(100000, 3, 1)],
     {48000: "9|1|0", 96000: "40|1|0", 148000: "41|1|0", 172000: "41|2|0"}),
    # nothing is known
    (48000, [], {48000: "1|1|0", 144000: "2|1|0"}),
])
def test_ardour_counts_bars_as_the_take_does(tmp_path, reference, tempo_map, places):
    made = Made(tmp_path / "take", time_reference=reference, tempo_map=tempo_map)
    made.stem("01_A.wav", "sine", "440", "vol", "0.25")
    finish(made.save())
    facts = open_session(made.folder, *places)
    assert {int(place): bbt for place, bbt, _, _ in facts["place"]} == places


def test_ardour_session_that_was_saved_is_kept(tmp_path):
    made = make_take(tmp_path / "take")
    open_session(made.folder, "save")
    work = (made.folder / "take.ardour").read_bytes()
    assert b'"By hand"' in work
    project = made.folder / "take.rpp"
    project.write_text(project.read_text().replace("VOLPAN 1 0", "VOLPAN 0.5 0", 1))
    report = finish(made.folder)
    assert [remark.split(":")[0] for remark in report["remarks"]] == ["take.rpp", "take.ardour"]
    assert (made.folder / "take.ardour").read_bytes() == work
    assert "VOLPAN 0.5 0" in project.read_text()
    sums_fit(made.folder)
    assert open_session(made.folder)["region"][0][0] == "By hand"
    (made.folder / "take.ardour").unlink()
    finish(made.folder)
    assert open_session(made.folder)["region"][0][0] == "01_Drums"
