"""Whatever comes in over OSC while a take runs: the take is untouched, nothing leaks, nothing is
written outside the takes folder, and nothing is deleted.

In synchronous mode JACK waits for everybody, so that a gap could only be of stemd's making."""

import hashlib
import os
import pathlib
import random
import socket
import struct
import threading
import time

import pytest

from studio import Osc, free_port, wait_for

# Packets in all; STEMD_FLOOD=1000000 for a long run.
PACKETS = int(os.environ.get("STEMD_FLOOD", "100000"))
SENDERS = 4
SEED = int(os.environ.get("STEMD_SEED", random.SystemRandom().randrange(10**6)))
# What a process may grow by: queues and stacks that were not touched before, and the heap's holes. A
# leak of little is found by the address sanitizer.
ROOM_BYTES = 16 << 20


def footprint(process):
    """Resident bytes and open descriptors."""
    proc = pathlib.Path(f"/proc/{process.pid}")
    pages = int((proc / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE"), len(list((proc / "fd").iterdir()))


def addresses():
    """Commands that change nothing about the running take, with and without wildcards."""
    return ["/ping", "/version", "/stems", "/takes", "/take/key", "/marker", "/stem/Drums/mut",
            "/stem/*/mut[!e]", "/{ping,version}", "/p?ng", "/stem/Drms/mute", "/no/such", "//",
            "/record/start"]


def hostile(chance):
    """One packet that nobody sane would send."""
    kind = chance.randrange(9)
    path = chance.choice(addresses())
    good = Osc.message(path, chance.randbytes(chance.randrange(60)).replace(b"\0", b"\xff"))
    if kind == 0:
        return chance.randbytes(chance.randrange(200))
    if kind == 1:
        return good[:chance.randrange(len(good) + 1)]
    if kind == 2:  # claims more than is there
        return good + struct.pack(">I", 0xFFFFFFFF)
    if kind == 3:
        return Osc.bundle(0, *[Osc.bundle(0, *[good] * 3)] * 3)
    if kind == 4:  # a nest as deep as a datagram allows
        nest = good
        for _ in range(60):
            nest = Osc.bundle(0, nest)
        return nest
    if kind == 5:
        return Osc.message("/" + "*?" * chance.randrange(1, 60) + "x")
    if kind == 6:
        return Osc.message("/" + "{a,[" * chance.randrange(1, 60))
    if kind == 7:
        flipped = bytearray(good)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        return bytes(flipped)
    return Osc.message(path, *[chance.choice([0, 1e38, "x", True])
                               for _ in range(chance.randrange(12))])


def is_harmless(packet):
    """Flipped bits and stars must not stop or split the take that the test holds against the ruler."""
    return not any(word in packet for word in (b"sto", b"tog", b"spl", b"mute"))


class Flood:
    """Senders that fire for all they are worth, and do not care for answers. Half of them use UDP,
    where what nobody reads in time is dropped, half the UNIX socket, where each packet arrives."""

    def __init__(self, studio, packets, seed):
        self.arrived = 0
        self.places = [("127.0.0.1", studio.port), str(studio.socket)] * (SENDERS // 2)
        self.threads = [threading.Thread(target=self.run, args=(place, packets // SENDERS, seed + k))
                        for k, place in enumerate(self.places)]
        for thread in self.threads:
            thread.start()

    def run(self, place, packets, seed):
        chance = random.Random(seed)
        kit = [packet for packet in (hostile(chance) for _ in range(2000)) if is_harmless(packet)]
        is_local = isinstance(place, str)
        with socket.socket(socket.AF_UNIX if is_local else socket.AF_INET,
                           socket.SOCK_DGRAM) as sender:
            sender.connect(place)
            for _ in range(packets):
                sender.send(chance.choice(kit))
        if is_local:
            self.arrived += packets

    def wait(self):
        for thread in self.threads:
            thread.join(600)
        assert not any(thread.is_alive() for thread in self.threads), "the flood is stuck"


def everything_in(folder):
    return {path for path in folder.rglob("*")}


def fill_with_markers(studio):
    """As many as a take has room for: these may stay in memory. Until that was saved once or twice."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(studio.socket))
        osc = studio.osc()
        while osc.ask("/marker", "x" * 60)[:3] != ["/error", "/marker", -8]:
            sender.send(Osc.message("/marker", "x" * 60))
    studio.run_for(3)


@pytest.mark.slow
@pytest.mark.sanitize
def test_flood_does_not_touch_a_take(two_stems):
    print(f"seed {SEED}")
    two_stems.ok("start", "Flooded")
    fill_with_markers(two_stems)
    Flood(two_stems, PACKETS // 10, SEED).wait()  # brings the daemon to its usual size
    wait_for(two_stems.answers, "an answer")
    before, place = footprint(two_stems.daemon), everything_in(two_stems.folder)
    begin = time.monotonic()
    flood = Flood(two_stems, PACKETS, SEED + 100)
    flood.wait()
    seconds = time.monotonic() - begin
    wait_for(two_stems.answers, "an answer after the flood")
    assert two_stems.status()["state"] == "recording"
    wait_for(lambda: footprint(two_stems.daemon)[1] <= before[1], "closed descriptors", seconds=10)
    after = footprint(two_stems.daemon)
    print(f"{PACKETS} packets in {seconds:.1f} s, {flood.arrived} or more read; memory {before[0]} → {after[0]} bytes, "
          f"{before[1]} → {after[1]} descriptors")
    if not {"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(os.environ):  # they keep what was freed
        assert after[0] < before[0] + ROOM_BYTES
    folder = two_stems.ok("stop")
    assert two_stems.check(folder, two_stems.channels)["gaps"] == 0
    result = two_stems.stemctl("verify", folder)
    assert result.returncode == 0, result.stdout + result.stderr
    new = everything_in(two_stems.folder) - place
    assert not [path for path in new if two_stems.takes not in path.parents
                and path.parent != two_stems.folder], new
    assert len(two_stems.folders()) == 1


@pytest.mark.sanitize
def test_flood_of_commands_is_refused_not_queued_for_ever(two_stems):
    """More requests than there are places for: each gets one answer, if only that there are too
    many."""
    osc = two_stems.osc()
    osc.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    two_stems.ok("start")
    for _ in range(2):
        for k in range(100):
            osc.send(Osc.message("/marker", f"m{k}"))
    answers = [osc.receive()[0] for _ in range(200)]
    assert set(answers) <= {"/reply", "/error"} and "/reply" in answers
    two_stems.run_for(0.2)
    folder = two_stems.ok("stop")
    assert len(two_stems.manifest(folder)["markers"]) == answers.count("/reply")
    two_stems.check(folder, two_stems.channels)


@pytest.mark.sanitize
def test_flood_of_markers_leaves_room_for_a_stop(two_stems):
    """What ends the take comes with more markers than there are places for, in one datagram."""
    osc = two_stems.osc()
    osc.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    two_stems.ok("start")
    for command in ("/record/split", "/record/stop"):
        two_stems.run_for(0.2)
        osc.send(Osc.bundle(None, *[Osc.message("/marker", "x")] * 200, Osc.message(command)))
        answers = [osc.receive() for _ in range(201)]
        [answer] = [got for got, values in answers if values[0] == command]
        assert answer == "/reply", answers
    for folder in two_stems.folders():
        two_stems.check(folder, two_stems.channels)


STRANGE = {
    "path": "../../escaped",
    "absolute": "/tmp/escaped",
    "dots": "..",
    "dot": ".",
    "hidden": ".hidden",
    "slashes": "////",
    "controls": "a\nb\tc\x1b[31m\x7f",
    "invalid utf-8": b"\xff\xfe\xc3\x28 \x80",
    "long": "x" * 255,
    "long and wide": "é" * 127,
    "right to left": "\u202egpj.exe",
    "shell": "$(touch escaped); `id` | rm -rf *",
    "spaces": "   ",
    "name of a device": "CON",
}


@pytest.mark.sanitize
def test_flood_of_strange_titles_stays_in_the_takes_folder(two_stems):
    """Each title makes one take, directly in the takes folder, with a name that is safe."""
    outside = {path for path in everything_in(two_stems.folder)}
    osc = two_stems.osc()
    for name, title in STRANGE.items():
        answer = osc.ask("/record/start", title)
        assert answer[0] == "/reply", (name, answer)
        two_stems.run_for(0.05)
        assert osc.ask("/marker", title)[0] == "/reply", name
        folder = pathlib.Path(osc.ask("/record/stop")[2])
        assert folder.parent == two_stems.takes, (name, folder)
        assert all(part.isascii() and not part.startswith(".")
                   and set(part) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789._-")
                   for part in [folder.name]), (name, folder.name)
        assert len(folder.name) <= 255
        two_stems.manifest(folder)  # is JSON in UTF-8
        result = two_stems.stemctl("verify", folder)
        assert result.returncode == 0, (name, result.stdout, result.stderr)
    assert len(two_stems.folders()) == len(STRANGE)
    new = {path for path in everything_in(two_stems.folder) - outside
           if two_stems.takes not in path.parents}
    assert not new, new
    for folder in two_stems.folders():
        two_stems.check(folder, two_stems.channels)


def test_flood_of_a_title_that_fills_a_datagram(two_stems):
    """64 KiB do not fit a datagram; what nearly does is refused, and changes nothing."""
    osc = two_stems.osc()
    refused = osc.ask("/record/start", "x" * 65000)
    assert refused[:3] == ["/error", "/record/start", -3]
    assert osc.ask("/take/title", "y" * 65000)[2] == -3
    assert osc.ask("/marker", "z" * 65000)[2] == -3
    assert two_stems.status()["title"] == ""
    local = two_stems.osc(two_stems.socket)
    local.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
    try:
        local.send(Osc.message("/take/title", "x" * 65536))
    except OSError:
        pass
    assert two_stems.answers() and two_stems.status()["title"] == ""


def test_flood_from_strangers_does_nothing(studio):
    """Who is not allowed gets no answer, and nothing he says is done."""
    studio.server()
    studio.ruler(1)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }',
                     osc='allow = [ "127.0.0.1/32" ];')
    studio.stemd()
    studio.ok("start", "Mine")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.settimeout(0.3)
        for words in [("/record/stop",), ("/record/split",), ("/stem/A/mute", 1),
                      ("/take/title", "Yours"), ("/marker", "x"), ("/status",), ("/ping",)]:
            stranger.sendto(Osc.message(*words), ("127.0.0.1", studio.port))
        with pytest.raises(TimeoutError):
            stranger.recv(65536)
    assert studio.answers()
    status = studio.status()
    assert (status["state"], status["title"]) == ("recording", "Mine")
    studio.run_for(0.2)
    folder = studio.ok("stop")
    manifest = studio.manifest(folder)
    assert (manifest["title"], manifest["markers"]) == ("Mine", [])
    assert len(studio.folders()) == 1
    assert studio.check(folder, [("01_A.wav", 1, [1])])["gaps"] == 0


def sums(folder):
    return {path: hashlib.sha256(path.read_bytes()).digest()
            for path in folder.rglob("*") if path.is_file()}


def test_flood_of_commands_deletes_and_overwrites_nothing(two_stems):
    """Every command there is, with titles that are names of what is there already."""
    (two_stems.takes / "keep me").write_text("precious")
    first = two_stems.record(0.2, "Song")
    kept = sums(two_stems.takes)
    osc = two_stems.osc()
    names = ["Song", first.name, "keep me", "take.json"]
    port = free_port()
    for path in ("/record/start", "/record/split", "/record/toggle", "/record/stop", "/record/sync",
                 "/record/capture", "/marker", "/take/title", "/take/key", "/take/tempo",
                 "/stem/*/mute", "/status", "/stems", "/takes", "/version", "/ping", "/subscribe",
                 "/takes/delete", "/take/delete", "/delete", f"/{port}"):
        for name in names:
            osc.ask(path, name)
    while two_stems.status()["state"] != "idle":
        osc.ask("/record/stop")
    two_stems.end(two_stems.daemon)
    now = sums(two_stems.takes)
    assert {path: now.get(path) for path in kept} == kept
    assert len(list(two_stems.takes.iterdir())) > 2
