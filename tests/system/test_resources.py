"""What the system withholds: descriptors, locked memory, real-time scheduling, a configuration that
can be written. stemd says what is missing and which setting helps, and records all the same where it
can."""

import os
import shutil

import pytest

from studio import mono_stems, wait_for

needs_root = pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"),
                                reason="needs root, which gives up a right")

STEM = '{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }'
CHANNELS = [("01_A.wav", 1, [1]), ("01_A.wav", 2, [1])]


def judge(studio, folder, channels):
    """The ruler's judgement, and stemctl's."""
    counts = studio.check(folder, channels)
    result = studio.stemctl("verify", folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return counts


def without(right, *limits):
    """Words before a command that is to run without one of root's rights, under limits."""
    return ["prlimit", *limits, "setpriv", f"--bounding-set=-{right}"]


def allow_descriptors(studio, process, count):
    result = studio.run("prlimit", f"--pid={process.pid}", f"--nofile={count}:")
    assert result.returncode == 0, result.stderr


def leave_no_descriptor(studio, process):
    """All numbers below the limit are taken."""
    taken = {int(name) for name in os.listdir(f"/proc/{process.pid}/fd")}
    allow_descriptors(studio, process, next(n for n in range(4096) if n not in taken))


def test_resources_too_few_descriptors_for_a_take_are_told(studio):
    """The start is refused in a sentence; nothing stays behind, and less is still recorded."""
    studio.server()
    studio.ruler(40)
    stems, channels = mono_stems(40)
    studio.configure(stems)
    studio.stemd()
    open_now = len(os.listdir(f"/proc/{studio.daemon.pid}/fd"))
    allow_descriptors(studio, studio.daemon, open_now + 20)
    refused = studio.stemctl("start")
    assert refused.returncode == 1 and "Too many open files" in refused.stderr
    assert studio.status()["state"] == "idle"
    assert not [path for path in studio.takes.iterdir() if not path.name.startswith(".")]
    assert len(os.listdir(f"/proc/{studio.daemon.pid}/fd")) == open_now
    allow_descriptors(studio, studio.daemon, open_now + 200)
    assert judge(studio, studio.record(0.3), channels)["gaps"] == 0


@pytest.mark.slow
def test_resources_descriptors_that_run_out_do_not_end_a_take(two_stems):
    """From the middle of a take on nothing can be opened any more, not even to renew the manifest."""
    osc = two_stems.osc()
    osc.ask("/subscribe", 600, "warnings")
    two_stems.ok("start")
    two_stems.run_for(1)
    leave_no_descriptor(two_stems, two_stems.daemon)
    assert two_stems.osc().ask("/marker", "dry")[0] == "/reply"
    two_stems.run_for(4)
    assert two_stems.status()["state"] == "recording"
    told = osc.receive()
    while told[0] != "/warning" or "Too many open files" not in told[1][0]:
        told = osc.receive()
    assert "the take goes on" in told[1][0]
    allow_descriptors(two_stems, two_stems.daemon, 1024)
    two_stems.run_for(1)
    folder = two_stems.ok("stop")
    assert [marker["text"] for marker in two_stems.manifest(folder)["markers"]] == ["dry"]
    assert judge(two_stems, folder, two_stems.channels)["gaps"] == 0


@pytest.mark.slow
def test_resources_descriptors_that_have_run_out_at_the_end_of_a_take(two_stems):
    """What is recorded is there and can be completed afterwards."""
    two_stems.ok("start")
    two_stems.run_for(2)
    leave_no_descriptor(two_stems, two_stems.daemon)
    stopped = two_stems.stemctl("stop")
    assert stopped.returncode == 0 or "open files" in stopped.stderr, stopped
    wait_for(lambda: two_stems.status()["state"] == "idle", "the end of the take")
    allow_descriptors(two_stems, two_stems.daemon, 1024)
    assert two_stems.end(two_stems.daemon) == 0
    result = two_stems.stemctl("recover", two_stems.takes)
    assert result.returncode == 0, result.stdout + result.stderr
    (folder,) = [path for path in two_stems.takes.iterdir() if (path / "take.json").exists()]
    assert two_stems.manifest(folder)["frames"] >= 2 * two_stems.rate
    assert judge(two_stems, folder, two_stems.channels)["gaps"] == 0


@needs_root
@pytest.mark.plain
def test_resources_memory_that_may_not_be_locked_is_told(studio):
    studio.server()
    studio.ruler(1)
    studio.configure(STEM)
    studio.stemd(before=without("ipc_lock", "--memlock=65536"))
    log = studio.read("stemd.log")
    assert "could not be locked" in log and "LimitMEMLOCK=" in log
    assert judge(studio, studio.record(0.5), CHANNELS)["gaps"] == 0


@needs_root
def test_resources_no_memory_at_all_may_be_locked(studio):
    """JACK's own library wants some. stemd names the limit, and waits."""
    studio.server()
    studio.configure(STEM)
    studio.stemd(before=without("ipc_lock", "--memlock=0"), on_server=False)
    wait_for(lambda: "LimitMEMLOCK=" in studio.status()["message"], "the limit's name")
    refused = studio.stemctl("start")
    assert refused.returncode == 1 and "memlock in limits.conf" in refused.stderr


@needs_root
def test_resources_real_time_that_is_not_allowed_is_told(studio):
    studio.server(realtime=True)
    studio.ruler(1)
    studio.configure(STEM)
    studio.stemd(before=without("sys_nice", "--rtprio=0"))
    log = studio.read("stemd.log")
    assert "real time" in log and "LimitRTPRIO=" in log
    judge(studio, studio.record(0.5), CHANNELS)


def test_resources_configuration_is_only_read(studio):
    studio.server()
    studio.ruler(1)
    path = studio.configure(STEM)
    path.chmod(0o444)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    studio.stemd()
    assert studio.osc().ask("/take/title", "Elsewhere")[0] == "/reply"
    folder = studio.record(0.3)
    assert studio.end(studio.daemon) == 0
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    judge(studio, folder, CHANNELS)


@pytest.mark.plain
def test_resources_memory_that_is_not_there_is_told(studio):
    """A tape that does not fit ends stemd with a sentence, not with a crash."""
    studio.server()
    studio.configure(STEM, tape=600.0)
    studio.stemd(on_server=False, wait=False, before=["prlimit", f"--as={300 << 20}"])
    assert studio.daemon.wait(60) == 1
    last = studio.read("stemd.log").splitlines()[-1]
    assert last.startswith("stemd: error: ") and "memory" in last, last
