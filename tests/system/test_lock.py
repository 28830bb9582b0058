"""A locked stop: a stray press of a button does not end a show."""

import signal
import time

import pytest

from studio import wait_for

STEMS = '{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }'


def recording(studio, lock):
    studio.server()
    studio.ruler(1)
    studio.configure(STEMS, stop_lock=lock)
    studio.stemd()
    studio.ok("start")
    return studio.osc()


@pytest.mark.parametrize("path", ["/record/stop", "/record/toggle"])
def test_lock_wants_a_stop_repeated(studio, path):
    osc = recording(studio, "repeat")
    refused = osc.ask(path, 1)
    assert refused[:3] == ["/error", path, -9] and "within two seconds" in refused[3]
    assert studio.status()["state"] == "recording"
    assert osc.ask(path, 0) == ["/reply", path, "ignored"]  # letting go is no repetition
    time.sleep(2.2)
    assert osc.ask(path, 1)[0] == "/error"  # too late: it counts as the first again
    answers = [osc.ask(path, 1)[0] for _ in range(3) if studio.status()["state"] == "recording"]
    assert answers[-1] == "/reply"
    assert studio.status()["state"] == "idle"


def test_lock_opens_with_a_token(studio):
    osc = recording(studio, "sesame")
    for words in ([], [1], ["open"]):
        assert osc.ask("/record/stop", *words)[:3] == ["/error", "/record/stop", -9]
    assert osc.ask("/record/stop", "sesame")[0] == "/reply"


def test_lock_is_for_running_takes_only(studio):
    osc = recording(studio, "sesame")
    osc.ask("/record/stop", "sesame")
    assert osc.ask("/record/stop")[2] == -4
    assert osc.ask("/record/toggle")[0] == "/reply"


def test_lock_does_not_keep_sigterm_out(studio):
    recording(studio, "sesame")
    assert studio.end(studio.daemon, signal.SIGTERM) == 0
    (folder,) = studio.folders()
    wait_for(lambda: studio.manifest(folder)["progress"] == "complete", "the end of the take")
