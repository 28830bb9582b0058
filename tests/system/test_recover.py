"""A recorder that dies: stemd is killed for real, at random moments, while it records and splits.

Before anything is done about it, every file must open in libsndfile, sox and ffmpeg, with at most a
second missing. Then `stemctl recover` completes the takes, and the ruler and `stemctl verify` agree
about every frame. STEMD_KILLS sets how often the slow test kills (100), STEMD_SEED the random seed.
"""

import hashlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import pytest

from studio import STEMCTL, mono_stems, wait_for

KILLS = int(os.environ.get("STEMD_KILLS", "100"))
SEED = int(os.environ.get("STEMD_SEED", random.SystemRandom().randrange(10**6)))
RATE = 48000


def frames_in_libsndfile(studio, path):
    result = studio.run("sndfile-info", path)
    found = re.search(r"^Frames\s*:\s*(\d+)", result.stdout, re.MULTILINE)
    assert result.returncode == 0 and found, (path, result.stdout, result.stderr)
    return int(found.group(1))


def frames_in_sox(studio, path):
    """sox itself reads WAV, AIFF and FLAC; the rest needs a plugin that may be missing."""
    result = studio.run("sox", path, "-n", "stat")
    found = re.search(r"Samples read:\s*(\d+)", result.stderr)
    if result.returncode and path.suffix in (".w64", ".caf"):
        return None
    assert result.returncode == 0 and found, (path, result.stdout, result.stderr)
    return int(found.group(1)) // 2  # it counts samples; all files of these tests are stereo


def frames_in_ffmpeg(studio, path):
    out = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-"], stdin=subprocess.DEVNULL,
        capture_output=True, env=studio.environment)
    assert out.returncode == 0, (path, out.stderr)
    return len(out.stdout) // 4


def frames_everywhere(studio, path):
    """What the programs say, after asking whether they can open it at all."""
    if path.suffix == ".flac":  # the header of an unfinished one does not tell the length
        studio.run("sndfile-info", path, check=True)
        is_empty = path.stat().st_size < 4096
        counts = [0 if is_empty else frames_in_ffmpeg(studio, path)]
    else:
        counts = [frames_in_libsndfile(studio, path)]
        if counts != [0]:
            counts.append(frames_in_ffmpeg(studio, path))
        # To sox an AIFF without frames is none.
        of_sox = None if counts == [0] and path.suffix == ".aiff" else frames_in_sox(studio, path)
        counts += [] if of_sox is None else [of_sox]
    return counts


def audio_files(folder):
    return sorted(path for path in folder.iterdir() if re.match(r"\d\d_", path.name))


def fingerprint(folder):
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino,
                        hashlib.sha256(path.read_bytes()).hexdigest())
            for path in folder.iterdir()}


def channels_of(folder, count):
    return [(path.name, channel, [index + 1]) for index, path in enumerate(audio_files(folder)[:count])
            for channel in (1, 2)]


def check_all(studio, folder, count):
    """The ruler, verify and all programs agree; returns the manifest."""
    frames = studio.manifest(folder)["frames"]
    for path in audio_files(folder):
        assert frames_in_libsndfile(studio, path) == frames
        assert frames_in_ffmpeg(studio, path) == frames
        assert frames_in_sox(studio, path) in (frames, None)
    studio.check(folder, channels_of(folder, count), end_ruler=False)
    result = studio.stemctl("verify", "--json", folder)
    assert result.returncode == 0, result.stdout
    return studio.manifest(folder)


def fill(studio, form, stems=3):
    if not studio.jackd:
        studio.server()
        studio.ruler(stems)
    text, _ = mono_stems(stems)
    studio.configure(text, format=form, encoding="pcm24")


def has_begun(folder):
    """Audio is written once the manifest is there: a folder without one has none to lose."""
    if (folder / "take.json").exists():
        return True
    assert all(path.stat().st_size <= 8192 for path in audio_files(folder)), folder
    return False


def kill_while_recording(studio, chance, splits):
    """Records, perhaps splits, kills at a random moment. Returns the frames that were there just
    before, of the running take, and its folder; None when it was not clear."""
    studio.ok("start")
    studio.run_for(chance.uniform(0.05, 2.5))
    told = None
    if splits:
        if chance.random() < 0.5:
            studio.ok("split")
            time.sleep(chance.uniform(0, 0.3))
        split = studio.start(STEMCTL, "split")
        time.sleep(chance.uniform(0, 0.05))
    else:
        status = studio.status()
        told = status["frames"]
    studio.daemon.send_signal(signal.SIGKILL)
    studio.daemon.wait()
    if splits:
        studio.end_surely(split)
    return told


def one_kill(studio, chance, form, splits):
    """Returns the frames missing before recovery, at most, or None."""
    before = set(studio.takes.iterdir())
    studio.stemd()
    told = kill_while_recording(studio, chance, splits)
    folders = [folder for folder in sorted(set(studio.takes.iterdir()) - before)
               if has_begun(folder)]
    unfinished = [folder for folder in folders
                  if studio.manifest(folder)["progress"] == "recording"]
    missing = None
    for folder in folders:
        for path in audio_files(folder):
            counts = frames_everywhere(studio, path)
            if told is not None and form != "flac":
                missing = max(missing or 0, told - min(counts))
    result = studio.stemctl("recover", "--json", studio.takes)
    assert result.returncode == 0, result.stdout + result.stderr
    recovered = {take["folder"]: take for take in json.loads(result.stdout)["takes"]}
    for folder in folders:
        manifest = studio.manifest(folder)
        assert manifest["progress"] == (
            "recovered" if str(folder) in recovered else "complete"), (folder, recovered)
        assert (str(folder) in recovered) == (folder in unfinished)
        if manifest["frames"]:
            check_all(studio, folder, 3)
    return missing


def kill_often(studio, kills, seed, form, split_every=2):
    print(f"seed {seed}")
    chance = random.Random(seed)
    fill(studio, form)
    missing = []
    for kill in range(kills):
        missing.append(one_kill(studio, chance, form, splits=kill % split_every == 1))
    measured = [frames / RATE for frames in missing if frames is not None]
    if measured:
        print(f"{form}: missing before recovery at most {max(measured):.3f} s")
    return measured


@pytest.mark.parametrize("form", ["wav", "w64", "caf", "aiff", "flac"])
def test_recover_completes_takes_of_a_killed_recorder(studio, form):
    kill_often(studio, 2, SEED, form)


@pytest.mark.slow
def test_recover_completes_takes_of_a_recorder_killed_often(studio):
    measured = kill_often(studio, KILLS, SEED, "wav")
    # A header is brought up to date every second; the writer may be a period late with it.
    assert max(measured) < 1.25


def test_recover_leaves_finished_takes_alone(studio):
    fill(studio, "wav")
    studio.stemd()
    whole = studio.record(0.3, "Whole")
    before = fingerprint(whole)
    studio.ok("start")
    studio.run_for(0.3)
    studio.end(studio.daemon, signal.SIGKILL)
    result = json.loads(studio.ok("recover", "--json", studio.takes))
    assert len(result["takes"]) == 1
    assert fingerprint(whole) == before
    told = json.loads(studio.ok("recover", "--json", whole))["takes"]
    assert [take["result"] for take in told] == ["finished before"]
    assert fingerprint(whole) == before


def test_recover_leaves_a_take_alone_that_is_being_recorded(studio):
    fill(studio, "wav")
    studio.stemd()
    folder = pathlib.Path(studio.ok("start"))
    studio.run_for(0.3)
    result = studio.stemctl("recover", "--json", folder)
    assert result.returncode == 1
    assert [take["result"] for take in json.loads(result.stdout)["takes"]] == ["being recorded"]
    assert studio.ok("recover", "--json", studio.takes)
    studio.run_for(0.3)
    assert studio.manifest(studio.ok("stop"))["progress"] == "complete"
    check_all(studio, folder, 3)


def test_recover_reaches_takes_over_a_link(two_stems):
    """The takes folder, and a take, that somebody named by a link to it."""
    two_stems.ok("start")
    two_stems.run_for(0.5)
    two_stems.end(two_stems.daemon, signal.SIGKILL)
    link = two_stems.folder / "link"
    link.symlink_to(two_stems.takes)
    (take,) = two_stems.takes.iterdir()
    result = two_stems.stemctl("recover", link)
    assert (result.returncode, result.stderr) == (0, "")
    assert two_stems.manifest(take)["progress"] == "recovered"
    again = two_stems.stemctl("recover", link)  # nothing is left to do
    assert (again.returncode, again.stderr) == (0, "")
    take_link = two_stems.folder / "take"
    take_link.symlink_to(take)
    result = two_stems.stemctl("recover", take_link)
    assert (result.returncode, result.stderr) == (0, "")


def test_recover_asks_the_daemon_where_its_takes_are(studio):
    fill(studio, "wav")
    studio.stemd()
    folder = pathlib.Path(studio.ok("start"))
    studio.run_for(0.3)
    studio.end(studio.daemon, signal.SIGKILL)
    studio.stemd()
    wait_for(lambda: studio.answers(), "the next daemon")
    told = json.loads(studio.ok("recover", "--json"))["takes"]
    assert all(take["folder"] == str(folder) for take in told)
    # The daemon may have been faster, or be at it.
    wait_for(lambda: studio.manifest(folder)["progress"] == "recovered", "the take is recovered")
    check_all(studio, folder, 3)


def test_recover_makes_a_lost_manifest_anew(studio):
    fill(studio, "wav")
    studio.stemd()
    folder = pathlib.Path(studio.ok("start", "Night Train", "--tempo", "120"))
    studio.run_for(1.5)
    studio.end(studio.daemon, signal.SIGKILL)
    start_frame = studio.manifest(folder)["start_frame"]
    (folder / "take.json").write_text("")
    told = json.loads(studio.ok("recover", "--json", folder))["takes"][0]
    assert told["rebuilt"] and told["result"] == "recovered"
    manifest = studio.manifest(folder)
    assert (manifest["title"], manifest["tempo_bpm"]) == ("Night-Train", 120)
    assert manifest["start_frame"] == start_frame
    assert [stem["name"] for stem in manifest["stems"]] == ["S1", "S2", "S3"]
    check_all(studio, folder, 3)


@pytest.mark.parametrize("naming", ["standard", "delivery"])
def test_recover_makes_a_lost_manifest_anew_whatever_the_files_are_called(studio, naming):
    studio.server()
    studio.ruler(2)
    studio.configure(
        '{ name = "Drums"; inputs = ( { name = "Kick"; from = "ruler:out_1"; } ); }, '
        '{ name = "Bass"; inputs = ( { name = "DI"; from = "ruler:out_2"; } ); }',
        mix='{ from = [ "ruler:out_1", "ruler:out_2" ]; }', multitrack=True, naming=naming)
    studio.stemd()
    folder = pathlib.Path(studio.ok("start", "Night Train", "--tempo", "120"))
    studio.run_for(1.5)
    studio.end(studio.daemon, signal.SIGKILL)
    before = studio.manifest(folder)
    (folder / "take.json").write_text("")
    assert studio.ok("recover", studio.takes)
    after = studio.manifest(folder)

    def files(manifest):
        return [sorted((entry["name"], entry["file"], entry["channels"], entry["role"])
                       for entry in entries)
                for entries in (manifest["stems"], manifest["extras"], [manifest["mix"]])]
    assert files(after) == files(before)
    lengths = {frames_in_libsndfile(studio, path) for path in folder.glob("*.wav")}
    assert lengths == {after["frames"]} and after["frames"] > RATE


def test_recover_leaves_odd_files_as_they_are_and_completes_the_others(studio):
    """Somebody put others in the place of two of the recorder's."""
    fill(studio, "wav", stems=4)
    studio.stemd()
    folder = pathlib.Path(studio.ok("start"))
    studio.ok("mark", "Verse")
    studio.run_for(1.5)
    studio.end(studio.daemon, signal.SIGKILL)
    outside = studio.folder / "outside.wav"
    (folder / "02_S2.wav").rename(outside)
    (folder / "02_S2.wav").symlink_to(outside)
    (folder / "03_S3.wav").unlink()
    studio.run("sox", "-n", "-r", "44100", "-b", "24", "-c", "2", folder / "03_S3.wav", "synth", "2",
               "sine", "440", check=True)
    odd = {path: path.read_bytes() for path in (outside, folder / "03_S3.wav")}
    told = json.loads(studio.ok("recover", "--json", folder))["takes"][0]
    assert told["result"] == "recovered"
    assert any("02_S2.wav: it is not an ordinary file" in text for text in told["remarks"])
    assert any("03_S3.wav: its format is not" in text for text in told["remarks"])
    verified = studio.stemctl("verify", folder)
    assert verified.returncode == 1
    assert all(f"{name}.wav" in verified.stdout for name in ("02_S2", "03_S3"))
    finished = studio.ok("finish", folder)
    assert "02_S2.wav: it is none of the recorder's files" in finished
    assert {path: path.read_bytes() for path in odd} == odd
    assert (folder / "02_S2.wav").is_symlink()
    channels = [(f"{k:02}_S{k}.wav", channel, [k]) for k in (1, 4) for channel in (1, 2)]
    studio.check(folder, channels)
