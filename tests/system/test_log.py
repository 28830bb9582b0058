"""A log that nobody reads: a full pipe, a closed one, a file on a disk that stands still, a terminal
that is gone. Recording and control go on as always."""

import fcntl
import os
import pty
import select
import signal
import socket
import subprocess
import termios

from disks import Disk, needs_loop
from studio import PATIENCE, STEMD, Osc, wait_for

STEM = '{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }'
CHANNELS = [("01_A.wav", 1, [1]), ("01_A.wav", 2, [1])]


def stuffed_pipe():
    """A pipe without room for a single byte."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for size in (4096, 1):
        try:
            while True:
                os.write(writer, b"\n" * size)
        except BlockingIOError:
            pass
    os.set_blocking(writer, True)
    return reader, writer


def start_with_log(studio, log, *options, **popen):
    """The daemon with its log on a descriptor, which is closed here."""
    studio.daemon = subprocess.Popen(
        [STEMD, "-c", studio.config, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        env=studio.environment, start_new_session=True, **popen)
    studio.processes.append(studio.daemon)
    os.close(log)
    wait_for(studio.answers, "an answer to /ping")


def on_server(studio):
    wait_for(lambda: studio.status()["jack"] == "running", "the server")
    wait_for(lambda: studio.connected("stemd:A/In"), "the connection")
    studio.settle()


def judge_take_and_end(studio):
    on_server(studio)
    folder = studio.record(0.5)
    studio.check(folder, CHANNELS)
    assert studio.stemctl("verify", folder).returncode == 0
    assert studio.end(studio.daemon) == 0


def test_log_that_nobody_reads_holds_nothing_up(studio):
    studio.server()
    studio.ruler(1)
    studio.configure(STEM)
    reader, writer = stuffed_pipe()
    start_with_log(studio, writer)
    judge_take_and_end(studio)
    os.close(reader)


def test_log_whose_reader_is_gone_holds_nothing_up(studio):
    studio.server()
    studio.ruler(1)
    studio.configure(STEM)
    reader, writer = os.pipe()
    os.close(reader)
    start_with_log(studio, writer)
    judge_take_and_end(studio)


def read_until(reader, text):
    told = b""
    while text not in told:
        assert select.select([reader], [], [], PATIENCE)[0], told[-1000:]
        told += os.read(reader, 65536)
    return told.decode(errors="replace")


def test_log_that_is_read_late_tells_what_it_lost(studio):
    """More lines than wait for a reader: those of answers to a client that takes none."""
    studio.configure(STEM)
    reader, writer = stuffed_pipe()
    start_with_log(studio, writer, "-v")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.settimeout(PATIENCE)
        deaf.bind("")
        deaf.connect(str(studio.socket))
        for _ in range(1000):
            deaf.send(Osc.message("/ping"))
    assert studio.answers()
    told = read_until(reader, b"lines of the log were lost")
    lost = int(told.split(" lines of the log were lost")[0].split()[-1])
    assert 100 < lost < 1000 and "waiting: " in told  # the first ones are there
    studio.daemon.send_signal(signal.SIGTERM)
    assert studio.daemon.wait(PATIENCE) == 0
    os.close(reader)


@needs_loop
def test_log_on_the_disk_that_stalls_holds_nothing_up(studio):
    """As of a daemon that was started with 2>takes/log: what it says of the stall goes there."""
    disk = Disk(studio)
    try:
        studio.server()
        studio.ruler(1)
        studio.configure(STEM, tape=60.0, disk_warning=1)
        start_with_log(studio, os.open(disk.inside / "log", os.O_WRONLY | os.O_CREAT))
        on_server(studio)
        studio.ok("start")
        studio.run_for(0.5)
        disk.freeze()
        osc = studio.osc()
        osc.ask("/subscribe", 600, "warnings")
        told = osc.receive()
        while told[0] != "/health" or "stalled" not in told[1][1]:  # it is logged before it is told
            told = osc.receive()
        assert studio.status()["stalled_seconds"] > 0
        disk.thaw()
        folder = studio.ok("stop")
        wait_for(lambda: "stalled for" in (disk.inside / "log").read_text(), "the log")
        assert studio.check(folder, CHANNELS)["gaps"] == 0
    finally:
        disk.close()


def test_log_on_a_terminal_that_goes_away_does_not_end_the_take(studio):
    """As when the connection breaks over which stemd was started."""
    studio.server()
    studio.ruler(1)
    studio.configure(STEM)
    master, slave = pty.openpty()
    start_with_log(studio, slave, preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0))
    on_server(studio)
    studio.ok("start")
    studio.run_for(0.3)
    os.close(master)
    studio.run_for(0.5)
    folder = studio.ok("stop")
    assert studio.check(folder, CHANNELS)["gaps"] == 0
    assert studio.end(studio.daemon) == 0
