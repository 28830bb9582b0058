"""stemd.service on a real systemd. Each test begins with the service as it is installed, stopped."""

import os
import re

import pytest

from service import EXAMPLES, SETTINGS, threads
from studio import PATIENCE, wait_for
from tracing import Frozen, thread_called

UNITS = "/usr/local/lib/systemd"
PROMISCUOUS = "JACK_PROMISCUOUS_SERVER=audio"


# Installation


def test_machine_has_the_account_and_the_folder_for_takes(service):
    assert service.machine.out("id", "-gn", "stemd") == "audio"
    assert service.machine.out("stat", "-c", "%U:%G %a", "/srv/takes") == "stemd:audio 2770"


def test_machine_understands_the_units(service):
    for unit in (f"{UNITS}/system/stemd.service", f"{EXAMPLES}/jackd.service"):
        result = service.machine.run("systemd-analyze", "verify", "--man=no", unit)
        assert result.stdout + result.stderr == ""


def test_machine_counts_the_service_as_hardened(service):
    service.machine.run("systemd-analyze", "security", "--offline=yes", "--threshold=15", f"{UNITS}/system/stemd.service")


def test_machine_starts_the_service_at_boot_when_enabled(service):
    service.machine.run("systemctl", "enable", "stemd")
    wanted = service.machine.out("systemctl", "show", "multi-user.target", "--property=Wants")
    service.machine.run("systemctl", "disable", "stemd")
    assert "stemd.service" in wanted.replace("=", " ").split()


# Life


def test_machine_service_is_ready_without_a_server(service):
    service.machine.run("systemctl", "start", "stemd")  # returns when it is ready
    assert service.stemctl("ping") == "pong"
    service.wait_for_status('waiting: cannot connect to JACK server "default"')
    assert 'waiting: cannot connect' in service.machine.out("systemctl", "status", "stemd")


def test_machine_service_records_exactly(service):
    service.up()
    folder = service.start(1)
    service.wait_for_status(f'recording "{folder}"')
    assert service.stemctl("stop") == folder
    service.check(folder)
    service.machine.run("stemctl", "verify", folder)


def test_machine_takes_belong_to_the_group(service):
    service.up()
    folder = service.start(0.1)
    service.stemctl("stop")
    files = service.machine.out("find", folder, "-printf", "%y %u:%g %m\n").splitlines()
    assert set(files) == {"d stemd:audio 2770", "f stemd:audio 660"}


def test_machine_stop_of_the_service_completes_the_take(service):
    service.up()
    folder = service.start(0.5)
    service.machine.run("systemctl", "stop", "stemd")
    assert service.show("ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    assert service.take(folder)["progress"] == "complete"
    service.check(folder)


def test_machine_restart_of_the_server_is_survived(service):
    service.up()
    service.machine.run("systemctl", "stop", "stemdtest-ruler", "jackd")
    service.wait_for_status("waiting")
    service.machine.run("systemctl", "start", "jackd")
    service.wait_for_status('ready on JACK server "default"')
    service.ruler()
    wait_for(lambda: service.connected() == ["2", "1"], "connections again", nap=0.2)
    assert service.show("NRestarts")["NRestarts"] == "0"
    folder = service.start(0.3)
    service.stemctl("stop")
    service.check(folder)


def test_machine_killed_service_comes_back(service):
    service.up()
    broken = service.start(2.5)
    service.machine.run("systemctl", "kill", "--signal=KILL", "stemd")
    service.wait_for_state(NRestarts=1, ActiveState="active", SubState="running")
    service.wait_for_status('ready on JACK server "default"')
    wait_for(lambda: service.connected() == ["2", "1"], "connections again", nap=0.2)
    folder = service.start(0.3, "Next")
    service.stemctl("stop")
    assert service.take(folder)["progress"] == "complete"
    service.check(folder)
    assert service.machine.path(f"{broken}/01_Drums.wav").stat().st_size > 48000 * 6


@pytest.mark.parametrize("thread", ["main", "writer"])
def test_machine_watchdog_ends_a_service_that_hangs(service, thread):
    """The unit's minute is shortened; the daemon asks for half a minute beyond its tape."""
    service.drop_in("[Service]\nWatchdogSec=2\n")
    service.up()
    folder = service.start(0.1)
    pid = service.pid()
    with Frozen(pid if thread == "main" else thread_called(pid, "stemd-writer")) as frozen:
        wait_for(frozen.killed, "the watchdog", seconds=35 + PATIENCE, nap=0.2)
    service.wait_for_state(NRestarts=1, ActiveState="active", SubState="running")
    assert "Watchdog timeout (limit 35s)" in service.journal()
    service.wait_for_status("ready on JACK server")
    assert service.machine.path(folder).exists()


def test_machine_service_that_cannot_start_says_why_and_gives_up(service):
    service.settings(SETTINGS.replace("tape = 5.0", 'tape = "long"'))
    service.drop_in("[Service]\nRestartSec=100ms\n")
    result = service.machine.run("systemctl", "start", "stemd", check=False)
    assert result.returncode != 0
    service.wait_for_state(ActiveState="failed", NRestarts=10)
    assert re.search(r"stemd\.conf:2: tape: expected a number", service.journal())


# Confinement


def test_machine_service_writes_nowhere_else(service):
    service.machine.run("install", "-d", "-o", "stemd", "/var/elsewhere")
    service.settings(SETTINGS.replace("~/takes", "/var/elsewhere"))
    result = service.machine.run("systemctl", "start", "stemd", check=False)
    assert result.returncode != 0
    assert 'cannot write to the takes folder "/var/elsewhere": Read-only' in service.journal()
    service.machine.run("systemctl", "stop", "stemd")
    service.machine.run("systemctl", "reset-failed", "stemd", check=False)
    service.drop_in("[Service]\nReadWritePaths=/var/elsewhere\n")
    service.machine.run("systemctl", "start", "stemd")


def test_machine_service_has_no_capability(service):
    service.machine.run("systemctl", "start", "stemd")
    status = open(f"/proc/{service.pid()}/status").read()
    for kind in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert re.search(rf"^{kind}:\t0+$", status, re.MULTILINE), status
    assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)


def test_machine_socket_in_the_runtime_folder_is_for_the_group(service):
    service.settings('osc: { listen = [ "unix:///run/stemd/osc" ]; };\n' + SETTINGS)
    service.machine.run("systemctl", "start", "stemd")
    ask = ("stemctl", "--url", "unix:///run/stemd/osc", "ping")
    for user, groups, code in (("fan", "audio", 0), ("stranger", "", 3)):
        add_user(service, user, groups)
        result = service.machine.run(*ask, user=user, check=False)
        assert result.returncode == code, (user, result.stdout, result.stderr)


# Real time

CAPABLE = ("[Service]\nPrivateUsers=no\nAmbientCapabilities=CAP_SYS_NICE CAP_IPC_LOCK\n"
           "CapabilityBoundingSet=CAP_SYS_NICE CAP_IPC_LOCK\n")


def limits_can_be_raised(service):
    service.machine.run("systemctl", "start", "stemd")
    limits = open(f"/proc/{service.pid()}/limits").read()
    service.machine.run("systemctl", "stop", "stemd")
    return bool(re.search(r"^Max realtime priority +95 ", limits, re.MULTILINE))


def test_machine_service_works_in_real_time(service):
    """By the unit's limits alone; where this machine lets nobody raise limits, by capabilities in
    their place, which still shows that the confinement does not stand in the way."""
    if not limits_can_be_raised(service):
        print("limits cannot be raised on this machine: capabilities stand in for them")
        service.drop_in(CAPABLE)
        service.drop_in(CAPABLE, "jackd", "capable")
    service.settings(SETTINGS.replace("tape = 5.0", "tape = 60.0"))
    service.server()
    service.machine.run("systemctl", "start", "stemd")
    service.wait_for_status("ready on JACK server")
    assert "could not be locked" not in service.log()
    pid = service.pid()
    locked = re.search(r"^VmLck:\s+(\d+) kB", open(f"/proc/{pid}/status").read(), re.MULTILINE)
    assert int(locked.group(1)) * 1024 > 60 * 48000 * 4 * 4
    real_time = [row for row in threads(pid) if row[1] == os.SCHED_FIFO]
    assert len(real_time) == 1 and real_time[0][2] > 50, threads(pid)


# Beside somebody else's server, and for one user


def add_user(service, name, groups=""):
    service.machine.run("useradd", "--create-home", "--groups", groups, name, check=False)


def session(service, user):
    """A session of a user's own systemd."""
    add_user(service, user, "audio")
    service.machine.run("loginctl", "enable-linger", user)
    wait_for(lambda: service.machine.run("systemctl", "--user", "is-system-running", user=user,
                                         check=False).stdout.strip() in ("running", "degraded"),
             "the user's session", nap=0.2)
    return lambda *words, **options: service.machine.run(*words, user=user, **options)


@pytest.fixture
def drummer(service):
    yield session(service, "drummer")
    service.machine.run("loginctl", "disable-linger", "drummer")
    service.machine.run("systemctl", "stop", f"user@{service.machine.uid('drummer')}")


def start_server(as_user, *environment):
    as_user("systemd-run", "--user", "--unit=jackd", "--property=UMask=0007",
            *[f"--setenv={word}" for word in environment], "/usr/bin/jackd", "--no-realtime",
            "--sync", "-d", "dummy", "-r", "48000", "-p", "256")


def test_machine_user_has_a_service_of_their_own(service, drummer):
    start_server(drummer)
    service.machine.write("/home/drummer/.config/stemd/stemd.conf",
                          'takes = "~/takes"; tape = 2.0;\n'
                          'stems = ( { name = "A"; inputs = ( { name = "In"; } ); } );\n')
    drummer("systemctl", "--user", "start", "stemd")
    wait_for(lambda: "ready on JACK server" in drummer(
        "systemctl", "--user", "show", "stemd", "--property=StatusText").stdout, "the server", nap=0.2)
    folder = service.start(0.3)
    assert folder.startswith("/home/drummer/takes/")
    drummer("systemctl", "--user", "stop", "stemd")
    assert service.take(folder)["progress"] == "complete"
    drummer("stemctl", "verify", folder)


def test_machine_service_records_from_a_server_of_somebody_else(service, drummer):
    start_server(drummer, PROMISCUOUS)
    service.machine.run("install", "-D", "-m", "644", f"{EXAMPLES}/promiscuous.conf",
                        "/etc/systemd/system/stemd.service.d/promiscuous.conf")
    service.machine.run("systemctl", "daemon-reload")
    service.settings()
    service.machine.run("systemctl", "start", "stemd")
    service.wait_for_status('ready on JACK server "default"')
    drummer("systemd-run", "--user", "--unit=ruler", "--property=UMask=0007",
            f"--setenv={PROMISCUOUS}", "ruler", "--server", "default", "--ports", "4", "--bits",
            "24", "--log", "/tmp/late")
    wait_for(lambda: service.connected() == ["2", "1"], "connections", nap=0.2)
    folder = service.start(0.5)
    service.stemctl("stop")
    drummer("systemctl", "--user", "stop", "ruler")
    service.check(folder)
