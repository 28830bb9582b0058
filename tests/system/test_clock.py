"""The wall clock is stepped, summer time begins and ends, and midnight passes, while a take runs: a
take lives by JACK's frames and by the monotonic clock; the wall clock names it, and no more.

libfaketime gives stemd alone another wall clock; the machine's own is left alone. JACK's clock cannot
be set, but in freewheel a day of frames passes in seconds."""

import ctypes
import datetime
import pathlib

import pytest

from studio import wait_for

LIBRARIES = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))

pytestmark = [pytest.mark.plain]
needs_libfaketime = pytest.mark.skipif(not LIBRARIES, reason="needs libfaketime")

STEM = '{ name = "A"; inputs = ( { name = "In"; from = "ruler:out_1"; } ); }'
CHANNELS = [("01_A.wav", 1, [1]), ("01_A.wav", 2, [1])]
# Central European time, written out so that no time zone data is needed.
ZONE = "CET-1CEST,M3.5.0,M10.5.0/3"


class WallClock:
    """The wall clock of one program."""

    def __init__(self, studio, start):
        """start: local time at which the program starts."""
        self.file = studio.folder / "clock"
        self.set(f"@{start}")
        self.environment = {
            "LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1", "TZ": ZONE}

    def set(self, text):
        temporary = self.file.with_suffix(".new")
        temporary.write_text(text + "\n")
        temporary.replace(self.file)


def begin(studio, start, **environment):
    studio.server()
    studio.ruler(1)
    studio.configure(STEM)
    clock = WallClock(studio, start)
    studio.stemd(environment={**clock.environment, **environment})
    return clock


def started(studio, folder):
    return datetime.datetime.fromisoformat(studio.manifest(folder)["started"])


def judge(studio, folder):
    """Nothing is missing, says the ruler, and so does stemctl."""
    assert studio.check(folder, CHANNELS)["gaps"] == 0
    result = studio.stemctl("verify", folder)
    assert result.returncode == 0, result.stdout + result.stderr


@needs_libfaketime
@pytest.mark.parametrize("step", ["+3600", "-7200", "+86400d"])
def test_clock_that_is_stepped_does_not_touch_a_take(studio, step):
    clock = begin(studio, "2026-11-20 21:53:07")
    studio.ok("start", "One")
    studio.run_for(0.5)
    clock.set(step)
    studio.run_for(1.5)
    studio.ok("split", "Two")
    studio.run_for(0.5)
    studio.ok("stop")
    one, two = studio.folders()
    first, second = studio.manifest(one), studio.manifest(two)
    assert first["start_frame"] + first["frames"] == second["start_frame"]
    assert 1.9 * studio.rate < first["frames"]
    assert one.name.startswith("2026-11-20_21-53-")
    assert not two.name.startswith("2026-11-20_21-53-")
    for folder in (one, two):
        judge(studio, folder)


@needs_libfaketime
def test_clock_passes_midnight(studio):
    """The take belongs to the day on which it began, the next one to the next."""
    begin(studio, "2026-12-31 23:59:58")
    studio.ok("start", "Old year")
    wait_for(lambda: studio.frames() > 3 * studio.rate, "the new year")
    studio.ok("split", "New year")
    studio.run_for(0.3)
    studio.ok("stop")
    one, two = studio.folders()
    print(one.name, two.name)
    assert two.name.startswith("2027-01-01_00-00-")
    assert started(studio, one) < started(studio, two)
    for folder in (one, two):
        judge(studio, folder)


@needs_libfaketime
def test_clock_leaps_into_summer_time(studio):
    """Two o'clock does not exist in that night; takes stay in their order all the same."""
    begin(studio, "2026-03-29 01:59:57")
    studio.ok("start", "Winter")
    studio.run_for(0.2)
    wait_for(lambda: studio.frames() > 4 * studio.rate, "summer")
    studio.ok("split", "Summer")
    studio.run_for(0.3)
    studio.ok("stop")
    one, two = studio.folders()
    assert one.name.startswith("2026-03-29_01-59-5"), one.name
    assert two.name.startswith("2026-03-29_03-00-0"), two.name
    apart = (started(studio, two) - started(studio, one)).total_seconds()
    assert 3 < apart < 60
    for folder in (one, two):
        judge(studio, folder)


@needs_libfaketime
def test_clock_falls_back_into_winter_time(studio):
    """The hour that comes twice: nothing is overwritten, and the manifests tell the hours apart."""
    summer = datetime.datetime(2026, 10, 25, 0, 30, tzinfo=datetime.timezone.utc)
    winter = summer + datetime.timedelta(hours=1)  # half past two again
    clock = begin(studio, f"{summer.timestamp():.0f}", FAKETIME_FMT="%s")
    takes = []
    for moment in (summer, winter, winter):
        clock.set(f"@{moment.timestamp() + 20:.0f}")
        takes.append(studio.record(0.2, "Song"))
    assert len(set(takes)) == 3 and set(studio.folders()) == set(takes)
    assert all(folder.name.startswith("2026-10-25_02-30-") for folder in takes), takes
    apart = started(studio, takes[1]) - started(studio, takes[0])
    assert 3500 < apart.total_seconds() < 3700
    for folder in takes:
        judge(studio, folder)


# Where JACK's frame clock, of 32 bits, begins anew.
BORDER = 2**32


class Wheel:
    """A client that lets JACK run freely, and sees how far it is."""

    def __init__(self, studio):
        self.jack = ctypes.CDLL("libjack.so.0")
        self.jack.jack_client_open.restype = ctypes.c_void_p
        self.jack.jack_last_frame_time.restype = ctypes.c_uint32
        no_start, names_server = 1, 4
        self.client = ctypes.c_void_p(self.jack.jack_client_open(
            b"wheel", no_start | names_server, None, studio.server_name.encode()))
        assert self.client.value, studio.read("jackd.log")

    def turn(self, until):
        """Until the clock shows `until` or a little more."""
        begin = self.jack.jack_last_frame_time(self.client)
        way = (until - begin) % BORDER
        self.jack.jack_set_freewheel(self.client, 1)
        wait_for(lambda: (self.jack.jack_last_frame_time(self.client) - begin) % BORDER >= way,
                 f"frame {until}", seconds=1200, nap=0.001)
        self.jack.jack_set_freewheel(self.client, 0)

    def close(self):
        self.jack.jack_client_close(self.client)


def test_clock_of_jack_begins_anew(studio):
    """A take across 2^32 frames, a day at 48 kHz."""
    studio.server(period=8192)
    studio.ruler(1)
    studio.configure(STEM)
    studio.stemd()
    wheel = Wheel(studio)
    wheel.turn(BORDER - 10_000_000)
    studio.ok("start", "Day")
    wheel.turn(10_000_000)
    wheel.close()
    studio.run_for(0.3)
    folder = pathlib.Path(studio.ok("stop"))
    manifest = studio.manifest(folder)
    assert manifest["start_frame"] < BORDER < manifest["start_frame"] + manifest["frames"]
    judge(studio, folder)
