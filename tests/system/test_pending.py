"""Commands whose time has not come hold up nobody: neither the end of the daemon nor later commands.

A start waits for the first frame of a client that has just been activated; a start or stop in a
bundle waits for the bundle's time."""

import signal
import time

from studio import Osc, wait_for

STEM = '{ name = "Drums"; inputs = ( { name = "Kick"; from = "ruler:out_1"; } ); }'


def before_first_cycle(studio):
    """A daemon whose server went before it was called once: cycles take a second here. (On a very
    slow machine there may be a cycle; then the tests below ask for less, but nothing else.)"""
    studio.server(rate=8000, period=8192)
    studio.configure(STEM)
    studio.stemd(settled=False)
    studio.end(studio.jackd, signal.SIGKILL)
    wait_for(lambda: studio.status()["jack"] == "waiting", "loss of the server")


def test_pending_start_is_answered_without_a_server(studio):
    before_first_cycle(studio)
    osc = studio.osc()
    osc.socket.settimeout(10)
    answer = osc.ask("/record/start")
    assert answer[:3] == ["/error", "/record/start", -6] or answer[0] == "/reply", answer


def test_pending_start_does_not_keep_the_daemon(studio):
    before_first_cycle(studio)
    studio.osc().send(Osc.message("/record/start"))
    assert studio.answers()
    studio.daemon.terminate()
    assert studio.daemon.wait(10) == 0


def scheduled_stop(studio, seconds):
    studio.ok("start", "Long")
    studio.run_for(0.2)
    osc = studio.osc()
    osc.send(Osc.bundle(time.time() + seconds, Osc.message("/record/stop")))
    assert studio.answers()
    return osc


def test_pending_stop_does_not_keep_the_daemon(two_stems):
    scheduled_stop(two_stems, 600)
    two_stems.daemon.terminate()
    assert two_stems.daemon.wait(10) == 0
    (folder,) = two_stems.folders()
    assert two_stems.manifest(folder)["progress"] == "complete"
    two_stems.check(folder, two_stems.channels)


def test_pending_stop_can_be_brought_forward(two_stems):
    scheduled_stop(two_stems, 600)
    folder = two_stems.ok("--timeout", "10", "stop")
    assert two_stems.manifest(folder)["progress"] == "complete"
    two_stems.check(folder, two_stems.channels)


def test_pending_stop_leaves_markers_and_status_alone(two_stems):
    scheduled_stop(two_stems, 600)
    two_stems.ok("--timeout", "10", "mark", "still here")
    status = two_stems.status()
    assert status["state"] in ("recording", "stopping") and status["frames"] > 0


def test_pending_stop_does_not_outlive_the_server(two_stems):
    """The server goes before the time of the stop: SIGTERM still completes the take."""
    scheduled_stop(two_stems, 600)
    two_stems.end(two_stems.jackd)
    wait_for(lambda: two_stems.status()["jack"] == "waiting", "loss of the server")
    two_stems.daemon.terminate()
    assert two_stems.daemon.wait(10) == 0
    (folder,) = two_stems.folders()
    assert two_stems.manifest(folder)["progress"] == "complete"


def test_pending_start_can_be_called_off(two_stems):
    osc = two_stems.osc()
    osc.send(Osc.bundle(time.time() + 600, Osc.message("/record/start", "Later")))
    assert osc.receive()[1][0] == "/record/start"
    two_stems.ok("--timeout", "10", "stop")
    assert two_stems.status()["state"] == "idle"
    two_stems.check(two_stems.record(0.2, "Now"), two_stems.channels)
