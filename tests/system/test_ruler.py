"""The judge is judged: ruler_check must find every kind of fault in a take."""

import json
import shutil

import pytest

from studio import CHECK

FRAME = 6  # bytes of a stereo frame of 24 bits


@pytest.fixture
def take(two_stems):
    """A right take, its map, and a way to spoil a copy of it."""
    folder = two_stems.record(0.3)
    two_stems.check(folder, two_stems.channels)
    return Take(two_stems, folder)


class Take:
    def __init__(self, studio, folder):
        self.studio, self.original = studio, folder
        self.folder = studio.folder / "spoilt"

    def spoil(self, change):
        """Copies the take and lets change(sound) replace the first stem's frames."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.original, self.folder)
        path = self.folder / "01_Drums.wav"
        raw = bytearray(path.read_bytes())
        start = raw.index(b"data") + 8
        frames = self.studio.manifest(self.folder)["frames"]
        sound = change(bytearray(raw[start:start + frames * FRAME]))
        assert len(sound) == frames * FRAME
        raw[start:start + frames * FRAME] = sound
        path.write_bytes(raw)

    def change_manifest(self, change):
        manifest = self.studio.manifest(self.folder)
        change(manifest)
        (self.folder / "take.json").write_text(json.dumps(manifest))

    def verdict(self, *options):
        result = self.studio.run(CHECK, self.folder, self.studio.folder / "map", *options)
        assert result.returncode in (0, 1), result.stderr
        return result.returncode == 0, result.stdout


def one_bit(sound):
    sound[1000 * FRAME] ^= 1
    return sound


def swapped_channels(sound):
    swapped = bytearray()
    for at in range(0, len(sound), FRAME):
        swapped += sound[at + 3:at + 6] + sound[at:at + 3]
    return swapped


def one_frame_late(sound):
    return sound[:FRAME] + sound[:-FRAME]


def one_frame_lost(sound):
    return sound[:500 * FRAME] + sound[501 * FRAME:] + sound[-FRAME:]


def stale_block(sound):
    sound[512 * FRAME:768 * FRAME] = sound[256 * FRAME:512 * FRAME]
    return sound


def silent_block(sound):
    sound[512 * FRAME:768 * FRAME] = bytes(256 * FRAME)
    return sound


def test_ruler_check_finds_every_fault(take):
    expected = {one_bit: "wrong 1 ", swapped_channels: "that of port 2",
                one_frame_late: "that of 1 frames before", one_frame_lost: "that of 1 frames after",
                stale_block: "that of 256 frames before", silent_block: "silence"}
    for fault, words in expected.items():
        take.spoil(fault)
        right, text = take.verdict()
        assert not right and words in text, (fault.__name__, text)


def test_ruler_check_finds_sound_in_a_gap_and_a_wrong_start(take):
    gap = {"frame": 100, "frames": 10, "reasons": ["skipped"]}
    take.spoil(lambda sound: sound)
    take.change_manifest(lambda manifest: manifest["gaps"].append(gap))
    right, text = take.verdict()
    assert not right and "in a gap" in text

    def move(manifest):
        manifest["start_frame"] += 1
        for clock in manifest["clocks"]:
            clock["jack_frame"] += 1

    take.spoil(lambda sound: sound)
    take.change_manifest(move)
    right, text = take.verdict()
    assert not right and "that of 1 frames before" in text


def test_ruler_check_excuses_late_periods_only_near_something_listed(take):
    (take.studio.folder / "map").write_text("01_Drums.wav 1 1\n01_Drums.wav 2 2\n")
    xrun = {"frame": 600, "delay_us": 1.0}
    take.spoil(stale_block)
    take.change_manifest(lambda manifest: manifest["xruns"].clear())
    assert not take.verdict("--late", "256")[0]  # nothing is listed
    take.change_manifest(lambda manifest: manifest["xruns"].append(xrun))
    assert not take.verdict()[0]
    right, text = take.verdict("--late", "256")
    assert right and "excused 512 " in text  # 256 frames of two channels
    assert not take.verdict("--late", "100")[0]  # not by whole periods
    take.spoil(silent_block)
    take.change_manifest(lambda manifest: manifest["xruns"].append(xrun))
    assert not take.verdict("--late", "256")[0]


def fall_silent(sound):
    sound[1000 * FRAME:2000 * FRAME] = bytes(1000 * FRAME)
    return sound


def test_ruler_check_knows_what_the_map_says_of_a_stretch(take):
    path = take.studio.folder / "map"
    channels = path.read_text()

    def verdict(*stretches):
        path.write_text(channels + "".join(f"!{words}\n" for words in stretches))
        return take.verdict()

    take.spoil(fall_silent)
    right, text = verdict()
    assert not right and "runs of wrong frames: 2\n" in text  # one in each channel
    for kind in ("silent", "absent", "any"):
        assert verdict(f"{kind} 01_Drums.wav 1000 2000")[0]
        assert verdict(f"{kind} 02_Lead-Vocals.wav 0 99 ", f"{kind} * 1000 2000")[0] == (
            kind != "silent")  # the other stem is not silent
        right, text = verdict(f"{kind} 01_Drums.wav 1000 1999")
        assert not right and "wrong 2 " in text  # the last frame, in two channels
    take.spoil(one_bit)
    assert not verdict("absent 01_Drums.wav 0 9000")[0]
    assert not verdict("silent 01_Drums.wav 1000 1001")[0]
    assert verdict("any 01_Drums.wav 1000 1001")[0]
    assert take.studio.run(CHECK, take.folder, path).returncode == 0
    path.write_text("!quiet 01_Drums.wav 1 2\n" + channels)
    assert "not understood" in take.studio.run(CHECK, take.folder, path).stderr
