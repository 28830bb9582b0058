// The folder's own files, played together.
//
// Each file has an audio element: from disk a page can neither fetch nor decode files itself, and
// browsers silence such elements in Web Audio. Elements start and run independently, so they are
// held together: all seek first and start in one go; then their positions are compared again and
// again, and whoever is off is played a little faster or slower, or sought anew when far off.
//
// How far one is off: currentTime minus the clock. Browsers renew currentTime only now and then, so
// single readings lag, by differing amounts, but are never early: the largest of several is right.
// The elements' own median is the reference, since the sound card's clock is not the computer's.

const READINGS = 6; // of a comparison
const TICK_MS = 40;
const SETTLE_MS = 200; // readings right after a start are not worth much
const CLOSE = 0.003; // seconds; nearer is left alone
const FAR = 0.25; // farther is sought anew
const BEND_S = 0.35; // how long a correction should take,
const MILD = 0.01, STRONG = 0.12; // but the speed changes by no less and no more
const PATIENCE_MS = 4000; // how long a start waits for somebody who is slow

const HOLD_MS = 120; // with speed 0 before a start
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const wallClock = () => performance.now() / 1000;

class Players {
  constructor() {
    this.all = []; // {audio, failed}
    this.playing = false;
    this.busy = false; // seeking before a start
    this.at = 0; // position while nothing runs
    this.loop = null; // {from, to}
    this.round = 0; // of starts and stops; what belongs to an old one gives up
    this.changed = () => {};
  }

  add(url, failed) {
    const audio = make("audio", { preload: "metadata", src: url, "aria-hidden": "true" });
    const player = { audio, failed: false, most: -Infinity, seen: 0, bend: null };
    audio.preservesPitch = false;
    audio.addEventListener("error", () => {
      player.failed = true;
      failed();
    });
    audio.addEventListener("pause", () => this.pausedByOthers(player));
    this.all.push(player);
    byId("page").append(audio);
    return player;
  }

  // Those that can sound at a position: a file may be missing or shorter.
  able(at) {
    return this.all.filter(({ audio, failed }) => !failed && !(at >= audio.duration - 0.005));
  }

  get running() {
    return this.all.filter(({ audio, failed }) => !failed && !audio.paused && !audio.ended);
  }

  position() {
    const lead = this.playing && !this.busy && this.running.find(({ audio }) => !audio.seeking);
    return lead ? Math.min(lead.audio.currentTime, seconds) : this.at;
  }

  // Media keys and browsers may pause one element: then all pause.
  pausedByOthers({ audio }) {
    if (this.playing && !this.busy && audio.paused && !audio.ended) this.pause();
  }

  halt() {
    clearInterval(this.timer);
    clearTimeout(this.turn);
    this.turn = 0;
    for (const player of this.all) {
      player.audio.pause();
      player.audio.playbackRate = 1;
    }
  }

  pause() {
    this.at = this.position();
    this.playing = this.busy = false;
    this.round++;
    this.halt();
    this.changed();
  }

  seek(at) {
    this.at = Math.max(0, Math.min(seconds, at));
    if (this.playing) return this.play();
    for (const { audio } of this.able(this.at)) if (audio.readyState) audio.currentTime = this.at;
    this.changed();
    return Promise.resolve();
  }

  async play() {
    const round = ++this.round;
    if (this.at >= seconds - 0.01) this.at = this.loop ? this.loop.from : 0;
    this.playing = this.busy = true;
    this.halt();
    this.changed();
    const able = this.able(this.at);
    await Promise.all(able.map(({ audio }) => this.place(audio)));
    if (round !== this.round) return;
    const sounds = await this.hold(able.filter(({ failed }) => !failed));
    if (round !== this.round) return;
    this.busy = false;
    if (!sounds) return this.pause();
    for (const { audio } of able) audio.playbackRate = 1;
    this.compareAnew();
    this.settled = wallClock() + SETTLE_MS / 1000;
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.changed();
  }

  // Brings one element to the position, ready to sound at once.
  place(audio) {
    audio.preload = "auto";
    return new Promise((done) => {
      const ready = () => {
        if (audio.error || (audio.readyState >= 3 && !audio.seeking && Math.abs(audio.currentTime - this.at) < 0.01)) finish();
        else if (audio.readyState >= 1 && !audio.seeking && Math.abs(audio.currentTime - this.at) >= 0.01) audio.currentTime = this.at;
      };
      const events = ["loadedmetadata", "seeked", "canplay", "error"];
      const late = setTimeout(() => finish(), PATIENCE_MS);
      const finish = () => {
        clearTimeout(late);
        for (const name of events) audio.removeEventListener(name, ready);
        done();
      };
      for (const name of events) audio.addEventListener(name, ready);
      ready();
    });
  }

  // Lets all run with speed 0, so that their machinery is warm when they are let go together: it
  // takes a different time for each to get going. False when nobody can.
  async hold(able) {
    const started = able.map(({ audio }) => {
      audio.playbackRate = 0;
      return audio.play().then(() => true);
    });
    await Promise.race([Promise.allSettled(started), pause(PATIENCE_MS)]);
    await pause(HOLD_MS);
    return able.some(({ audio }) => !audio.paused);
  }

  tick() {
    const at = this.position(), end = this.loop && at < this.loop.to ? this.loop.to : seconds;
    if (this.running.length === 0 || at >= end) return this.turnRound();
    if (end - at < 2 * TICK_MS / 1000 && !this.turn)
      this.turn = setTimeout(() => this.turnRound(), (end - at) * 1000);
    if (document.hidden) this.compareAnew(); // timers are too coarse in a page that nobody sees
    else if (wallClock() > this.settled) this.compare();
  }

  // At the end of the loop, or of the take.
  turnRound() {
    this.turn = 0;
    if (this.loop) return this.seek(this.loop.from);
    this.pause();
    this.at = seconds;
    this.changed();
  }

  compareAnew() {
    for (const player of this.all) {
      if (player.bend) player.audio.playbackRate = 1;
      Object.assign(player, { most: -Infinity, seen: 0, bend: null });
    }
  }

  compare() {
    const running = this.running.filter(({ audio }) => audio.readyState >= 3 && !audio.seeking);
    for (const player of running) {
      const now = wallClock();
      if (player.bend) this.straighten(player, now);
      else {
        player.most = Math.max(player.most, player.audio.currentTime - now);
        player.seen++;
      }
    }
    const steady = running.filter(({ bend, seen }) => !bend && seen >= READINGS);
    if (running.some(({ bend }) => bend) || steady.length < running.length || running.length < 2) return;
    const offsets = steady.map(({ most }) => most).sort((a, b) => a - b);
    const middle = offsets[Math.floor(offsets.length / 2)];
    for (const player of steady) {
      const off = player.most - middle;
      player.most = -Infinity;
      player.seen = 0;
      if (Math.abs(off) > FAR) player.audio.currentTime = middle + wallClock() + TICK_MS / 1000;
      else if (Math.abs(off) > CLOSE) this.bend(player, off);
    }
  }

  bend(player, off) {
    const change = Math.min(STRONG, Math.max(MILD, Math.abs(off) / BEND_S));
    player.bend = { since: wallClock(), change, off: Math.abs(off) };
    player.audio.playbackRate = off > 0 ? 1 - change : 1 + change;
  }

  straighten(player, now) {
    const { since, change, off } = player.bend;
    if ((now - since + TICK_MS / 2000) * change < off) return;
    player.audio.playbackRate = 1;
    player.bend = null;
  }
}
