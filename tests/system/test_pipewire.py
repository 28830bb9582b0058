"""stemd on PipeWire's JACK: a private PipeWire without sound hardware, driven by its dummy driver.

PipeWire tells a client nothing when it goes: no shutdown callback, no callback at all. stemd then
finds out by itself, after twelve seconds without a cycle."""

import pathlib
import shutil
import signal
import time

import pytest

from studio import Studio, wait_for
from test_gaps import check_both_lives, reasons, steps

LIBRARIES = [path.parent for path in pathlib.Path("/usr/lib").glob("*/pipewire-0.3/jack/libjack.so.0")]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(
    not LIBRARIES or not shutil.which("pipewire"), reason="needs pipewire and pipewire-jack")]

# As minimal.conf of PipeWire, without sound cards.
CONFIG = """
context.properties = {
    core.daemon = true
    core.name = pipewire-0
    support.dbus = false
    default.clock.rate = RATE
    default.clock.allowed-rates = [ RATE ]
    default.clock.quantum = 256
    default.clock.min-quantum = 256
}
context.spa-libs = { support.* = support/libspa-support  audio.convert.* = audioconvert/libspa-audioconvert }
context.modules = [
    { name = libpipewire-module-protocol-native }
    { name = libpipewire-module-metadata }
    { name = libpipewire-module-spa-node-factory }
    { name = libpipewire-module-client-node }
    { name = libpipewire-module-access }
    { name = libpipewire-module-adapter }
    { name = libpipewire-module-link-factory }
]
context.objects = [
    { factory = metadata  args = { metadata.name = default } }
    { factory = spa-node-factory
      args = { factory.name = support.node.driver  node.name = Dummy-Driver
               node.group = pipewire.dummy  priority.driver = 20000 } }
]
"""


class Pipewire(Studio):
    """A studio whose server is PipeWire."""

    def __init__(self, folder):
        super().__init__(folder)
        place = folder / "run"
        place.mkdir(mode=0o700)
        self.environment.update(
            XDG_RUNTIME_DIR=str(place), PIPEWIRE_RUNTIME_DIR=str(place), HOME=str(folder),
            LD_LIBRARY_PATH=str(LIBRARIES[0]), DBUS_SESSION_BUS_ADDRESS="disabled:")
        self.environment.pop("JACK_DEFAULT_SERVER", None)
        self.server_name = "default"

    def server(self, rate=48000):
        self.rate, self.late = rate, self.period
        config = self.folder / "pipewire.conf"
        config.write_text(CONFIG.replace("RATE", str(rate)))
        self.pipewire = self.start("pipewire", "-c", config, log="pipewire.log")
        wait_for(lambda: self.run("jack_lsp").returncode == 0 or self.pipewire.poll() is not None,
                 "PipeWire")
        assert self.pipewire.poll() is None, self.read("pipewire.log")


@pytest.fixture
def studio(tmp_path):
    the_studio = Pipewire(tmp_path)
    try:
        the_studio.server()
        yield the_studio
    finally:
        the_studio.close()


def fill(studio, **settings):
    studio.ruler(2)
    studio.configure('{ name = "A"; inputs = ( { name = "In"; from = ["ruler:out_1", "ruler:out_2"]; '
                     '} ); }', **settings)
    studio.stemd()
    wait_for(lambda: studio.connected("stemd:A/In-R"), "connection")
    return [("01_A.wav", 1, [1]), ("01_A.wav", 2, [2])]


def test_pipewire_is_recorded_exactly(studio):
    channels = fill(studio)
    folder = studio.record(1)
    studio.check(folder, channels)
    result = studio.stemctl("verify", folder)
    assert result.returncode == 0, result.stdout + result.stderr


def test_pipewire_gaps_of_a_stopped_recorder_are_listed(studio):
    channels = fill(studio)
    studio.ok("start")
    studio.run_for(0.3)
    for _ in range(3):
        studio.daemon.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        studio.daemon.send_signal(signal.SIGCONT)
        studio.run_for(0.3)
    folder = studio.ok("stop")
    counts = studio.check(folder, channels)
    assert 0 < counts["gaps"] and reasons(studio.manifest(folder)) == {"skipped"}


def restart(studio, rate=48000, seconds=0):
    """Kills PipeWire without a word, and starts it again when stemd has found out."""
    studio.end(studio.pipewire, signal.SIGKILL)
    wait_for(lambda: studio.status()["jack"] == "waiting", "loss of PipeWire")
    studio.end_surely(studio.ruler_process)
    time.sleep(seconds)
    studio.server(rate)
    studio.wait_for_log("of them connected", times=2)
    studio.ruler(2)
    wait_for(lambda: studio.connected("stemd:A/In-R"), "connection again")


def test_pipewire_that_is_killed_is_found_again_and_the_take_goes_on(studio):
    fill(studio)
    studio.ok("start")
    studio.run_for(0.3)
    restart(studio)
    wait_for(lambda: studio.status()["gap_frames"] > 5 * studio.rate, "the gap")
    studio.run_for(0.5)
    folder = studio.ok("stop")
    manifest = studio.manifest(folder)
    (gap,) = [gap for gap in manifest["gaps"] if "server" in gap["reasons"]]
    assert gap["frames"] > 5 * studio.rate  # it took that long to notice
    assert studio.read("stemd.log").count("warning: gap of") == len(manifest["gaps"])
    result = studio.stemctl("verify", folder)
    assert result.returncode == 0, result.stdout + result.stderr
    check_lives(folder, manifest, gap)


def check_lives(folder, manifest, gap):
    """Ruler, silence, and ruler again."""
    for channel in (0, 1):
        check_both_lives(manifest, gap, steps(folder, channel, "01_A.wav"), port=channel + 1)


def test_pipewire_that_is_killed_ends_the_take_where_that_is_configured(studio):
    channels = fill(studio, server_wait=1.0)
    folder = studio.ok("start")
    studio.run_for(0.5)
    studio.end(studio.pipewire, signal.SIGKILL)
    studio.end_surely(studio.ruler_process)
    wait_for(lambda: studio.status()["state"] == "idle", "end of the take")
    manifest = studio.manifest(folder)
    assert manifest["progress"] == "complete"
    studio.check(folder, channels, end_ruler=False)


def test_pipewire_at_another_rate_is_used_after_the_take(studio):
    fill(studio)
    first = studio.ok("start")
    studio.run_for(0.3)
    restart(studio, rate=44100)
    status = studio.status()
    assert (status["rate"], status["state"]) == (44100, "idle")
    assert studio.manifest(first)["rate_hz"] == 48000
    folder = studio.record(0.3)
    studio.check(folder, [("01_A.wav", 1, [1]), ("01_A.wav", 2, [2])])


def test_pipewire_does_not_keep_the_daemon(studio):
    """SIGTERM ends stemd and completes the take, though PipeWire is gone and stemd does not know."""
    channels = fill(studio)
    folder = studio.ok("start")
    studio.run_for(0.3)
    studio.end(studio.pipewire, signal.SIGKILL)
    studio.end_surely(studio.ruler_process)
    studio.daemon.terminate()
    assert studio.daemon.wait(60) == 0
    assert studio.manifest(folder)["progress"] == "complete"
    studio.check(folder, channels, end_ruler=False)
