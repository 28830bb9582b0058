"""The process thread makes no system call of its own.

Between two cycles JACK's library waits on a futex in shared memory and wakes the next client with
another; nothing else may be seen, whatever the recorder is doing meanwhile. The thread is found by
its scheduling class: JACK makes it the only real-time one."""

import os
import pathlib
import signal

import pytest

from studio import mono_stems, wait_for
from tracing import Trace, require_tracing, stall_disk, thread_called

# What libjack needs to wait for its turn and to pass it on, and how a wait goes on after a stop.
OF_JACK = {"futex", "restart_syscall"}


def real_time_threads(process):
    threads = []
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        if os.sched_getscheduler(int(task.name)) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO:
            threads.append(int(task.name))
    return threads


@pytest.fixture
def real_time_studio(studio):
    require_tracing()
    studio.server(period=256, realtime=True)
    studio.ruler(8)
    stems, studio.channels = mono_stems(8)
    studio.configure(stems, tape=2.0)
    studio.stemd()
    studio.record(0.1)  # whatever happens only once has happened
    threads = real_time_threads(studio.daemon)
    if not threads:
        pytest.skip("no real-time scheduling here: the process thread cannot be told from others")
    assert len(threads) == 1
    studio.thread = threads[0]
    return studio


def test_rt_thread_makes_only_jacks_own_system_calls(real_time_studio):
    """Through everything that happens in a show: start, mute, marker, split, period, stop."""
    studio = real_time_studio
    trace = Trace(studio, studio.thread)
    studio.ok("start", "One")
    studio.run_for(0.3)
    studio.ok("mute", "S1")
    studio.ok("mark", "here")
    studio.run_for(0.2)
    studio.ok("mute", "S1", "off")
    studio.ok("split", "Two")
    studio.run_for(0.3)
    studio.ok("stop")
    calls = trace.end()
    assert calls["futex"] > 100  # the right thread was traced
    assert set(calls) <= OF_JACK, calls


def test_rt_thread_makes_no_system_call_when_the_tape_is_full(real_time_studio):
    """A disk that stalls for longer than the tape holds: a gap, and no wait."""
    studio = real_time_studio
    studio.ok("start")
    trace = Trace(studio, studio.thread)
    stall = stall_disk(studio, 3)
    wait_for(lambda: "overflow" in studio.read("stemd.log"), "a gap because the tape was full")
    studio.end(stall, signal.SIGINT)
    calls = trace.end()
    studio.run_for(0.2)
    folder = studio.ok("stop")
    assert set(calls) <= OF_JACK, calls
    gaps = studio.manifest(folder)["gaps"]
    assert {reason for gap in gaps for reason in gap["reasons"]} == {"overflow"}
    studio.check(folder, studio.channels)


def test_rt_tracing_would_see_other_calls(real_time_studio):
    """The same look at the writer finds its writes: the tests above can fail."""
    studio = real_time_studio
    trace = Trace(studio, thread_called(studio.daemon.pid, "stemd-writer"))
    studio.record(0.3)
    assert "pwrite64" in trace.end()
