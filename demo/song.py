#!/usr/bin/env python3
"""Writes the demo's song, "Night Train", as a Standard MIDI File: a bar of sticks, eight bars of
A minor, and a last chord that rings out. The same file every time.

    song.py [--short] FILE

Everything a DAW likes to find is in it: tempo, meter, key, markers, track names, panning, and how
much of each track goes to reverb (controller 91) and chorus (93).
"""

import argparse
import struct

TITLE = "Night Train"
KEY = "A minor"
TEMPO_BPM = 120
BEATS_PER_BAR = 4
TICKS_PER_BEAT = 480
BAR = BEATS_PER_BAR * TICKS_PER_BEAT
STEP = TICKS_PER_BEAT // 4  # a sixteenth, the grid of all patterns

LONG_BARS, SHORT_BARS = 8, 2  # between the sticks and the last chord

# Instruments of General MIDI. Channels count from 1, as musicians do: they decide which outputs of
# the synthesizer a track plays to (see conf/demo.conf).
#            name      channel program volume pan reverb chorus
TRACKS = (("Drums",      10,      0,    118,  64,   36,     0),
          ("Bass",        1,     33,    104,  64,    6,     0),
          ("Guitar",      2,     27,     84,  30,   24,    70),
          ("Keys",        3,      4,     98,  92,   40,    50),
          ("Lead",        4,     65,     92,  64,   60,     0),
          ("Backing",     9,     52,     70,  64,   84,    24))

# One chord a bar: the bass note, and the notes above it.
CHORDS = {"Am": (33, (57, 60, 64)), "F": (29, (57, 60, 65)), "C": (36, (55, 60, 64)),
          "G": (31, (55, 59, 62)), "Dm": (38, (57, 62, 65)), "E7": (28, (56, 62, 64)),
          "Am9": (33, (57, 60, 64, 71))}
PROGRESSION = ("Am", "F", "C", "G", "Am", "F", "Dm", "E7")

# Patterns of sixteenths: "x" is played, "X" is played harder, "." is a rest.
KICK, SNARE, CLOSED_HAT, OPEN_HAT = 36, 38, 42, 46
HIGH_TOM, MID_TOM, LOW_TOM, CRASH, STICKS = 50, 47, 43, 49, 37
GROOVE = {KICK:       "X..x..x.X.x.....",
          SNARE:      "....X..x.x..X...",
          CLOSED_HAT: "X.x.X.x.X.x.X...",
          OPEN_HAT:   "..............x."}
FILL = {KICK:     "X..x..x.X...X...",
        SNARE:    "....X..xXx......",
        HIGH_TOM: "..........Xx....",
        MID_TOM:  "............Xx..",
        LOW_TOM:  "..............XX"}
COUNT_IN = {STICKS: "X...x...x...x..."}
BASS_STEPS = ((0, 3, 0), (3, 3, 0), (6, 2, 12), (8, 3, 0), (12, 2, 7), (14, 2, 12))  # at, long, up
STRUM = "..x..x....x..x.."
ARPEGGIO = (0, 1, 2, 1, 0, 2, 1, 2)

# The tune, bar by bar: first sixteenth, length, note.
TUNE = (((0, 6, 76), (6, 2, 74), (8, 4, 72), (12, 4, 69)),
        ((2, 4, 72), (6, 2, 74), (8, 8, 77)),
        ((0, 6, 76), (6, 2, 74), (8, 4, 72), (12, 4, 67)),
        ((2, 4, 71), (6, 2, 72), (8, 8, 74)),
        ((0, 6, 76), (6, 2, 77), (8, 4, 79), (12, 4, 81)),
        ((0, 4, 81), (4, 4, 79), (8, 8, 77)),
        ((2, 2, 74), (4, 4, 77), (8, 4, 76), (12, 4, 74)),
        ((0, 8, 76), (8, 4, 74), (12, 4, 71)))


def number(value):
    """A variable-length quantity."""
    data = [value & 0x7F]
    while value := value >> 7:
        data.append(value & 0x7F | 0x80)
    return bytes(reversed(data))


def meta(kind, data):
    return bytes((0xFF, kind)) + number(len(data)) + data


class Track:
    """Events at ticks from the song's start, in any order."""

    def __init__(self, name):
        self.events = [(0, 0, meta(0x03, name.encode()))]

    def add(self, tick, event, order=1):
        """order: where several events fall on one tick, notes end (0) before others begin (1)."""
        self.events.append((tick, order, event))

    def note(self, channel, tick, length, note, velocity):
        self.add(tick, bytes((0x90 | channel - 1, note, velocity)))
        self.add(tick + length, bytes((0x80 | channel - 1, note, 0)), order=0)

    def chunk(self, end):
        data, now = b"", 0
        for tick, _, event in sorted(self.events, key=lambda event: event[:2]):
            data += number(tick - now) + event
            now = tick
        data += number(max(end - now, 0)) + meta(0x2F, b"")
        return b"MTrk" + struct.pack(">I", len(data)) + data


def conductor(bars):
    """Tempo, meter, key and markers: the track that plays nothing."""
    track = Track(TITLE)
    track.add(0, meta(0x51, struct.pack(">I", 60_000_000 // TEMPO_BPM)[1:]))
    track.add(0, meta(0x58, bytes((BEATS_PER_BAR, 2, 24, 8))))
    track.add(0, meta(0x59, bytes((0, 1))))  # no sharps or flats, minor
    for bar, text in ((0, b"Count-in"), (1, b"Song"), (1 + bars, b"Last chord")):
        track.add(bar * BAR, meta(0x06, text))
    return track


def instrument(name, channel, program, volume, pan, reverb, chorus):
    track = Track(name)
    track.add(0, bytes((0xC0 | channel - 1, program)))
    for controller, value in ((7, volume), (10, pan), (91, reverb), (93, chorus)):
        track.add(0, bytes((0xB0 | channel - 1, controller, value)))
    return track


def play_pattern(track, channel, start, pattern, notes, length=STEP, velocity=84):
    for step, letter in enumerate(pattern):
        for note in notes if letter != "." else ():
            track.note(channel, start + step * STEP, length, note,
                       velocity + (24 if letter == "X" else 0))


def play_bar(tracks, bar, start, last):
    """One bar of the song proper, by everybody; the last one has the fill."""
    root, chord = CHORDS[PROGRESSION[bar]]
    for drum, pattern in (FILL if last else GROOVE).items():
        play_pattern(tracks["Drums"], 10, start, pattern, (drum,))
    if bar % 4 == 0:
        tracks["Drums"].note(10, start, BAR, CRASH, 96)
    for at, length, up in BASS_STEPS:
        tracks["Bass"].note(1, start + at * STEP, length * STEP - 10, root + up, 100)
    play_pattern(tracks["Guitar"], 2, start, STRUM, [note + 12 for note in chord], STEP - 20, 78)
    for eighth, which in enumerate(ARPEGGIO):
        tracks["Keys"].note(3, start + 2 * eighth * STEP, 3 * STEP, chord[which],
                            88 if eighth % 4 == 0 else 70)
    for at, length, note in TUNE[bar]:
        tracks["Lead"].note(4, start + at * STEP, length * STEP - 10, note, 94)
    for note in chord:
        tracks["Backing"].note(9, start, BAR - 20, note + 12, 72)


def play_last_chord(tracks, start):
    root, chord = CHORDS["Am9"]
    for drum in (KICK, CRASH):
        tracks["Drums"].note(10, start, BAR, drum, 110)
    tracks["Bass"].note(1, start, BAR, root, 104)
    for step, note in enumerate(chord):  # strummed
        tracks["Guitar"].note(2, start + 12 * step, BAR, note, 84)
        tracks["Keys"].note(3, start, BAR, note, 84)
        tracks["Backing"].note(9, start, BAR, note + 12, 76)
    tracks["Lead"].note(4, start, BAR, 76, 92)


def write(path, bars=LONG_BARS):
    """Writes the song with that many bars between the sticks and the last chord. Returns its length
    in seconds, without the tail of what rings on."""
    tracks = {settings[0]: instrument(*settings) for settings in TRACKS}
    for drum, pattern in COUNT_IN.items():
        play_pattern(tracks["Drums"], 10, 0, pattern, (drum,))
    for bar in range(bars):
        play_bar(tracks, bar, (1 + bar) * BAR, last=bar == bars - 1)
    play_last_chord(tracks, (1 + bars) * BAR)
    end = (2 + bars) * BAR
    chunks = [track.chunk(end) for track in (conductor(bars), *tracks.values())]
    with open(path, "wb") as file:
        file.write(b"MThd" + struct.pack(">IHHH", 6, 1, len(chunks), TICKS_PER_BEAT))
        file.write(b"".join(chunks))
    return end / TICKS_PER_BEAT * 60 / TEMPO_BPM


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description='Writes the song "Night Train" as a MIDI file.')
    parser.add_argument("--short", action="store_true", help="two bars instead of eight")
    parser.add_argument("file")
    options = parser.parse_args()
    write(options.file, SHORT_BARS if options.short else LONG_BARS)
