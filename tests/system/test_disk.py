"""A disk that is full or fails: nothing recorded is lost, and the take goes on where it can."""

import json
import pathlib

import pytest

from studio import CHECK, wait_for

STEMS = ('{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); },'
         '{ name = "B"; channels = 1; inputs = ( { name = "In"; from = "ruler:out_2"; } ); }')
CHANNELS = [("01_A.wav", 1, [1]), ("01_A.wav", 2, [1]), ("02_B.wav", 1, [2])]


def channels_of(container):
    return [(file.replace("wav", container), *rest) for file, *rest in CHANNELS]


def problems(studio, folder):
    """What `stemctl verify` does not like about a take."""
    lines = studio.stemctl("verify", folder).stdout.splitlines()
    return [line for line in lines if line.startswith("PROBLEM")]


@pytest.mark.parametrize("container", ["wav", "flac"])
def test_disk_full_ends_the_take_cleanly(small_disk, container):
    small_disk.configure(STEMS, format=container, disk_warning=3600)
    small_disk.stemd()
    osc = small_disk.osc()
    osc.ask("/subscribe", 600, "warnings")
    folder = pathlib.Path(small_disk.ok("start"))
    wait_for(lambda: small_disk.status()["state"] == "idle", "end of the take")
    manifest = small_disk.manifest(folder)
    assert manifest["progress"] == "failed" and "No space left" in manifest["failure"]
    assert manifest["frames"] > 48000
    assert not (folder / ".reserve").exists()
    small_disk.check(folder, channels_of(container))
    assert len(problems(small_disk, folder)) == 1  # that it ended by a fault
    told = []
    while not told or "had to end" not in told[-1]:
        path, values = osc.receive()
        told += values[:1] if path == "/warning" else []
    assert any("the disk lasts" in text for text in told)  # well before


@pytest.mark.parametrize("container", ["wav", "flac"])
def test_disk_full_goes_on_in_the_spare_folder(small_disk, container):
    spare = small_disk.folder / "spare"
    small_disk.configure(STEMS, format=container, spare=str(spare))
    small_disk.stemd()
    osc = small_disk.osc()
    osc.ask("/subscribe", 600, "state")
    first = pathlib.Path(small_disk.ok("start", "Long"))
    wait_for(lambda: small_disk.status()["folder"] == str(spare / first.name), "the spare folder")
    small_disk.run_for(1)
    second = pathlib.Path(small_disk.ok("stop"))
    states = []
    while not states or states[-1][0] != "idle":
        path, values = osc.receive()
        states += [values] if path == "/state" else []
    assert states == [["recording", str(first)], ["recording", str(second)], ["idle", str(second)]]
    one, two = small_disk.manifest(first), small_disk.manifest(second)
    assert second.parent == spare and second.name == first.name
    assert (one["progress"], two["progress"]) == ("complete", "complete")
    assert one["continued_in"] == str(second)
    assert two["continued_from"] == str(first)
    assert (one["part"], two["part"], one["id"]) == (1, 2, two["id"])
    assert two["part_frame"] == one["frames"]
    assert two["start_frame"] == one["start_frame"] + one["frames"]
    result = small_disk.run(CHECK, "--consecutive", first, second)
    assert result.returncode == 0, result.stdout
    for folder in (first, second):
        small_disk.check(folder, channels_of(container))
        assert problems(small_disk, folder) == []


def test_disk_parts_of_a_take_find_each_other_after_a_rename(small_disk):
    """The title becomes known late, so the first part gets another name when it ends. Then each part
    is renamed by hand, and one taken away."""
    spare = small_disk.folder / "spare"
    link = small_disk.folder / "link"
    spare.mkdir()
    link.symlink_to(spare)
    small_disk.configure(STEMS, spare=str(link))
    small_disk.stemd()
    small_disk.ok("start")
    assert small_disk.osc().ask("/take/title", "Late")[0] == "/reply"
    wait_for(lambda: list(spare.iterdir()), "the spare folder")
    small_disk.run_for(0.5)
    second = pathlib.Path(small_disk.ok("stop"))
    first = pathlib.Path(small_disk.manifest(second)["continued_from"])
    assert "Late" in first.name and first.parent == small_disk.takes
    small_disk.ok("finish", second)  # its sums shall go on fitting
    second = pathlib.Path(small_disk.ok("rename", second, "Encore"))
    assert small_disk.manifest(first)["continued_in"] == str(link / second.name)
    first = pathlib.Path(small_disk.ok("rename", first, "Main"))
    assert small_disk.manifest(second)["continued_from"] == str(first)
    assert small_disk.run("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=second).returncode == 0
    for folder in (first, second):
        assert "of this take is not in" not in small_disk.ok("verify", folder)
        assert "which is not there" not in small_disk.ok("show", folder)
    second.rename(spare.parent / "elsewhere")
    told = small_disk.ok("verify", first)
    assert f'remark:    part 2 of this take is not in "{link / second.name}"' in told
    assert f"goes on    in {link / second.name}, which is not there" in small_disk.ok("show", first)


def test_disk_part_that_is_missing_frames_says_so(small_disk):
    """What a manifest says of the frame at which a part begins is held against the other part."""
    small_disk.configure(STEMS, spare=str(small_disk.folder / "spare"))
    small_disk.stemd()
    first = pathlib.Path(small_disk.ok("start"))
    wait_for(lambda: small_disk.manifest(first)["continued_in"], "the spare folder")
    second = pathlib.Path(small_disk.ok("stop"))
    path = second / "take.json"
    for shift, text in ((-7, "the last 7 frames of part 1 are in part 2 too"),
                        (12, "5 frames are missing between part 1 and part 2")):
        manifest = small_disk.manifest(second)
        manifest["part_frame"] += shift
        path.write_text(json.dumps(manifest))
        for folder in (first, second):
            assert text in small_disk.ok("verify", folder)


def test_disk_that_is_full_at_the_start_uses_the_spare_folder(small_disk):
    (small_disk.takes / "filler").write_bytes(b"\0" * 2000000)
    small_disk.configure(STEMS, spare=str(small_disk.folder / "spare"))
    small_disk.stemd()
    folder = small_disk.record(0.5)
    assert folder.parent.name == "spare"
    assert [path.name for path in small_disk.takes.iterdir()] == ["filler"]
    small_disk.check(folder, CHANNELS)


def test_disk_without_any_room_is_red(small_disk):
    """Not taken for one that nobody has looked at yet; also while nothing is recorded."""
    small_disk.configure(STEMS)
    small_disk.stemd()
    with open(small_disk.takes / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"\0" * 65536)
        except OSError:
            pass
    wait_for(lambda: small_disk.status()["disk_free_bytes"] == 0, "a look at the full disk")
    status = small_disk.status()
    assert (status["state"], status["health"], status["health_disk"]) == ("idle", "red", "red")
    assert status["health_message"] == "the disk lasts 0 s more"
    refused = small_disk.stemctl("start")
    assert refused.returncode == 1 and "No space left" in refused.stderr
    assert [path.name for path in small_disk.takes.iterdir()] == ["filler"]


def test_disk_health_is_yellow_before_it_is_red(small_disk):
    """Grades of a disk that is filled step by step, up to less than a minute."""
    remount = ["mount", "-o", "remount,size=64m", small_disk.takes.parent]
    assert small_disk.run(*remount).returncode == 0
    small_disk.configure(STEMS, disk_warning=120)
    small_disk.stemd()
    small_disk.ok("start")
    osc = small_disk.osc()
    osc.ask("/subscribe", 600, "warnings")
    grades, told = [], []
    for seconds in (130, 90, 30):  # at 432000 bytes a second
        free = seconds * 432000
        taken = max(0, small_disk.status()["disk_free_bytes"] - free)
        with open(small_disk.takes / "filler", "ab") as filler:
            filler.write(b"\0" * taken)
        wait_for(lambda: abs(small_disk.status()["disk_seconds"] - seconds) < 9, "a look at the disk")
        grades.append(small_disk.status()["health_disk"])
    assert grades == ["green", "yellow", "red"]
    while "red" not in told:
        path, values = osc.receive()
        told += values[:1] if path == "/health" else []
    assert told[-2:] == ["yellow", "red"]


def test_disk_full_has_room_for_a_manifest_of_many_markers(small_disk):
    """As many as a take may have, each as long as it may be."""
    remount = ["mount", "-o", "remount,size=64m", small_disk.takes.parent]
    assert small_disk.run(*remount).returncode == 0
    small_disk.configure(STEMS)
    small_disk.stemd()
    osc = small_disk.osc()
    folder = pathlib.Path(small_disk.ok("start"))

    def mark(first, last):
        for k in range(first, last):
            assert osc.ask("/marker", f"{k:05d} ".ljust(255, "x"))[0] == "/reply"
    mark(0, 9000)
    wait_for(lambda: len(small_disk.manifest(folder)["markers"]) == 9000, "the manifest")
    mark(9000, 10000)
    with open(small_disk.takes / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(b"\0" * 4096)
        except OSError:
            pass
    wait_for(lambda: small_disk.status()["state"] == "idle", "end of the take")
    manifest = small_disk.manifest(folder)
    assert manifest["progress"] == "failed" and "No space left" in manifest["failure"]
    assert len(manifest["markers"]) == 10000
    assert manifest["markers"][-1]["text"].startswith("09999 x")
    assert not (folder / ".reserve").exists()
    small_disk.check(folder, CHANNELS)
    verified = small_disk.stemctl("verify", "--json", folder)
    assert verified.returncode == 1 and "the take ended by a fault" in verified.stdout
    (small_disk.takes / "filler").unlink()
    assert small_disk.stemctl("finish", folder).returncode == 0
