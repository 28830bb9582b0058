"""A moment of the wall clock that several recorders are given, as OSC timetag: recorders on one server,
and the mirrors of each, take the same frame for it; on two servers, whose clocks of frames have
nothing to do with each other, frames that pass at the same time."""

import pathlib
import time

import pytest

from studio import STEMD, Osc, Studio, free_port, wait_for
from test_start import RATE, Conductor

PERIOD_US = 256 * 1e6 / RATE
MARKS = 5


def fill(studio):
    """A server with a ruler, a recorder and its mirror."""
    studio.server()
    studio.ruler(2)
    studio.configure('{ name = "Ruler"; inputs = ( { name = "In"; from = '
                     '[ "ruler:out_1", "ruler:out_2" ]; } ); }', mirror=f"{studio.takes}-mirror")
    studio.stemd()
    studio.channels = [("01_Ruler.wav", 1, [1]), ("01_Ruler.wav", 2, [2])]


def second_daemon(studio):
    """Another recorder with a mirror on the same server. Returns its port."""
    port, folder = free_port(), studio.folder / "takes2"
    folder.mkdir()
    text = studio.config.read_text().replace(str(studio.port), str(port))
    text = text.replace(str(studio.takes), str(folder)).replace(str(studio.socket),
                                                                str(studio.folder / "osc2"))
    config = studio.folder / "second.conf"
    config.write_text(text + 'client = "stemd2";\n')
    studio.start(STEMD, "-c", config, log="second.log")
    wait_for(lambda: "of them connected" in studio.read("second.log"), "the second daemon")
    return port


def tell(clients, moments):
    """Gives each client the same commands for the same moments; returns the answers of each. What
    came too late for the first moment is a round that does not count: None."""
    for when, message in moments:
        for client in clients:
            client.send(Osc.bundle(when, message))
    in_time = time.time() < moments[0][0]
    answers = [[client.receive() for _ in moments] for client in clients]
    return answers if in_time else None


def folder_in(answers):
    """The take of a round's answers, all of which must be good."""
    assert all(path == "/reply" for path, _ in answers), answers
    return pathlib.Path(next(values[1] for _, values in answers if values[0] == "/record/start"))


def moments_from(start):
    """A start, markers on the way, and a stop, at odd distances."""
    marks = [(start + 0.031 * (k + 1), Osc.message("/marker", f"Mark {k}")) for k in range(MARKS)]
    return [(start, Osc.message("/record/start")), *marks, (start + 0.197, Osc.message("/record/stop"))]


def copies(folder):
    """A take and its mirror's, once that is complete."""
    copy = folder.parent.with_name(folder.parent.name + "-mirror") / folder.name
    wait_for(lambda: (copy / "take.json").exists()
             and '"progress": "recording"' not in (copy / "take.json").read_text(), "the mirror")
    return folder, copy


def frames_of(studio, folder):
    """The frames of all moments, as the server counts them."""
    manifest = studio.manifest(folder)
    start = manifest["start_frame"]
    assert manifest["started_by"] == "time"
    return (start, *(start + mark["frame"] for mark in manifest["markers"]),
            start + manifest["frames"])


@pytest.mark.slow
def test_moment_is_the_same_frame_for_all_recorders_on_a_server(studio):
    fill(studio)
    clients = [studio.osc(), studio.osc(second_daemon(studio))]
    rounds, apart = 0, []
    while rounds < 20:
        answers = tell(clients, moments_from(time.time() + 0.25))
        if answers is None:
            continue
        takes = [copy for got in answers for copy in copies(folder_in(got))]
        frames = {take: frames_of(studio, take) for take in takes}
        assert len(frames) == 4 and all(len(them) == MARKS + 2 for them in frames.values())
        rounds += 1
        if len(set(frames.values())) > 1:
            apart.append(frames)
    assert apart == []
    studio.check(takes[0], studio.channels, end_ruler=False)
    studio.check(takes[2], studio.channels)


def raw_clock_us(wall):
    """A time of the wall clock on the kernel's raw clock, which JACK counts."""
    ahead = min(time.time_ns() - time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) for _ in range(99))
    return wall * 1e6 - ahead / 1000


def test_moment_is_the_same_time_for_recorders_on_two_servers(studio, tmp_path):
    """Held against the times that a client of each server noted."""
    (tmp_path / "other").mkdir()
    other = Studio(tmp_path / "other")
    try:
        both = (studio, other)
        for one in both:
            fill(one)
        conductors = [Conductor(one) for one in both]
        clients = [one.osc() for one in both]
        rounds = 0
        while rounds < 5:
            start = time.time() + 0.25
            answers = tell(clients, moments_from(start))
            if answers is None:
                continue
            folders = [folder_in(got) for got in answers]
            times = []
            for one, conductor, folder in zip(both, conductors, folders):
                conductor.tell(f"time {frames_of(one, folder)[0]}")
                times.append(conductor.line()[1:])
            if not all(even == "1" for _, even in times):
                continue  # a cycle that came late has no other place than after its time
            rounds += 1
            one, two = (float(microseconds) for microseconds, _ in times)
            assert one == pytest.approx(two, abs=PERIOD_US), times
            assert one == pytest.approx(raw_clock_us(start), abs=PERIOD_US), times
        for conductor in conductors:
            conductor.end()
    finally:
        other.close()
