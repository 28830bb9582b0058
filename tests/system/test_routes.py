"""Where returns go, inputs as files of their own, and how files are called: to the bit, through real
programs. The ruler's 20 bits leave room for sums and halves that are exact in single precision."""

import array
import itertools
import json
import pathlib
import re

import jsonschema
import pytest

from studio import STEMD, mono_stems, wait_for

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "conf/take.schema.json"

# Ports: 1 kick, 2 3 the drums' own room, 4 5 a plate that both stems share, 6 the lead.
STEMS = """
  {{ name = "Drums"; wet = "{0}"; inputs = ( {{ name = "Kick"; from = "ruler:out_1"; }} );
    returns = ( {{ name = "Room"; from = [ "ruler:out_2", "ruler:out_3" ]; }},
                {{ use = "Plate"; share = 0.5; }} ); }},
  {{ name = "Vocals"; wet = "{1}"; inputs = ( {{ name = "Lead"; from = "ruler:out_6"; }} );
    returns = ( {{ use = "Plate"; share = 0.5; }} ); }}
"""
PLATE = '( { name = "Plate"; from = [ "ruler:out_4", "ruler:out_5" ]; } )'
# JACK itself sums what a port is connected to: the mix that the stems must add up to.
MIX = '{ from = [ "/ruler:out_[1246]/", "/ruler:out_[1356]/" ]; }'


def start(studio, drums="in", vocals="in", **settings):
    settings = {"returns": PLATE, "mix": MIX, "encoding": "float", **settings}
    studio.server()
    studio.ruler(6, bits=20)
    studio.configure(STEMS.format(drums, vocals), **settings)
    studio.stemd()


def files(manifest, which):
    return {entry["file"]: entry["role"] for entry in manifest[which]}


def samples(path, channels=2):
    """The channels of a float WAV file, which may begin with any chunks."""
    raw = path.read_bytes()
    at = 12
    while raw[at:at + 4] != b"data":
        at += 8 + int.from_bytes(raw[at + 4:at + 8], "little") + raw[at + 4] % 2
    data = array.array("f", raw[at + 8:at + 8 + int.from_bytes(raw[at + 4:at + 8], "little")])
    return [data[channel::channels] for channel in range(channels)]


def residual(studio, folder):
    """What verify says is left of the mix without the stems, which must be all right."""
    report = json.loads(studio.ok("verify", folder, "--json"))
    report = report[0] if isinstance(report, list) else report.get("takes", [report])[0]
    assert report["problems"] == []
    return report["null_test"]["residual_peak_dbfs"]


def test_routes_returns_as_files_of_the_sum(studio):
    start(studio, "own", "own")
    folder = studio.record(0.5)
    manifest = studio.manifest(folder)
    assert files(manifest, "stems") == {
        "01_Drums.wav": "stem", "02_Vocals.wav": "stem", "03_Drums-Room.wav": "return",
        "04_Plate.wav": "return"}
    assert manifest["extras"] == []
    studio.check(folder, [
        ("01_Drums.wav", 1, [1]), ("01_Drums.wav", 2, [1]), ("02_Vocals.wav", 1, [6]),
        ("02_Vocals.wav", 2, [6]), ("03_Drums-Room.wav", 1, [2]), ("03_Drums-Room.wav", 2, [3]),
        ("04_Plate.wav", 1, [4]), ("04_Plate.wav", 2, [5]),  # both halves
        ("00_Mix.wav", 1, [1, 2, 4, 6]), ("00_Mix.wav", 2, [1, 3, 5, 6])])
    assert residual(studio, folder) is None  # exactly nothing


def test_routes_returns_beside_the_sum(studio):
    start(studio, "both", "both")
    folder = studio.record(0.5)
    manifest = studio.manifest(folder)
    assert files(manifest, "stems") == {"01_Drums.wav": "stem", "02_Vocals.wav": "stem"}
    assert files(manifest, "extras") == {"fx_01_Drums-Room.wav": "return", "fx_02_Plate.wav": "return"}
    studio.check(folder, [
        ("fx_01_Drums-Room.wav", 1, [2]), ("fx_01_Drums-Room.wav", 2, [3]),
        ("fx_02_Plate.wav", 1, [4]), ("fx_02_Plate.wav", 2, [5])])
    assert residual(studio, folder) is None
    assert {stem["frames"] for stem in manifest["stems"] + manifest["extras"]} == {manifest["frames"]}


@pytest.mark.parametrize("drums,vocals", itertools.product(["in", "own", "both"], repeat=2))
def test_routes_every_choice_adds_up_to_the_mix(studio, drums, vocals):
    start(studio, drums, vocals, multitrack=True)
    folder = studio.record(0.3)
    assert residual(studio, folder) is None
    kick, room, plate, lead = (samples(folder / name, channels) for name, channels in [
        ("in_01_Drums-Kick.wav", 1), ("in_02_Drums-Room.wav", 2), ("in_04_Plate.wav", 2),
        ("in_03_Vocals-Lead.wav", 1)])
    for channel in range(2):
        dry = drums == "own"
        wanted = [k if dry else k + r + 0.5 * p
                  for k, r, p in zip(kick[0], room[channel], plate[channel])]
        assert list(samples(folder / "01_Drums.wav")[channel]) == wanted
        wanted = [v if vocals == "own" else v + 0.5 * p for v, p in zip(lead[0], plate[channel])]
        assert list(samples(folder / "02_Vocals.wav")[channel]) == wanted
        for wet, pattern in [("own", "0*_Plate.wav"), ("both", "fx_*_Plate.wav")]:
            parts = 0.5 * [drums, vocals].count(wet)
            found = list(folder.glob(pattern))
            assert len(found) == (parts > 0)
            for path in found:
                assert list(samples(path)[channel]) == [parts * p for p in plate[channel]]


@pytest.mark.parametrize("encoding", ["pcm24", "float"])
def test_routes_multitrack_is_bit_identical_to_the_source(studio, encoding):
    studio.server()
    studio.ruler(4)  # full scale: what a gain changed would be wrong or clipped
    studio.configure(
        '{ name = "Drums"; muted = true; inputs = ('
        ' { name = "Kick"; from = "ruler:out_1"; gain = -6.5; pan = -0.4; polarity = "inverted"; },'
        ' { name = "Overheads"; from = [ "ruler:out_2", "ruler:out_3" ]; gain = -20.0; } );'
        ' returns = ( { name = "Room"; from = "ruler:out_4"; share = 0.3; channel = 2; } ); }',
        encoding=encoding, multitrack=True)
    studio.stemd()
    folder = studio.record(1)
    manifest = studio.manifest(folder)
    assert [extra["name"] for extra in manifest["extras"]] == [
        "Drums Kick", "Drums Overheads", "Drums Room"]
    assert files(manifest, "extras") == {"in_01_Drums-Kick.wav": "input",
                                         "in_02_Drums-Overheads.wav": "input",
                                         "in_03_Drums-Room.wav": "input"}
    assert [extra["channels"] for extra in manifest["extras"]] == [1, 2, 1]
    counts = studio.check(folder, [
        ("in_01_Drums-Kick.wav", 1, [1]), ("in_02_Drums-Overheads.wav", 1, [2]),
        ("in_02_Drums-Overheads.wav", 2, [3]), ("in_03_Drums-Room.wav", 1, [4])])
    assert counts["wrong"] == 0
    assert manifest["stems"][0]["peak"] == 0  # muted: the inputs are not
    assert [extra["clips"] for extra in manifest["extras"]] == [0, 0, 0]


def test_routes_verify_looks_at_files_beside_the_sum(studio):
    start(studio, multitrack=True)
    folder = studio.record(0.3)
    (folder / "in_03_Vocals-Lead.wav").unlink()
    kick = folder / "in_01_Drums-Kick.wav"
    kick.write_bytes(kick.read_bytes()[:-48000])
    result = studio.stemctl("verify", folder)
    assert result.returncode != 0
    assert "in_03_Vocals-Lead.wav: it is missing" in result.stdout
    frames = studio.manifest(folder)["frames"]
    assert (f"in_01_Drums-Kick.wav: it is {frames - 12000} frames long, the take {frames}"
            in result.stdout)


def test_routes_live_residual_is_that_of_the_sum(studio):
    start(studio, "own", "both", multitrack=True)
    wait_for(lambda: studio.status().get("residual_dbfs", 0) <= -200, "a residual of nothing")


def test_routes_finish_describes_all_files(studio):
    start(studio, "own", "both", multitrack=True, naming="delivery")
    folder = studio.record(0.5, "Song")
    studio.ok("finish", folder)
    manifest = studio.manifest(folder)
    assert manifest["residual"]["peak"] == 0
    sums = (folder / "SHA256SUMS").read_text()
    readme = (folder / "README.txt").read_text()
    beside = readme.index("Beside the stems")
    for entry in manifest["stems"] + [manifest["mix"]]:
        assert entry["file"] in sums and readme.index(entry["file"]) < beside
    assert len(manifest["extras"]) == 5
    for entry in manifest["extras"]:
        assert entry["file"] in sums and readme.index(entry["file"]) > beside
    jsonschema.validate(manifest, json.loads(SCHEMA.read_text()))


def test_routes_stems_and_mute_are_of_stems_only(studio):
    start(studio, "own", "both", multitrack=True)
    stems = json.loads(studio.ok("stems", "--json"))["stems"]
    assert [stem["name"] for stem in stems] == ["Drums", "Vocals", "Mix"]
    assert studio.stemctl("mute", "Plate").returncode != 0
    assert studio.ok("mute", "Vocals") == "muted"


def test_routes_a_muted_stem_leaves_its_own_returns(studio):
    start(studio, "own", "in")
    studio.ok("mute", "Drums")
    folder = studio.record(0.3)
    assert any(samples(folder / "03_Drums-Room.wav")[0])
    assert not any(samples(folder / "01_Drums.wav")[0][4800:])


def test_routes_layout_of_a_recovered_take(studio):
    """The manifest tells a killed recorder's take what is in the sum and what is not."""
    start(studio, "own", "both", multitrack=True)
    studio.ok("start")
    studio.run_for(1.5)
    studio.daemon.kill()
    studio.daemon.wait()
    folder = studio.folders()[0]
    studio.ok("recover", folder)
    manifest = studio.manifest(folder)
    assert manifest["progress"] == "recovered"
    assert len(manifest["stems"]) == 4 and len(manifest["extras"]) == 5
    assert {entry["frames"] for entry in manifest["stems"] + manifest["extras"]} == {
        manifest["frames"]}


def test_routes_more_files_than_a_program_may_open_at_first(studio):
    """Two hundred files, where the limit is at 64 until it is raised."""
    studio.server(ports=512)
    studio.ruler(100, bits=20)
    stems, channels = mono_stems(100, width=1)
    studio.configure(stems, multitrack=True, tape=3.0)
    studio.stemd(before=["prlimit", "--nofile=64:4096"])
    folder = studio.record(0.2)
    inputs = [(f"in_{k:02}_S{k}-In.wav", 1, [k]) for k in range(1, 101)]
    studio.check(folder, channels + inputs)


# Names

def test_routes_delivery_names(studio):
    start(studio, "own", "both", naming="delivery", encoding="pcm24", multitrack=True)
    folder = studio.record(0.2, "Night Train", "--tempo", "120", "--key", "Am")
    assert folder.name == "Night-Train_120bpm_Am_48k24"
    assert sorted(path.name for path in folder.glob("*.wav")) == sorted([
        "Night-Train_Drums_120bpm_24-48.wav", "Night-Train_Vocals_120bpm_24-48.wav",
        "Night-Train_Drums-Room_120bpm_24-48.wav", "Night-Train_Plate_120bpm_24-48.wav",
        "fx_Night-Train_Plate_120bpm_24-48.wav", "in_Night-Train_Drums-Kick_120bpm_24-48.wav",
        "in_Night-Train_Drums-Room_120bpm_24-48.wav", "in_Night-Train_Vocals-Lead_120bpm_24-48.wav",
        "in_Night-Train_Plate_120bpm_24-48.wav", "Night-Train_Mix_120bpm_24-48.wav"])
    assert studio.record(0.1, "Night Train").name == "Night-Train_120bpm_Am_48k24-2"
    assert residual(studio, folder) < -130  # half steps of 24 bits are rounded


def test_routes_names_follow_what_came_late(studio):
    start(studio, folder_name="{title}_{key}_{tempo}bpm_take{take}",
          file_name="{title}_{index}_{stem}_{tempo}bpm")
    first = studio.record(0.1, "Song")
    assert first.name == "Song_take01"
    assert (first / "Song_01_Drums.wav").exists()
    osc = studio.osc()
    studio.ok("start", "Draft")
    assert osc.ask("/take/title", "Song")[0] == "/reply"
    studio.run_for(0.1)
    second = pathlib.Path(studio.ok("stop"))
    assert second.name == "Song_take02"
    assert osc.ask("/take/tempo", 98.5)[0] == "/reply"
    third = studio.record(0.1)
    assert third.name == "Song_98.5bpm_take01"
    for folder, tempo in [(second, ""), (third, "_98.5bpm")]:
        wanted = [f"Song_{name}{tempo}.wav" for name in ("00_Mix", "01_Drums", "02_Vocals")]
        assert sorted(path.name for path in folder.glob("*.wav")) == wanted
        assert residual(studio, folder) is None


def test_routes_untitled_takes_of_a_template_without_a_date(studio):
    start(studio, naming="delivery")
    folder = studio.record(0.1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_48k32f", folder.name)
    assert (folder / "Drums_32f-48.wav").exists()


def test_routes_wrong_templates_are_told_with_their_lines(studio):
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }', folder_name="{titel}")
    result = studio.run(STEMD, "--check", studio.config)
    assert result.returncode == 1
    assert re.search(r'stemd\.conf:\d+: folder_name: unknown placeholder "\{titel\}"; did you mean '
                     r'"\{title\}"\?', result.stderr)
