"""A disk or a JACK server that stands still for a while.

The disk is an ext4 of its own, frozen with fsfreeze. In synchronous mode JACK waits for everybody,
so that every gap here is of stemd's making. Meanwhile stemd is asked without pause and must answer;
how long it took is printed (pytest -s), and only held against a bound that no slow machine breaks."""

import signal
import statistics
import time

import pytest

from disks import Disk, needs_loop
from studio import PATIENCE, Osc, mono_stems, wait_for

# No answer may take longer; a healthy machine needs a hundredth of it.
SLOWEST_SECONDS = 1.0
STEMS = 4


class Questions:
    """Asks one after the other, and notes how long each took to be answered whole."""

    def __init__(self, studio):
        self.studio = studio
        self.osc = studio.osc()
        self.seconds = []

    def ask(self, path):
        begin = time.monotonic()
        answer = self.osc.ask(path)
        self.seconds.append(time.monotonic() - begin)
        assert answer[:2] == ["/reply", path], answer
        return {name.rpartition("/")[2]: values[0] for name, values in self.osc.data}

    def ask_until(self, condition, what):
        """Asks for the status until the condition holds; returns all that was said."""
        told = []
        end = time.monotonic() + PATIENCE
        while not told or not condition(told[-1]):
            assert time.monotonic() < end, (f"waited in vain: {what}", told[-1:])
            told.append(self.ask("/status"))
            time.sleep(0.01)
        return told

    def report(self, name):
        print(f"\n{name}: {len(self.seconds)} answers, median "
              f"{1000 * statistics.median(self.seconds):.1f} ms, slowest "
              f"{1000 * max(self.seconds):.1f} ms")
        assert max(self.seconds) < SLOWEST_SECONDS


def reasons(manifest):
    return {reason for gap in manifest["gaps"] for reason in gap["reasons"]}


def judge(studio, folder, channels):
    """The ruler's judgement, and stemctl's."""
    counts = studio.check(folder, channels)
    result = studio.stemctl("verify", folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return counts


# The disk


@pytest.fixture
def disk(studio):
    the_disk = Disk(studio)
    try:
        yield the_disk
    finally:
        the_disk.close()


def recording(studio, **settings):
    """Records onto the disk; returns what the files must hold."""
    studio.server()
    studio.ruler(STEMS)
    stems, channels = mono_stems(STEMS)
    studio.configure(stems, disk_warning=10, **settings)
    studio.stemd()
    studio.ok("start")
    studio.run_for(0.5)
    return channels


@needs_loop
def test_stall_shorter_than_the_tape_loses_nothing(studio, disk):
    channels = recording(studio, tape=30.0)
    questions = Questions(studio)
    disk.freeze()
    told = questions.ask_until(lambda status: status["stalled_seconds"] > 3, "a stalled disk")
    disk.thaw()
    questions.ask_until(lambda status: status["tape_used"] < 0.05, "a disk that has caught up")
    questions.report("disk stalled")
    assert told[-1]["health_writer"] == "yellow" and told[-1]["health"] == "yellow"
    assert "stalled" in told[-1]["health_message"]
    assert 20 < told[-1]["tape_left_seconds"] < 28
    after = studio.status()
    assert (after["gaps"], after["stalled_seconds"] < 3) == (0, True)
    assert after["slowest_write_seconds"] > 3  # it is not forgotten
    counts = judge(studio, studio.ok("stop"), channels)
    assert counts["gaps"] == 0


@needs_loop
def test_stall_longer_than_the_tape_is_one_listed_gap(studio, disk):
    channels = recording(studio, tape=3.0)
    questions = Questions(studio)
    disk.freeze()
    told = questions.ask_until(lambda status: status["tape_left_seconds"] < 0.05, "a full tape")
    time.sleep(1)  # all of this is lost
    told.append(questions.ask("/status"))
    disk.thaw()
    questions.ask_until(lambda status: status["tape_used"] < 0.3, "a disk that has caught up")
    studio.run_for(1)
    questions.report("tape full")
    after = studio.status()
    folder = studio.ok("stop")
    manifest = studio.manifest(folder)
    assert reasons(manifest) == {"overflow"}
    lost = sum(gap["frames"] for gap in manifest["gaps"])
    assert lost > 0.5 * studio.rate
    assert (after["health_tape"], after["gap_frames"]) == ("red", lost)
    assert judge(studio, folder, channels)["gap_frames"] == lost
    assert_yellow_before_red(told)


def assert_yellow_before_red(told):
    """While nothing was lost yet, health went from green by yellow to red."""
    grades = [status["health"] for status in told if status["tape_left_seconds"] > 0.05]
    assert {"yellow", "red"} <= set(grades), grades
    assert grades.index("yellow") < grades.index("red")
    assert told[-1]["health"] == "red" and told[-1]["stalled_seconds"] > 1


@needs_loop
@pytest.mark.slow
def test_stall_is_told_to_subscribers(studio, disk):
    recording(studio, tape=12.0)
    osc = studio.osc()
    assert osc.ask("/subscribe", 600)[0] == "/reply"
    disk.freeze()
    grades = []
    while "red" not in grades:
        path, values = osc.receive()
        is_news = path == "/health" and (grades or values[0] != "green")  # it may have been green
        grades += values[:1] if is_news else []
    disk.thaw()
    while grades[-1] == "red":
        path, values = osc.receive()
        grades += values[:1] if path == "/health" else []
    # Yellow comes first, unless the machine is too busy to look in time; and such a disk is not
    # healthy, even if it works again.
    assert "green" not in grades and grades[-1] == "yellow"
    assert studio.status()["gaps"] == 0


@needs_loop
def test_stall_at_the_start_delays_the_answer_only(studio, disk):
    """A take is asked for while the disk stands still: it starts on the frame that was meant."""
    studio.server()
    studio.ruler(STEMS)
    stems, channels = mono_stems(STEMS)
    studio.configure(stems, tape=20.0)
    studio.stemd()
    disk.freeze()
    osc, questions = studio.osc(), Questions(studio)
    osc.send(Osc.message("/record/start", "Late"))
    asked = time.monotonic()
    questions.ask_until(lambda status: status["stalled_seconds"] > 2, "a stalled disk")
    disk.thaw()
    assert osc.receive()[0] == "/reply"
    waited = time.monotonic() - asked
    wait_for(lambda: studio.frames() > waited * studio.rate, "what was on the tape")
    questions.report("start on a stalled disk")
    assert judge(studio, studio.ok("stop"), channels)["gaps"] == 0


# The server


def test_stall_of_the_server_loses_nothing_it_delivered(two_stems):
    """In synchronous mode a stopped server is a clock that stands still, or a listed jump of it."""
    stall_server(two_stems)


def test_stall_of_the_server_is_a_listed_gap(async_stems):
    stall_server(async_stems)


def stall_server(studio):
    studio.ok("start")
    studio.run_for(0.3)
    questions = Questions(studio)
    for _ in range(3):
        studio.jackd.send_signal(signal.SIGSTOP)
        end = time.monotonic() + 0.7
        while time.monotonic() < end:
            questions.ask("/ping")
            questions.ask("/status")
        studio.jackd.send_signal(signal.SIGCONT)
        studio.run_for(0.3)
    questions.report("server stopped")
    folder = studio.ok("stop")
    manifest = studio.manifest(folder)
    print({gap["frames"] for gap in manifest["gaps"]}, reasons(manifest), manifest.get("xruns"))
    assert reasons(manifest) <= {"skipped", "clock"}  # JACK's clock may step back a period then
    judge(studio, folder, studio.channels)


def test_stall_of_the_server_does_not_hold_up_a_stop(two_stems):
    two_stems.ok("start")
    two_stems.run_for(0.3)
    two_stems.jackd.send_signal(signal.SIGSTOP)
    folder = two_stems.ok("--timeout", "10", "stop")
    two_stems.jackd.send_signal(signal.SIGCONT)
    judge(two_stems, folder, two_stems.channels)


@pytest.mark.slow
def test_stall_of_the_server_for_long_is_like_its_loss(two_stems):
    """It is given up after twelve seconds; when it goes on, so does the take."""
    begin = time.monotonic()
    two_stems.ok("start")
    two_stems.run_for(0.3)
    two_stems.jackd.send_signal(signal.SIGSTOP)
    questions = Questions(two_stems)
    told = questions.ask_until(lambda status: status["jack"] == "waiting", "loss of the server")
    assert "come to a stand" in told[-1]["message"] and told[-1]["state"] == "recording"
    told = questions.ask_until(lambda status: "answered" in status["message"], "a slow call")
    assert told[-1]["health_server"] == "red"
    two_stems.jackd.send_signal(signal.SIGCONT)
    two_stems.wait_for_log("of them connected", times=2)
    questions.report("server stopped for long")
    wait_for(lambda: two_stems.connected("stemd:Drums/Kit-L"), "connection")
    two_stems.run_for(0.3)
    folder = two_stems.ok("stop")
    manifest = two_stems.manifest(folder)
    assert "server" in reasons(manifest)
    # No time is counted twice: as what the server skipped, and as its absence.
    assert 12 < manifest["frames"] / two_stems.rate < time.monotonic() - begin + 2
    result = two_stems.stemctl("verify", folder)
    assert result.returncode == 0, result.stdout + result.stderr


def test_stall_of_the_server_before_stemd_starts_is_told(studio):
    """A server that is there but does not answer holds up nothing but itself."""
    studio.server()
    studio.ruler(1)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }')
    studio.jackd.send_signal(signal.SIGSTOP)
    studio.stemd(on_server=False)
    questions = Questions(studio)
    told = questions.ask_until(lambda status: "answered" in status["message"], "a slow call")
    assert "has not answered for" in told[-1]["message"]
    assert studio.osc().ask("/record/start")[:3] == ["/error", "/record/start", -6]
    questions.report("server stopped before the start")
    studio.jackd.send_signal(signal.SIGCONT)
    studio.wait_for_log("of them connected")
    folder = studio.record(0.3)
    judge(studio, folder, [("01_A.wav", 1, [1]), ("01_A.wav", 2, [1])])


def test_stall_of_the_server_does_not_keep_the_daemon(studio):
    """SIGTERM ends a daemon that is inside a call of JACK's library."""
    studio.server()
    studio.configure('{ name = "A"; inputs = ( { name = "In"; } ); }')
    studio.jackd.send_signal(signal.SIGSTOP)
    studio.stemd(on_server=False)
    studio.daemon.terminate()
    assert studio.daemon.wait(PATIENCE) == 0
