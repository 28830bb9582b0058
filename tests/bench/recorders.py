"""The recorders that are measured: how each is told to record the same ports, as 24-bit WAV.

Each gets its leanest form: nothing is displayed, nothing is encoded. The peers write one file of
all channels, stemd writes a stereo file for every two.
"""

import shutil
import signal
import subprocess

from studio import BUILD, wait_for

RATE = 48000
OWN_END_SECONDS = 10


class Recorder:
    """One recorder in one round. After start() it records; after stop() its files are whole."""

    name = ""
    client = ""  # its name in JACK

    def __init__(self, studio, channels):
        self.studio = studio
        self.channels = channels
        self.ports = [f"ruler:out_{k + 1}" for k in range(channels)]
        self.path = studio.folder / f"{self.name}.wav"

    def start(self, seconds, freewheel=False):
        """seconds: how long it will be needed, for those that must know; freewheel: the graph will
        freewheel, and whatever the recorder offers for that is to be used."""
        self.process = self.studio.start(*self.command(seconds, freewheel), log="recorder.log")
        wait_for(lambda: self.is_connected() or self.process.poll() is not None, self.name)
        assert self.process.poll() is None, self.studio.read("recorder.log")

    def is_connected(self):
        return any(name.startswith(self.client + ":")
                   for name in self.studio.connected(self.ports[-1]))

    def stop(self):
        self.studio.end(self.process, signal.SIGINT)

    def files(self):
        """(file, ruler port of its first channel)"""
        return [(self.path, 1)]

    def clear(self):
        self.studio.end_surely(self.process)
        self.path.unlink(missing_ok=True)


class Stemd(Recorder):
    name = client = "stemd"
    tape_seconds = 10

    def start(self, seconds, freewheel=False):
        pairs = zip(self.ports[0::2], self.ports[1::2])
        stems = ", ".join(f'{{ name = "S{k + 1}"; inputs = ( {{ name = "In"; '
                          f'from = [ "{left}", "{right}" ]; }} ); }}'
                          for k, (left, right) in enumerate(pairs))
        self.studio.configure(stems, tape=float(self.tape_seconds))
        self.process = self.studio.stemd()
        self.studio.ok("start")

    def stop(self):
        self.folder = self.studio.ok("stop")
        self.studio.end(self.process)

    def files(self):
        stems = self.studio.manifest(self.folder)["stems"]
        return [(f"{self.folder}/{stem['file']}", 2 * k + 1) for k, stem in enumerate(stems)]

    def judged(self):
        """The strict judge of the system tests: gaps must be listed, all else exact."""
        return self.studio.check(self.folder, [
            (file.rpartition("/")[2], channel + 1, [first + channel])
            for file, first in self.files() for channel in range(2)], end_ruler=False)

    def clear(self):
        self.studio.end_surely(self.process)
        shutil.rmtree(self.studio.takes)
        self.studio.takes.mkdir()


class JackCapture(Recorder):
    """In freewheel with the option made for it: each cycle waits until all is with the disk. (Its
    help calls the option --jack-freewheeling, the program does not.)"""

    name = client = "jack_capture"
    waits = True

    def command(self, seconds, freewheel):
        self.ends_itself = freewheel and self.waits
        ports = [word for port in self.ports for word in ("--port", port)]
        return ["jack_capture", "--bitdepth", 24, "--channels", self.channels, *ports,
                "--disable-console", "--no-stdin", *(["--jack-freewheel"] if self.ends_itself else []),
                self.path]

    def stop(self):
        if self.ends_itself:  # now and then it misses the end of freewheel, and has to be told
            try:
                self.process.wait(OWN_END_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        super().stop()


class JackCapturePlain(JackCapture):
    """In freewheel without that option: its buffer has to do."""

    name = "jack_capture, no wait"
    waits = False


class JackRec(Recorder):
    """It writes its header only when the time is over that it was given."""

    name, client = "jack_rec", "jackrec"

    def command(self, seconds, freewheel):
        return ["jack_rec", "-f", self.path, "-d", int(seconds), "-b", 24, *self.ports]

    def stop(self):
        wait_for(lambda: self.process.poll() is not None, "jack_rec's end")


class Ecasound(Recorder):
    name = client = "ecasound"

    def command(self, seconds, freewheel):
        return ["ecasound", "-q", f"-b:{self.studio.period}", f"-f:24,{self.channels},{RATE}",
                f"-i:jack_multi,{','.join(self.ports)}", "-o", self.path]


class Bystander(Recorder):
    """Records nothing: a client of the same ports that does no work, to compare with."""

    name = client = "bystander"

    def command(self, seconds, freewheel):
        return [BUILD / "tests/bench/bystander", "--server", self.studio.server_name, *self.ports]


PEERS = (JackCapture, JackRec, Ecasound)
