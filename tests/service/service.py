"""stemd.service and jackd.service in the machine, and takes recorded with them."""

import json
import os
import pathlib

from studio import PATIENCE, wait_for

DROP_INS = "/etc/systemd/system"
CONFIG = "/usr/local/etc/stemd/stemd.conf"
EXAMPLES = "/usr/local/share/doc/stemd/examples"
RULER = "stemdtest-ruler"

# The example's server, with the driver that needs no sound card, and waiting for late clients: the
# graph never skips a cycle then, however slow the machine.
DUMMY = ("[Service]\nExecStart=\n"
         "ExecStart=/usr/bin/jackd --realtime -P 70 --sync -d dummy -r 48000 -p 256\n")

SETTINGS = '''takes = "~/takes";
tape = 5.0;
stems = (
  { name = "Drums"; inputs = ( { name = "Kit"; from = [ "ruler:out_1", "ruler:out_2" ]; } ); },
  { name = "Bass"; inputs = ( { name = "DI"; from = "ruler:out_3"; } ); }
);
'''
CHANNELS = ("01_Drums.wav 1 1\n01_Drums.wav 2 2\n"
            "02_Bass.wav 1 3\n02_Bass.wav 2 3\n")


class Service:
    def __init__(self, machine):
        self.machine = machine
        self.installed = machine.path(CONFIG).read_text()

    def reset(self):
        m = self.machine
        m.run("systemctl", "stop", RULER, "stemd", "jackd", check=False)
        m.run("systemctl", "reset-failed", check=False)
        m.run("rm", "-rf", f"{DROP_INS}/stemd.service.d", f"{DROP_INS}/jackd.service.d",
              f"{DROP_INS}/jackd.service", "/srv/takes", "/tmp/late")
        m.write(CONFIG, self.installed)
        m.run("systemd-sysusers")
        m.run("systemd-tmpfiles", "--create", "/usr/local/lib/tmpfiles.d/stemd.conf")
        m.run("systemctl", "daemon-reload")

    def settings(self, text=SETTINGS):
        self.machine.write(CONFIG, text)

    def drop_in(self, text, unit="stemd", name="test"):
        self.machine.write(f"{DROP_INS}/{unit}.service.d/{name}.conf", text)
        self.machine.run("systemctl", "daemon-reload")

    def show(self, *properties):
        """Properties of stemd.service, as text."""
        out = self.machine.out("systemctl", "show", "stemd",
                               *[f"--property={name}" for name in properties])
        return dict(line.partition("=")[::2] for line in out.splitlines())

    def wait_for_state(self, **wanted):
        wait_for(lambda: self.show(*wanted) == {k: str(v) for k, v in wanted.items()},
                 f"{wanted}; {self.log()}", seconds=2 * PATIENCE, nap=0.2)

    def wait_for_status(self, text):
        wait_for(lambda: text in self.show("StatusText")["StatusText"],
                 f"the status {text}; {self.log()}", nap=0.2)

    def pid(self):
        return self.machine.outer(int(self.show("MainPID")["MainPID"]))

    def log(self, unit="stemd"):
        """What the unit logged since it was started last."""
        invocation = self.machine.out("systemctl", "show", unit, "--property=InvocationID",
                                      "--value")
        self.machine.run("journalctl", "--sync", check=False)
        return self.machine.out("journalctl", "--output=cat", f"_SYSTEMD_INVOCATION_ID={invocation}",
                                "+", f"INVOCATION_ID={invocation}", check=False)

    def journal(self):
        self.machine.run("journalctl", "--sync", check=False)
        return self.machine.out("journalctl", "--output=cat", "--unit=stemd", check=False)

    # A server, and something to record

    def server(self):
        """The server of the examples, beside stemd as installed."""
        self.machine.run("cp", f"{EXAMPLES}/jackd.service", DROP_INS)
        self.drop_in(DUMMY, "jackd")
        self.machine.run("systemctl", "start", "jackd")

    def ruler(self):
        self.machine.run("systemd-run", f"--unit={RULER}", "--uid=stemd", "--gid=audio",
                         "--property=LimitRTPRIO=95", "--property=LimitMEMLOCK=infinity", "--collect",
                         "ruler", "--server", "default", "--ports", "4", "--bits", "24", "--log",
                         "/tmp/late")

    def up(self):
        """The whole: server, ruler, and stemd connected to both."""
        self.settings()
        self.server()
        self.machine.run("systemctl", "start", "stemd")
        self.wait_for_status('ready on JACK server "default"')
        self.ruler()
        wait_for(lambda: self.connected() == ["2", "1"], f"connections; {self.log()}", nap=0.2)

    def connected(self):
        stems = json.loads(self.stemctl("stems", "--json"))["stems"]
        return [str(stem["connected"]) for stem in stems]

    def stemctl(self, *words, check=True):
        return self.machine.out("stemctl", *words, check=check)

    def frames(self):
        return json.loads(self.stemctl("status", "--json"))["frames"]

    def start(self, seconds, title="Song"):
        """Starts a take and waits until it is that long; its folder."""
        folder = self.stemctl("start", title)
        wait_for(lambda: self.frames() > seconds * 48000, f"{seconds} s of the take", nap=0.1)
        return folder

    def take(self, folder):
        return json.loads(self.machine.path(f"{folder}/take.json").read_text())

    def check(self, folder):
        """Every sample of the take is the ruler's."""
        self.machine.run("systemctl", "stop", RULER, check=False)
        self.machine.write("/tmp/map", CHANNELS)
        self.machine.run("ruler_check", folder, "/tmp/map", "--bits", "24", "--log", "/tmp/late")


def threads(pid):
    """(name, scheduling policy, priority) of all threads of one of our processes."""
    rows = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        policy = os.sched_getscheduler(int(task.name)) & ~os.SCHED_RESET_ON_FORK
        rows.append(((task / "comm").read_text().strip(), policy,
                     os.sched_getparam(int(task.name)).sched_priority))
    return rows
