"""Commands on takes: list, show, report, export, sum, diff, rename. What they make is read with
programs that are not ours; takes are made with sox, and one is recorded for real."""

import json
import math
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import zipfile

import pytest

from studio import STEMCTL, wait_for
from test_finish import Made, chunk, cues, run
from tracing import require_tracing

FRAMES = 48000 * 2


def ok(*words):
    result = run(STEMCTL, *words)
    assert result.returncode == 0, (words, result.stdout, result.stderr)
    return result.stdout.strip()


def answer(*words):
    return json.loads(ok(*words, "--json"))


def raw(path, bits):
    """All samples as sox reads them, as integers of 16 or (for 24 bits) 32 bits."""
    result = subprocess.run(["sox", "-D", "-V1", str(path), "-t", "raw", "-e", "signed-integer",
                             "-b", "16" if bits == 16 else "32", "-"], capture_output=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def ffmpeg_md5(path):
    """Of the samples, as ffmpeg decodes them to 32 bits."""
    result = run("ffmpeg", "-v", "error", "-i", path, "-f", "md5", "-c:a", "pcm_s32le", "-")
    assert result.returncode == 0 and result.stdout.startswith("MD5="), result.stderr
    return result.stdout


@pytest.fixture
def take(tmp_path):
    """A stereo stem, a mono one, and their mix; 24 bits."""
    made = Made(tmp_path / "2026-11-20_21-53-07_Made_120bpm", frames=FRAMES, tempo_bpm=120,
                time_reference=96000, markers=[{"frame": 4800, "text": "Solo"}])
    made.stem("01_Drums.wav", "noise", "vol", "0.3")
    made.stem("02_Bass.wav", "sine", "110", "vol", "0.25", channels=1)

    def mix(stems, path):
        result = run("sox", "-D", "-M", stems[0], stems[1], "-b", "24", path, "remix", "-m",
                     "1v1,3v1", "2v1,3v1")
        assert result.returncode == 0, result.stderr

    made.mix(mix)
    made.save()
    return made.folder


AUDIO = ["00_Mix", "01_Drums", "02_Bass"]


# list, show, report

def test_list_tells_the_takes_of_a_folder(take):
    shutil.copytree(take, take.parent / "other")
    (take.parent / "no take").mkdir()
    takes = answer("list", take.parent)["takes"]
    assert [row["folder"] for row in takes] == [str(take), str(take.parent / "other")]
    assert takes[0]["title"] == "Made" and takes[0]["seconds"] == 2.0
    assert (takes[0]["null_test"], takes[0]["finished"]) == ("-", False)
    assert answer("list", take)["takes"] == takes[:1]
    result = run(STEMCTL, "list", cwd=take.parent)
    assert result.returncode == 0 and result.stdout.count("complete") == 2


def test_list_tells_what_cannot_be_read(take):
    (take.parent / "broken").mkdir()
    (take.parent / "broken/take.json").write_text("{")
    result = run(STEMCTL, "list", take.parent)
    assert result.returncode == 1
    assert "Made" in result.stdout and "broken/take.json" in result.stderr
    result = run(STEMCTL, "list", take.parent / "nowhere")
    assert result.returncode == 1 and "No such file" in result.stderr


def test_show_tells_what_is_known(take):
    before = ok("show", take)
    assert "not finished" in before and "not measured yet" in before
    ok("finish", take)
    after = ok("show", take)
    for word in ("Made", "120 bpm", "wav pcm24, 48 kHz", "time reference 96000", "LUFS", "passed",
                 "0:00:00.100  Solo", "no gaps"):
        assert word in after, after
    told = answer("show", take)
    assert told.pop("folder") == str(take)
    assert told == json.loads((take / "take.json").read_text())


def test_report_makes_the_page_and_opens_it(take, tmp_path):
    page = take / "report.html"
    assert ok("report", take) == str(page) and page.exists()
    before = page.stat().st_mtime_ns
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "xdg-open").write_text(f'#!/bin/sh\necho chatter\necho "$1" > "{tmp_path}/opened"\n')
    (tools / "xdg-open").chmod(0o755)
    result = run(STEMCTL, "report", "--open", take,
                 env=dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}"))
    assert (result.returncode, result.stdout) == (0, f"{page}\n")
    assert (tmp_path / "opened").read_text() == f"{page}\n"
    assert page.stat().st_mtime_ns == before
    (tools / "xdg-open").write_text("#!/bin/sh\nexit 3\n")
    result = run(STEMCTL, "report", "--open", take, env=dict(os.environ, PATH=str(tools)))
    assert result.returncode == 1 and "could not open" in result.stderr


# export

@pytest.mark.parametrize("container", ["wav", "w64", "caf", "aiff", "flac"])
def test_export_keeps_every_sample(take, container):
    told = answer("export", take, "--format", container)
    folder = pathlib.Path(told["folder"])
    assert folder == take.parent / f"{take.name}_{container}"
    assert (told["exact"], told["encoding"], told["clips"]) == (True, "pcm24", 0)
    for name in AUDIO:
        path = folder / f"{name}.{container}"
        assert raw(path, 24) == raw(take / f"{name}.wav", 24)
        assert ffmpeg_md5(path) == ffmpeg_md5(take / f"{name}.wav")
        assert run("soxi", "-s", path).stdout.strip() == str(FRAMES)
        assert run("soxi", "-b", path).stdout.strip() == "24"
        if container == "flac":
            assert run("flac", "--test", "--silent", "--warnings-as-errors", path).returncode == 0
            tags = run("metaflac", "--export-tags-to=-", path).stdout.splitlines()
            assert {f"TITLE={name}", "ALBUM=Made", "TRACKTOTAL=3", "BPM=120"} <= set(tags)
    assert run("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=folder).returncode == 0
    exported = json.loads((folder / "take.json").read_text())
    assert exported["format"] == {"container": container, "encoding": "pcm24"}
    assert exported["residual"]["passed"] and exported["finished"]
    assert answer("verify", folder)["passed"]
    assert answer("diff", take, folder)["same"]


def test_export_keeps_place_and_markers_where_the_container_can(take):
    folder = pathlib.Path(answer("export", take, "--format", "wav", "--depth", "32")["folder"])
    assert folder.name == f"{take.name}_wav-32"
    bext = chunk(folder / "01_Drums.wav", "bext")
    assert struct.unpack_from("<Q", bext, 338)[0] == 96000
    assert bext[320:338] == b"2026-11-2021:53:07"
    assert cues(folder / "01_Drums.wav") == [(4800, "Solo")]
    assert struct.unpack_from("<f", chunk(folder / "01_Drums.wav", "acid"), 20)[0] == 120.0
    assert run("soxi", "-b", folder / "01_Drums.wav").stdout.strip() == "32"
    assert answer("diff", take, folder)["same"]


def test_export_takes_bits_away_only_when_asked(take):
    floats = pathlib.Path(answer("export", take, "--format", "wav", "--depth", "float")["folder"])
    assert answer("diff", take, floats)["same"]
    result = run(STEMCTL, "export", floats, "--format", "flac")
    assert result.returncode == 1 and "--depth" in result.stderr
    told = answer("export", floats, "--format", "flac", "--depth", "24")
    assert told["exact"] is False and told["clips"] == 0
    assert answer("diff", take, told["folder"])["same"]  # they had been 24 bits
    told = answer("export", take, "--format", "wav", "--depth", "16")
    plain = answer_of_difference(take, told["folder"])
    assert all(file["peak_dbfs"] < -96.3 for file in plain["files"])  # half a step of 16 bits
    assert raw(pathlib.Path(told["folder"]) / "01_Drums.wav", 16) == rounded(
        take / "01_Drums.wav")


def answer_of_difference(a, b):
    result = run(STEMCTL, "diff", a, b, "--json")
    assert result.returncode == 1, result.stderr
    return json.loads(result.stdout)


def rounded(path):
    """24-bit samples to 16 bits: to nearest, ties to even."""
    data = raw(path, 24)
    values = [value >> 8 for value in struct.unpack(f"<{len(data) // 4}i", data)]
    return struct.pack(f"<{len(values)}h", *(
        max(-32768, min(32767, round(value / 256))) for value in values))


def test_export_dithers_only_on_request(take):
    for words in (["--depth", "24"], ["--depth", "float"], []):
        result = run(STEMCTL, "export", take, "--format", "wav", "--dither", *words)
        assert result.returncode == 1 and "nothing to dither" in result.stderr
    folders = [pathlib.Path(answer("export", take, "--format", "flac", "--depth", "16", "--dither",
                                   "--to", make(take.parent / name))["folder"])
               for name in ("one", "two")]
    assert folders[0] == take.parent / "one" / f"{take.name}_flac-16"
    assert answer("diff", *folders)["same"]  # the same noise in every run
    difference = answer_of_difference(take, folders[0])
    for file in difference["files"]:
        assert -90.4 < file["peak_dbfs"] < -86.7  # between 1 and 1.5 steps
        assert file["rms_dbfs"] == pytest.approx(-96.33, abs=0.2)  # half a step


def make(folder):
    folder.mkdir()
    return folder


def test_export_makes_a_zip_file(take):
    told = answer("export", take, "--format", "flac", "--zip")
    path = take.parent / f"{take.name}_flac.zip"
    assert told["file"] == str(path)
    assert run("unzip", "-tq", path).returncode == 0
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert {name.split("/")[0] for name in names} == {f"{take.name}_flac"}
        assert archive.getinfo(f"{take.name}_flac/01_Drums.flac").compress_type == zipfile.ZIP_STORED
        archive.extractall(make(take.parent / "unpacked"))
    folder = take.parent / "unpacked" / f"{take.name}_flac"
    assert run("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=folder).returncode == 0
    assert answer("diff", take, folder)["same"]
    assert sorted(p.name for p in take.parent.iterdir() if p.name != "unpacked") == [
        take.name, path.name]


def test_export_overwrites_nothing(take):
    folder = answer("export", take, "--format", "flac")["folder"]
    before = {path: path.read_bytes() for path in pathlib.Path(folder).iterdir()}
    result = run(STEMCTL, "export", take, "--format", "flac")
    assert result.returncode == 1 and "nothing is overwritten" in result.stderr
    assert {path: path.read_bytes() for path in pathlib.Path(folder).iterdir()} == before


@pytest.mark.parametrize("words, problem", [
    (["export", "TAKE"], "--format"), (["export", "TAKE", "--format", "mp3"], "--format"),
    (["export", "TAKE", "--format", "wav", "--depth", "8"], "--depth"),
    (["sum", "TAKE", "--to", "sum.mp3"], "--to"), (["sum", "TAKE", "--depth", "x"], "--depth"),
    (["diff", "TAKE"], "A B"), (["rename", "TAKE"], "TITLE")])
def test_takes_commands_say_what_is_wrong(take, words, problem):
    result = run(STEMCTL, *[take if word == "TAKE" else word for word in words])
    assert result.returncode == 2 and problem in result.stderr
    assert [path.name for path in take.parent.iterdir()] == [take.name]


@pytest.mark.parametrize("words", [["export", "--format", "flac"], ["export", "--format", "wav", "--zip"],
                                   ["sum"]])
def test_takes_commands_can_be_interrupted(take, words):
    long = Made(take.parent / "long", frames=48000 * 600)
    long.stem("01_Noise.wav", "noise", "vol", "0.3")
    long.save()
    process = subprocess.Popen([STEMCTL, words[0], long.folder, *words[1:]], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: any(path.name.startswith(".") for path in take.parent.iterdir())
             or process.poll() is not None, "a file under way")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, "interrupted" in err) == (4, "", True), (out, err)
    assert sorted(path.name for path in take.parent.iterdir()) == [take.name, "long"]


def test_export_survives_a_full_disk(take, tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs to mount a small file system")
    small = make(tmp_path / "small")
    if run("mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", small).returncode != 0:
        pytest.skip("cannot mount here")
    try:
        result = run(STEMCTL, "export", take, "--format", "wav", "--to", small)
        assert result.returncode == 1 and "No space left" in result.stderr
        assert list(small.iterdir()) == []
    finally:
        run("umount", small)


def test_export_and_sum_refuse_a_damaged_source(take):
    path = take / "01_Drums.wav"
    path.write_bytes(path.read_bytes()[:-6000])
    for words in (["export", take, "--format", "flac"], ["sum", take]):
        result = run(STEMCTL, *words)
        assert result.returncode == 1
        assert f'01_Drums.wav" has {FRAMES - 1000} frames' in result.stderr
        assert [p.name for p in take.parent.iterdir()] == [take.name]


def test_takes_commands_leave_a_take_alone_that_is_being_recorded(two_stems):
    folder = pathlib.Path(two_stems.ok("start", "Now"))
    for words in (["export", folder, "--format", "flac"], ["rename", folder, "Later"]):
        result = two_stems.stemctl(*words)
        assert result.returncode == 1 and "being recorded" in result.stderr, result.stderr
    assert "recording" in two_stems.ok("list", folder.parent)
    two_stems.run_for(0.2)
    two_stems.ok("stop")
    assert [f.name for f in two_stems.takes.iterdir()] == [folder.name]
    two_stems.check(folder, two_stems.channels)
    exported = two_stems.ok("export", folder, "--format", "flac")
    two_stems.ok("diff", folder, exported)


# sum and diff

def test_sum_is_the_mix(take):
    told = answer("sum", take)
    path = pathlib.Path(told["file"])
    assert path == take.parent / f"{take.name}_Sum.wav"
    assert (told["frames"], told["channels"], told["encoding"]) == (FRAMES, 2, "pcm24")
    assert raw(path, 24) == raw(take / "00_Mix.wav", 24)
    assert answer("diff", path, take / "00_Mix.wav")["same"]
    flac = take.parent / "s.flac"
    answer("sum", take, "--to", flac)
    assert run("flac", "--test", "--silent", flac).returncode == 0
    assert ffmpeg_md5(flac) == ffmpeg_md5(path)


def test_sum_tells_of_clipping_and_float_does_not_clip(take):
    loud = Made(take.parent / "loud", frames=4800)
    loud.stem("01_A.wav", "sine", "1000", "vol", "0.9")
    loud.stem("02_B.wav", "sine", "1000", "vol", "0.9")
    loud.save()
    told = answer("sum", loud.folder)
    assert told["clips"] > 1000 and told["peak_dbfs"] == pytest.approx(5.1, abs=0.1)
    told = answer("sum", loud.folder, "--depth", "float", "--to", take.parent / "float.wav")
    assert told["clips"] == 0
    stats = run("ffmpeg", "-hide_banner", "-i", take.parent / "float.wav", "-af", "astats", "-f",
                "null", "-").stderr
    assert "Peak level dB: 5.1" in stats, stats


def test_diff_finds_what_is_different(take):
    other = take.parent / "other"
    shutil.copytree(take, other)
    result = run("sox", "-D", take / "01_Drums.wav", "-b", "24", other / "01_Drums.wav", "vol",
                 "0.988553095")
    assert result.returncode == 0
    manifest = json.loads((other / "take.json").read_text())
    manifest["stems"][1]["name"] = "Bass guitar"
    (other / "take.json").write_text(json.dumps(manifest))
    told = answer_of_difference(take, other)
    rows = {row["name"]: row for row in told["files"]}
    assert rows["00_Mix"]["same"] and not told["same"]
    assert rows["01_Drums"]["differing"] > FRAMES * 0.9 and rows["01_Drums"]["first"] < 100
    level = float(run("sox", "-D", take / "01_Drums.wav", "-n", "stat").stderr.split(
        "RMS     amplitude:")[1].split()[0])
    expected = 20 * math.log10(level * (1 - 0.988553095))
    assert rows["01_Drums"]["rms_dbfs"] == pytest.approx(expected, abs=0.1)
    assert rows["02_Bass"]["text"] == f"only in {take}"
    assert rows["Bass guitar"]["text"] == f"only in {other}"


def test_diff_finds_one_changed_byte(take):
    other = take.parent / "other.wav"
    data = bytearray((take / "02_Bass.wav").read_bytes())
    data[-3 * 1000] ^= 1  # the lowest byte of a sample
    other.write_bytes(data)
    told = answer_of_difference(take / "02_Bass.wav", other)["files"][0]
    assert (told["differing"], told["first"]) == (1, FRAMES - 1000)
    assert told["peak_dbfs"] == pytest.approx(-138.47, abs=0.01)


# rename

def test_rename_changes_every_name(take):
    ok("finish", take)
    audio = {name: raw(take / f"{name}.wav", 24) for name in AUDIO}
    folder = pathlib.Path(ok("rename", take, "Zweite Fassung: Übermut"))
    assert folder == take.parent / "2026-11-20_21-53-07_Zweite-Fassung-Uebermut_120bpm"
    assert [path.name for path in take.parent.iterdir()] == [folder.name]
    assert json.loads((folder / "take.json").read_text())["title"] == "Zweite Fassung: Übermut"
    for name in ("README.txt", "report.html"):
        assert "Zweite Fassung: Übermut" in (folder / name).read_text(), name
    assert run("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=folder).returncode == 0
    assert {name: raw(folder / f"{name}.wav", 24) for name in AUDIO} == audio
    assert answer("verify", folder)["passed"]


def test_rename_is_told_to_the_takes_around(take):
    """The take that follows by a split, with a part elsewhere; the part before; and one that has
    nothing to do with it."""
    parent = take.parent
    elsewhere = parent / "spare" / "next"
    shutil.copytree(take, elsewhere)
    path = elsewhere / "take.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "previous": take.name, "part": 2}))
    for name, links in (("next", {"previous": take.name, "continued_in": str(elsewhere)}), ("part", {"continued_in": str(take)}),
                        ("other", {"previous": "another"})):
        shutil.copytree(take, parent / name)
        path = parent / name / "take.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **links}))
        ok("finish", parent / name)
    untouched = {path.name: path.read_bytes() for path in (parent / "other").iterdir()}
    folder = pathlib.Path(ok("rename", take, "Zweite Fassung"))
    told = {name: json.loads((parent / name / "take.json").read_text()) for name in ("next", "part")}
    assert told["next"]["previous"] == folder.name
    assert json.loads((elsewhere / "take.json").read_text())["previous"] == folder.name
    assert told["part"]["continued_in"] == str(folder)
    assert {path.name: path.read_bytes() for path in (parent / "other").iterdir()} == untouched
    for name in ("next", "part"):
        assert run("sha256sum", "--check", "--quiet", "SHA256SUMS",
                   cwd=parent / name).returncode == 0
        ok("finish", parent / name)


def test_rename_outlasts_a_power_cut(take):
    """The folders of what gets another name are synced: the sums are aside before a file changes,
    and the new names are there when the command has ended."""
    require_tracing()
    ok("finish", take)
    trace = take.parent / "trace"
    done = run("strace", "-f", "-y", "-o", trace, "-e", "trace=/^(rename|link|pwrite|fsync)",
               STEMCTL, "rename", take, "Zweite Fassung")
    assert done.returncode == 0, done.stderr
    folder = pathlib.Path(done.stdout.split("\n")[0].split()[-1])
    calls = [line for line in trace.read_text().splitlines() if " = 0" in line]
    aside = next(k for k, call in enumerate(calls) if "rename" in call and "SHA256SUMS" in call)
    assert "fsync(" in calls[aside + 1] and f"<{folder}>" in calls[aside + 1], calls[aside + 1]
    moved = next(k for k, call in enumerate(calls) if "renameat2" in call and f'"{folder}"' in call)
    assert any("fsync(" in call and f"<{take.parent}>" in call for call in calls[moved + 1:aside + 1])


def test_rename_overwrites_nothing(take):
    make(take.parent / "2026-11-20_21-53-07_Other_120bpm")
    before = {path.name: path.read_bytes() for path in take.iterdir()}
    for title in ("Other", "", "???"):
        result = run(STEMCTL, "rename", take, title)
        assert result.returncode == 1, title
        assert {path.name: path.read_bytes() for path in take.iterdir()} == before


def change(folder, **facts):
    path = folder / "take.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def test_rename_ends_when_takes_name_each_other_in_a_circle(take):
    """Parts of a take that each say that they follow this one, and go on in the other; and the
    title stays."""
    ring = [take.parent / name for name in ("one", "two")]
    for folder, other in (ring, ring[::-1]):
        shutil.copytree(take, folder)
        change(folder, previous=take.name, continued_in=str(other))
    result = run(STEMCTL, "rename", take, "Made", timeout=60)
    assert (result.returncode, result.stdout.split()[-1]) == (0, str(take))


def test_rename_is_told_around_also_when_the_take_cannot_be_finished(take):
    after = take.parent / "after"
    shutil.copytree(take, after)
    change(after, previous=take.name)
    ok("finish", take)
    (take / "01_Drums.wav").unlink()
    result = run(STEMCTL, "rename", take, "Zweite Fassung")
    assert result.returncode == 1 and "but not finished" in result.stderr, result
    name = "2026-11-20_21-53-07_Zweite-Fassung_120bpm"
    assert json.loads((after / "take.json").read_text())["previous"] == name


def test_verify_ends_when_copies_name_each_other_in_a_circle(take):
    """Parts of the mirror say that they go on in a folder that holds no further part: the last one
    in itself."""
    mirror = take.parent / "mirror"
    change(take, id="x-1", mirror=str(mirror))
    for part, (name, next_name) in enumerate((("one", "two"), ("two", "two")), 1):
        shutil.copytree(take, mirror / name)
        change(mirror / name, part=part, continued_in=str(mirror / next_name))
    result = run(STEMCTL, "verify", take, timeout=60)
    assert result.returncode == 0, result.stdout


def test_verify_compares_extras_of_one_name_each_with_its_own(tmp_path):
    """With wet = "both" and multitrack a return is there as it sounds in the stem, and as it came."""
    made = Made(tmp_path / "take", frames=4800, id="x-1", mirror=str(tmp_path / "mirror"), extras=[])
    made.stem("01_Drums.wav", "noise", "vol", "0.3")
    for name, role, sound in (("fx_01_Drums-Room.wav", "return", "brownnoise"),
                              ("in_02_Drums-Room.wav", "input", "whitenoise")):
        made.sox(name, sound, "vol", "0.3")
        made.take["extras"].append({**made.entry(name), "name": "Drums Room", "role": role})
    shutil.copytree(made.save(), tmp_path / "mirror/take")
    result = run(STEMCTL, "verify", made.folder)
    assert result.returncode == 0, result.stdout
