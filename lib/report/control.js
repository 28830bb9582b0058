// What the page does: players, mute and solo, the loop, mouse and keys.

const MOST_PLAYERS = 64; // browsers refuse to open many more
const players = new Players();
let listening = "stems", marking = null; // marking: where a drag began

const say = (text) => { byId("say").textContent = text; };
const decibels = (input) => Number(input.value) <= Number(input.min) ? null : Number(input.value);
const factor = (db) => db === null ? 0 : 10 ** (Math.min(0, db) / 20);

// Solos are heard alone; without any, the stems or the mix, as chosen, but what is muted.
function heard(file) {
  if (files.some(({ solo }) => solo)) return file.solo;
  if (file.mute) return false;
  return file.kind === "extra" || (file.kind === "mix") === (listening === "mix");
}

function applyLevels() {
  const master = factor(decibels(byId("master")));
  byId("master").parentNode.querySelector("output").textContent = `${level(decibels(byId("master")))} dB`;
  for (const file of files) {
    const sounds = heard(file), db = decibels(file.gainInput);
    file.row.classList.toggle("unheard", !sounds);
    file.muteButton.setAttribute("aria-pressed", String(file.mute));
    file.soloButton.setAttribute("aria-pressed", String(file.solo));
    file.gainText.textContent = `${level(db)} dB`;
    file.gainInput.setAttribute("aria-valuetext", `${level(db)} decibels`);
    if (file.player) players.setLevel(file.player, sounds ? factor(db) * master : 0);
  }
}

function toggleMute(file) {
  file.mute = !file.mute;
  applyLevels();
  say(`${file.name} ${file.mute ? "muted" : "not muted"}`);
}

function toggleSolo(file) {
  file.solo = !file.solo;
  applyLevels();
  say(`${file.name} ${file.solo ? "solo" : "not solo"}`);
}

function listenTo(what) {
  listening = what;
  for (const button of byId("listen").querySelectorAll("button"))
    button.setAttribute("aria-pressed", String(button.dataset.listen === what));
  applyLevels();
  say(what === "mix" ? "Listening to the mix" : "Listening to the stems");
}

function clearSwitches() {
  for (const file of files) {
    file.solo = false;
    file.mute = file.kind === "extra";
  }
  applyLevels();
  say("No solo, no mute");
}

function toggle() {
  if (players.playing) players.pause();
  else players.play();
}

function setLoop(from, to) {
  players.loop = to - from >= 0.05 ? { from, to } : null;
  showLoop();
  if (players.playing && players.loop && (players.position() < from || players.position() >= to)) players.seek(from);
}

function toggleLoop() {
  if (players.loop) setLoop(0, 0);
  else setLoop(0, seconds);
  say(players.loop ? "Loop on" : "Loop off");
}

// I and O: one end of the loop moves to the play position.
function moveLoop(end) {
  const at = players.position(), loop = players.loop || { from: 0, to: seconds };
  if (end === "from") setLoop(at, loop.to > at ? loop.to : seconds);
  else setLoop(loop.from < at ? loop.from : 0, at);
}

function showLoop() {
  const { loop } = players, tracks = byId("page").style;
  tracks.setProperty("--from", loop ? loop.from / seconds : 0);
  tracks.setProperty("--to", loop ? loop.to / seconds : 0);
  byId("loop").setAttribute("aria-pressed", String(Boolean(loop)));
  byId("range").textContent = loop ? `${clock(loop.from, 1)} ${NONE} ${clock(loop.to, 1)}` : "";
}

function showPosition() {
  const at = players.position(), [whole, part] = clock(at).split("."), place = musical(at);
  byId("page").style.setProperty("--at", seconds ? at / seconds : 0);
  byId("now").replaceChildren(`${whole}.${part} `, make("small", null, `/ ${clock(seconds, 0)}`));
  byId("bar").textContent = place ? `bar ${place.bar}, beat ${place.beat}` : "";
  const ruler = byId("ruler");
  ruler.setAttribute("aria-valuemin", 0);
  ruler.setAttribute("aria-valuemax", seconds.toFixed(1));
  ruler.setAttribute("aria-valuenow", at.toFixed(1));
  ruler.setAttribute("aria-valuetext", spoken(at));
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

// While it plays the position moves with the screen, or a few times a second for who wants it calm.
function follow() {
  showPosition();
  if (!players.playing) return;
  if (calm.matches) setTimeout(() => requestAnimationFrame(follow), 250);
  else requestAnimationFrame(follow);
}

let following = false;
players.changed = () => {
  byId("play").setAttribute("aria-label", players.playing ? "Pause" : "Play");
  byId("play").setAttribute("aria-busy", String(players.busy));
  showPosition();
  if (players.playing && !following) requestAnimationFrame(follow);
  following = players.playing;
};

// Where on the time axis a pointer is, in seconds.
function timeAt(event, wave) {
  const box = wave.getBoundingClientRect();
  return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * seconds;
}

// A click seeks, a drag marks the loop.
function wirePointer(wave) {
  wave.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("button")) return;
    marking = { x: event.clientX, at: timeAt(event, wave), moved: false };
    wave.setPointerCapture(event.pointerId);
  });
  wave.addEventListener("pointermove", (event) => {
    if (!marking) return;
    marking.moved ||= Math.abs(event.clientX - marking.x) > 5;
    if (!marking.moved) return;
    const ends = [marking.at, timeAt(event, wave)].sort((a, b) => a - b);
    byId("page").style.setProperty("--from", ends[0] / seconds);
    byId("page").style.setProperty("--to", ends[1] / seconds);
  });
  wave.addEventListener("pointerup", (event) => {
    if (!marking) return;
    const { at, moved } = marking;
    marking = null;
    if (!moved) return players.seek(timeAt(event, wave));
    setLoop(...[at, timeAt(event, wave)].sort((a, b) => a - b));
    if (!players.playing && players.loop) players.seek(players.loop.from);
  });
  wave.addEventListener("pointercancel", () => {
    marking = null;
    showLoop();
  });
}

// Keys. Each: what it is called, what it does, in the order of the help.
const step = (by) => players.seek(players.position() + by);
const focused = () => files.find(({ row }) => row.contains(document.activeElement));

function walk(by) {
  const rows = files.map(({ row }) => row), now = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[now < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, now + by))];
  if (next) next.focus();
}

function toMarker(by) {
  const at = players.position(), times = take.markers.map(({ frame }) => frame / rate);
  const next = by > 0 ? times.find((time) => time > at + 0.01) : times.filter((time) => time < at - (players.playing ? 0.5 : 0.01)).pop();
  if (next !== undefined) players.seek(next);
  else if (by < 0) players.seek(0);
}

const KEYS = [
  ["Space", "play, pause", { " ": toggle }],
  ["\u2190 \u2192", "5 seconds back, on (with Shift: 1 second)",
    { ArrowLeft: (shift) => step(shift ? -1 : -5), ArrowRight: (shift) => step(shift ? 1 : 5) }],
  ["Home End", "to the beginning, to the end", { Home: () => players.seek(0), End: () => players.seek(seconds) }],
  [", .", "to the marker before, after", { ",": () => toMarker(-1), ".": () => toMarker(1) }],
  ["\u2191 \u2193", "to the stem above, below", { ArrowUp: () => walk(-1), ArrowDown: () => walk(1) }],
  ["M", "mute the stem that has the focus", { m: () => focused() && toggleMute(focused()) }],
  ["S", "solo the stem that has the focus", { s: () => focused() && toggleSolo(focused()) }],
  ["U", "no solo, no mute", { u: clearSwitches }],
  ["X", "stems or mix", { x: () => take.mix && listenTo(listening === "mix" ? "stems" : "mix") }],
  ["L", "loop on, off", { l: toggleLoop }],
  ["I O", "loop from here, to here", { i: () => moveLoop("from"), o: () => moveLoop("to") }],
  ["?", "this help", { "?": () => byId("help").showModal() }],
];
const ACTIONS = Object.assign({}, ...KEYS.map(([, , actions]) => actions));

// Controls keep the keys that are theirs.
function takenByControl(target, key) {
  const kind = target.closest && target.closest("button, summary, a[href], input, select, dialog");
  if (!kind) return false;
  if (kind.matches("dialog, select, dialog *")) return true;
  if (kind.matches("input")) return /^(Arrow|Home|End|Page)/.test(key);
  return key === " ";
}

function onKey(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open || !Object.hasOwn(ACTIONS, key)) return;
  if (takenByControl(event.target, key)) return;
  event.preventDefault();
  ACTIONS[key](event.shiftKey);
}

function wireFile(file) {
  Object.assign(file, { solo: false, mute: file.kind === "extra" });
  file.muteButton.addEventListener("click", () => toggleMute(file));
  file.soloButton.addEventListener("click", () => toggleSolo(file));
  file.gainInput.addEventListener("input", applyLevels);
  file.gainInput.addEventListener("dblclick", () => {
    file.gainInput.value = 0;
    applyLevels();
  });
}

// Opens the files, after the page is there.
function openFiles() {
  files.slice(0, MOST_PLAYERS).forEach((file) => {
    file.player = players.add(file.url, ({ code, message }) => {
      file.tell.textContent = code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED
        ? `${file.file} cannot be played: it is not beside this page, or this browser does not play its format`
        : `${file.file}: the browser gave up playing it (${message || "no reason told"})`;
    });
  });
  for (const file of files.slice(MOST_PLAYERS)) file.tell.textContent = `not opened: browsers play at most ${MOST_PLAYERS} files together`;
  if (players.flat) note("This browser leaves the volume to the device: mute and solo work, gain does not.");
  applyLevels();
}

function note(text) {
  byId("note").hidden = false;
  byId("note").append(text + " ");
}

function wireMedia() {
  if (!navigator.mediaSession) return;
  const actions = { play: () => players.play(), pause: () => players.pause(), seekto: ({ seekTime }) => players.seek(seekTime) };
  for (const [name, action] of Object.entries(actions))
    try {
      navigator.mediaSession.setActionHandler(name, action);
    } catch { /* this browser does not know the action */ }
}

function wirePage() {
  byId("play").addEventListener("click", toggle);
  byId("loop").addEventListener("click", toggleLoop);
  byId("keys").addEventListener("click", () => byId("help").showModal());
  byId("master").addEventListener("input", applyLevels);
  byId("scale").addEventListener("change", drawAll);
  byId("listen").addEventListener("click", ({ target }) => target.dataset.listen && listenTo(target.dataset.listen));
  for (const wave of document.querySelectorAll(".wave")) wirePointer(wave);
  document.addEventListener("keydown", onKey);
  for (const [keys, text] of KEYS) byId("key-list").append(make("dt", null, keys), make("dd", null, text));
  const redraw = () => requestAnimationFrame(drawAll);
  new ResizeObserver(redraw).observe(byId("rows"));
  dark.addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    printing = true;
    for (const box of document.querySelectorAll("details")) box.open ||= box.querySelectorAll("tr").length <= 60;
    drawAll();
  });
  addEventListener("afterprint", () => {
    printing = false;
    drawAll();
  });
}

function open() {
  fillHead();
  fillChecks();
  byId("rows").classList.toggle("many", files.length > 12);
  byId("rows").append(...files.map(stemRow));
  byId("listen").hidden = !take.mix;
  fillFlags();
  fillNullTest();
  fillLevels();
  fillEvents();
  byId("page").hidden = false;
  const known = formatNote();
  if (known) note(known);
  files.forEach(wireFile);
  wirePage();
  wireMedia();
  applyLevels();
  showPosition();
  showLoop();
  drawAll();
  document.documentElement.dataset.ready = Math.round(performance.now()); // ms since it was asked for
  setTimeout(openFiles, 0);
}

open();
