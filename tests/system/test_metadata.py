"""What stands inside the files of a recorded take, as programs read it that are not ours: ffprobe,
exiftool, mediainfo, sndfile-info, and libsndfile's own reader of markers."""

import ctypes
import json
import pathlib
import re
import struct
import subprocess
import time
import xml.etree.ElementTree

import pytest

TITLE = "Night <Train> & Größe"
FILES = {"00_Mix": ("Mix", 2), "01_Drums-Co": ("Drums & Co", 2), "02_Lead": ("Lead", 1)}


def run(*command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            errors="replace", stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def take(studio, *start, late=(), **settings):
    """A finished take with two markers. late: (address, value) told while it runs."""
    studio.server()
    studio.ruler(4, bits=20)
    studio.configure(
        '{ name = "Drums & Co"; inputs = ( { name = "Kit"; from = ["ruler:out_1", "ruler:out_2"]; } '
        '); }, { name = "Lead"; channels = 1; inputs = ( { name = "Lead"; from = "ruler:out_3"; } '
        '); }', mix="{ channels = 2; }", **settings)
    studio.stemd()
    studio.ok("start", *start)
    for text in ("Intro", "Zwei & drei: „Größe“"):
        studio.run_for(0.2)
        studio.ok("mark", text)
    for address, value in late:
        assert studio.osc().ask(address, value)[0] == "/reply"
    studio.run_for(0.1)
    folder = pathlib.Path(studio.ok("stop"))
    studio.ok("finish", folder)
    manifest = studio.manifest(folder)
    assert len(manifest["markers"]) == 2 and manifest["time_reference"] > 0
    return folder, manifest


def ixml(path):
    """The iXML chunk, found by its head, read by Python's XML parser."""
    raw = path.read_bytes()
    at = raw.index(b"iXML")
    if path.suffix == ".wav":
        size, at = struct.unpack_from("<I", raw, at + 4)[0], at + 8
    elif path.suffix == ".aiff":
        size, at = struct.unpack_from(">I", raw, at + 4)[0], at + 8
    else:
        size, at = struct.unpack_from(">Q", raw, at + 4)[0], at + 12
    root = xml.etree.ElementTree.fromstring(raw[at:at + size].decode("utf-8"))
    assert root.tag == "BWFXML"
    return root


def assert_right_ixml(root, path, manifest, title):
    name, channels = FILES[path.stem]
    text = {key: root.findtext(key) for key in (
        "PROJECT", "TAPE", "TAKE", "NOTE", "FILE_UID", "FILE_SET/FAMILY_UID",
        "FILE_SET/FAMILY_NAME", "FILE_SET/TOTAL_FILES", "SPEED/FILE_SAMPLE_RATE",
        "SPEED/AUDIO_BIT_DEPTH", "BEXT/BWF_DESCRIPTION", "HISTORY/ORIGINAL_FILENAME")}
    number = path.name[:2]
    assert text == {
        "PROJECT": title, "TAPE": manifest["started"][:10],
        "TAKE": manifest["started"][11:19].replace(":", "-"),
        "NOTE": "120 bpm, F# minor", "FILE_UID": f"{manifest['id']}-1-{number}",
        "FILE_SET/FAMILY_UID": manifest["id"], "FILE_SET/FAMILY_NAME": title,
        "FILE_SET/TOTAL_FILES": "3", "SPEED/FILE_SAMPLE_RATE": "48000",
        "SPEED/AUDIO_BIT_DEPTH": "24", "BEXT/BWF_DESCRIPTION": name,
        "HISTORY/ORIGINAL_FILENAME": path.name}
    high, low = (int(root.findtext(f"SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_{half}"))
                 for half in ("HI", "LO"))
    assert high << 32 | low == manifest["time_reference"]
    tracks = root.findall("TRACK_LIST/TRACK")
    assert int(root.findtext("TRACK_LIST/TRACK_COUNT")) == len(tracks) == channels
    assert [track.findtext("NAME") for track in tracks] == (
        [name] if channels == 1 else [name + " L", name + " R"])
    assert [track.findtext("INTERLEAVE_INDEX") for track in tracks] == ["1", "2"][:channels]
    functions = {"00": ["L-MIX", "R-MIX"], "01": ["LEFT", "RIGHT"], "02": [None]}
    assert [track.findtext("FUNCTION") for track in tracks] == functions[number]


@pytest.mark.parametrize("container,encoding", [("wav", "pcm24"), ("aiff", "pcm24"),
                                                ("caf", "pcm24")])
@pytest.mark.parametrize("is_late", [False, True])
def test_metadata_ixml_tells_of_the_take(studio, container, encoding, is_late):
    """Also when title and key come while it runs: the chunk has its size since the start."""
    if is_late:
        told = ("First title", "--tempo", "120"), (("/take/title", TITLE), ("/take/key", "F# minor"))
    else:
        told = (TITLE, "--tempo", "120", "--key", "F# minor"), ()
    folder, manifest = take(studio, *told[0], late=told[1], format=container, encoding=encoding)
    for name in FILES:
        path = folder / f"{name}.{container}"
        assert_right_ixml(ixml(path), path, manifest, TITLE)
        info = run("sndfile-info", path)  # reads the file through
        assert f"Frames      : {manifest['frames']}" in info
        assert int(run("soxi", "-s", path)) == manifest["frames"]
    studio.check(folder, [(f"01_Drums-Co.{container}", 1, [1]),
                          (f"01_Drums-Co.{container}", 2, [2]), (f"02_Lead.{container}", 1, [3])])


@pytest.mark.parametrize("container", ["w64", "flac"])
def test_metadata_ixml_is_never_put_where_it_has_no_place(studio, container):
    folder, _ = take(studio, TITLE, format=container)
    for name in FILES:
        assert b"BWFXML" not in (folder / f"{name}.{container}").read_bytes()


def acid_tempo(path):
    """The tempo in the acid chunk; None without one."""
    raw = path.read_bytes()
    audio = raw.index({".wav": b"data", ".aiff": b"SSND", ".caf": b"data"}[path.suffix])
    at = raw.find(b"acid", 0, audio)
    if at < 0:
        return None
    head, order = (12, ">Q") if path.suffix == ".caf" else (8, "<I" if path.suffix == ".wav" else ">I")
    assert struct.unpack_from(order, raw, at + 4)[0] == 24
    return struct.unpack_from("<f", raw, at + head + 20)[0]


@pytest.mark.parametrize("start", [[], ["--tempo", "98.5"]])
@pytest.mark.parametrize("container", ["wav", "aiff", "caf"])
def test_metadata_tempo_that_came_late_is_in_the_files(studio, container, start):
    folder, manifest = take(studio, TITLE, *start, late=[("/take/tempo", 133.5)], format=container)
    assert manifest["tempo_bpm"] == 133.5
    for name in FILES:
        assert acid_tempo(folder / f"{name}.{container}") == 133.5
        assert "Error" not in run("sndfile-info", folder / f"{name}.{container}")
    if container == "wav":
        assert json.loads(run("exiftool", "-json", folder / "02_Lead.wav"))[0]["Tempo"] == 133.5
    before = [(folder / f"{name}.{container}").read_bytes() for name in FILES]
    studio.ok("finish", folder)
    assert [(folder / f"{name}.{container}").read_bytes() for name in FILES] == before
    studio.check(folder, [(f"01_Drums-Co.{container}", 1, [1]), (f"02_Lead.{container}", 1, [3])])


@pytest.mark.parametrize("container", ["wav", "aiff", "caf"])
def test_metadata_tempo_that_is_not_known_is_not_told(studio, container):
    folder, _ = take(studio, TITLE, format=container)
    assert acid_tempo(folder / f"02_Lead.{container}") is None


def flac_tags(path):
    """The tags as FLAC's own program tells them; each name once."""
    lines = run("metaflac", "--export-tags-to=-", path).splitlines()
    tags = dict(line.split("=", 1) for line in lines)
    assert len(tags) == len(lines)
    return tags


def test_metadata_of_flac_are_tags(studio):
    """Title, tempo and key come late; the tags are there all the same, without a byte of audio moved."""
    late = [("/take/title", TITLE), ("/take/tempo", 98.5), ("/take/key", "F# minor")]
    folder, manifest = take(studio, "Working title", late=late, format="flac")
    for number, (name, title) in enumerate((("01_Drums-Co", "Drums & Co"), ("02_Lead", "Lead"),
                                            ("00_Mix", "Mix")), 1):
        path = folder / f"{name}.flac"
        tags = {"TITLE": title, "ALBUM": TITLE, "TRACKNUMBER": str(number), "TRACKTOTAL": "3",
                "DATE": manifest["started"][:10], "BPM": "98.5", "KEY": "F# minor",
                "INITIALKEY": "F# minor", "ENCODER": manifest["recorder"]}
        assert flac_tags(path) == tags
        probe = json.loads(run("ffprobe", "-v", "error", "-show_format", "-of", "json", path))
        read = {key.lower(): value for key, value in probe["format"]["tags"].items()}
        assert (read["title"], read["album"], read["track"]) == (title, TITLE, str(number))
        run("flac", "--test", "--silent", "--warnings-as-errors", path)
    before = [(folder / f"{name}.flac").read_bytes() for name in FILES]
    studio.ok("finish", folder)
    assert [(folder / f"{name}.flac").read_bytes() for name in FILES] == before
    studio.check(folder, [("01_Drums-Co.flac", 1, [1]), ("02_Lead.flac", 1, [3])])


def test_metadata_of_flac_without_a_title(studio):
    folder, manifest = take(studio, format="flac")
    tags = flac_tags(folder / "02_Lead.flac")
    assert tags["ALBUM"] == manifest["started"][:19].replace("T", " ")
    assert not {"BPM", "KEY", "INITIALKEY"} & set(tags)


def assert_same_time(text, manifest):
    """EXIF and ffmpeg write it differently."""
    assert re.sub(r"\D", "", text) == re.sub(r"\D", "", manifest["started"][:19])


def test_metadata_of_wav_as_exiftool_reads_it(studio):
    folder, manifest = take(studio, TITLE, "--tempo", "98.5")
    read = json.loads(run("exiftool", "-json", *(folder / f"{name}.wav" for name in FILES)))
    assert [entry["Description"] for entry in read] == [name for name, _ in FILES.values()]
    for entry, (name, channels) in zip(read, FILES.values()):
        assert (entry["Originator"], entry["OriginatorReference"]) == ("stemd", manifest["id"])
        assert entry["TimeReference"] == manifest["time_reference"]
        assert_same_time(entry["DateTimeOriginal"], manifest)
        assert entry["Tempo"] == 98.5 and entry["AcidizerFlags"] == "One shot"
        assert (entry["NumChannels"], entry["SampleRate"], entry["BitsPerSample"]) == (
            channels, 48000, 24)
        assert entry["BwfxmlProject"] == TITLE
        assert entry["BwfxmlFileSetFamilyUid"] == manifest["id"]
        assert entry["BwfxmlSpeedTimestampSamplesSinceMidnightLo"] == manifest["time_reference"]
    assert len({entry["BwfxmlFileUid"] for entry in read}) == 3


def test_metadata_of_wav_as_ffprobe_reads_it(studio):
    folder, manifest = take(studio, TITLE)
    for name in FILES:
        probe = json.loads(run("ffprobe", "-v", "error", "-show_format", "-show_streams",
                               "-show_chapters", "-of", "json", folder / f"{name}.wav"))
        tags = probe["format"]["tags"]
        assert (tags["comment"], tags["encoded_by"], tags["originator_reference"]) == (
            FILES[name][0], "stemd", manifest["id"])
        assert int(tags["time_reference"]) == manifest["time_reference"]
        assert_same_time(tags["date"] + tags["creation_time"], manifest)
        assert probe["streams"][0]["duration_ts"] == manifest["frames"]
        assert [(chapter["start"], chapter["tags"]["title"]) for chapter in probe["chapters"]] == [
            (mark["frame"], mark["text"]) for mark in manifest["markers"]]


def test_metadata_of_wav_as_mediainfo_reads_it(studio):
    folder, manifest = take(studio, TITLE)
    for name, (stem, channels) in FILES.items():
        tracks = json.loads(run("mediainfo", "--Output=JSON", folder / f"{name}.wav"))
        tracks = {track["@type"]: track for track in tracks["media"]["track"]}
        general, audio = tracks["General"], tracks["Audio"]
        assert (general["Description"], general["Producer"]) == (stem, "stemd")
        assert_same_time(general["Encoded_Date"], manifest)
        assert float(audio["Delay"]) == pytest.approx(manifest["time_reference"] / 48000, abs=0.001)
        assert (audio["Channels"], audio["SamplingRate"], audio["BitDepth"]) == (
            str(channels), "48000", "24")
        assert int(audio["SamplingCount"]) == manifest["frames"]


class Cue(ctypes.Structure):
    _fields_ = [("indx", ctypes.c_int32), ("position", ctypes.c_uint32),
                ("fcc_chunk", ctypes.c_int32), ("chunk_start", ctypes.c_int32),
                ("block_start", ctypes.c_int32), ("sample_offset", ctypes.c_uint32),
                ("name", ctypes.c_char * 256)]


class Cues(ctypes.Structure):
    _fields_ = [("count", ctypes.c_uint32), ("points", Cue * 100)]


class Info(ctypes.Structure):
    _fields_ = [("frames", ctypes.c_int64), *((name, ctypes.c_int) for name in (
        "samplerate", "channels", "format", "sections", "seekable"))]


def test_metadata_markers_as_libsndfile_reads_them(studio):
    read, get_cue = 0x10, 0x10CE
    library = ctypes.CDLL("libsndfile.so.1")
    library.sf_open.restype = ctypes.c_void_p
    library.sf_command.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
    library.sf_close.argtypes = [ctypes.c_void_p]
    folder, manifest = take(studio, TITLE)
    for name in FILES:
        info, cues = Info(), Cues()
        file = library.sf_open(str(folder / f"{name}.wav").encode(), read, ctypes.byref(info))
        assert file and info.frames == manifest["frames"]
        assert library.sf_command(file, get_cue, ctypes.byref(cues), ctypes.sizeof(cues)) == 1
        library.sf_close(file)
        assert [(point.sample_offset, point.position, point.name.decode())
                for point in cues.points[:cues.count]] == [
            (mark["frame"], mark["frame"], mark["text"]) for mark in manifest["markers"]]


def test_metadata_is_one_family_for_one_take_only(studio):
    folder, manifest = take(studio, TITLE)
    time.sleep(0.01)
    studio.ok("start", TITLE)
    studio.run_for(0.1)
    second = pathlib.Path(studio.ok("stop"))
    families = [{ixml(path).findtext("FILE_SET/FAMILY_UID") for path in take.glob("*.wav")}
                for take in (folder, second)]
    assert families == [{manifest["id"]}, {studio.manifest(second)["id"]}]
    assert families[0] != families[1]
