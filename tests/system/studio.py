"""A studio for tests: a private JACK server, the ruler, stemd and stemctl, all real programs.

Nothing here is shared with other servers of the machine: server names, ports and folders are our own,
and everything is ended when the test ends, whatever happened.
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time

BUILD = pathlib.Path(os.environ.get("STEMD_BUILD", "build")).resolve()
STEMD = BUILD / "daemon/stemd"
STEMCTL = BUILD / "client/stemctl"
RULER = BUILD / "tests/support/ruler"
CHECK = BUILD / "tests/support/ruler_check"

# Generous: slow machines and sanitizers only make a test wait, not fail.
PATIENCE = float(os.environ.get("STEMD_PATIENCE", "60"))


def wait_for(condition, what, seconds=PATIENCE):
    """Waits until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds:g} s in vain: {what}")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Osc:
    """A bare OSC client, independent of stemctl and liblo."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))

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
        whole = int(unix_time)
        tag = struct.pack(">II", whole + 2208988800, int((unix_time - whole) * 2**32))
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


class Studio:
    def __init__(self, folder, name):
        self.folder = folder
        self.server_name = name
        self.takes = folder / "takes"
        self.takes.mkdir()
        self.port = free_port()
        self.processes = []
        self.rate = 48000
        self.environment = dict(
            os.environ, JACK_NO_AUDIO_RESERVATION="1", JACK_DEFAULT_SERVER=name,
            STEMCTL_URL=f"udp://127.0.0.1:{self.port}", XDG_CONFIG_HOME=str(folder / "none"))

    # Programs

    def start(self, *command, log=None, **options):
        out = open(self.folder / log, "ab") if log else subprocess.DEVNULL
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT if log else out, env=self.environment,
            start_new_session=True, **options)
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
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        for path in pathlib.Path("/dev/shm").glob(f"jack_*{self.server_name}*"):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()

    # The graph

    def server(self, period=256, rate=48000, sync=True, realtime=False, ports=None):
        """Starts the JACK server. Synchronous mode, because in asynchronous mode a client behind a
        late one sees the next cycle's time with the late one's samples: no recorder can know."""
        self.rate = rate
        command = ["jackd", "-n", self.server_name]
        command += ["-R"] if realtime else ["-r"]
        command += ["-S"] if sync else []
        command += ["-p", ports] if ports else []
        self.jackd = self.start(*command, "-d", "dummy", "-r", rate, "-p", period, log="jackd.log")
        wait_for(lambda: self.run("jack_lsp").returncode == 0, "JACK server")
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

    def configure(self, stems, **settings):
        """Writes a configuration; stems is the text of the stem list."""
        settings.setdefault("tape", 10.0)
        lines = [f'takes = "{self.takes}";', f'server = "{self.server_name}";',
                 f'osc: {{ listen = [ "udp://127.0.0.1:{self.port}" ]; }};']
        for key, value in settings.items():
            if key in ("mix", "returns"):
                lines.append(f"{key} = {value};")
            else:
                lines.append(f"{key} = {json.dumps(value)};")
        lines.append(f"stems = ( {stems} );")
        self.config = self.folder / "stemd.conf"
        self.config.write_text("\n".join(lines) + "\n")
        return self.config

    def stemd(self, *options, wait=True):
        process = self.start(STEMD, "-c", self.config, *options, log="stemd.log")
        self.daemon = process
        if wait:
            wait_for(lambda: "of them connected" in self.read("stemd.log")
                     or process.poll() is not None, "stemd on the server")
            assert process.poll() is None, self.read("stemd.log")
        return process

    def stemctl(self, *words):
        return self.run(STEMCTL, *words)

    def ok(self, *words):
        """Runs stemctl, which must succeed; returns what it printed."""
        result = self.stemctl(*words)
        assert result.returncode == 0, (words, result.stdout, result.stderr,
                                        self.read("stemd.log"))
        return result.stdout.strip()

    def status(self):
        return json.loads(self.ok("status", "--json"))

    def frames(self):
        return self.status()["frames"]

    def record(self, seconds, *start):
        """Records until the take is that long on its own timeline; returns the folder."""
        self.ok("start", *start)
        self.run_for(seconds)
        return pathlib.Path(self.ok("stop"))

    def run_for(self, seconds):
        """Waits until the running take has grown by that much."""
        end = self.frames() + seconds * self.rate
        wait_for(lambda: self.frames() >= end, f"{seconds} s more of the take")

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
        result = self.run(CHECK, folder, path, "--bits", self.bits, "--log", self.ruler_log)
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
