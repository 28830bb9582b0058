"""A studio for tests: a private JACK server, the ruler, stemd and stemctl, all real programs.

Nothing here is shared with other servers of the machine: server names, ports and folders are our own,
and everything is ended when the test ends, whatever happened.
"""

import itertools
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time

BUILD = pathlib.Path(os.environ.get("STEMD_BUILD", "build")).resolve()
STEMD = BUILD / "daemon/stemd"
STEMCTL = BUILD / "client/stemctl"
RULER = BUILD / "tests/support/ruler"
CHECK = BUILD / "tests/support/ruler_check"
WAIT_CYCLES = BUILD / "tests/support/wait_cycles"

# Settings whose values are text of the configuration.
TEXTS = ("mix", "returns", "threshold", "tail")

# Generous: slow machines and sanitizers only make a test wait, not fail.
PATIENCE = float(os.environ.get("STEMD_PATIENCE", "60"))


def wait_for(condition, what, seconds=PATIENCE, nap=0.02):
    """Waits until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(nap)
    raise AssertionError(f"waited {seconds:g} s in vain: {what}")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Osc:
    """A bare OSC client, independent of stemctl and liblo."""

    def __init__(self, address):
        """address: a UDP port of this machine, or the path of a UNIX socket."""
        if isinstance(address, int):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.connect(("127.0.0.1", address))
        else:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.socket.bind("")  # a name of its own, so that it can be answered
            self.socket.connect(str(address))
        self.socket.settimeout(PATIENCE)

    def close(self):
        self.socket.close()

    @staticmethod
    def _text(text):
        raw = text.encode() if isinstance(text, str) else text
        return raw + b"\0" * (4 - len(raw) % 4)

    @classmethod
    def message(cls, path, *arguments):
        types, data = ",", b""
        for argument in arguments:
            if isinstance(argument, bool):
                types += "T" if argument else "F"
            elif isinstance(argument, int):
                types, data = types + "i", data + struct.pack(">i", argument)
            elif isinstance(argument, float):
                types, data = types + "f", data + struct.pack(">f", argument)
            else:
                types, data = types + "s", data + cls._text(argument)
        return cls._text(path) + cls._text(types) + data

    @classmethod
    def bundle(cls, unix_time, *messages):
        """unix_time: None means at once."""
        whole = int(unix_time or 0)
        tag = struct.pack(">II", whole + 2208988800, int(((unix_time or 0) - whole) * 2**32))
        if unix_time is None:
            tag = struct.pack(">II", 0, 1)
        return b"#bundle\0" + tag + b"".join(struct.pack(">I", len(m)) + m for m in messages)

    @staticmethod
    def decode(data):
        def text(at):
            end = data.index(b"\0", at)
            return data[at:end].decode(errors="replace"), (end // 4 + 1) * 4

        path, at = text(0)
        types, at = text(at)
        values = []
        for kind in types[1:]:
            if kind == "s":
                value, at = text(at)
            else:
                code, size = {"i": (">i", 4), "f": (">f", 4), "h": (">q", 8), "d": (">d", 8)}[kind]
                value = struct.unpack(code, data[at:at + size])[0]
                at += size
            values.append(value)
        return path, values

    def send(self, raw):
        self.socket.send(raw)

    def receive(self):
        return self.decode(self.socket.recv(65536))

    def ask(self, path, *arguments):
        """Sends one message; returns the final answer's values, data messages in self.data."""
        self.send(self.message(path, *arguments))
        self.data = []
        while True:
            got, values = self.receive()
            if got in ("/reply", "/error"):
                return [got] + values
            self.data.append((got, values))


class ServerName:
    """A JACK server name that nobody else uses meanwhile. There are few, and they are used again and
    again: JACK's registry has places for eight servers, and the place of a killed one is only given
    to a server of the same name. An abstract socket is the lock: it goes with its owner. A server whose
    owner was killed may live on; its name is left alone."""

    def __init__(self):
        for number in itertools.cycle(range(1, 6)):
            self.lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.text = f"stemdtest{number}"
            try:
                self.lock.bind(f"\0{self.text}-{os.getuid()}")
                if not self.has_server():
                    return
            except OSError:
                pass
            self.lock.close()
            time.sleep(0.05)

    def has_server(self):
        """Whether a server of this name listens, though perhaps nobody can find its socket's file."""
        return f"/jack_{self.text}_" in pathlib.Path("/proc/net/unix").read_text()

    def is_registered(self):
        """Whether JACK takes the server for alive: the number of one that was killed, which stands
        before the name in JACK's registry, may have come to another process."""
        try:
            registry = pathlib.Path("/dev/shm/jack-shm-registry").read_bytes()
        except FileNotFoundError:
            return False
        at = registry.find(self.text.encode() + b"\0")
        number = int.from_bytes(registry[at - 4:at], sys.byteorder) if at >= 4 else 0
        return number > 0 and pathlib.Path(f"/proc/{number}").exists()

    def release(self):
        self.lock.close()


class Studio:
    def __init__(self, folder):
        self.folder = folder
        self.name = ServerName()
        self.server_name = self.name.text
        self.takes = folder / "takes"
        self.takes.mkdir()
        self.port = free_port()
        self.socket = folder / "osc"
        self.processes = []
        self.oscs = []
        self.jackd = None
        self.rate = 48000
        self.period = 256
        self.late = None
        self.environment = dict(
            os.environ, JACK_NO_AUDIO_RESERVATION="1", JACK_DEFAULT_SERVER=self.server_name,
            STEMCTL_URL=f"udp://127.0.0.1:{self.port}", XDG_CONFIG_HOME=str(folder / "none"))

    # Programs

    def start(self, *command, log=None, environment=None, **options):
        """Starts a program in a process group of its own, which ends with the studio."""
        out = open(self.folder / log, "ab") if log else subprocess.DEVNULL
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(
            [str(word) for word in command], stdout=out, stderr=subprocess.STDOUT if log else out,
            env=dict(self.environment, **(environment or {})), start_new_session=True, **options)
        if log:
            out.close()
        self.processes.append(process)
        return process

    def run(self, *command, timeout=PATIENCE * 3, **options):
        return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=self.environment,
                              timeout=timeout, **options)

    def read(self, log):
        path = self.folder / log
        return path.read_text(errors="replace") if path.exists() else ""

    def end(self, process, how=signal.SIGTERM):
        """Ends a process and returns its exit code."""
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(how)
        return process.wait(PATIENCE)

    def close(self):
        """Ends everything, whatever state it is in, and removes what it left behind."""
        for osc in self.oscs:
            osc.close()
        for process in reversed(self.processes):
            self.end_surely(process)
        if self.jackd and self.jackd.returncode == -signal.SIGKILL:
            self.tidy_up()
        for path in pathlib.Path("/dev/shm").glob(f"jack_*{self.server_name}_*"):
            path.unlink(missing_ok=True)
        self.name.release()

    def tidy_up(self):
        """A killed server leaves its shared memory behind; the next one of that name removes it when
        it ends."""
        jackd = self.start("jackd", "-n", self.server_name, "-r", "-d", "dummy")
        try:
            wait_for(lambda: self.run("jack_lsp").returncode == 0 or jackd.poll() is not None,
                     "another server", seconds=10)
        finally:
            self.end_surely(jackd)

    @staticmethod
    def end_surely(process):
        def tell(how):
            try:
                os.killpg(process.pid, how)  # each is the leader of a group of its own
            except ProcessLookupError:
                pass

        if process.poll() is None:
            tell(signal.SIGCONT)
            tell(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        tell(signal.SIGKILL)
        process.wait()

    # The graph

    def server(self, period=256, rate=48000, sync=True, realtime=False, ports=None):
        """Starts the JACK server. In synchronous mode the graph never skips a cycle, however slow
        the machine: the driver waits. In asynchronous mode it goes on without a client that is
        late, which then may see another period's samples, and no recorder can know; check() lets
        those pass near a gap or an xrun of the manifest."""
        self.rate, self.period = rate, period
        self.late = None if sync else period
        command = ["jackd", "--name", self.server_name]
        command += ["-R"] if realtime else ["-r"]
        command += ["-S"] if sync else []
        command += ["-p", ports] if ports else []
        self.jackd = self.start(*command, "-d", "dummy", "-r", rate, "-p", period, log="jackd.log")
        wait_for(lambda: self.run("jack_lsp").returncode == 0 or self.jackd.poll() is not None,
                 "JACK server")
        assert self.jackd.poll() is None, self.read("jackd.log")
        return self.jackd

    def ruler(self, ports, bits=24, client="ruler"):
        self.bits = bits
        self.ruler_log = self.folder / f"{client}.late"
        process = self.start(RULER, "--server", self.server_name, "--client", client, "--ports",
                             ports, "--bits", bits, "--log", self.ruler_log, log=f"{client}.log")
        self.ruler_process = process
        wait_for(lambda: "ready" in self.read(f"{client}.log") or process.poll() is not None,
                 "ruler")
        assert process.poll() is None, self.read(f"{client}.log")
        return process

    def connected(self, port):
        """Names that a port is connected to."""
        lines = self.run("jack_lsp", "-c", port).stdout.splitlines()
        if port not in lines:
            return []
        names = []
        for line in lines[lines.index(port) + 1:]:
            if not line.startswith("   "):
                break
            names.append(line.strip())
        return names

    # stemd

    def configure(self, stems, osc="", **settings):
        """Writes a configuration: stems is the text of the stem list, osc further settings of the
        osc group; groups and lists (TEXTS) are text too, everything else plain values."""
        settings = {"tape": 10.0, "takes": str(self.takes), "server": self.server_name,
                    "finish": False, "recover": False, **settings}
        lines = [f'osc: {{ listen = [ "udp://127.0.0.1:{self.port}", "unix://{self.socket}" ]; '
                 f'{osc} }};']
        for key, value in settings.items():
            text = value if key in TEXTS else json.dumps(value)
            lines.append(f"{key} = {text};")
        lines.append(f"stems = ( {stems} );")
        self.config = self.folder / "stemd.conf"
        self.config.write_text("\n".join(lines) + "\n")
        return self.config

    def stemd(self, *options, before=(), on_server=True, wait=True, settled=True, **popen):
        """Starts the daemon and waits until it runs on the server (or, without one, answers).
        before: words before the command, such as a limit. settled: its connections are heard."""
        logged = self.read("stemd.log").count("of them connected")
        self.daemon = self.start(*before, STEMD, "-c", self.config, *options, log="stemd.log",
                                 **popen)
        if not wait:
            pass
        elif on_server:
            self.wait_for_log("of them connected", logged + 1)
            if settled:
                self.settle()
        else:
            wait_for(lambda: self.answers() or self.daemon.poll() is not None, "an answer to /ping")
            assert self.daemon.poll() is None, self.read("stemd.log")
        return self.daemon

    def settle(self):
        """Waits for some cycles: a port that was just connected is silent until the next one."""
        if self.jackd:
            command = [WAIT_CYCLES, "--server", self.server_name, "--cycles", 3]
            wait_for(lambda: self.run(*command).returncode == 0, "cycles of the server")

    def wait_for_log(self, text, times=1):
        """Waits until the daemon has logged a text that often."""
        wait_for(lambda: self.read("stemd.log").count(text) >= times
                 or self.daemon.poll() is not None, f'"{text}" in the log')
        assert self.daemon.poll() is None, self.read("stemd.log")

    def answers(self):
        """Whether the daemon answers at all."""
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.connect(("127.0.0.1", self.port))
                client.settimeout(0.2)
                client.send(Osc.message("/ping"))
                return Osc.decode(client.recv(65536))[1] == ["/ping", "pong"]
        except OSError:
            return False

    def stemctl(self, *words):
        return self.run(STEMCTL, *words)

    def ok(self, *words):
        """Runs stemctl, which must succeed; returns what it printed."""
        result = self.stemctl(*words)
        assert result.returncode == 0, (words, result.stdout, result.stderr,
                                        self.read("stemd.log"))
        return result.stdout.strip()

    def osc(self, address=None):
        """A bare OSC client of the daemon; closed with the studio."""
        client = Osc(self.port if address is None else address)
        self.oscs.append(client)
        return client

    def status(self):
        """The daemon's status, by OSC."""
        client = self.osc()
        try:
            answer = client.ask("/status")
            assert answer[:2] == ["/reply", "/status"], answer
            return {path.rpartition("/")[2]: values[0] for path, values in client.data}
        finally:
            self.oscs.remove(client)
            client.close()

    def frames(self):
        return self.status()["frames"]

    def folders(self):
        """All take folders, in the order of their starts."""
        return sorted(self.takes.iterdir(), key=lambda f: self.manifest(f)["start_frame"])

    def record(self, seconds, *start):
        """Records until the take is that long on its own timeline; returns the folder."""
        self.ok("start", *start)
        self.run_for(seconds)
        return pathlib.Path(self.ok("stop"))

    def run_for(self, seconds):
        """Waits until the running take has grown by that much on its own timeline."""
        end = self.frames() + seconds * self.rate
        wait_for(lambda: self.frames() >= end, f"{seconds} s more of the take",
                 seconds=4 * seconds + PATIENCE, nap=0.05)

    def manifest(self, folder):
        return json.loads((pathlib.Path(folder) / "take.json").read_text())

    # Judgement

    def check(self, folder, channels, end_ruler=True):
        """Holds a take against the ruler. channels: (file, channel, [ports]). Returns the counts."""
        if end_ruler and self.ruler_process.poll() is None:
            self.end(self.ruler_process)
        path = self.folder / "map"
        path.write_text("".join(
            f"{file} {channel} {' '.join(map(str, ports))}\n" for file, channel, ports in channels))
        late = ["--late", self.late] if self.late else []
        result = self.run(CHECK, folder, path, "--bits", self.bits, "--log", self.ruler_log, *late)
        assert result.returncode == 0, result.stdout + result.stderr + self.read("stemd.log")
        words = result.stdout.split()
        return {words[k]: int(words[k + 1]) for k in range(len(words) - 12, len(words), 2)}


def mono_stems(count, width=2, first=1):
    """Stems S1 … of one mono ruler port each, and what they must hold."""
    stems, channels = [], []
    for k in range(count):
        stems.append(f'{{ name = "S{k + 1}"; channels = {width}; inputs = ( {{ name = "In"; '
                     f'from = "ruler:out_{first + k}"; }} ); }}')
        for channel in range(width):
            channels.append((f"{k + 1:02}_S{k + 1}.wav", channel + 1, [first + k]))
    return ", ".join(stems), channels
