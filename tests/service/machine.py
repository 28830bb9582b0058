"""A small Debian with systemd, booted in a container, with stemd installed in it.

The container shares the kernel and nothing else: its own processes, network, shared memory, users'
names and control groups. What is installed and changed lies in an overlay and goes with it."""

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

from studio import BUILD, PATIENCE, STEMCTL, STEMD, wait_for

HERE = pathlib.Path(__file__).resolve().parent
STORE = HERE.parents[1] / "build-service"

# What the tests use besides stemd itself. The last three make sessions of users possible.
PACKAGES = ["systemd", "systemd-sysv", "jackd2", "dbus", "dbus-user-session", "libpam-systemd"]


def codename():
    """The release that our programs were built on, since they are to run there."""
    text = pathlib.Path("/etc/os-release").read_text()
    return re.search(r"^VERSION_CODENAME=(\w+)", text, re.MULTILINE).group(1)


def libraries():
    """The packages of the libraries that our programs load."""
    paths = set()
    for program in (STEMD, STEMCTL):
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        paths |= {path.rsplit("/", 1)[1] for path in re.findall(r"=> (/\S+)", listed)}
    owners = subprocess.run(["dpkg-query", "-S"] + [f"*/{path}" for path in sorted(paths)],
                            capture_output=True, text=True).stdout
    return {line.partition(":")[0] for line in owners.splitlines() if ", " not in line}


def base():
    """The folder of the unchanged Debian; made when it is not there."""
    packages = sorted({*PACKAGES, *libraries()})
    mark = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8]
    folder = STORE / f"debian-{codename()}-{mark}"
    STORE.mkdir(exist_ok=True)
    with open(STORE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            make_base(folder, packages)
    return folder


def make_base(folder, packages):
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    print(f"making {folder.name} in {STORE.name}/ (once)", flush=True)
    log = STORE / "debootstrap.log"
    with open(log, "w") as out:
        status = subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", codename(),
             str(part)], stdout=out, stderr=subprocess.STDOUT).returncode
    assert status == 0, f"debootstrap failed, see {log}:\n{log.read_text()[-800:]}"
    part.rename(folder)
    if not list(STORE.glob("scratch.*")):  # older ones, unless somebody is using them
        for old in set(STORE.glob("debian-*")) - {folder}:
            shutil.rmtree(old)


class Machine:
    def __init__(self):
        lower = base()
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="scratch.", dir=STORE))
        self.cgroup = f"stemdtest{os.getpid()}"
        self.first = None
        self.log = self.scratch / "console"
        with open(self.log, "w") as out:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", HERE / "boot", lower,
                 self.scratch, BUILD, self.cgroup], stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True)
        try:
            self.first = wait_for(self.find_first, "the container")
            wait_for(self.is_up, "the end of the boot", nap=0.2)
        except BaseException:
            print(self.log.read_text(errors="replace")[-4000:])
            self.end()
            raise

    def find_first(self):
        """Our number of the container's process 1."""
        assert self.process.poll() is None, "systemd-nspawn ended"
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
                if (re.search(rf"^PPid:\t{self.process.pid}$", text, re.MULTILINE)
                        and re.search(r"^NSpid:\t\d+\t1$", text, re.MULTILINE)):
                    return int(status.parent.name)
            except OSError:
                continue
        return None

    def is_up(self):
        assert self.process.poll() is None, "the container ended"
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def outer(self, pid):
        """Our number of a process of the container."""
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
                same = os.stat(status.parent / "ns/pid").st_ino == os.stat(
                    f"/proc/{self.first}/ns/pid").st_ino
            except OSError:
                continue
            if same and re.search(rf"^NSpid:.*\t{pid}$", text, re.MULTILINE):
                return int(status.parent.name)
        raise AssertionError(f"no process {pid} in the container")

    def run(self, *words, user=None, check=True, timeout=PATIENCE * 3):
        """Runs a command in the container, as root or as somebody else."""
        as_user = ["runuser", "-u", user, "--"] if user else []
        home = [f"XDG_RUNTIME_DIR=/run/user/{self.uid(user)}"] if user else ["HOME=/root"]
        result = subprocess.run(
            ["nsenter", "--target", str(self.first), "--all", "--wd=/", "--", *as_user, "env",
             "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
             "LANG=C.UTF-8", *home, *[str(word) for word in words]],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        assert not check or result.returncode == 0, (words, result.stdout, result.stderr)
        return result

    def out(self, *words, **options):
        return self.run(*words, **options).stdout.strip()

    def uid(self, user):
        return self.out("id", "-u", user)

    def path(self, path):
        """A path of the container, for us."""
        return pathlib.Path(f"/proc/{self.first}/root{path}")

    def write(self, path, text):
        self.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path(path).write_text(text)

    def end(self):
        if self.first and self.process.poll() is None:
            os.kill(self.first, signal.SIGRTMIN + 4)  # power off
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.kill(self.first, signal.SIGKILL)  # and all others with it
        elif self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             "mount -t cgroup2 none /sys/fs/cgroup && "
             f"find /sys/fs/cgroup/{self.cgroup} -depth -type d -exec rmdir {{}} ';'"],
            stderr=subprocess.DEVNULL)
        shutil.rmtree(self.scratch, ignore_errors=True)
