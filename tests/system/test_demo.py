"""The demo as a user runs it: a song becomes stems that add up to the mix, and nothing stays behind."""

import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import uuid

import pytest

from studio import BUILD, PATIENCE, STEMCTL, wait_for

TREE = pathlib.Path(__file__).resolve().parents[2]
STEMS = ["Drums", "Bass", "Guitar", "Keys", "Lead", "Backing"]
RATE = 48000
BAR_FRAMES = 2 * RATE  # four beats at 120 a minute


class Demo:
    """One run of the demo. Its programs are told from others by a word in their environment."""

    def __init__(self, folder, tree=TREE, path=None):
        self.word = f"STEMD_TEST_WORD={uuid.uuid4().hex}"
        self.takes, self.tree, self.output = folder / "takes", tree, folder / "output"
        key, _, value = self.word.partition("=")
        self.environment = dict(os.environ, TMPDIR=str(folder), **{key: value})
        if path:
            self.environment["PATH"] = str(path)

    def start(self):
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(self.tree / "demo/run"), "--short", "--build", str(BUILD),
                 str(self.takes)], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, env=self.environment)
        return self

    def run(self):
        """Runs it to its end; returns its exit code and what it printed."""
        return self.start().process.wait(10 * PATIENCE), self.text()

    def text(self):
        return self.output.read_text()

    def running(self):
        """All processes of this run: process numbers and command lines."""
        found = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if self.word.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    words = (entry / "cmdline").read_bytes()
                    found[int(entry.name)] = words.replace(b"\0", b" ").decode()
            except OSError:
                pass  # it has ended
        return found

    def end(self):
        """Ends whatever a failed test left."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            for process in self.running():
                os.kill(process, how)
            try:
                self.process.wait(PATIENCE)
                return wait_for(lambda: not self.running(), "the end of the demo", seconds=20)
            except (AssertionError, subprocess.TimeoutExpired):
                pass


@pytest.fixture
def demo(tmp_path):
    the_demo = Demo(tmp_path)
    yield the_demo
    the_demo.end()


def only_take(takes):
    folders = list(takes.iterdir())
    assert len(folders) == 1
    return folders[0]


def first_sound(path, threshold=0.001):
    """The frame at which a 24-bit stereo file is first louder than that, counted from its start."""
    raw = path.read_bytes()
    at = raw.index(b"data") + 8
    for frame in range((len(raw) - at) // 6):
        left = struct.unpack("<i", b"\0" + raw[at + 6 * frame:at + 6 * frame + 3])[0] / 2**31
        if abs(left) > threshold:
            return frame
    return None


@pytest.mark.slow
def test_demo_records_stems_that_add_up_to_the_mix(demo):
    demo.environment.pop("HOME", None)  # as in a bare chroot
    code, text = demo.run()
    assert code == 0, text
    assert not demo.running()
    folder = only_take(demo.takes)
    assert text.splitlines()[-1] == str(folder)
    assert folder.name.endswith("_Night-Train_120bpm")
    assert (folder / "report.html").exists()
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder).returncode == 0
    assert "residual   peak -" in text and "null test: passed" in text
    result = subprocess.run([STEMCTL, "verify", folder, "--json"], stdout=subprocess.PIPE)
    report = json.loads(result.stdout)
    assert report["passed"] and report["null_test"]["passed"]
    assert (report["key"], [file["name"] for file in report["files"]]) == ("A minor", STEMS + ["Mix"])
    for file in report["files"]:
        assert -40 < file["peak_dbfs"] < -3, file
    sticks, bass = first_sound(folder / "01_Drums.wav"), first_sound(folder / "02_Bass.wav")
    assert sticks > 0  # the take was there before the first bar
    assert bass - sticks == pytest.approx(BAR_FRAMES, abs=RATE / 50)


@pytest.mark.slow
def test_demo_fails_when_the_stems_do_not_add_up(tmp_path, demo):
    """Without the drums' room in the stems."""
    tree = tmp_path / "tree"
    for name in ("demo", "conf"):
        shutil.copytree(TREE / name, tree / name)
    config = tree / "conf/demo.conf"
    lines = config.read_text().splitlines(keepends=True)
    room = [line for line in lines if 'name = "Room"' in line]
    assert len(room) == 1
    config.write_text("".join(lines).replace(room[0], "      returns = (\n"))
    demo.tree = tree
    code, text = demo.run()
    assert code == 1, text
    assert text.splitlines()[-1].startswith("demo: the null test failed")
    assert not demo.running()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_demo_leaves_nothing_running_when_it_is_ended(demo, how):
    process = demo.start().process
    wait_for(lambda: list(demo.takes.glob("*/take.json")) or process.poll() is not None, "a take")
    assert process.poll() is None, demo.text()
    process.send_signal(how)
    process.send_signal(how)  # the impatient press it twice
    assert process.wait(PATIENCE) == 1
    assert not demo.running()
    manifest = json.loads((only_take(demo.takes) / "take.json").read_text())
    assert manifest["progress"] == "complete"
    assert demo.text().splitlines()[-1] == f"demo: ended by {how.name}"


def test_demo_says_what_is_missing(tmp_path, demo):
    demo.environment["PATH"] = str(tmp_path / "nothing")
    code, text = demo.run()
    assert code == 1
    assert text == "demo: the program jackd is missing; it is in the package jackd2\n"
    assert not demo.takes.exists()
