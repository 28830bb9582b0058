"""Looking at system calls with strace, and slowing them down."""

import collections
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


def thread_called(process, name):
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
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
    return studio.start("strace", "-p", thread_called(studio.daemon, "stemd-writer"),
                        "-e", "trace=pwrite64",
                        "-e", f"inject=pwrite64:delay_enter={int(seconds * 1e6)}:when=3",
                        "-o", studio.folder / "stall.log", log="stall.messages")
