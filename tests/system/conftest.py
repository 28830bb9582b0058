import signal
import subprocess

import pytest

from studio import Studio


def pytest_configure():
    """A run that is told to end, by a time limit for instance, clears up as after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A shell's background job ignores Ctrl-C, and so would the programs that are interrupted here.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def studio(tmp_path):
    """An empty studio; the test starts what it needs."""
    the_studio = Studio(tmp_path)
    try:
        yield the_studio
    finally:
        the_studio.close()


def fill(studio, **server):
    studio.server(**server)
    studio.ruler(4)
    studio.configure(
        '{ name = "Drums"; inputs = ( { name = "Kit"; from = ["ruler:out_1", "ruler:out_2"]; } ); },'
        '{ name = "Lead Vocals"; inputs = ( { name = "Lead"; from = "ruler:out_3"; } ); }')
    studio.stemd()
    studio.channels = [("01_Drums.wav", 1, [1]), ("01_Drums.wav", 2, [2]),
                       ("02_Lead-Vocals.wav", 1, [3]), ("02_Lead-Vocals.wav", 2, [3])]
    return studio


@pytest.fixture
def two_stems(studio):
    """A running studio: a ruler with 4 ports at full scale, two stereo stems of it."""
    return fill(studio)


@pytest.fixture
def async_stems(studio):
    """The same on a server in asynchronous mode, where cycles are skipped when somebody is late."""
    return fill(studio, sync=False)


@pytest.fixture
def daemon_alone(studio):
    """A daemon whose JACK server is not there: enough for talking to it."""
    studio.configure('{ name = "Drums"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); },'
                     '{ name = "Lead Vocals"; inputs = ( { name = "In"; } ); }',
                     mix='{ channels = 2; }')
    studio.stemd(on_server=False)
    return studio


@pytest.fixture
def small_disk(studio):
    """A file system in memory of two megabytes: about five seconds of the two stems."""
    place = studio.folder / "small"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place],
                          capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    studio.takes = place / "takes"
    studio.takes.mkdir()
    studio.server()
    studio.ruler(2)
    try:
        yield studio
    finally:
        studio.close()
        subprocess.run(["umount", "-l", place], check=False)
