"""One evening: takes are started, split, marked, named, captured and stopped by chance, while things
go wrong by chance; every take is judged when it is over."""

import pathlib
import shutil
import signal
import time

from judge import ANY, SILENT, Judge
from stage import Plan, Stage, folder_for, make_garbage
from studio import PATIENCE, Osc, wait_for

TITLES = ["Night Train", "Später Zug", "../../etc", "a/b\\c", "", "x" * 200, "tab\there", "★", "..",
          "-rf", "%s%n", "CON", "Ünï çødé"]
FADE_SECONDS = 0.3  # more than a mute takes to fade, with its way through the queue
ODD = {"skipped"}
LOST = {"skipped", "server", "clock"}


class Evening:
    def __init__(self, number, seconds, chance, counts, top, say, long_life=False):
        self.number, self.seconds, self.chance, self.counts = number, seconds, chance, counts
        self.say, self.long_life = say, long_life
        self.plan = Plan(chance, long_life)
        self.stage = Stage(folder_for(top, number), self.plan)
        self.judge = Judge(self.stage, counts, self.plan.waits, say)
        self.judge.periods.add(self.plan.period)
        self.muted = {}  # stem: frame from which it is surely silent
        self.quiet_until = 0.0  # what was lost before this may not be captured

    # Life

    def run(self):
        """Returns whether all went well; the folder is deleted then."""
        right = self.live()
        if right:
            shutil.rmtree(self.stage.folder)
        else:
            self.say(f"its folder is left in {self.stage.folder}")
        return right

    def live(self):
        self.say(f"evening {self.number}: {self.plan}")
        end = time.monotonic() + self.seconds
        try:
            self.stage.open()
            self.be_quiet()
            self.judge_all()
            while time.monotonic() < end and not self.judge.problems:
                self.step()
            if self.judge.problems:
                return False
            self.stop()
            self.judge_all()
            self.end_life()
            if self.stage.end(self.stage.daemon) != 0:
                raise AssertionError("stemd ended badly")
            self.judge_all()
            self.none_is_left()
            return not self.judge.problems
        except Exception as error:  # whatever it is, the soak goes on and tells
            self.say(f"FAILED: evening {self.number}: {type(error).__name__}: {error}")
            return False
        finally:
            self.stage.close()

    def end_life(self):
        """Holds the daemon's memory and descriptors against their limits."""
        figures = self.stage.vitals.verdict()
        if not figures:
            return
        self.counts.lives.append(dict(figures, evening=self.number))
        if figures["trouble"]:
            self.judge.problems.append(figures["trouble"])
            self.say(f"WRONG: {figures}")

    def step(self):
        """One action or fault, and some time."""
        recording = self.stage.status()["state"] == "recording"
        if self.chance.random() < 0.4:
            self.fault(recording)
        else:
            self.act(recording)
        time.sleep(self.chance.uniform(0, 0.8))

    def act(self, recording):
        if recording:
            actions = [self.stop, self.split, self.split, self.mark, self.mark, self.title, self.mute,
                       self.toggle]
        else:
            actions = [self.start, self.start, self.start_later, self.start_loud, self.capture,
                       self.toggle]
        action = self.chance.choice(actions)
        self.counts.actions[action.__name__] += 1
        action()

    def ctl(self, *words):
        """stemctl, which must succeed."""
        return self.stage.ok("--timeout", PATIENCE, *words)

    # Actions

    def start(self):
        words = []
        if self.chance.random() < 0.3:
            words += ["--tempo", round(self.chance.uniform(50, 200), 2), "--key", "F# minor"]
        if self.chance.random() < 0.2:
            words += ["--length", round(self.chance.uniform(0.5, 3), 2)]
        if self.chance.random() < 0.3 and time.monotonic() > self.quiet_until:
            words += ["--preroll", self.chance.uniform(0, self.plan.tape / 2)]
        self.ctl("start", *words, "--", self.chance.choice(TITLES))

    def start_later(self):
        self.ctl("start", "--at", f"+{self.chance.uniform(0.1, 0.5):.3f}", "Later")

    def start_loud(self):
        """The ruler is as loud as can be: the take begins at once, and is not armed again."""
        self.ctl("start", "--at", "threshold", "Loud")
        self.wait_for_state("recording")

    def wait_for_state(self, state):
        wait_for(lambda: self.stage.status()["state"] == state, state, nap=0.05)

    def capture(self):
        if time.monotonic() > self.quiet_until:
            self.ctl("capture", self.chance.uniform(0.2, self.plan.tape / 2), "Captured")
            self.judge_all()

    def toggle(self):
        self.open_stems()
        recording = self.stage.status()["state"] == "recording"
        answer = self.stage.stemctl("--timeout", PATIENCE, "toggle")
        if answer.returncode != 0:
            raise AssertionError(f"toggle: {answer.stderr}")
        if recording:
            self.judge_all()

    def stop(self):
        """A take may end by itself just before."""
        self.open_stems()
        result = self.stage.stemctl("--timeout", PATIENCE, "stop")
        if result.returncode not in (0, 1) or (
                result.returncode == 1 and "nothing is being recorded" not in result.stderr):
            raise AssertionError(f"stop: {result.stdout}{result.stderr}")
        self.judge_all()

    def while_recording(self, *words):
        """A command for a running take, which may have come to its end by itself."""
        result = self.stage.stemctl("--timeout", PATIENCE, *words)
        if result.returncode == 1 and "nothing is being recorded" in result.stderr:
            return
        if result.returncode != 0:
            raise AssertionError(f"{words}: {result.stdout}{result.stderr}")

    def split(self):
        self.while_recording("split", "--", self.chance.choice(TITLES))

    def mark(self):
        self.while_recording("mark", "--", self.chance.choice(TITLES) or "mark")

    def title(self):
        self.stage.ask("/take/title", self.chance.choice(TITLES))
        self.stage.ask("/take/tempo", self.chance.uniform(50, 200))

    def mute(self):
        """Mutes a stem, or opens it again. In between it is silent; while it fades it may be
        anything."""
        stem = self.chance.randrange(len(self.plan.stems))
        begin = self.stage.position()
        if begin is None:
            return
        if stem in self.muted:
            self.open_stem(stem)
            return
        self.ctl("mute", f"S{stem + 1}")
        self.stage.let_grow(FADE_SECONDS)
        end = self.stage.position()
        if end is None:  # it ended by itself: nobody knows how far it had faded
            self.ctl("unmute", f"S{stem + 1}")
            self.stage.stretches.allow(ANY, stem, begin, begin + 60 * self.plan.rate)
            self.be_quiet()
            return
        self.stage.stretches.allow(ANY, stem, begin, end)
        self.muted[stem] = end

    def open_stem(self, stem):
        begin = self.stage.position()
        silent_from = self.muted.pop(stem)
        self.ctl("unmute", f"S{stem + 1}")
        self.stage.let_grow(FADE_SECONDS)
        end = self.stage.position()
        if begin is None or end is None:
            self.stage.stretches.allow(ANY, stem, silent_from, silent_from + 3600 * self.plan.rate)
            self.be_quiet()
            return
        self.stage.stretches.allow(SILENT, stem, silent_from, begin)
        self.stage.stretches.allow(ANY, stem, begin, end)
        self.be_quiet()

    def open_stems(self):
        for stem in list(self.muted):
            self.open_stem(stem)

    def be_quiet(self):
        """What is on the tape now was not noted on the timeline, or not wholly."""
        self.quiet_until = time.monotonic() + 2 * self.plan.tape + 2

    # Faults

    def fault(self, recording):
        faults = [self.stop_ruler, self.stop_stemd, self.stop_server, self.busy_loops, self.garbage,
                  self.visitor, self.change_period, self.lose_ruler]
        if self.chance.random() < 0.3:
            faults += [self.lose_server] * 3
        if self.plan.disk == "loop":
            faults += [self.freeze_disk] * 3
        if self.plan.kills and recording and self.chance.random() < 0.3:
            faults += [self.kill_stemd] * 4
        fault = self.chance.choice(faults)
        self.counts.faults[fault.__name__] += 1
        self.be_quiet()
        fault()
        self.be_quiet()

    def pause(self, process, longest):
        process.send_signal(signal.SIGSTOP)
        time.sleep(self.chance.uniform(0.01, longest))
        process.send_signal(signal.SIGCONT)

    def stop_ruler(self):
        self.stage.noted("stop_ruler", ODD, lambda: self.pause(self.stage.ruler_process, 0.4))

    def stop_stemd(self):
        self.stage.noted("stop_stemd", ODD, lambda: self.pause(self.stage.daemon, 0.4))

    def stop_server(self):
        self.stage.noted("stop_server", LOST, lambda: self.pause(self.stage.jackd, 1.0))

    def busy_loops(self):
        def loops():
            hogs = [self.stage.start("sh", "-c", "while :; do :; done")
                    for _ in range(self.chance.randint(2, 6))]
            time.sleep(self.chance.uniform(0.2, 1.0))
            for hog in hogs:
                self.stage.end_surely(hog)
                self.stage.forget(hog)
        self.stage.noted("busy_loops", ODD, loops)

    def garbage(self):
        """Nonsense may answer with anything, but the next question must be answered. A good message
        among it may set a marker, or a title."""
        osc = Osc(self.stage.port)
        for _ in range(self.chance.randint(100, 1500)):
            osc.send(make_garbage(self.chance))
        osc.close()
        wait_for(self.stage.answers, "an answer after nonsense")

    def visitor(self):
        """A client comes with ports and goes."""
        def visit():
            process = self.stage.start(
                *self.stage.visitor_words(), log="visitor.log")
            time.sleep(self.chance.uniform(0.1, 0.6))
            self.stage.end_surely(process)
            self.stage.forget(process)
        self.stage.noted("visitor", ODD, visit)

    def change_period(self):
        period = self.chance.choice([128, 256, 512, 1024, 2048])
        self.judge.periods.add(period)

        def change():
            self.stage.run("jack_bufsize", period)
            wait_for(lambda: self.stage.status()["period"] == period, "another period", nap=0.05)
        self.stage.noted("change_period", LOST, change)

    def lose_ruler(self):
        """The source is killed or ends, and comes back."""
        def lose():
            self.stage.end_ruler(surely=self.chance.random() < 0.5)
            self.stage.begin_ruler()
            self.stage.all_connected()
            self.stage.let_grow(0.1)
        self.stage.noted("lose_ruler", ODD, lose, absent=True)

    def lose_server(self):
        """The server ends or is killed; another one comes, perhaps with another period."""
        def lose():
            stage = self.stage
            how = self.chance.choice([signal.SIGTERM, signal.SIGKILL])
            stage.end(stage.jackd, how)
            stage.forget(stage.jackd)
            wait_for(lambda: stage.status()["jack"] == "waiting", "loss of the server", nap=0.05)
            stage.end_ruler(surely=True)
            time.sleep(self.chance.uniform(0, 1))
            period = self.chance.choice([self.plan.period, 256, 512])
            self.judge.periods.add(period)
            stage.server(period=period, rate=self.plan.rate, sync=self.plan.waits)
            wait_for(lambda: stage.status()["jack"] == "running", "the server's return", nap=0.05)
            stage.begin_ruler()
            stage.all_connected()
            stage.let_grow(0.2)
        self.stage.noted("lose_server", LOST, lose, absent=True)

    def freeze_disk(self):
        """For shorter than the tape lasts, or for longer."""
        is_long = self.chance.random() < 0.3
        seconds = self.plan.tape * (1.5 if is_long else self.chance.uniform(0.05, 0.4))

        def freeze():
            self.stage.disk.freeze()
            time.sleep(seconds)
            self.stage.disk.thaw()
        self.stage.noted("freeze_disk", {"overflow", "skipped"} if is_long else ODD, freeze)

    def kill_stemd(self):
        """A dead recorder's takes are completed, by the next one or by stemctl, and judged."""
        stage = self.stage
        self.wait_for_jobs()  # they would go on
        self.end_life()
        stage.end(stage.daemon, signal.SIGKILL)
        stage.forget(stage.daemon)
        self.muted_at_death()
        stage.ok("recover", *(place for place, _ in stage.places() if place.exists()))
        self.judge_there(("complete", "recovered"), running=None)
        self.none_is_left()
        self.muted = {}
        stage.begin_life()

    def muted_at_death(self):
        for stem, begin in self.muted.items():
            self.stage.stretches.allow(SILENT, stem, begin, begin + 3600 * self.plan.rate)

    # Judgement

    def wait_for_jobs(self):
        wait_for(lambda: self.stage.status()["finishing"] == 0, "jobs", seconds=300, nap=0.1)

    def judge_all(self):
        """Judges what is over, and looks at the daemon when it is idle."""
        stage, running = self.stage, None
        if stage.daemon.poll() is None:
            self.wait_for_jobs()
            status = stage.status()
            if status["state"] == "idle":
                self.wait_for_copies()
                stage.vitals.look()
            else:
                running = pathlib.Path(status["folder"]).name
        self.judge_there(("complete",), running)

    def wait_for_copies(self):
        """A mirror may take a moment longer."""
        def over():
            return all(manifest["progress"] != "recording"
                       for _, is_copy, manifest in self.stage.takes_there() if is_copy)
        wait_for(over, "the mirror's end", nap=0.05)

    def is_over(self, folder, is_copy, manifest, killed):
        """Whether nobody works on a take any more."""
        if manifest["progress"] == "recording":
            return False
        finishes = self.plan.finish and not is_copy and not killed
        return not finishes or (folder / "SHA256SUMS").exists()

    def judge_there(self, allowed, running):
        for folder, is_copy, manifest in self.stage.takes_there():
            if folder.name != running and self.is_over(
                    folder, is_copy, manifest, killed="recovered" in allowed):
                self.judge.judge(folder, self.stage.stretches, is_copy, allowed)

    def none_is_left(self):
        """What is not judged now would never be. Wrong takes stay, and are known already."""
        left = [str(folder) for folder, _, _ in self.stage.takes_there()]
        if left and not self.judge.problems:
            self.judge.wrong(left[0], f"nobody completed it, or {len(left) - 1} others")
