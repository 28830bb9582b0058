"""What JACK or the disk did not deliver is silence and listed; everything else stays exact.

In asynchronous mode JACK goes on without a client that is late: cycles are skipped, which is what
these tests want. In synchronous mode it waits."""

import pathlib
import signal
import time

import pytest

from studio import mono_stems, wait_for
from tracing import require_tracing, stall_disk


def pause(process, seconds, times=3):
    """Stops a program for a while, several times."""
    for _ in range(times):
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.2)


def reasons(manifest):
    return {reason for gap in manifest["gaps"] for reason in gap["reasons"]}


def test_gaps_of_a_stopped_source_are_listed(async_stems):
    async_stems.ok("start")
    pause(async_stems.ruler_process, 0.1)
    async_stems.run_for(0.2)
    folder = async_stems.ok("stop")
    counts = async_stems.check(folder, async_stems.channels)
    assert counts["gap_frames"] >= 3 * 48000 * 0.05
    # JACK's clock may step back a period when a late client is back.
    assert {"skipped"} <= reasons(async_stems.manifest(folder)) <= {"skipped", "clock"}


def test_gaps_of_a_stopped_recorder_are_listed(async_stems):
    async_stems.ok("start")
    pause(async_stems.daemon, 0.1)
    async_stems.run_for(0.2)
    counts_told = async_stems.status()
    folder = async_stems.ok("stop")
    counts = async_stems.check(folder, async_stems.channels)
    assert counts["gap_frames"] >= 3 * 48000 * 0.05
    # JACK's clock may step back a period when a late client is back.
    assert {"skipped"} <= reasons(async_stems.manifest(folder)) <= {"skipped", "clock"}
    assert 0 < counts_told["gaps"] <= counts["gaps"]
    assert async_stems.read("stemd.log").count("warning: gap of") == counts["gaps"]


@pytest.mark.slow
def test_gaps_of_a_recorder_that_was_stopped_for_long_are_listed_once(async_stems):
    """As with Ctrl-Z and fg, or a machine that was asleep. It finds a server that seems to have been
    silent for a long time, but was not; the take is as long as the clock says."""
    begin = time.monotonic()
    async_stems.ok("start")
    async_stems.run_for(0.3)
    pause(async_stems.daemon, 14, times=1)
    async_stems.run_for(0.5)
    folder = async_stems.ok("stop")
    manifest = async_stems.manifest(folder)
    assert 14 < manifest["frames"] / async_stems.rate < time.monotonic() - begin + 2
    assert "come to a stand" not in async_stems.read("stemd.log")
    assert "skipped" in reasons(manifest) and "server" not in reasons(manifest)
    async_stems.check(folder, async_stems.channels)
    assert async_stems.stemctl("verify", folder).returncode == 0


def test_gaps_do_not_arise_where_the_server_waits(two_stems):
    two_stems.ok("start")
    pause(two_stems.daemon, 0.1)
    pause(two_stems.ruler_process, 0.1)
    two_stems.run_for(0.2)
    folder = two_stems.ok("stop")
    assert two_stems.check(folder, two_stems.channels)["gaps"] == 0


def test_gaps_do_not_arise_while_the_tape_lasts(studio):
    """The disk stalls for two seconds; the tape holds more than that."""
    require_tracing()
    studio.server()
    studio.ruler(8)
    stems, channels = mono_stems(8)
    studio.configure(stems, tape=8.0)
    studio.stemd()
    studio.ok("start")
    stall = stall_disk(studio, 2)
    wait_for(lambda: studio.status()["tape_used"] > 0.15, "a stalled disk", nap=0.05)
    wait_for(lambda: studio.status()["tape_used"] < 0.05, "a disk that has caught up", nap=0.05)
    studio.end(stall, signal.SIGINT)
    folder = studio.ok("stop")
    assert studio.check(folder, channels)["gaps"] == 0


def test_gaps_of_a_busy_machine_are_listed(async_stems):
    """Without real-time scheduling and with busy loops beside it, cycles are late all the time."""
    async_stems.ok("start")
    hogs = [async_stems.start("sh", "-c", "while :; do :; done") for _ in range(6)]
    async_stems.run_for(3)
    for hog in hogs:
        async_stems.end(hog, signal.SIGKILL)
    folder = async_stems.ok("stop")
    async_stems.check(folder, async_stems.channels)


def test_gaps_are_told_to_subscribers(async_stems):
    osc = async_stems.osc()
    assert osc.ask("/subscribe", 60)[0] == "/reply"
    async_stems.ok("start")
    pause(async_stems.daemon, 0.1, times=1)
    async_stems.run_for(0.2)
    folder = async_stems.ok("stop")
    told = []
    while not told or told[-1][0] != "/state" or told[-1][1][0] != "idle":
        told.append(osc.receive())
    gaps = [values for path, values in told if path == "/gap"]
    assert [gap[:2] for gap in gaps] == [
        [gap["frame"], gap["frames"]] for gap in async_stems.manifest(folder)["gaps"]]


def test_gaps_end_with_the_take_they_began_in(async_stems):
    """A split in the middle of trouble still loses and doubles nothing."""
    async_stems.ok("start", "One")
    pause(async_stems.daemon, 0.1, times=1)
    async_stems.ok("split", "Two")
    pause(async_stems.ruler_process, 0.1, times=1)
    async_stems.run_for(0.2)
    async_stems.ok("stop")
    one, two = async_stems.folders()
    first, second = async_stems.manifest(one), async_stems.manifest(two)
    assert first["start_frame"] + first["frames"] == second["start_frame"]
    for folder in (one, two):
        async_stems.check(folder, async_stems.channels)


@pytest.mark.parametrize("how, period", [(signal.SIGTERM, 256), (signal.SIGKILL, 1024)])
def test_gaps_of_a_lost_server_are_listed_and_the_take_goes_on(two_stems, how, period):
    """Also with another buffer size."""
    two_stems.ok("start")
    two_stems.run_for(0.3)
    two_stems.end(two_stems.jackd, how)
    wait_for(lambda: two_stems.status()["jack"] == "waiting", "loss of the server")
    status = two_stems.status()
    assert status["state"] == "recording"
    assert "waiting" in status["message"]
    time.sleep(0.5)
    two_stems.end_surely(two_stems.ruler_process)  # its library may hang now
    two_stems.server(period=period)
    two_stems.wait_for_log("of them connected", times=2)
    two_stems.ruler(4)
    for port in ("Drums/Kit-L", "Drums/Kit-R"):
        wait_for(lambda: two_stems.connected(f"stemd:{port}"), "connection")
    two_stems.run_for(0.3)
    folder = two_stems.ok("stop")
    manifest = two_stems.manifest(folder)
    assert "server" in reasons(manifest)
    server_gap = max(manifest["gaps"], key=lambda gap: gap["frames"])
    assert server_gap["frames"] >= 0.5 * 48000
    assert len(manifest["clocks"]) >= 2  # the new server's clock begins anew
    for channel in (0, 1):
        check_both_lives(manifest, server_gap, steps(folder, channel), port=channel + 1)


def steps(folder, channel, name="01_Drums.wav"):
    """One channel of a stereo 24-bit file, as integers."""
    raw = pathlib.Path(folder, name).read_bytes()
    start = raw.index(b"data") + 8 + 3 * channel
    return [int.from_bytes(raw[at:at + 3], "little", signed=True)
            for at in range(start, len(raw) - 2, 6)]


def ruler_step(frame, port):
    """As ruler.h, for 24 bits."""
    word = (frame + port * 0x9E3779B9) % 2**32
    word = (word ^ word >> 16) * 0x85EBCA6B % 2**32
    word = (word ^ word >> 13) * 0xC2B2AE35 % 2**32
    word ^= word >> 16
    return (word - 2**32 * (word >> 31)) >> 8


def check_both_lives(manifest, server_gap, found, port):
    """The ruler before the gap and after it, silence inside. After it there is silence too until
    the ruler was started and connected again; ruler_check knows no such thing."""
    gap_end = server_gap["frame"] + server_gap["frames"]
    silent = {frame for gap in manifest["gaps"]
              for frame in range(gap["frame"], gap["frame"] + gap["frames"])}
    back = next(frame for frame in range(gap_end, manifest["frames"]) if found[frame])
    assert manifest["frames"] - back > 0.2 * 48000
    silent.update(range(gap_end, back))
    for frame in range(manifest["frames"]):
        clock = [clock for clock in manifest["clocks"] if clock["frame"] <= frame][-1]
        jack_frame = clock["jack_frame"] + frame - clock["frame"]
        wanted = 0 if frame in silent else ruler_step(jack_frame, port)
        assert found[frame] == wanted, (frame, port, jack_frame)


def test_gaps_of_a_full_disk_end_the_take_and_keep_what_was_written(studio):
    """A limit on file sizes stands for the full disk: writing fails in the middle of a take."""
    studio.server()
    studio.ruler(1)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }')
    studio.stemd(before=["prlimit", "--fsize=600000"])
    osc = studio.osc()
    assert osc.ask("/subscribe", 60)[0] == "/reply"
    folder = pathlib.Path(studio.ok("start"))
    wait_for(lambda: studio.status()["state"] == "idle", "end of the take")
    manifest = studio.manifest(folder)
    assert manifest["progress"] == "failed"
    assert "File too large" in manifest["failure"]
    assert 0 < manifest["frames"] <= 100000
    told = [osc.receive()]
    while told[-1][0] != "/warning" or "File too large" not in told[-1][1][0]:
        told.append(osc.receive())
    studio.check(folder, [("01_A.wav", 1, [1]), ("01_A.wav", 2, [1])])
    assert studio.stemctl("stop").returncode == 1  # nothing is recorded any more
    assert studio.answers()
