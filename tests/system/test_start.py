"""Takes that start where music starts: at a bar, with the transport, by level, at a point in time, or
in the past. All of it is held against exact arithmetic on frames, never against a clock."""

import fractions
import json
import math
import pathlib
import queue
import subprocess
import threading

import mido
import pytest

from studio import BUILD, PATIENCE, wait_for

CONDUCTOR = BUILD / "tests/support/conductor"
RATE = 48000

# Stretches of music: first frame, beats per minute, beats per bar, beat type. Each begins on a bar
# line of the one before, rounded to a frame; none on a cycle's first frame.
MUSIC = [(0, fractions.Fraction(130), 4, 4), (177231, fractions.Fraction(97), 3, 4),
         (444447, fractions.Fraction(1200, 7), 7, 8), (679647, fractions.Fraction(120), 4, 4)]


class Conductor:
    """Leads the transport, tells bars if there is music, and makes sound (conductor.c)."""

    def __init__(self, studio, music=None, *options):
        words = [str(CONDUCTOR), "--server", studio.server_name, *options]
        if music:
            path = studio.folder / "music"
            path.write_text("".join(f"{frame} {bpm.numerator} {bpm.denominator} {beats} {kind}\n"
                                    for frame, bpm, beats, kind in music))
            words += ["--map", str(path)]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=studio.environment, start_new_session=True, text=True)
        studio.processes.append(self.process)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self.line() == ["ready"]

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.split())

    def line(self):
        return self.lines.get(timeout=PATIENCE)

    def tell(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def where(self):
        """JACK frame, transport frame, whether it rolls."""
        self.tell("where")
        word, frame, there, rolls = self.line()
        assert word == "where"
        return int(frame), int(there), rolls == "1"

    def log(self):
        self.tell("log")
        events = []
        while (words := self.line()) != ["end"]:
            events.append((words[0], int(words[1]), int(words[2])))
        return events

    def await_events(self, what, count):
        """Waits for that many events of a kind and returns them."""
        def look():
            events = [event for event in self.log() if event[0] == what]
            return len(events) >= count and events
        return wait_for(look, f"{count} times {what}")

    def roll(self, at=None):
        """Rolls, from a transport frame if given; returns the first cycle's frames."""
        before = [event for event in self.log() if event[0] == "roll"]
        if at is not None:
            self.tell(f"locate {at}")
            wait_for(lambda: self.where()[1] == at, "the locate")
        self.tell("start")
        return self.await_events("roll", len(before) + 1)[-1][1:]

    def end(self):
        """Leaves the server in order: a synchronous one waits for a client that was killed."""
        self.process.stdin.close()
        self.process.wait(PATIENCE)

    def halt(self):
        before = [event for event in self.log() if event[0] == "halt"]
        self.tell("stop")
        return self.await_events("halt", len(before) + 1)[-1][1:]


def bar_lines(until):
    """All bar lines before a transport frame, as exact places."""
    lines = []
    for k, (first, bpm, beats, _) in enumerate(MUSIC):
        end = MUSIC[k + 1][0] if k + 1 < len(MUSIC) else until
        bar = fractions.Fraction(60 * RATE * beats) / bpm
        lines += [first + n * bar for n in range(math.ceil((end - first) / bar) + 1)
                  if first + n * bar < min(end, until) - fractions.Fraction(1, 2)]
    return lines


def fill(studio, **settings):
    """A studio with a ruler and a stem of it; and one of the conductor's sound."""
    studio.server()
    studio.ruler(2)
    studio.configure('{ name = "Ruler"; inputs = ( { name = "In"; from = '
                     '[ "ruler:out_1", "ruler:out_2" ]; } ); }', **settings)
    studio.stemd()
    studio.channels = [("01_Ruler.wav", 1, [1]), ("01_Ruler.wav", 2, [2])]


def state_is(studio, state):
    wait_for(lambda: studio.status()["state"] == state, f"state {state}")


def takes(studio):
    return [] if not any(studio.takes.iterdir()) else studio.folders()


def finished(studio, count):
    """Waits until that many takes are complete; returns their folders."""
    def look():
        folders = [folder for folder in studio.takes.iterdir() if (folder / "take.json").exists()]
        done = [f for f in folders if studio.manifest(f)["progress"] == "complete"]
        return len(done) >= count and studio.folders()
    return wait_for(look, f"{count} complete takes")


# Bars

@pytest.mark.parametrize("options", [[], ["--offset"]])
def test_start_at_a_bar_is_on_the_computed_frame(studio, options):
    fill(studio)
    conductor = Conductor(studio, MUSIC, *options)
    slack = 1 if options else 0  # whole frames since a beat that lies between frames
    for place in (100003, 400000, 600001, 700000):
        rolled, from_there = conductor.roll(place)
        there = conductor.where()[1]
        folder = pathlib.Path(studio.ok("start", "Bar", "--at", "bar"))
        after = conductor.where()[1]
        manifest = studio.manifest(folder)
        start = manifest["start_frame"] - rolled + from_there
        lines = [round(line) for line in bar_lines(10**7)]
        expected = min(lines, key=lambda line: abs(line - start))
        assert abs(start - expected) <= slack, (start, expected)
        assert there <= start < after + studio.period  # told are the first frames of cycles
        # the next one: none lay between the command and the start
        assert not [line for line in lines if there + 4 * studio.period < line < start - slack]
        assert manifest["time_reference"] == start
        assert manifest["started_by"] == "bar"
        studio.run_for(0.2)
        studio.ok("stop")
        conductor.halt()
        studio.check(folder, studio.channels, end_ruler=False)


def test_start_at_a_bar_needs_a_master(studio):
    fill(studio)
    result = studio.stemctl("start", "--at", "bar")
    assert result.returncode == 1 and "timebase master" in result.stderr


def test_start_at_a_bar_of_a_standing_transport_waits(studio):
    fill(studio)
    conductor = Conductor(studio, MUSIC)
    conductor.tell("locate 50000")
    wait_for(lambda: conductor.where()[1] == 50000, "the locate")
    wait_for(lambda: "bars" not in studio.stemctl("start", "--at", "bar").stderr, "bars")
    assert studio.status()["state"] == "armed"
    rolled, there = conductor.roll()
    state_is(studio, "recording")
    folder = takes(studio)[0]
    assert studio.manifest(folder)["start_frame"] - rolled + there == round(bar_lines(10**6)[1])


def test_start_tempo_map_and_midi_file_tell_the_same_bars(studio):
    fill(studio)
    conductor = Conductor(studio, MUSIC)
    conductor.roll(60000)
    folder = pathlib.Path(studio.ok("start", "Map", "--at", "bar"))
    wait_for(lambda: conductor.where()[1] > 480000, "two changes of tempo")
    studio.ok("stop")
    studio.ok("finish", folder)
    manifest = studio.manifest(folder)
    first, frames = manifest["time_reference"], manifest["frames"]
    entries = manifest["tempo_map"]
    assert [(entry["bpm"], entry["beats_per_bar"], entry["beat_type"]) for entry in entries] == [
        (130.0, 4.0, 4.0), (97.0, 3.0, 4.0), (pytest.approx(1200 / 7), 7.0, 8.0)]
    for entry in entries:
        beats = entry["beat"] - 1 + entry["tick"] / entry["ticks_per_beat"]
        place = bar_lines(10**7)[entry["bar"] - 1] + beats * 60 * RATE / entry["bpm"]
        assert place == pytest.approx(first + entry["frame"], abs=0.51), entry
    check_midi(folder / "tempo.mid", first, frames)


def check_midi(path, first, frames):
    """Every bar line that the MIDI file has in the take lies on a bar line of the music."""
    midi = mido.MidiFile(path)
    tempo, meter, tick, seconds, bars = 500000, (4, 4), 0, 0.0, []
    events = list(midi.tracks[0])
    bar_tick = 0
    for event in events:
        end = tick + event.time
        while bar_tick < end or (bar_tick == end and event.type == "end_of_track"):
            bars.append(seconds + (bar_tick - tick) * tempo / 1e6 / midi.ticks_per_beat)
            bar_tick += midi.ticks_per_beat * 4 * meter[0] // meter[1]
        seconds += event.time * tempo / 1e6 / midi.ticks_per_beat
        tick = end
        if event.type == "set_tempo":
            tempo = event.tempo
        if event.type == "time_signature":
            meter, bar_tick = (event.numerator, event.denominator), tick
    lines = [float(line - first) / RATE for line in bar_lines(first + frames)
             if line >= first - fractions.Fraction(1, 2)]
    assert len(bars) == len(lines) >= 4
    for bar, line in zip(bars, lines):
        assert bar == pytest.approx(line, abs=0.0008), (bars, lines)  # ticks are 0.6 ms long


# The transport

def test_start_with_the_transport_takes_every_roll(studio):
    fill(studio)
    conductor = Conductor(studio)
    assert "waiting for the transport" in studio.ok("start", "Roll", "--at", "transport")
    rolls = []
    for count, place in enumerate((96000, 480017, 1234)):
        rolled = conductor.roll(place)
        state_is(studio, "recording")
        studio.run_for(0.3)
        rolls.append((rolled, conductor.halt()))
        finished(studio, count + 1)
    folders = finished(studio, 3)
    for folder, ((frame, there), (end, _)) in zip(folders, rolls):
        manifest = studio.manifest(folder)
        assert manifest["start_frame"] == frame
        assert manifest["time_reference"] == there
        assert manifest["frames"] == end - frame
        assert (manifest["started_by"], manifest["title"]) == ("transport", "Roll")
        studio.check(folder, studio.channels, end_ruler=False)
    assert json.loads(studio.ok("stop", "--json")) == {
        "folder": None, "message": "no longer waiting for a start"}
    conductor.roll(0)
    assert studio.status()["state"] == "idle" and len(studio.folders()) == 3


def test_start_with_the_transport_has_preroll_between_takes(studio):
    fill(studio)
    conductor = Conductor(studio)
    wait_for_tape(conductor)
    studio.ok("start", "--at", "transport", "--preroll", "0.25")
    preroll, rolls = RATE // 4, []
    for count in range(2):
        rolls.append(conductor.roll(96000))
        state_is(studio, "recording")
        studio.run_for(0.3)
        conductor.halt()
        finished(studio, count + 1)
    for folder, (frame, there) in zip(finished(studio, 2), rolls):
        manifest = studio.manifest(folder)
        assert manifest["start_frame"] == frame - preroll
        assert manifest["time_reference"] == there - preroll
        studio.check(folder, studio.channels, end_ruler=False)


# Levels

def wait_for_tape(conductor):
    """Until there is a second to look back on."""
    ready = conductor.where()[0]
    wait_for(lambda: conductor.where()[0] > ready + RATE, "some tape behind us")


def sound_studio(studio, **settings):
    studio.server()
    studio.configure('{ name = "Sound"; channels = 1; inputs = ( { name = "In"; '
                     'from = "conductor:out"; } ); }', **settings)
    studio.stemd()
    conductor = Conductor(studio)
    wait_for(lambda: studio.connected("conductor:out"), "the connection")
    wait_for_tape(conductor)
    return conductor


def test_start_by_level_begins_with_the_sound_and_ends_after_it(studio):
    conductor = sound_studio(studio, threshold="{ level = -20.0; hold = 0.5; }")
    assert "threshold" in studio.ok("start", "--at", "threshold", "--preroll", "0.1")
    for count in range(2):
        conductor.tell(f"sound {RATE}")
        sound = conductor.await_events("sound", count + 1)[-1][1]
        manifest = studio.manifest(finished(studio, count + 1)[-1])
        assert manifest["start_frame"] == sound - RATE // 10
        assert manifest["frames"] == RATE // 10 + RATE + RATE // 2
        assert manifest["started_by"] == "threshold"
    studio.ok("stop")


def test_stop_waits_for_the_tail(studio):
    conductor = sound_studio(studio, tail="{ level = -60.0; most = 8.0; }")
    folder = studio.ok("start")
    conductor.tell(f"sound {2 * RATE}")
    sound = conductor.await_events("sound", 1)[-1][1]
    studio.run_for(0.2)
    assert studio.ok("stop") == folder
    manifest = studio.manifest(folder)
    assert manifest["start_frame"] + manifest["frames"] == sound + 2 * RATE + RATE // 2


# Lengths and the past

def test_start_with_a_length_ends_by_itself(studio):
    fill(studio)
    studio.record(0.6)  # the pre-roll shall not reach back to before the ruler was connected
    folder = pathlib.Path(studio.ok("start", "--length", "0.75", "--preroll", "0.5", "Three quarters"))
    manifest = studio.manifest(finished(studio, 2)[1])
    assert manifest["title"] == "Three quarters"
    assert manifest["frames"] == RATE * 3 // 4
    state_is(studio, "idle")
    studio.check(folder, studio.channels)


def test_capture_keeps_the_last_seconds(studio):
    fill(studio)
    studio.record(1.6)  # so much is on the tape then
    folder = pathlib.Path(studio.ok("capture", "1.5", "That was it"))
    manifest = studio.manifest(folder)
    assert manifest["frames"] == RATE * 3 // 2
    assert (manifest["started_by"], manifest["title"]) == ("capture", "That was it")
    studio.check(folder, studio.channels)


@pytest.mark.parametrize("words", [["capture"], ["capture", "0"], ["capture", "x"],
                                   ["start", "--at", "noon"], ["start", "--preroll", "x"],
                                   ["start", "--length", "-1"], ["start", "--at", "+7200"],
                                   ["start", "--at", "2020-01-01T00:00"]])
def test_start_refuses_what_makes_no_sense(daemon_alone, words):
    result = daemon_alone.stemctl(*words)
    assert result.returncode == 2 and result.stderr.startswith("stemctl: ")


def test_capture_and_preroll_end_with_the_tape(studio):
    fill(studio, tape=4.0)
    for words in (["capture", "5"], ["start", "--preroll", "5"]):
        result = studio.stemctl(*words)
        assert result.returncode == 1 and "tape" in result.stderr


# Time (for several recorders: test_moment.py)

@pytest.mark.sanitize
def test_start_at_a_time_from_the_command_line(studio):
    fill(studio)
    folder = pathlib.Path(studio.ok("start", "--at", "+1.5", "--length", "0.5", "Later"))
    manifest = studio.manifest(finished(studio, 1)[0])
    assert (manifest["started_by"], manifest["title"]) == ("time", "Later")
    assert manifest["frames"] == RATE // 2
    studio.check(folder, studio.channels)


def test_start_at_a_far_time_is_announced_and_can_be_called_off(studio):
    fill(studio)
    assert "waiting for the time" in studio.ok("start", "--at", "+600")
    assert studio.status()["state"] == "armed"
    assert "no longer waiting" in studio.ok("stop")
    assert studio.status()["state"] == "idle" and takes(studio) == []
