"""Hours of audio in little time: the server runs freely, waits for everybody, and nothing at all may be
lost. JACK's frame clock, which has 32 bits, comes round once in a day of audio at 48 kHz."""

import shutil
import signal
import time

from judge import Judge, Stretches
from stage import folder_for
from studio import PATIENCE, Studio, wait_for
from vitals import Vitals

RATE, PERIOD = 48000, 4096
MOST_BEHIND_BYTES = 6 << 30  # takes that wait for judgement


class Freewheel:
    """Two mono stems of 16 bits. Takes follow each other by splits, without a gap from the first
    frame to the last; marks and short stops of stemd and the ruler come in between."""

    def __init__(self, hours, chance, counts, top, say):
        self.hours, self.chance, self.counts, self.say = hours, chance, counts, say
        self.studio = Studio(folder_for(top, "freewheel"))
        self.studio.stem_ports = [[[1]], [[2]]]
        self.studio.late_log = lambda: self.studio.ruler_log
        self.judge = Judge(self.studio, counts, True, say)
        self.stretches = Stretches()
        self.recorded = 0.0  # hours in takes that were judged

    def open(self):
        studio = self.studio
        studio.server(period=PERIOD, rate=RATE)
        studio.ruler(2)
        stems = ", ".join(f'{{ name = "S{k}"; channels = 1; inputs = ( {{ name = "In"; '
                          f'from = "ruler:out_{k}"; }} ); }}' for k in (1, 2))
        studio.configure(stems, encoding="pcm16", tape=20.0)
        studio.stemd()
        self.vitals = Vitals(studio.daemon.pid)
        for k in (1, 2):
            wait_for(lambda: studio.connected(f"stemd:S{k}/In"), "connection")

    def turn(self, on):
        assert self.studio.run("jack_freewheel", "y" if on else "n").returncode == 0
        word = "freewheel" if on else "running"
        wait_for(lambda: self.studio.status()["jack"] == word, word, nap=0.05)

    def ctl(self, *words):
        return self.studio.ok("--timeout", PATIENCE, *words)

    def disturb(self):
        """What must not do any harm here."""
        process = self.chance.choice([self.studio.daemon, self.studio.ruler_process])
        process.send_signal(signal.SIGSTOP)
        time.sleep(self.chance.uniform(0.01, 0.2))
        process.send_signal(signal.SIGCONT)
        self.counts.faults["stop_stemd" if process is self.studio.daemon else "stop_ruler"] += 1

    def take(self):
        """Lets one take grow, of some minutes or hours of audio."""
        length = min(self.chance.uniform(0.05, 1.0) * self.hours / 4 + 0.02, 4.0) * 3600 * RATE
        last = [0, time.monotonic()]

        def grown():
            frames = self.studio.frames()
            if frames != last[0]:
                last[:] = [frames, time.monotonic()]
            assert time.monotonic() - last[1] < PATIENCE, f"it stands at frame {frames}"
            if self.chance.random() < 0.1:
                self.disturb()
            if self.chance.random() < 0.1:
                self.ctl("mark", "on the way")
                self.counts.actions["mark"] += 1
            return frames >= length
        wait_for(grown, "a take's length", seconds=24 * 3600, nap=0.25)

    def judge_all(self, running):
        """Judges what is over, while the next take runs."""
        for folder in self.studio.folders():
            if folder.name == running:
                continue
            manifest = self.studio.manifest(folder)
            begin = time.monotonic()
            assert self.judge.judge(folder, self.stretches), "a take is wrong"
            self.recorded += manifest["frames"] / RATE / 3600
            self.say(f"{manifest['frames'] / RATE / 3600:.2f} hours of audio judged in "
                     f"{time.monotonic() - begin:.0f} s, {self.recorded:.2f} in all; the take "
                     f"begins at frame {manifest['start_frame']}")

    def bytes_behind(self):
        return sum(path.stat().st_size for path in self.studio.takes.glob("*/*.wav"))

    def go(self):
        self.ctl("start", "Part 0")
        self.turn(True)
        part, begin = 0, time.monotonic()
        while True:
            self.take()
            part += 1
            if self.recorded + self.studio.frames() / RATE / 3600 >= self.hours:
                break
            running = self.ctl("split", f"Part {part}").rpartition("/")[2]
            self.counts.actions["split"] += 1
            self.judge_all(running)
            self.vitals.look()
            if self.bytes_behind() > MOST_BEHIND_BYTES:  # judging is slower: it catches up
                self.turn(False)
                running = self.ctl("split", f"Part {part} again").rpartition("/")[2]
                self.judge_all(running)
                self.turn(True)
        self.turn(False)
        self.ctl("stop")
        self.judge_all(None)
        self.vitals.look()
        minutes = (time.monotonic() - begin) / 60
        self.say(f"freewheel: {self.recorded / minutes:.2f} hours of audio a minute, judged")

    def run(self):
        right = False
        try:
            self.open()
            self.go()
            figures = self.vitals.verdict()
            self.counts.lives.append(dict(figures, evening="freewheel"))
            assert not figures["trouble"], figures["trouble"]
            assert self.studio.end(self.studio.daemon) == 0, "stemd ended badly"
            right = True
        except Exception as error:  # told, and counted
            self.say(f"FAILED: freewheel: {type(error).__name__}: {error}")
        finally:
            self.studio.close()
        if right:
            shutil.rmtree(self.studio.folder)
        return right
