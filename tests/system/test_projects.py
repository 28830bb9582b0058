"""The projects of a take that is being recorded: whenever somebody opens them, they are whole, and
tell of the take as far as it is on the disk."""

import pathlib
import re
import signal
import struct
import xml.etree.ElementTree

from studio import wait_for
from test_start import MUSIC, Conductor

CLOCKS = 282240000


# A reader of Reaper's format that forgives nothing

def words_of(line):
    """The fields of a line: bare words, or texts in the quotes that they do not contain."""
    words, rest = [], line
    while rest:
        match = re.match(r"""("[^"]*"|'[^']*'|`[^`]*`|[^\s"'`<>|]+)(?: |$)""", rest)
        assert match, f"not a line of a project: {line!r}"
        words.append(match[1].strip("\"'`") if match[1][0] in "\"'`" else match[1])
        rest = rest[match.end():]
    return words


class Element:
    def __init__(self, words):
        self.kind, self.words = words[0], words[1:]
        self.lines, self.elements = [], []

    def all(self, kind):
        return [element for element in self.elements if element.kind == kind]

    def get(self, key):
        (found,) = [line[1:] for line in self.lines if line[0] == key]
        return found


def parse(text):
    """The project: elements that are all closed, each line indented by its depth."""
    assert text.endswith(">\n") and text.startswith("<REAPER_PROJECT ")
    top, stack = Element(["FILE"]), []
    stack.append(top)
    for line in text.splitlines():
        inner = line.lstrip(" ")
        depth = len(stack) - 1 - (inner == ">")
        assert len(line) - len(inner) == 2 * depth, line
        if inner == ">":
            assert len(stack) > 1
            stack.pop()
        elif inner.startswith("<"):
            stack[-1].elements.append(Element(words_of(inner[1:])))
            stack.append(stack[-1].elements[-1])
        else:
            assert len(stack) > 1, line
            stack[-1].lines.append(words_of(inner))
    assert len(stack) == 1 and len(top.elements) == 1
    return top.elements[0]


def frames_in(path):
    """What the header of a WAV file that is being written says, and what is there."""
    raw = path.read_bytes()
    assert raw[:4] in (b"RIFF", b"RF64") and raw[8:12] == b"WAVE"
    at, long_size, block = 12, None, None
    while at + 8 <= len(raw):
        name, size = struct.unpack_from("<4sI", raw, at)
        if name == b"ds64":
            long_size = struct.unpack_from("<Q", raw, at + 16)[0]
        if name == b"fmt ":
            block = struct.unpack_from("<H", raw, at + 20)[0]
        if name == b"data":
            size = long_size if raw[:4] == b"RF64" else size
            return size // block, (len(raw) - at - 8) // block
        at += 8 + size + size % 2
    raise AssertionError(f"{path.name} has no audio")


class Look:
    """What a reader finds in the folder at one moment. The project is read first: what it tells of
    must be there already."""

    def __init__(self, folder, rate=48000):
        project = parse((folder / "take.rpp").read_text())
        assert project.get("SAMPLERATE")[0] == str(rate)
        self.tracks = [track.get("NAME")[0] for track in project.all("TRACK")]
        self.lengths, self.files = [], []
        for track in project.all("TRACK"):
            for item in track.all("ITEM"):
                assert item.get("POSITION") == ["0"]
                (source,) = item.all("SOURCE")
                self.files.append(source.get("FILE")[0])
                self.lengths.append(round(float(item.get("LENGTH")[0]) * rate))
        self.markers = [(round(float(line[2]) * rate), line[3]) for line in project.lines
                        if line[0] == "MARKER"]
        self.points = [(float(line[1]), float(line[2])) for tempo in project.all("TEMPOENVEX")
                       for line in tempo.lines if line[0] == "PT"]
        for name, length in zip(self.files, self.lengths, strict=True):
            said, there = frames_in(folder / name)
            assert length <= said <= there, (name, length, said, there)
        assert len(set(self.lengths)) <= 1, self.lengths
        self.frames = self.lengths[0] if self.lengths else 0


def check_session(folder, rate=48000):
    """take.ardour is whole, and what it places is in the files; returns the regions' frames."""
    session = xml.etree.ElementTree.parse(folder / "take.ardour").getroot()
    frames = set()
    for region in session.iter("Region"):
        length, _ = re.fullmatch(r"a(\d+)@a(\d+)", region.get("length")).groups()
        frames.add(int(length) * rate // CLOCKS)
    assert len(frames) == 1
    for source in session.iter("Source"):
        said, there = frames_in(folder / source.get("origin"))
        assert max(frames) <= said <= there, source.get("origin")
    return frames.pop()


def running_folder(studio):
    (folder,) = [path for path in studio.takes.iterdir() if (path / "take.json").exists()]
    return folder


def test_projects_grow_with_the_take(two_stems):
    conductor = Conductor(two_stems, MUSIC)
    conductor.roll(60000)
    folder = pathlib.Path(two_stems.ok("start", "Live", "--at", "bar"))
    first = Look(folder)
    assert first.tracks == ["Drums", "Lead Vocals"]
    looks = [first]
    for k in range(4):
        before = two_stems.frames()
        two_stems.ok("mark", f"Nr. {k + 1}")
        two_stems.run_for(1.3)
        wait_for(lambda: Look(folder).frames >= before, "a project that tells of this second")
        looks.append(Look(folder))
        assert check_session(folder) >= before
    assert [look.frames for look in looks] == sorted({look.frames for look in looks})
    assert [len(look.markers) for look in looks] == [0, 1, 2, 3, 4]
    assert looks[-1].markers[2][1] == "Nr. 3"
    assert all(look.files == ["01_Drums.wav", "02_Lead-Vocals.wav"] for look in looks[1:])
    assert looks[1].points == [(0, 130)]
    assert [bpm for _, bpm in looks[-1].points] == [130, 97]
    two_stems.ok("stop")
    assert Look(folder).frames == two_stems.manifest(folder)["frames"]
    assert check_session(folder) == two_stems.manifest(folder)["frames"]


def test_projects_are_whole_whenever_somebody_looks(two_stems):
    two_stems.ok("start", "Whole")
    folder = running_folder(two_stems)
    frames = [Look(folder).frames]

    def look():
        frames.append(Look(folder).frames)
        return len(set(frames)) > 4

    wait_for(look, "projects that grow", nap=0)
    assert frames == sorted(frames)
    # about every second, even if this machine is sometimes slower
    steps = [after - before for before, after in zip(frames, frames[1:]) if after != before]
    assert min(steps) < 3 * 48000, steps
    two_stems.ok("stop")


def test_projects_survive_a_killed_recorder(two_stems):
    two_stems.ok("start", "Killed")
    two_stems.ok("mark", "here")
    two_stems.run_for(1.5)
    folder = running_folder(two_stems)
    before = wait_for(lambda: Look(folder).frames, "audio in the project")
    two_stems.end(two_stems.daemon, signal.SIGKILL)
    look = Look(folder)
    assert look.frames >= before and [text for _, text in look.markers] == ["here"]
    assert check_session(folder) >= before
    two_stems.ok("recover", folder)
    recovered = two_stems.manifest(folder)
    look = Look(folder)
    assert look.frames == recovered["frames"] >= before
    assert check_session(folder) == recovered["frames"]
    assert look.files == [stem["file"] for stem in recovered["stems"]]


def titled(studio):
    """A studio whose files are called like the take."""
    studio.server()
    studio.ruler(1)
    studio.configure('{ name = "Drums"; channels = 1; inputs = ( { name = "In"; '
                     'from = "ruler:out_1"; } ); }', file_name="{title}_{stem}")
    studio.stemd()


def test_projects_follow_a_title_that_comes_late(studio):
    titled(studio)
    studio.ok("start", "Early")
    studio.run_for(1.2)
    assert studio.osc().ask("/take/title", "Late")[0] == "/reply"
    folder = pathlib.Path(studio.ok("stop"))
    (stem,) = studio.manifest(folder)["stems"]
    assert "Late" in stem["file"]
    assert Look(folder).files == [stem["file"]]
    assert Look(folder).frames == studio.manifest(folder)["frames"]


def save_project(folder):
    """What somebody may do in Reaper."""
    mine = (folder / "take.rpp").read_text().replace("VOLPAN 1 0", "VOLPAN 0.5 0")
    (folder / "mine").write_text(mine)
    (folder / "mine").rename(folder / "take.rpp")
    return mine


def test_projects_that_somebody_saves_meanwhile_are_kept(studio):
    titled(studio)
    studio.ok("start", "Mine")
    studio.run_for(1.2)
    folder = running_folder(studio)
    wait_for(lambda: Look(folder).frames, "audio in the project")
    mine = save_project(folder)
    studio.run_for(2.5)
    assert studio.osc().ask("/take/title", "Late")[0] == "/reply"
    folder = pathlib.Path(studio.ok("stop"))
    assert "Late" in folder.name
    studio.ok("finish", folder)
    assert (folder / "take.rpp").read_text() == mine
    assert Look(folder).files == ["Mine_Drums.wav"]  # it would not be found under another name
    assert check_session(folder) == studio.manifest(folder)["frames"]


def test_projects_that_somebody_saved_outlive_a_rename(studio):
    titled(studio)
    folder = studio.record(1, "One")
    studio.ok("finish", folder)
    studio.ok("rename", folder, "Two")
    (folder,) = studio.takes.iterdir()
    check_ended(studio, folder)
    assert Look(folder).files == ["Two_Drums.wav"]
    mine = save_project(folder)
    studio.ok("rename", folder, "Three")
    (folder,) = studio.takes.iterdir()
    assert "Three" in folder.name and studio.manifest(folder)["title"] == "Three"
    assert (folder / "take.rpp").read_text() == mine
    check_ended(studio, folder)


def check_ended(studio, folder):
    manifest = studio.manifest(folder)
    look = Look(folder)
    assert look.files == [stem["file"] for stem in manifest["stems"]]
    assert look.frames == check_session(folder) == manifest["frames"]


def test_projects_of_both_parts_of_a_take_on_a_full_disk(small_disk):
    spare = small_disk.folder / "spare"
    small_disk.configure(
        '{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); },'
        '{ name = "B"; channels = 1; inputs = ( { name = "In"; from = "ruler:out_2"; } ); }',
        spare=str(spare))
    small_disk.stemd()
    first = pathlib.Path(small_disk.ok("start", "Long"))
    wait_for(lambda: spare.exists() and list(spare.iterdir()), "the spare folder")
    small_disk.run_for(1)
    second = pathlib.Path(small_disk.ok("stop"))
    assert second.parent == spare
    for folder in (first, second):
        check_ended(small_disk, folder)


def test_projects_are_in_the_mirror_too(studio):
    mirror = studio.folder / "mirror"
    mirror.mkdir()
    studio.server()
    studio.ruler(1)
    studio.configure('{ name = "Drums"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }',
                     mirror=str(mirror))
    studio.stemd()
    folder = studio.record(1.5, "Twice")
    copy = mirror / folder.name
    wait_for(lambda: (copy / "take.json").exists()
             and studio.manifest(copy)["progress"] != "recording", "the mirror's end")
    for take in (folder, copy):
        wait_for(lambda: check_session(take) == studio.manifest(take)["frames"], "its projects")
        check_ended(studio, take)
