"""Disks of their own for tests: an ext4 in a file, which can be frozen, made to fail, and made
read-only, for real. Needs root and loop devices."""

import os
import pathlib
import shutil
import subprocess

import pytest

from studio import BUILD, wait_for

POWER_DISK = BUILD / "tests/support/power_disk"

needs_loop = pytest.mark.skipif(
    os.getuid() != 0 or not os.path.exists("/dev/loop-control") or not shutil.which("mkfs.ext4"),
    reason="needs root and loop devices")
needs_fuse = pytest.mark.skipif(
    not os.path.exists("/dev/fuse") or not POWER_DISK.exists(), reason="needs FUSE")


def must(*command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stdout


class Disk:
    """An ext4 on a loop device, on a file of the test's folder. What programs left open is closed
    with the studio: close this before, so that none of them waits for a frozen disk."""

    def __init__(self, studio, megabytes=192, options="errors=remount-ro"):
        self.studio = studio
        self.image = studio.folder / "disk.img"
        self.inside = studio.folder / "disk"
        self.is_frozen = False
        with open(self.image, "wb") as image:
            image.truncate(megabytes << 20)
        must("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)
        self.inside.mkdir()
        self.loop = must("losetup", "--find", "--show", self.device()).strip()
        self.mount(options)
        studio.takes = self.inside / "takes"
        studio.takes.mkdir()
        os.sync()

    def device(self):
        """The file that the loop device is on."""
        return self.image

    def mount(self, options="defaults"):
        must("mount", "-o", options, self.loop, self.inside)

    def unmount(self):
        must("umount", self.inside)

    def freeze(self):
        must("fsfreeze", "--freeze", self.inside)
        self.is_frozen = True

    def thaw(self):
        must("fsfreeze", "--unfreeze", self.inside)
        self.is_frozen = False

    def close(self):
        if self.is_frozen:
            self.thaw()
        self.studio.close()
        for command in (["umount", "-l", self.inside], ["losetup", "-d", self.loop]):
            subprocess.run(command, check=False, capture_output=True)


class FaultyDisk(Disk):
    """The same on a device that can be told to fail."""

    def device(self):
        self.outside = self.studio.folder / "fuse"
        self.outside.mkdir()
        self.server = self.studio.start(POWER_DISK, self.outside, self.image,
                                        self.studio.folder / "writes", log="power_disk.log")
        self.studio.processes.remove(self.server)  # it goes last
        wait_for(lambda: (self.outside / "disk").exists() or self.server.poll() is not None, "FUSE")
        return self.outside / "disk"

    def break_down(self):
        """From now on every write and flush of the device fails."""
        pathlib.Path(f"{self.image}.broken").touch()

    def repair(self):
        pathlib.Path(f"{self.image}.broken").unlink(missing_ok=True)

    def close(self):
        self.repair()
        super().close()
        subprocess.run(["umount", "-l", self.outside], check=False, capture_output=True)
        self.studio.end_surely(self.server)
