"""One measurement each: processor time, memory, xruns, freewheel, and what the files hold."""

import os
import pathlib
import re
import time

import studio as studio_module

PROBE = studio_module.BUILD / "tests/bench/graph_probe"
COMPARE = studio_module.BUILD / "tests/bench/ruler_compare"


def cpu_seconds(process):
    """User and system time of all threads so far. The scheduler's own account is exact to the
    nanosecond; the one in stat goes by clock ticks."""
    tasks = pathlib.Path(f"/proc/{process.pid}/task")
    try:
        return sum(int((task / "schedstat").read_text().split()[0])
                   for task in tasks.iterdir()) / 1e9
    except FileNotFoundError:
        words = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def memory(process):
    """Megabytes: the most that was resident, and what is locked."""
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()

    def field(name):
        return int(re.search(rf"{name}:\s+(\d+) kB", text).group(1)) * 1024 / 1e6

    return {"peak_mb": field("VmHWM"), "locked_mb": field("VmLck")}


def cpu_per_minute(processes, seconds):
    """Processor seconds a minute of each, over the same time."""
    before, begin = [cpu_seconds(process) for process in processes], time.monotonic()
    time.sleep(seconds)
    after, end = [cpu_seconds(process) for process in processes], time.monotonic()
    return [(b - a) / (end - begin) * 60 for a, b in zip(before, after)]


def figures(output):
    """"name number name number …" as a dictionary."""
    words = output.split()
    return {name: float(number) for name, number in zip(words[0::2], words[1::2])}


def watch_graph(studio, seconds, client=None):
    """Troubles of the graph a minute: cycles that were skipped, xruns the server tells of, and among
    them those for which it names this client as the one that was not ready."""
    told = len(studio.read("jackd.log"))
    result = studio.run(PROBE, "--server", studio.server_name, "--seconds", seconds)
    assert result.returncode == 0, result.stderr
    seen = figures(result.stdout)
    seen["named"] = sum("XRun" in line and f"client = {client} " in line
                        for line in studio.read("jackd.log")[told:].splitlines())
    return {name: seen[name] / seen["seconds"] * 60 for name in ("skips", "xruns", "named")}


def run_freely(studio, audio_seconds, most_seconds):
    """Lets the graph freewheel; returns its speed in multiples of real time."""
    result = studio.run(PROBE, "--server", studio.server_name, "--seconds", most_seconds,
                        "--freewheel", int(audio_seconds * studio.rate))
    assert result.returncode == 0, result.stderr + studio.read("recorder.log")
    seen = figures(result.stdout)
    return seen["frames"] / seen["rate"] / seen["seconds"]


def held_against_ruler(studio, recorder):
    """Counts of ruler_compare over all files of the recorder."""
    total, start = {}, 0
    for file, first in recorder.files():
        result = studio.run("nice", COMPARE, file, first, start)
        assert result.returncode == 0, result.stderr + studio.read("recorder.log")
        seen = figures(result.stdout)
        start = int(seen.pop("start"))
        for name, number in seen.items():
            total[name] = total.get(name, 0) + number
    return total


def is_lossless(counts):
    return counts["good"] > 0 and not (counts["silent"] or counts["lost"] or counts["wrong"])
