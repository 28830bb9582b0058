"""Somebody moves or removes what a take is written to, while it runs: what can be kept is kept, and it
is told at once."""

import pathlib
import shutil

import pytest

from studio import mono_stems, wait_for

STEMS, CHANNELS = mono_stems(3)


@pytest.fixture
def taking(studio):
    """A daemon with a running take in `studio.folder_before`."""
    def start(takes_in="", **settings):
        for place in ("spare", "mirror"):
            if settings.pop(place, False):
                settings[place] = str(studio.folder / place)
        if takes_in:
            studio.takes = studio.folder / takes_in / "takes"
            studio.takes.mkdir(parents=True)
        studio.server()
        studio.ruler(3)
        studio.configure(STEMS, **settings)
        studio.stemd()
        studio.listener = studio.osc()
        studio.listener.ask("/subscribe", 600, "warnings")
        studio.folder_before = pathlib.Path(studio.ok("start", "Night"))
        studio.run_for(0.5)
        return studio
    return start


def told(studio, text):
    """Waits for a warning that has the text, and returns it."""
    while True:
        path, values = studio.listener.receive()
        if path == "/warning" and text in values[0]:
            return values[0]


def health(studio):
    status = studio.status()
    return status["health"], status["health_message"]


@pytest.mark.parametrize("what", ["the take's folder", "the takes folder"])
def test_moved_folder_is_followed(taking, what):
    studio = taking()
    before = studio.folder_before
    if what == "the take's folder":
        after = before.with_name("away")
        before.rename(after)
    else:
        studio.takes.rename(studio.folder / "old")
        after = studio.folder / "old" / before.name
    warning = told(studio, "was moved")
    assert str(before) in warning and str(after) in warning
    assert health(studio) == ("yellow", "the take's files were moved while it ran")
    assert studio.osc().ask("/take/title", "Day")[0] == "/reply"  # would give the folder another name
    studio.run_for(0.5)
    assert pathlib.Path(studio.ok("stop")) == after
    assert studio.manifest(after)["progress"] == "complete"
    assert studio.manifest(after)["title"] == "Day"
    assert not before.exists()
    assert health(studio)[0] == "yellow"
    files = [stem["file"] for stem in studio.manifest(after)["stems"]]
    assert all((after / file).exists() for file in files)
    assert studio.stemctl("verify", after).returncode == 0
    next_one = studio.record(0.5)
    assert next_one.parent == studio.takes
    assert health(studio)[0] == "green"
    studio.check(after, CHANNELS, end_ruler=False)
    studio.check(next_one, CHANNELS)


def test_folder_moved_just_before_the_end_is_followed(taking):
    studio = taking()
    studio.run_for(2.5)
    after = studio.folder_before.with_name("away")
    studio.folder_before.rename(after)
    assert pathlib.Path(studio.ok("stop")) == after
    assert studio.manifest(after)["progress"] == "complete"
    assert studio.stemctl("verify", after).returncode == 0
    studio.check(after, CHANNELS)


@pytest.mark.parametrize("place", ["spare", "takes"])
def test_removed_folder_goes_on_elsewhere_from_the_tape(taking, place):
    """All of a take that is not older than the tape."""
    studio = taking(spare=place == "spare")
    studio.ok("mark", "Verse")
    before, start = studio.folder_before, studio.status()["seconds"]
    shutil.rmtree(before)
    warning = told(studio, "was removed")
    assert str(before) in warning and f"goes on in \"{studio.folder / place}/" in warning
    assert health(studio) == ("red", "the take's files were removed while it ran")
    studio.run_for(0.5)
    after = pathlib.Path(studio.ok("stop"))
    assert after.parent == studio.folder / place and after.name == before.name
    manifest = studio.manifest(after)
    assert (manifest["progress"], manifest["part"], manifest["part_frame"]) == ("complete", 2, 0)
    assert manifest["continued_from"] == (str(before) if place == "spare" else None)
    assert manifest["frames"] > start * studio.rate
    assert [marker["text"] for marker in manifest["markers"]] == ["Verse"]
    studio.check(after, CHANNELS)


def test_removed_folder_goes_on_elsewhere_from_as_far_back_as_the_tape_lasts(taking):
    studio = taking(tape=2.0)
    studio.run_for(4)
    shutil.rmtree(studio.folder_before)
    told(studio, "was removed")
    after = pathlib.Path(studio.ok("stop"))
    manifest = studio.manifest(after)
    assert manifest["part"] == 2 and manifest["part_frame"] > 0
    studio.check(after, CHANNELS)


def test_folder_removed_just_before_the_end_is_made_anew(taking):
    studio = taking()
    studio.run_for(2.5)
    shutil.rmtree(studio.folder_before)
    after = pathlib.Path(studio.ok("stop"))
    assert studio.manifest(after)["progress"] == "complete"
    assert studio.stemctl("verify", after).returncode == 0
    studio.check(after, CHANNELS)


def test_folder_that_cannot_be_made_anew_is_told(taking):
    """Somebody removed everything above it as well; and puts it back."""
    studio = taking(takes_in="deep")
    shutil.rmtree(studio.takes.parent)
    told(studio, "was removed")
    assert health(studio)[0] == "red"
    studio.run_for(1)
    studio.takes.parent.mkdir()
    told(studio, "goes on in")
    after = pathlib.Path(studio.ok("stop"))
    assert studio.manifest(after)["progress"] == "complete"
    studio.check(after, CHANNELS)


def test_folder_that_is_gone_for_good_is_told_at_the_end(taking):
    studio = taking(takes_in="deep")
    shutil.rmtree(studio.takes.parent)
    stop = studio.stemctl("stop")
    assert stop.returncode == 1 and "was removed" in stop.stderr
    assert studio.status()["state"] == "idle"
    assert not studio.takes.parent.exists()


def test_renamed_file_has_its_name_again(taking):
    studio = taking()
    before = studio.folder_before
    (before / "02_S2.wav").rename(before / "Bass.wav")
    warning = told(studio, "was moved")
    assert str(before / "02_S2.wav") in warning
    studio.run_for(0.5)
    assert pathlib.Path(studio.ok("stop")) == before
    assert (before / "02_S2.wav").samefile(before / "Bass.wav")
    studio.check(before, CHANNELS)


def test_removed_file_lets_the_take_go_on_in_another_folder(taking):
    studio = taking()
    before = studio.folder_before
    studio.run_for(1)
    (before / "02_S2.wav").unlink()
    warning = told(studio, "was removed")
    assert str(before / "02_S2.wav") in warning
    after = pathlib.Path(studio.ok("stop"))
    assert after == before.with_name(before.name + "-2")
    one, two = studio.manifest(before), studio.manifest(after)
    assert (one["progress"], one["continued_in"]) == ("complete", str(after))
    assert (two["part"], two["part_frame"]) == (2, 0)
    studio.check(after, CHANNELS)


def test_mirror_s_folder_is_followed_too(taking):
    studio = taking(mirror=True)
    copy = studio.folder / "mirror" / studio.folder_before.name
    copy.rename(copy.with_name("away"))
    assert told(studio, "was moved").startswith("mirror: ")
    assert health(studio)[0] == "yellow"
    folder = pathlib.Path(studio.ok("stop"))
    assert folder == studio.folder_before
    wait_for(lambda: studio.manifest(copy.with_name("away"))["progress"] == "complete", "its end")
    studio.check(copy.with_name("away"), CHANNELS, end_ruler=False)
    studio.check(folder, CHANNELS)
