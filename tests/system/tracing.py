"""Looking at system calls with strace, and slowing them down; stopping threads."""

import collections
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from studio import wait_for

LINE = re.compile(r"^(?:\[pid +\d+\] )?(?:\d+ +)?([a-z_0-9]+)\(")
RESUMED = re.compile(r"<\.\.\. ([a-z_0-9]+) resumed>")


def require_tracing():
    """Skips a test where strace is not there or may not trace."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    probe = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"strace may not trace here: {probe.stderr.strip().splitlines()[-1]}")


def thread_called(pid, name):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise AssertionError(f"no thread {name}")


class Trace:
    """Counts the system calls of one thread."""

    def __init__(self, studio, thread):
        self.path = studio.folder / "strace.log"
        self.process = studio.start("strace", "-p", thread, "-o", self.path, log="strace.messages")
        self.studio = studio
        wait_for(lambda: self.path.exists() and self.path.stat().st_size > 0, "strace")

    def end(self):
        self.studio.end(self.process, signal.SIGINT)
        calls = collections.Counter()
        for line in self.path.read_text(errors="replace").splitlines():
            found = LINE.match(line) or RESUMED.search(line)
            if found:
                calls[found.group(1)] += 1
        return calls


def stall_disk(studio, seconds):
    """Lets one write of the writer take that long, as a disk that stalls would. Returns the tracer,
    to be ended; the log tells when it has happened."""
    return studio.start("strace", "-p", thread_called(studio.daemon.pid, "stemd-writer"),
                        "-e", "trace=pwrite64",
                        "-e", f"inject=pwrite64:delay_enter={int(seconds * 1e6)}:when=3",
                        "-o", studio.folder / "stall.log", log="stall.messages")


class Frozen:
    """One thread of a program, stopped as a debugger does it, while the others go on."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
    ALL_THREADS = 0x40000000  # __WALL

    def __init__(self, thread):
        self.thread = thread
        self.was_killed = False

    def ptrace(self, request):
        call = ctypes.CDLL(None, use_errno=True).ptrace
        call.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        call.restype = ctypes.c_long
        if call(request, self.thread, None, None) != 0:
            pytest.skip(f"threads cannot be stopped here: {os.strerror(ctypes.get_errno())}")

    def __enter__(self):
        self.ptrace(self.SEIZE)
        self.ptrace(self.INTERRUPT)
        os.waitpid(self.thread, self.ALL_THREADS)
        return self

    def killed(self):
        """Whether somebody has ended the program meanwhile. To be asked then: until the thread's
        end has been seen here, the program cannot go."""
        if not self.was_killed:
            number, status = os.waitpid(self.thread, os.WNOHANG | self.ALL_THREADS)
            self.was_killed = number != 0 and (os.WIFSIGNALED(status) or os.WIFEXITED(status))
        return self.was_killed

    def __exit__(self, *_):
        if not self.killed():
            self.ptrace(self.DETACH)
