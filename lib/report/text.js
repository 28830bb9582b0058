// Words and numbers as the page writes them. Texts of the take only ever become text nodes.

const MINUS = "\u2212", NONE = "\u2013";
const byId = (id) => document.getElementById(id);

// An element with attributes ("class", "aria-…") and children (nodes or texts).
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  element.append(...children);
  return element;
}

const number = (value, digits) => value.toFixed(digits).replace(/^-(?=0*\.?0*$)/, "").replace("-", MINUS);

// A level: null is silence where something was measured, undefined was not measured.
const level = (db, digits = 1) => db === undefined ? NONE : db === null ? MINUS + "\u221e" : number(db, digits);

const many = (count, one, more = one + "s") => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

// 3723.4 s as 1:02:03.400
function clock(seconds, digits = 3) {
  const unit = 10 ** digits, all = Math.floor(Math.max(0, seconds) * unit + 1e-6);
  const whole = Math.floor(all / unit), two = (part) => String(part).padStart(2, "0");
  const text = `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return digits ? `${text}.${String(all % unit).padStart(digits, "0")}` : text;
}

// The same in words, for those who listen to the page.
function spoken(seconds) {
  const whole = Math.floor(seconds), parts = [];
  if (whole >= 3600) parts.push(many(Math.floor(whole / 3600), "hour"));
  if (whole >= 60) parts.push(many(Math.floor(whole / 60) % 60, "minute"));
  parts.push(`${(seconds % 60).toFixed(1)} seconds`);
  return parts.join(" ");
}

const ENCODINGS = { pcm16: "16 bit", pcm24: "24 bit", pcm32: "32 bit", float: "32 bit float", double: "64 bit float" };
const BYTES = { pcm16: 2, pcm24: 3, pcm32: 4, float: 4, double: 8 };
const CONTAINERS = { wav: "WAV", w64: "Wave64", caf: "CAF", aiff: "AIFF", flac: "FLAC" };
const REASONS = {
  skipped: "the server skipped cycles", overflow: "the disk was too slow",
  server: "the JACK server was away", clock: "the clock of the server jumped",
};

// "2026-11-20T21:53:07+01:00" as it was where the take was made.
function localDate(text) {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(.*)$/.exec(text || "");
  return parts ? `${parts[1]} ${parts[2]} ${parts[3] === "Z" ? "UTC" : parts[3]}`.trim() : text;
}
