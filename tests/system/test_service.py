"""stemd as a service: what it tells systemd, and the files that make it one.

The test stands in for systemd at the daemon's notification socket, so nothing here needs a running
systemd; tests/service has the real one."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading

import pytest

from studio import BUILD, PATIENCE, wait_for
from tracing import Frozen, thread_called

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ALIVE = "WATCHDOG=1"
HELD_UP = "the disk writer is held up"


class Notifications:
    """What the daemon said at $NOTIFY_SOCKET, in order."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.lines = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            data = self.socket.recv(65536)
            self.lines += data.decode().splitlines()

    def wait_for(self, line):
        wait_for(lambda: line in self.lines, f"{line} in {self.lines}")

    def more_turns(self, count):
        """Waits for that many more turns of the main loop's second, and returns what came with them
        whole: each turn tells its status, and after it perhaps that it is alive."""
        start = len(self.lines)
        wait_for(lambda: sum(line.startswith("STATUS=") for line in self.lines[start:]) > count,
                 "turns of the main loop", seconds=4 * count + PATIENCE)
        return self.lines[start:]


@pytest.fixture
def noted(studio):
    """A studio whose daemon tells its state to the test, as studio.notes."""
    path = studio.folder / "notify"
    studio.notes = Notifications(path)
    studio.environment |= {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "60000000"}
    studio.environment.pop("WATCHDOG_PID", None)
    return studio


ONE_STEM = '{ name = "Drums"; inputs = ( { name = "Kick"; from = "ruler:out_1"; } ); }'


def recording(studio, before=(), **settings):
    studio.server()
    studio.ruler(1)
    studio.configure(ONE_STEM, **settings)
    studio.stemd(before=before)
    studio.ok("start", "Song")


# What the daemon tells


def test_service_is_ready_without_a_server_when_osc_answers(noted):
    noted.configure(ONE_STEM)
    noted.stemd(wait=False)
    noted.notes.wait_for("READY=1")
    assert noted.answers()
    assert noted.status()["jack"] == "waiting"


def test_service_that_cannot_start_is_never_ready(noted):
    noted.configure(ONE_STEM, takes="/dev/null/takes")
    noted.stemd(wait=False)
    assert noted.daemon.wait(PATIENCE) == 1
    assert noted.notes.lines == []


def test_service_status_tells_what_goes_on(noted):
    noted.configure(ONE_STEM)
    noted.stemd(on_server=False)
    waiting = f'STATUS=waiting: cannot connect to JACK server "{noted.server_name}"'
    wait_for(lambda: any(line.startswith(waiting) for line in noted.notes.lines), waiting)
    noted.server()
    noted.notes.wait_for(f'STATUS=ready on JACK server "{noted.server_name}"')
    folder = noted.ok("start", "Song")
    noted.notes.wait_for(f'STATUS=recording "{folder}"')


def test_service_is_alive_without_a_server(noted):
    noted.configure(ONE_STEM)
    noted.stemd(wait=False)
    assert ALIVE in noted.notes.more_turns(2)


def test_service_tells_of_its_end_and_completes_the_take(noted):
    recording(noted)
    noted.run_for(0.2)
    assert "STOPPING=1" not in noted.notes.lines
    assert noted.end(noted.daemon) == 0
    noted.notes.wait_for("STOPPING=1")
    assert noted.notes.lines.index("READY=1") < noted.notes.lines.index("STOPPING=1")
    (folder,) = noted.folders()
    assert noted.manifest(folder)["progress"] == "complete"
    noted.check(folder, [("01_Drums.wav", 1, [1]), ("01_Drums.wav", 2, [1])])


def test_service_second_signal_does_not_wait_for_the_disk(noted):
    recording(noted)
    noted.run_for(0.2)
    with Frozen(thread_called(noted.daemon.pid, "stemd-writer")) as writer:
        noted.daemon.terminate()
        noted.notes.wait_for("STOPPING=1")
        assert noted.answers() and not writer.killed()  # the first one waits
        noted.daemon.terminate()
        wait_for(writer.killed, "the end", seconds=20)
    assert noted.daemon.wait(20) == 0
    assert not noted.socket.exists()
    assert noted.stemctl("recover", noted.takes).returncode == 0
    (folder,) = noted.folders()
    assert noted.manifest(folder)["progress"] == "recovered"
    noted.check(folder, [("01_Drums.wav", 1, [1]), ("01_Drums.wav", 2, [1])])


# The watchdog


def test_service_watchdog_starves_while_the_writer_hangs(noted):
    recording(noted)
    assert ALIVE in noted.notes.more_turns(2)
    with Frozen(thread_called(noted.daemon.pid, "stemd-writer")):
        noted.notes.more_turns(2)  # one may have begun before
        hungry = noted.notes.more_turns(3)
        assert ALIVE not in hungry
        assert all(line.endswith(HELD_UP) for line in hungry)
        assert noted.answers()
    assert ALIVE in noted.notes.more_turns(2)
    assert not noted.notes.more_turns(1)[0].endswith(HELD_UP)
    folder = noted.ok("stop")
    noted.check(folder, [("01_Drums.wav", 1, [1]), ("01_Drums.wav", 2, [1])])


def test_service_watchdog_starves_while_the_main_loop_hangs(noted):
    recording(noted)
    assert ALIVE in noted.notes.more_turns(2)
    with Frozen(noted.daemon.pid):
        before = len(noted.notes.lines)
        frames = wait_for_file_growth(noted)
        assert frames and noted.notes.lines[before:] == []
    assert ALIVE in noted.notes.more_turns(2)


def both_writers(studio):
    """Thread ids of the takes folder's writer and of the mirror's."""
    threads = pathlib.Path(f"/proc/{studio.daemon.pid}/task").iterdir()
    return sorted(int(thread.name) for thread in threads
                  if (thread / "comm").read_text() == "stemd-writer\n")


@pytest.mark.parametrize("hung", [0, 1])
def test_service_watchdog_is_fed_while_one_of_two_writers_lives(noted, hung):
    """Or a disk that hangs would end the take on the other one too; but no idle loop feeds it."""
    recording(noted, mirror=str(noted.folder / "mirror"))
    writers = both_writers(noted)
    with Frozen(writers[hung]):
        noted.notes.more_turns(2)
        assert ALIVE in noted.notes.more_turns(2)
        with Frozen(writers[1 - hung]):
            noted.notes.more_turns(2)
            assert ALIVE not in noted.notes.more_turns(3)
        noted.notes.more_turns(1)
        assert ALIVE in noted.notes.more_turns(2)


def test_service_watchdog_is_not_fed_by_a_writer_that_has_no_take(noted):
    """The disk of the takes folder has ended its copy: its writer idles and feeds nothing."""
    recording(noted, mirror=str(noted.folder / "mirror"))
    (folder,) = noted.takes.iterdir()
    copy = noted.folder / "mirror" / folder.name
    noted.wait_for_log("mirror: recording")
    assert copy.exists()
    mirror = both_writers(noted)[1]
    with Frozen(mirror):
        noted.run("prlimit", f"--pid={noted.daemon.pid}", "--fsize=65536")
        wait_for(lambda: noted.manifest(folder)["progress"] == "failed", "the limit")
        noted.notes.more_turns(2)
        assert noted.status()["state"] == "recording"
        assert ALIVE not in noted.notes.more_turns(3)


def wait_for_file_growth(studio):
    """The writer goes on without the main loop: a clock that the loop has no part in."""
    (folder,) = studio.takes.iterdir()
    file = next(folder.glob("01_*"))
    first = file.stat().st_size
    return wait_for(lambda: file.stat().st_size >= first + 3 * studio.rate * 6, "3 s of audio")


@pytest.mark.parametrize("tape, asked", [(10.0, []), (90.0, ["WATCHDOG_USEC=120000000"])])
def test_service_watchdog_waits_longer_than_the_tape(noted, tape, asked):
    noted.configure(ONE_STEM, tape=tape)
    noted.stemd(wait=False)
    noted.notes.more_turns(1)
    assert [line for line in noted.notes.lines if "USEC" in line] == asked


# The files


def need(tool):
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Everything installed below an empty folder, with the prefix of this build."""
    need("meson")
    root = tmp_path_factory.mktemp("root")
    result = run("meson", "install", "-C", BUILD, "--no-rebuild",
                 env=dict(os.environ, DESTDIR=str(root)))
    assert result.returncode == 0, result.stdout + result.stderr
    return root


def find(root, end):
    (path,) = [path for path in root.rglob("*") if str(path).endswith(end)]
    return path


def test_service_files_go_where_systemd_looks(tmp_path):
    """For the prefix of a package, at the real places; for another one, nothing outside of it."""
    need("meson")
    expected = {
        "/usr": ["/usr/bin/stemd", "/usr/bin/stemctl", "/etc/stemd/stemd.conf",
                 ("/lib/systemd/system/stemd.service", "/usr/lib/systemd/system/stemd.service"),
                 "/usr/lib/systemd/user/stemd.service", "/usr/lib/sysusers.d/stemd.conf",
                 "/usr/lib/tmpfiles.d/stemd.conf", "/usr/share/man/man1/stemd.1",
                 "/usr/share/man/man1/stemctl.1", "/usr/share/man/man5/stemd.conf.5",
                 "/usr/share/doc/stemd/examples/jackd.service"],
        "/opt/stems": ["/opt/stems/lib/systemd/system/stemd.service",
                       "/opt/stems/lib/systemd/user/stemd.service",
                       "/opt/stems/lib/sysusers.d/stemd.conf",
                       "/opt/stems/lib/tmpfiles.d/stemd.conf"]}
    for prefix, paths in expected.items():
        build = tmp_path / prefix.strip("/").replace("/", "-")
        result = run("meson", "setup", build, SOURCE, f"--prefix={prefix}", "--sysconfdir=/etc")
        assert result.returncode == 0, result.stdout + result.stderr
        places = json.loads(run("meson", "introspect", "--installed", build).stdout).values()
        for path in paths:
            assert set([path] if isinstance(path, str) else path) & set(places), (path, places)
        outside = [place for place in places if not place.startswith((prefix, "/etc/stemd/"))]
        assert prefix == "/usr" or not outside


@pytest.mark.parametrize("unit", ["system/stemd.service", "user/stemd.service"])
def test_service_units_start_the_installed_program(installed, unit):
    text = find(installed, f"systemd/{unit}").read_text()
    (program,) = re.findall(r"^ExecStart=(\S+)", text, re.MULTILINE)
    assert os.access(f"{installed}{program}", os.X_OK), program


@pytest.mark.parametrize("unit, scope", [("system/stemd.service", "--system"),
                                         ("user/stemd.service", "--user"),
                                         ("examples/jackd.service", "--system")])
def test_service_units_are_understood(installed, tmp_path, unit, scope):
    need("systemd-analyze")
    copy = tmp_path / pathlib.Path(unit).name
    text = find(installed, f"/{unit}").read_text()
    copy.write_text(re.sub(r"^ExecStart=(\S+/stemd)$", rf"ExecStart={installed}\1", text,
                           flags=re.MULTILINE))
    result = run("systemd-analyze", "verify", scope, "--man=no", copy,
                 env=dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path)))
    ours = [line for line in result.stderr.splitlines() if copy.name in line]
    assert ours == [] and result.returncode == 0, result.stderr


def test_service_is_hardened(installed):
    need("systemd-analyze")
    result = run("systemd-analyze", "security", "--offline=yes", "--threshold=15", "--no-pager",
                 find(installed, "system/stemd.service"))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("setting", ["RestrictRealtime=yes", "SystemCallFilter=~@resources",
                                     "DynamicUser=yes", "RemoveIPC=yes", "PrivateNetwork=yes"])
def test_service_hardening_leaves_jack_and_osc_alone(installed, setting):
    assert setting not in find(installed, "system/stemd.service").read_text().splitlines()


def test_service_account_can_be_made(installed, tmp_path):
    need("systemd-sysusers")
    (tmp_path / "etc").mkdir()
    result = run("systemd-sysusers", f"--root={tmp_path}", find(installed, "sysusers.d/stemd.conf"))
    assert result.returncode == 0, result.stderr
    users = [line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()]
    groups = [line.split(":") for line in (tmp_path / "etc/group").read_text().splitlines()]
    (audio,) = [group for group in groups if group[0] == "audio"]
    (stemd,) = [user for user in users if user[0] == "stemd"]
    assert stemd[3] == audio[2] and stemd[5] == "/srv" and stemd[6].endswith("nologin")
    unit = find(installed, "system/stemd.service").read_text().splitlines()
    assert "User=stemd" in unit and "Group=audio" in unit


def test_service_takes_folder_can_be_made(installed, tmp_path):
    need("systemd-tmpfiles")
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another account")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nstemd:x:731:732::/srv:\n")
    (tmp_path / "etc/group").write_text("root:x:0:\naudio:x:732:\n")
    result = run("systemd-tmpfiles", f"--root={tmp_path}", "--create",
                 find(installed, "tmpfiles.d/stemd.conf"))
    assert result.returncode == 0, result.stderr
    state = (tmp_path / "srv/takes").stat()
    assert (state.st_uid, state.st_gid, oct(state.st_mode & 0o7777)) == (731, 732, "0o2770")
    unit = find(installed, "system/stemd.service").read_text()
    assert "ReadWritePaths=-/srv/takes" in unit


def test_service_files_are_the_groups_own(installed, tmp_path):
    """Whatever the file-creation mask of who records, members of the group may do everything."""
    test_service_takes_folder_can_be_made(installed, tmp_path)
    take = tmp_path / "srv/takes/take"
    before = os.umask(0o077)
    try:
        take.mkdir()
        (take / "file").write_text("")
    finally:
        os.umask(before)
    if oct(take.stat().st_mode & 0o7777) == "0o2700":
        pytest.skip("no access-control lists on this file system")
    assert oct(take.stat().st_mode & 0o7777) == "0o2770" and take.stat().st_gid == 732
    assert oct((take / "file").stat().st_mode & 0o7777) == "0o660"
