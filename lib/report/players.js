// The folder's own files, played together.
//
// Each file has an audio element: from disk a page can neither fetch nor decode files itself, and
// browsers silence such elements in Web Audio. Elements start and run independently, so they are
// held together: all seek first and start in one go; then their positions are compared again and
// again, and whoever is off is played a little faster or slower, or sought anew when far off.
//
// How far one is off: currentTime minus the clock. Browsers renew currentTime only now and then, so
// single readings lag, by differing amounts, but are hardly early: the largest of several is right.
// The elements' own median is the reference, since the sound card's clock is not the computer's.
//
// Who is muted plays on, all but inaudible: at volume 0 some browsers give up the way to the sound
// card, and take long to find it again.

const FIRST_READINGS = 6, READINGS = 20; // of a comparison: soon after a start, later
const FIRST_ROUNDS = 3;
const TICK_MS = 40;
const SETTLE_MS = 200; // readings right after a start are not worth much
const CLOSE = 0.008; // seconds; nearer is left alone, for readings are no better
const FAR = 0.12; // farther is fetched in unheard, at another speed,
const LOST = 4; // and from here on sought anew
const BEND_S = 0.35; // how long a small correction should take,
const MILD = 0.01, STRONG = 0.12; // but the speed changes by no less and no more
const CHASE = 0.5; // by this it changes when nobody hears it
const SILENCE = 1e-5; // -100 dB
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
    this.flat = false; // this browser leaves the volume to the device
    this.changed = () => {};
  }

  add(url, failed) {
    const audio = make("audio", { preload: "metadata", src: url, "aria-hidden": "true" });
    const player = { audio, failed: false, most: -Infinity, seen: 0, rounds: 0, bend: null, level: 1 };
    audio.preservesPitch = false;
    audio.addEventListener("error", () => {
      player.failed = true;
      failed(audio.error);
    });
    audio.addEventListener("pause", () => this.pausedByOthers(player));
    audio.volume = 0.5;
    this.flat = audio.volume !== 0.5;
    this.all.push(player);
    byId("page").append(audio);
    return player;
  }

  // How loud one is, from 0 to 1.
  setLevel(player, level) {
    player.level = Math.min(1, Math.max(SILENCE, level));
    if (this.flat) player.audio.muted = level === 0;
    this.applyLevel(player);
  }

  applyLevel({ audio, bend, level }) {
    audio.volume = bend && bend.unheard ? SILENCE : level;
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
      this.straighten(player);
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
      if (player.bend) this.straighten(player);
      player.rounds = 0;
    }
  }

  compare() {
    const running = this.running.filter(({ audio }) => audio.readyState >= 3 && !audio.seeking);
    for (const player of running) {
      const now = wallClock(), { bend } = player;
      if (!bend) {
        player.most = Math.max(player.most, player.audio.currentTime - now);
        player.seen++;
      } else if ((now - bend.since + TICK_MS / 2000) * bend.change >= bend.off) this.straighten(player);
    }
    const enough = ({ bend, seen, rounds }) => !bend && seen >= (rounds < FIRST_ROUNDS ? FIRST_READINGS : READINGS);
    if (running.length < 2 || !running.every(enough)) return;
    const offsets = running.map(({ most }) => most).sort((a, b) => a - b);
    const middle = offsets[Math.floor(offsets.length / 2)];
    for (const player of running) this.correct(player, player.most - middle, middle);
  }

  correct(player, off, middle) {
    const away = Math.abs(off);
    player.most = -Infinity;
    player.seen = 0;
    player.rounds++;
    if (away > LOST) player.audio.currentTime = middle + wallClock();
    else if (away > CLOSE) {
      const unheard = away > FAR, change = unheard ? CHASE : Math.min(STRONG, Math.max(MILD, away / BEND_S));
      player.bend = { since: wallClock(), change, off: away, unheard };
      player.audio.playbackRate = off > 0 ? 1 - change : 1 + change;
      this.applyLevel(player);
    }
  }

  // Back to normal speed; what was read before is of no use any more.
  straighten(player) {
    player.audio.playbackRate = 1;
    Object.assign(player, { bend: null, most: -Infinity, seen: 0 });
    this.applyLevel(player);
  }
}
