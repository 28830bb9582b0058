"""Finishing: what leaves the studio. Takes are recorded for real, or made with sox where the signal
matters; what stemctl finish made of them is read with programs that are not ours."""

import csv
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import time
import xml.etree.ElementTree

import jsonschema
import mido
import pytest

from studio import STEMCTL

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "conf/take.schema.json"


# Helpers

def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, **options)


def finish(folder, *options):
    result = run(STEMCTL, "finish", folder, "--json", *options)
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


def manifest(folder):
    return json.loads((folder / "take.json").read_text())


def contents(folder, but=()):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in but}


def chunks(path):
    """The chunks of a WAV file, (id, place of the content, size), and where its header says it ends.
    Asserts that the sizes fit."""
    raw = path.read_bytes()
    is_rf64 = raw[:4] == b"RF64"
    assert raw[:4] in (b"RIFF", b"RF64") and raw[8:12] == b"WAVE"
    size = struct.unpack_from("<I", raw, 4)[0]
    data_size = None
    if is_rf64:
        assert raw[12:16] == b"ds64" and size == 0xFFFFFFFF
        size, data_size = struct.unpack_from("<QQ", raw, 20)
    assert size + 8 == len(raw)
    found, at = [], 12
    while at < len(raw):
        name, length = struct.unpack_from("<4sI", raw, at)
        if name == b"data" and is_rf64:
            length = data_size
        assert at + 8 + length <= len(raw), (name, length)
        found.append((name.decode(), at + 8, length))
        at += 8 + length + length % 2
    return found


def chunk(path, name):
    for found, at, length in chunks(path):
        if found == name:
            return path.read_bytes()[at:at + length]
    return None


def cues(path):
    """Markers in a WAV file: (frame, text), in order."""
    raw, texts = chunk(path, "cue "), {}
    if raw is None:
        return []
    listing = chunk(path, "LIST")
    assert listing[:4] == b"adtl"
    at = 4
    while at < len(listing):
        name, size, number = struct.unpack_from("<4sII", listing, at)
        assert name == b"labl" and listing[at + 8 + size - 1] == 0
        texts[number] = listing[at + 12:at + 8 + size - 1].decode()
        at += 8 + size + size % 2
    marks = []
    for k in range(struct.unpack_from("<I", raw)[0]):
        number, position, name, start, block, frame = struct.unpack_from("<II4sIII", raw, 4 + 24 * k)
        assert (name, start, block, position) == (b"data", 0, 0, frame)
        marks.append((frame, texts[number]))
    return marks


def ffmpeg_loudness(path):
    """Integrated loudness, range and true peak as ffmpeg's ebur128 filter sees them."""
    text = run("ffmpeg", "-nostats", "-hide_banner", "-i", path, "-filter_complex",
               "ebur128=peak=true", "-f", "null", "-").stderr
    summary = text[text.rindex("Summary:"):]
    return {key: float(re.search(pattern + r":\s+(-?[\d.]+|-inf)", summary)[1])
            for key, pattern in (("integrated", "I"), ("range", "LRA"), ("true_peak", "Peak"))}


def ffmpeg_volume(path):
    text = run("ffmpeg", "-nostats", "-hide_banner", "-i", path, "-af", "volumedetect", "-f",
               "null", "-").stderr
    return {key: float(re.search(key + r"_volume: (-?[\d.]+) dB", text)[1])
            for key in ("mean", "max")}


class Made:
    """A take whose files sox made: its manifest is the least that stemd writes."""

    def __init__(self, folder, rate=48000, frames=48000 * 6, bits=24, **facts):
        folder.mkdir()
        self.folder, self.rate, self.frames, self.bits = folder, rate, frames, bits
        self.take = {
            "kind": "stemd-take", "version": 1, "progress": "complete", "failure": None,
            "title": "Made", "key": "", "tempo_bpm": 0, "started": "2026-11-20T21:53:07.000+01:00",
            "recorder": "stemd", "previous": None, "rate_hz": rate, "start_frame": 0,
            "frames": frames, "format": {"container": "wav", "encoding": f"pcm{bits}"},
            "mix": None, "stems": [], "gaps": [], "xruns": [], "markers": [], **facts}

    def sox(self, name, *effects, channels=2):
        path = self.folder / name
        result = run("sox", "-R", "-D", "-r", self.rate, "-n", "-b", self.bits, "-c", channels, path,
                     "synth", f"{self.frames}s", *effects)
        assert result.returncode == 0, result.stderr
        return path

    def entry(self, name, channels=2):
        return {"number": 1, "name": name.split(".")[0], "file": name, "channels": channels,
                "inputs": 1, "frames": self.frames, "clips": 0, "peak": 0.5, "muted": False}

    def stem(self, name, *effects, channels=2):
        path = self.sox(name, *effects, channels=channels)
        self.take["stems"].append(self.entry(name, channels))
        return path

    def mix(self, make):
        path = self.folder / "00_Mix.wav"
        stems = [self.folder / stem["file"] for stem in self.take["stems"]]
        make(stems, path)
        self.take["mix"] = self.entry(path.name)
        return path

    def save(self):
        (self.folder / "take.json").write_text(json.dumps(self.take))
        return self.folder


def add_up(stems, path, *effects):
    """Mono counts to both sides."""
    inputs = []
    for stem in stems:
        is_mono = run("soxi", "-c", stem).stdout.strip() == "1"
        inputs += ["-v", "1", *(["-t", "sox", f"|sox {stem} -p remix 1 1"] if is_mono else [stem])]
    result = run("sox", "-D", "-m", *inputs, path, *effects)
    assert result.returncode == 0, result.stderr


@pytest.fixture
def song(tmp_path):
    """Two stems of noise and their sum, with markers and a tempo."""
    made = Made(tmp_path / "song", tempo_bpm=100, key="A minor", title="Night Train",
                markers=[{"frame": 24000, "text": "Intro"}, {"frame": 100001, "text": 'Größe, "2"'}])
    made.stem("01_Drums.wav", "pinknoise", "vol", "0.2")
    made.stem("02_Bass.wav", "brownnoise", "vol", "0.3", channels=1)
    made.mix(add_up)
    made.save()
    return made


# Levels, against ffmpeg

@pytest.mark.parametrize("effects,channels", [
    (("pinknoise", "vol", "0.3"), 2),
    (("sine", "100-8000", "vol", "0.9"), 1),
    (("pinknoise", "vol", "0.5", "tremolo", "3", "60"), 2),
    (("brownnoise", "vol", "0.8"), 2),
])
@pytest.mark.parametrize("rate", [44100, 96000])
def test_finish_levels_are_those_of_ffmpeg(tmp_path, effects, channels, rate):
    made = Made(tmp_path / "take", rate=rate, frames=rate * 20 + 321)
    path = made.stem("01_A.wav", *effects, channels=channels)
    finish(made.save())
    levels = manifest(made.folder)["stems"][0]["levels"]
    loudness, volume = ffmpeg_loudness(path), ffmpeg_volume(path)
    assert levels["integrated_lufs"] == pytest.approx(loudness["integrated"], abs=0.11)
    assert levels["range_lu"] == pytest.approx(loudness["range"], abs=0.5)
    assert levels["true_peak_dbtp"] == pytest.approx(loudness["true_peak"], abs=0.2)
    assert levels["rms_dbfs"] == pytest.approx(volume["mean"], abs=0.11)
    assert not levels["silent"]


def test_finish_measures_the_range_of_ebu_tech_3342(tmp_path):
    """Its first test: 20 s of a sine at -20 LUFS and 20 s at -30 LUFS have a range of 10 LU."""
    made = Made(tmp_path / "take", frames=40 * 48000)
    for level in ("-20dB", "-30dB"):
        made.sox(f"{level}.wav", "sine", "1000", "vol", level, "trim", "0", "20")
    run("sox", "-D", made.folder / "-20dB.wav", made.folder / "-30dB.wav",
        made.folder / "01_A.wav", check=True)
    made.take["stems"].append(made.entry("01_A.wav"))
    finish(made.save())
    assert manifest(made.folder)["stems"][0]["levels"]["range_lu"] == pytest.approx(10, abs=1)


def test_finish_names_silent_stems(tmp_path):
    made = Made(tmp_path / "take")
    made.stem("01_Loud.wav", "sine", "440", "vol", "0.5")
    made.stem("02_Quiet.wav", "sine", "440", "vol", "0")
    report = finish(made.save())
    assert report["remarks"] == ["02_Quiet.wav: it is silent from beginning to end"]
    quiet = manifest(made.folder)["stems"][1]["levels"]
    assert quiet["silent"] and quiet["integrated_lufs"] is None
    assert re.search(r"02_Quiet.wav +stereo +silent", (made.folder / "README.txt").read_text())


# The null test

def test_finish_passes_a_mix_that_is_the_sum(tmp_path):
    made = Made(tmp_path / "take")
    for name in ("01_A.wav", "02_B.wav"):
        made.stem(name, "pinknoise", "vol", "0.2")
    made.mix(add_up)
    report = finish(made.save())
    assert report["null_test"]["passed"], report
    assert manifest(made.folder)["residual"]["hint"] is None
    assert "Passed: with all faders at 0 dB the stems add up to the mix." in (
        made.folder / "README.txt").read_text()


@pytest.mark.parametrize("effects,hint", [
    (("vol", "-0.5dB"), "the mix is the sum of the stems, 0.50 dB quieter"),
    (("delay", "64s", "64s"), "the mix is the sum of the stems, 64 frames (1.33 ms) later"),
    (("compand", "0.005,0.1", "-60,-60,-30,-30,-20,-24,0,-16"), "the mix bus is not linear"),
])
def test_finish_explains_a_mix_that_is_not(tmp_path, effects, hint):
    made = Made(tmp_path / "take")
    for name in ("01_A.wav", "02_B.wav"):
        made.stem(name, "pinknoise", "vol", "0.2")
    made.mix(lambda stems, path: add_up(stems, path, *effects, "trim", "0", f"{made.frames}s"))
    report = finish(made.save())
    assert not report["null_test"]["passed"]
    assert hint in report["null_test"]["hint"]
    residual = manifest(made.folder)["residual"]
    assert residual["hint"] == report["null_test"]["hint"]
    assert "Failed" in (made.folder / "README.txt").read_text()


# Files

def test_finish_sums_pass_and_cover_everything(song):
    finish(song.folder)
    result = run("sha256sum", "-c", "--strict", "SHA256SUMS", cwd=song.folder)
    assert result.returncode == 0, result.stdout + result.stderr
    listed = {line.split("  ")[1] for line in
              (song.folder / "SHA256SUMS").read_text().splitlines()}
    there = {path.name for path in song.folder.iterdir()}
    assert listed == there - {"SHA256SUMS"}
    assert {"take.json", "README.txt", "markers.csv", "markers.txt", "tempo.mid",
            "take.rpp", "take.ardour", "report.html"} <= listed
    assert not [name for name in there if name.startswith(".")]


def test_finish_song_is_a_right_one(song):
    report = finish(song.folder)
    assert report["null_test"]["passed"] and report["remarks"] == []


def test_finish_changes_no_audio(song):
    before = {path.name: chunk(path, "data") for path in song.folder.glob("*.wav")}
    finish(song.folder)
    assert len(before) == 3
    for name, audio in before.items():
        assert chunk(song.folder / name, "data") == audio


def test_finish_leaves_each_file_one_name(song):
    """A recorder that is killed while its files get other names leaves them with both."""
    folder = song.folder
    name = manifest(folder)["stems"][0]["file"]
    audio = chunk(folder / name, "data")
    os.link(folder / name, folder / "Former_name.wav")
    shutil.copyfile(folder / name, folder / "Copy.wav")
    finish(folder)
    assert not (folder / "Former_name.wav").exists() and (folder / "Copy.wav").exists()
    assert chunk(folder / name, "data") == audio
    assert "Former_name" not in (folder / "SHA256SUMS").read_text()


def test_finish_again_gives_the_same(song):
    finish(song.folder)
    first = contents(song.folder)
    time.sleep(1.1)  # the time it tells has seconds
    finish(song.folder)
    second = contents(song.folder)
    changed = {name for name in first if first[name] != second.get(name)}
    assert first.keys() == second.keys()
    assert changed <= {"take.json", "SHA256SUMS"}
    a, b = json.loads(first["take.json"]), json.loads(second["take.json"])
    assert a.pop("finished") != b.pop("finished")
    assert a == b


def test_finish_puts_markers_into_the_files(song):
    finish(song.folder)
    told = [(24000, "Intro"), (100001, 'Größe, "2"')]
    for path in song.folder.glob("*.wav"):
        assert cues(path) == told
        probe = json.loads(run("ffprobe", "-v", "error", "-show_streams", "-of", "json",
                               path).stdout)
        assert probe["streams"][0]["duration_ts"] == song.frames
        assert int(run("soxi", "-s", path).stdout) == song.frames
    rows = list(csv.DictReader((song.folder / "markers.csv").open()))
    assert [(int(row["frame"]), row["text"]) for row in rows] == told
    assert float(rows[1]["seconds"]) == pytest.approx(100001 / 48000, abs=1e-6)
    labels = [line.split("\t") for line in
              (song.folder / "markers.txt").read_text().splitlines()]
    assert [(round(float(start) * 48000), text) for start, end, text in labels] == told


def test_finish_replaces_and_removes_markers(song):
    finish(song.folder)
    without = {path.name: path.stat().st_size for path in song.folder.glob("*.wav")}
    take = manifest(song.folder)
    take["markers"] = [{"frame": 7, "text": "another one that is longer than the others were"}]
    (song.folder / "take.json").write_text(json.dumps(take))
    finish(song.folder)
    for path in song.folder.glob("*.wav"):
        assert cues(path) == [(7, take["markers"][0]["text"])]
    take["markers"] = []
    (song.folder / "take.json").write_text(json.dumps(take))
    finish(song.folder)
    for path in song.folder.glob("*.wav"):
        assert cues(path) == [] and path.stat().st_size < without[path.name]
        assert chunks(path)[-1][0] == "data"
    assert not (song.folder / "markers.csv").exists()
    assert not (song.folder / "markers.txt").exists()
    assert run("sha256sum", "-c", "SHA256SUMS", cwd=song.folder).returncode == 0


def test_finish_leaves_markers_of_others_alone(song):
    path = song.folder / "01_Drums.wav"
    raw = bytearray(path.read_bytes())
    raw += b"cue " + struct.pack("<II", 4, 0) + b"abcd" + struct.pack("<I", 2) + b"xy"
    struct.pack_into("<I", raw, 4, len(raw) - 8)
    path.write_bytes(raw)
    report = finish(song.folder)
    assert any("01_Drums.wav" in text and "left alone" in text for text in report["remarks"])
    assert path.read_bytes() == raw
    assert cues(song.folder / "02_Bass.wav")


def test_finish_completes_markers_that_were_interrupted(song):
    """A crash after the chunks were written, before the header counted them."""
    path = song.folder / "01_Drums.wav"
    before = path.read_bytes()
    path.write_bytes(before + b"cue " + b"\1\2\3")
    finish(song.folder)
    assert cues(path) == [(24000, "Intro"), (100001, 'Größe, "2"')]
    assert path.read_bytes()[8:len(before)] == before[8:]


def test_finish_tempo_is_a_midi_file(tmp_path):
    """120 bpm in 4/4 from bar 5; at 4 s 90 bpm; at 4 s + 4 beats 7/8."""
    beat = 32000
    made = Made(tmp_path / "take", frames=48000 * 20, title="Tempo",
                markers=[{"frame": 24000, "text": "beat 2"},
                         {"frame": 192000 + beat // 2, "text": "bar 7, half a beat"},
                         {"frame": 192000 + 4 * beat + 777, "text": "späti"}],
                tempo_map=[
                    {"frame": 0, "bpm": 120, "beats_per_bar": 4, "beat_type": 4,
                     "ticks_per_beat": 1920, "bar": 5, "beat": 1, "tick": 0},
                    {"frame": 192000, "bpm": 90, "beats_per_bar": 4, "beat_type": 4,
                     "ticks_per_beat": 1920, "bar": 7, "beat": 1, "tick": 0},
                    {"frame": 192000 + 4 * beat, "bpm": 180, "beats_per_bar": 7, "beat_type": 8,
                     "ticks_per_beat": 1920, "bar": 8, "beat": 1, "tick": 0}])
    made.stem("01_A.wav", "sine", "440", "vol", "0.5")
    finish(made.save())
    song = mido.MidiFile(made.folder / "tempo.mid", charset="utf-8")
    assert (song.type, song.ticks_per_beat) == (1, 960)
    at, seconds, tempo, events = 0, 0.0, 500000, []
    for message in song.tracks[0]:
        seconds += mido.tick2second(message.time, 960, tempo)
        at += message.time
        if message.type == "set_tempo":
            tempo = message.tempo
        events.append((at, seconds, message))
    tempos = [(tick, message.tempo) for tick, _, message in events if message.type == "set_tempo"]
    assert tempos == [(0, 500000), (8 * 960, 666667)]  # 180 eighths are 90 quarters: no change
    meters = [(tick, message.numerator, message.denominator) for tick, _, message in events
              if message.type == "time_signature"]
    assert meters == [(0, 4, 4), (12 * 960, 7, 8)]
    marks = [(tick, seconds, message.text) for tick, seconds, message in events
             if message.type == "marker"]
    assert [text for _, _, text in marks] == [mark["text"] for mark in made.take["markers"]]
    assert [tick for tick, _, _ in marks] == [960, 8 * 960 + 480, 12 * 960 + round(777 / beat * 960)]
    for (_, seconds, _), mark in zip(marks, made.take["markers"]):
        assert seconds == pytest.approx(mark["frame"] / 48000, abs=0.7 / 960)  # half a tick
    assert events[-1][2].type == "end_of_track"
    rows = list(csv.DictReader((made.folder / "markers.csv").open()))
    assert [(row["bar"], row["beat"]) for row in rows] == [
        ("5", "2.000"), ("7", "1.500"), ("8", "1.049")]
    project = (made.folder / "take.rpp").read_text()
    points = [line.split() for line in project.splitlines() if line.strip().startswith("PT ")]
    assert [(float(p[1]), float(p[2]), p[4] if len(p) > 4 else None) for p in points] == [
        (0, 120, str(4 << 16 | 4)), (4, 90, None),
        (pytest.approx(4 + 4 * 2 / 3), 90, str(8 << 16 | 7))]


def test_finish_writes_no_midi_file_without_a_tempo(tmp_path):
    made = Made(tmp_path / "take")
    made.stem("01_A.wav", "sine", "440", "vol", "0.5")
    (made.folder / "tempo.mid").write_bytes(b"of a former finish")
    finish(made.save())
    assert not (made.folder / "tempo.mid").exists()


def test_finish_reaper_project_has_everything(song):
    finish(song.folder)
    text = (song.folder / "take.rpp").read_text()
    depth = 0
    for line in text.splitlines():
        depth += line.strip().startswith("<")
        depth -= line.strip() == ">"
        assert depth >= 0
    assert depth == 0
    assert re.findall(r'FILE "(.*)"', text) == ["01_Drums.wav", "02_Bass.wav", "00_Mix.wav"]
    assert re.findall(r"MUTESOLO (\d)", text) == ["0", "0", "1"]
    assert re.findall(r"LENGTH ([\d.]+)", text) == [f"{song.frames / 48000:.9f}"] * 3
    assert re.findall(r"MARKER \d+ ([\d.]+) (.*) 0$", text, re.M) == [
        ("0.500000000", '"Intro"'), (f"{100001 / 48000:.9f}", "'Größe, \"2\"'")]
    assert "TEMPO 100.0000000000 4 4" in text


def test_finish_ardour_session_holds_together(song):
    """That Ardour opens it is seen in test_ardour.py, where it is installed."""
    song.take["title"], song.take["time_reference"] = "<&>", 4801
    song.take["stems"][0]["name"] = 'Drums & <"Kit">'
    finish(song.save())
    session = xml.etree.ElementTree.parse(song.folder / "take.ardour").getroot()
    ids = [element.get("id") for element in session.iter() if element.get("id")]
    assert len(set(ids)) == len(ids) and max(map(int, ids)) < int(session.get("id-counter"))
    assert [route.get("name") for route in session.iter("Route")] == [
        "Master", 'Drums & <"Kit">', "02_Bass", "00_Mix"]
    audio = song.folder / "interchange/take/audiofiles"
    audio.mkdir(parents=True)  # where Ardour looks
    sources = {source.get("id"): source for source in session.iter("Source")}
    assert all((audio / source.get("name")).exists() for source in sources.values())
    second = 282240000
    for region in session.iter("Region"):
        assert region.get("start") == "a0"
        assert region.get("length") == f"a{6 * second}@a{4801 * second // 48000}"
        channels = int(region.get("channels"))
        assert [sources[region.get(f"source-{c}")].get("channel") for c in range(channels)] == [
            str(c) for c in range(channels)]
    assert [mark.get("start") for mark in session.iter("Location")] == [
        f"a{(4801 + frame) * second // 48000}" for frame in (0, 24000, 100001)]


def test_finish_readme_tells_the_receiver(song):
    finish(song.folder)
    text = (song.folder / "README.txt").read_text()
    for piece in ("Night Train", "100 bpm", "A minor", "48000 Hz", "24 bit", "0:00:06.000",
                  "01_Drums.wav", "stereo", "02_Bass.wav", "mono", "Intro", "None: every sample",
                  "file timestamp", "sha256sum -c SHA256SUMS"):
        assert piece in text, piece
    levels = manifest(song.folder)["stems"][0]["levels"]
    assert f"{levels['integrated_lufs']:.1f}" in text


# Recorded takes

def record(studio, *start, mix=None, **settings):
    studio.server()
    studio.ruler(4)
    studio.configure(
        '{ name = "Drums"; inputs = ( { name = "Kit"; from = ["ruler:out_1", "ruler:out_2"]; } ); },'
        '{ name = "Lead Vocals"; channels = 1; inputs = ( { name = "Lead"; from = "ruler:out_3"; } '
        '); }', **({"mix": mix} if mix else {}), **settings)
    studio.stemd()
    studio.ok("start", *start)
    studio.run_for(0.3)
    studio.ok("mark", "Refrain")
    studio.run_for(0.3)
    return pathlib.Path(studio.ok("stop"))


@pytest.mark.parametrize("encoding", ["pcm24", "float"])
def test_finish_a_recorded_take(studio, encoding):
    folder = record(studio, "Night Train", "--tempo", "120", encoding=encoding)
    before = {path.name: chunk(path, "data") for path in folder.glob("*.wav")}
    report = finish(folder)
    assert report["folder"] == str(folder) and report["null_test"] is None
    take = manifest(folder)
    assert take["finished"] == report["finished"]
    mark = take["markers"][0]
    for path in folder.glob("*.wav"):
        assert chunk(path, "data") == before[path.name]
        assert cues(path) == [(mark["frame"], "Refrain")]
        assert int(run("soxi", "-s", path).stdout) == take["frames"]
    assert run("sha256sum", "-c", "SHA256SUMS", cwd=folder).returncode == 0
    verdict = run(STEMCTL, "verify", folder)
    assert verdict.returncode == 0, verdict.stdout


def test_finish_fills_the_loudness_fields(studio):
    folder = record(studio)
    path = folder / "01_Drums.wav"
    bext = chunk(path, "bext")
    assert struct.unpack_from("<5h", bext, 412) == (0x7FFF,) * 5
    finish(folder)
    levels = manifest(folder)["stems"][0]["levels"]
    after = chunk(path, "bext")
    assert struct.unpack_from("<5h", after, 412) == tuple(
        0x7FFF if levels[key] is None or abs(levels[key]) > 99.99 else round(100 * levels[key])
        for key in ("integrated_lufs", "range_lu", "true_peak_dbtp", "momentary_lufs",
                    "short_term_lufs"))
    assert levels["integrated_lufs"] is not None
    assert after[:412] == bext[:412] and after[422:] == bext[422:]
    exif = json.loads(run("exiftool", "-json", path).stdout)[0]
    assert exif["Description"] == "Drums" and exif["NumChannels"] == 2
    media = run("mediainfo", path).stdout
    assert re.search(r"Bit depth +: 24 bits", media), media


@pytest.mark.parametrize("container", ["w64", "caf", "aiff", "flac"])
def test_finish_other_containers_are_left_alone(studio, container):
    folder = record(studio, "Song", format=container)
    tags = 4096 if container == "flac" else 0  # stand before the audio (test_metadata.py)
    before = {path.name: path.read_bytes()[tags:] for path in folder.glob(f"0*.{container}")}
    assert len(before) == 2 and all(before.values())
    assert finish(folder)["remarks"] == []
    assert {name: (folder / name).read_bytes()[tags:] for name in before} == before
    assert (folder / "markers.csv").exists()
    assert manifest(folder)["stems"][0]["levels"]["integrated_lufs"] is not None


def test_finish_refuses_a_running_take(studio):
    studio.server()
    studio.ruler(4)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }')
    studio.stemd()
    folder = pathlib.Path(studio.ok("start"))
    result = run(STEMCTL, "finish", folder)
    assert result.returncode == 1 and "is being recorded" in result.stderr
    assert not (folder / "README.txt").exists()
    studio.ok("stop")
    finish(folder if folder.exists() else studio.folders()[0])


# The manifest and its schema

def assert_fits_schema(take):
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    problems = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
                for error in jsonschema.Draft202012Validator(schema).iter_errors(take)]
    assert not problems, problems


def members(schema):
    """The members of every kind of object that a schema describes."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from members(value)


def test_finish_schema_describes_every_member():
    schema = json.loads(SCHEMA.read_text())
    for kind in members(schema):
        assert set(kind["required"]) == set(kind["properties"])
        for name, member in kind["properties"].items():
            assert "description" in member or name in ("channels", "rms"), name


def test_finish_schema_refuses_what_is_wrong(song):
    finish(song.folder)
    take = manifest(song.folder)
    assert_fits_schema(take)
    for change in ({"progress": "done"}, {"rate_hz": 0}, {"stems": [{}]}, {"version": 2},
                   {"finished": "today"}, {"mix": 5}):
        with pytest.raises(AssertionError):
            assert_fits_schema({**take, **change})


def test_finish_manifests_of_all_kinds_fit_the_schema(studio):
    folder = record(studio, mix='{ from = [ "ruler:out_1", "ruler:out_2" ]; }')
    assert_fits_schema(manifest(folder))
    report = finish(folder)
    take = manifest(folder)
    assert_fits_schema(take)
    assert take["residual"]["passed"] is False and report["null_test"]["hint"]
    running = pathlib.Path(studio.ok("start", "Next"))
    assert manifest(running)["progress"] == "recording"
    assert_fits_schema(manifest(running))
    studio.run_for(0.2)
    following = pathlib.Path(studio.ok("split"))
    ended = [folder for folder in studio.folders() if "Next" in folder.name]
    assert_fits_schema(manifest(following))
    assert_fits_schema(manifest(ended[0]))
    studio.end(studio.daemon, signal.SIGKILL)
    assert_fits_schema(manifest(following))


def test_finish_knows_every_member_of_the_schema(tmp_path):
    """A manifest in which everything is filled keeps it all."""
    made = Made(
        tmp_path / "take", id="x-1", part=2, part_frame=480, continued_from="/takes/b",
        continued_in="/takes/c", mirror="/mirror/b", started_by="bar", time_reference=77, previous="a",
        gaps=[{"frame": 100, "frames": 5, "reasons": ["skipped", "overflow"]}],
        xruns=[{"frame": 7, "delay_us": 12.5}], clocks=[{"frame": 0, "jack_frame": 4000000000}],
        tempo_map=[{"frame": 0, "bpm": 120.5, "beats_per_bar": 4, "beat_type": 4,
                    "ticks_per_beat": 1920, "bar": 3, "beat": 2, "tick": 5}],
        transport=[{"frame": 9, "transport_frame": 480000, "rolling": True}])
    for name in ("01_A.wav", "02_B.wav"):
        made.stem(name, "pinknoise", "vol", "0.2")
    made.sox("03_Return.wav", "sine", "440", "vol", "0.5")
    made.take["extras"] = [dict(made.entry("03_Return.wav"), role="return")]
    made.mix(add_up)
    finish(made.save())
    take = manifest(made.folder)
    assert_fits_schema(take)
    for key in ("id", "part", "part_frame", "continued_from", "continued_in", "mirror", "started_by",
                "previous", "time_reference", "gaps", "xruns", "clocks", "tempo_map", "transport"):
        assert take[key] == made.take[key], key
    assert take["extras"][0]["role"] == "return" and take["extras"][0]["levels"]


# Interruption, progress, trouble

@pytest.fixture
def long_take(tmp_path):
    made = Made(tmp_path / "take", frames=48000 * 100, bits=16,
                markers=[{"frame": 5, "text": "x"}])
    made.stem("01_A.wav", "pinknoise", "vol", "0.2")
    return made.save()


class Slow:
    """A finisher that cannot run far ahead of who reads its progress: the pipe is small, and it waits
    when that is full."""

    def __init__(self, folder):
        self.read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)  # about 300 lines
        self.process = subprocess.Popen(
            [STEMCTL, "finish", folder, "-q", "--progress-fd", str(write)], pass_fds=[write],
            stderr=subprocess.PIPE, text=True)
        os.close(write)

    def line(self):
        text = b""
        while not text.endswith(b"\n"):
            byte = os.read(self.read, 1)
            assert byte, "it ended"
            text += byte
        return text.decode()

    def drain(self):
        """Reads to the end; returns the exit code."""
        while os.read(self.read, 4096):
            pass
        os.close(self.read)
        return self.process.wait(60)


@pytest.mark.parametrize("percent", [1, 30, 65])
def test_finish_can_be_interrupted_and_done_again(long_take, percent):
    take = manifest(long_take)
    audio = hashlib.sha256(chunk(long_take / "01_A.wav", "data")).digest()
    slow = Slow(long_take)
    while float(slow.line().split()[0]) < percent:
        pass
    slow.process.send_signal(signal.SIGINT)
    assert slow.drain() == 4
    assert slow.process.stderr.read() == "stemctl: interrupted\n"
    assert manifest(long_take) == take
    assert not [path for path in long_take.iterdir() if path.name.startswith(".")]
    finish(long_take)
    assert run("sha256sum", "-c", "SHA256SUMS", cwd=long_take).returncode == 0
    assert hashlib.sha256(chunk(long_take / "01_A.wav", "data")).digest() == audio


def damage(path):
    """Changes the lowest bit of a sample, as a disk does: no date tells."""
    dates = path.stat()
    name, at, size = next(entry for entry in chunks(path) if entry[0] in ("data", b"data"))
    raw = bytearray(path.read_bytes())
    raw[at + size // 2] ^= 1
    path.write_bytes(raw)
    os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))


def test_finish_refuses_audio_that_was_damaged_since(song):
    finish(song.folder)
    damage(song.folder / "02_Bass.wav")
    before = contents(song.folder)
    result = run(STEMCTL, "finish", song.folder)
    assert result.returncode == 1 and "02_Bass.wav" in result.stderr and "damaged" in result.stderr
    assert contents(song.folder) == before
    result = run(STEMCTL, "rename", song.folder, "Other")
    assert result.returncode == 1 and "02_Bass.wav" in result.stderr
    assert contents(song.folder) == before
    finish(song.folder, "--accept")
    assert run("sha256sum", "-c", "SHA256SUMS", cwd=song.folder).returncode == 0
    finish(song.folder)


def interrupt_at_the_sums(folder):
    """Interrupts a finish when all is written but SHA256SUMS."""
    slow = Slow(folder)
    while slow.line().split()[1] != "sum":
        pass
    slow.process.send_signal(signal.SIGINT)
    assert slow.drain() == 4
    assert not (folder / "SHA256SUMS").exists()


@pytest.fixture
def broad_take(tmp_path):
    """So large that it takes a while to sum it up."""
    made = Made(tmp_path / "take", frames=48000 * 300, bits=16,
                markers=[{"frame": 5, "text": "x"}])
    made.stem("01_A.wav", "pinknoise", "vol", "0.2")
    made.stem("02_B.wav", "pinknoise", "vol", "0.2")
    return made.save()


def test_finish_that_was_interrupted_still_knows_what_it_did_not_touch(broad_take):
    finish(broad_take)
    interrupt_at_the_sums(broad_take)
    whole = (broad_take / "02_B.wav").read_bytes()
    dates = (broad_take / "02_B.wav").stat()
    damage(broad_take / "02_B.wav")
    result = run(STEMCTL, "finish", broad_take)
    assert result.returncode == 1 and "02_B.wav" in result.stderr, result.stderr
    (broad_take / "02_B.wav").write_bytes(whole)
    os.utime(broad_take / "02_B.wav", ns=(dates.st_atime_ns, dates.st_mtime_ns))
    assert not any("interrupted" in text for text in finish(broad_take)["remarks"])
    assert not [path for path in broad_take.iterdir() if path.name.startswith(".")]
    assert run("sha256sum", "-c", "SHA256SUMS", cwd=broad_take).returncode == 0


def test_finish_that_was_interrupted_is_no_damage(broad_take):
    """What it put into the files before is its own."""
    finish(broad_take)
    take = manifest(broad_take)
    take["markers"] = [{"frame": 7, "text": "another one"}]
    (broad_take / "take.json").write_text(json.dumps(take))
    interrupt_at_the_sums(broad_take)
    assert any("interrupted" in text for text in finish(broad_take)["remarks"])
    assert cues(broad_take / "01_A.wav") == [(7, "another one")]
    assert finish(broad_take)["remarks"] == []
    assert run("sha256sum", "-c", "SHA256SUMS", cwd=broad_take).returncode == 0


def test_finish_tells_a_program_how_far_it_is(song):
    read, write = os.pipe()
    process = subprocess.Popen([STEMCTL, "finish", song.folder, "-q", "--progress-fd", str(write)],
                               pass_fds=[write], stdout=subprocess.PIPE, text=True)
    os.close(write)
    with os.fdopen(read) as lines:
        told = [line.split() for line in lines.read().splitlines()]
    assert process.wait(60) == 0 and process.stdout.read() == ""
    percents = [float(percent) for percent, *_ in told]
    assert percents == sorted(percents) and percents[-1] == 100
    steps = [" ".join(step) for _, *step in told]
    assert list(dict.fromkeys(steps)) == ["measure", "mark", "describe", "sum up"]


def test_finish_goes_on_when_nobody_reads_the_progress(song):
    read, write = os.pipe()
    os.close(read)
    result = run(STEMCTL, "finish", song.folder, "--progress-fd", write, pass_fds=[write])
    assert result.returncode == 0, result.stderr


def test_finish_is_done_by_one_at_a_time(long_take):
    first = Slow(long_take)
    first.line()  # it has begun
    second = run(STEMCTL, "finish", long_take)
    assert second.returncode == 1 and "somebody works on it" in second.stderr
    assert first.drain() == 0
    finish(long_take)


@pytest.mark.parametrize("damage,text", [
    (lambda folder: (folder / "01_Drums.wav").unlink(), "01_Drums.wav"),
    (lambda folder: (folder / "02_Bass.wav").write_bytes(b"RIFF"), "02_Bass.wav"),
    (lambda folder: (folder / "take.json").unlink(), "take.json"),
    (lambda folder: shutil.rmtree(folder), "cannot open the folder"),
])
def test_finish_names_what_is_wrong(song, damage, text):
    damage(song.folder)
    result = run(STEMCTL, "finish", song.folder, "--json")
    assert result.returncode == 1
    assert text in json.loads(result.stdout)["error"]
    assert not (song.folder / "SHA256SUMS").exists()


def test_finish_on_a_full_disk_harms_nothing(song):
    """The limit of file sizes stands for a disk that takes no more."""
    before = {path.name: chunk(path, "data") for path in song.folder.glob("*.wav")}
    size = (song.folder / "01_Drums.wav").stat().st_size
    result = run("prlimit", f"--fsize={size}", "sh", "-c",
                 f"trap '' XFSZ; exec {STEMCTL} finish {song.folder} --json")
    assert result.returncode == 0, result.stdout + result.stderr
    assert any("01_Drums.wav" in text for text in json.loads(result.stdout)["remarks"])
    for name, audio in before.items():
        assert chunk(song.folder / name, "data") == audio  # chunks() asserts that the sizes fit
    assert run("sha256sum", "-c", "SHA256SUMS", cwd=song.folder).returncode == 0
    assert finish(song.folder)["remarks"] == []
    assert cues(song.folder / "01_Drums.wav")
