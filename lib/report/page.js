// What stands on the page: head, remarks, stems, null test, levels, events.

function fillHead() {
  const title = take.title || "Untitled take";
  byId("title").textContent = title;
  document.title = title.slice(0, 200);
  const tempos = new Set(take.tempo_map.map(({ bpm }) => number(bpm, 2)));
  const tempo = take.tempo_bpm || (take.tempo_map[0] || {}).bpm;
  const facts = [
    ["Tempo", tempo ? `${number(tempo, 2).replace(/\.?0+$/, "")} bpm${tempos.size > 1 ? ", changes" : ""}` : null],
    ["Key", take.key],
    ["Length", clock(seconds)],
    ["Format", `${CONTAINERS[take.format.container]}, ${ENCODINGS[take.format.encoding]}, ${(rate / 1000).toLocaleString("en")} kHz`],
    ["Files", [many(take.stems.length, "stem"), take.mix && "mix", take.extras.length && many(take.extras.length, "more file")].filter(Boolean).join(", ")],
    ["Recorded", localDate(take.started)],
    ["Time reference", `${clock(take.time_reference / rate)}`],
    ["Part", take.part > 1 || take.continued_in ? `${take.part}${take.continued_in ? ", goes on in " + take.continued_in : ", the last"}` : null],
  ];
  for (const [name, value] of facts)
    if (value) byId("facts").append(make("div", null, make("dt", null, name), make("dd", null, value)));
  byId("footer").textContent = `Made by ${take.recorder || "stemd"}${take.finished ? ", " + localDate(take.finished) : ""}. ` +
    "This page works without a network; its players need the files beside it.";
}

// Names of files, the first few of them.
function names(list) {
  const few = list.slice(0, 6).map((file) => file.name).join(", ");
  return list.length > 6 ? `${few} and ${list.length - 6} more` : few;
}

function stateRemark() {
  const states = {
    complete: ["good", "Complete: every file has the same start and the same length"],
    recording: ["bad", "Not finished: it was being recorded, or its recorder died"],
    recovered: ["warn", "Its recorder died; it was completed afterwards from what was on the disk"],
    failed: ["bad", `Ended by a fault: ${take.failure || "unknown"}. What was recorded is valid`],
  };
  const uneven = files.filter((file) => file.frames !== take.frames);
  if (take.progress === "complete" && uneven.length) return ["bad", `Not as long as the take: ${names(uneven)}`];
  return states[take.progress];
}

function nullRemark() {
  if (!take.mix) return ["warn", "No reference mix was recorded, so the sum of the stems was compared with nothing"];
  if (!take.residual) return ["warn", "The stems have not been compared with the mix"];
  return take.residual.passed ? ["good", "The stems add up to the mix"] : ["bad", "The stems do not add up to the mix; see the null test"];
}

const above = (file, limit) => file.peak !== null && file.peak > limit; // silence is above nothing

function levelRemarks() {
  const list = [], clipped = files.filter((file) => file.clips), silent = files.filter((file) => file.silent);
  const stems = files.filter((file) => file.kind === "stem" && file.peak !== null);
  const loud = stems.filter((file) => above(file, LIMITS[0]));
  const loudest = Math.max(...stems.map((file) => file.peak));
  list.push(clipped.length ? ["bad", `Clipped: ${names(clipped)}`] : ["good", "No sample was clipped"]);
  const bad = files.filter((file) => file.bad);
  if (bad.length) list.push(["bad", `Samples that are infinite or not numbers: ${names(bad)}`]);
  if (loud.length) list.push(["warn", `Less than 3 dB of headroom: ${names(loud)}`]);
  else if (stems.length) list.push(["good", `Every stem leaves at least ${number(-loudest, 1)} dB of headroom`]);
  if (silent.length) list.push(["warn", `Silent from beginning to end: ${names(silent)}`]);
  const muted = files.filter((file) => file.muted);
  if (muted.length) list.push(["warn", `Muted when the take started: ${names(muted)}`]);
  return list;
}

function fillChecks() {
  const { gaps, gap_frames, xruns } = data.totals;
  const list = [stateRemark(), nullRemark(), ...levelRemarks()];
  list.push(gaps ? ["bad", `${many(gaps, "gap")} of ${number(gap_frames / rate, 3)} s together, silence in every file`]
    : ["good", "No gap: nothing was lost"]);
  if (xruns) list.push(["warn", `${many(xruns, "xrun")} reported by the JACK server`]);
  const marks = { good: ["\u2713", "Good: "], warn: ["!", "Mind: "], bad: ["\u2717", "Problem: "] };
  for (const [kind, text] of list)
    byId("checks").append(make("li", { class: kind },
      make("b", { "aria-hidden": "true" }, marks[kind][0]), make("span", { class: "skip" }, marks[kind][1]), text));
}

function figures(file) {
  const box = make("div", { class: "figures" });
  const line = (value, unit, kind) => box.append(make("div", { class: kind || null }, value + " ", make("span", null, unit)));
  if (file.silent) box.append(make("div", null, make("span", { class: "tag" }, "silent")));
  else {
    line(level(file.peak), "dBFS", above(file, LIMITS[0]) ? "over" : null);
    line(level(file.levels.integrated_lufs), "LUFS");
  }
  if (file.clips) box.append(make("div", null, make("span", { class: "tag bad" }, many(file.clips, "clip"))));
  return box;
}

const LETTER = { mix: "Mix", return: "Return", input: "Input" };

// One file's row; control.js adds what its controls do.
function stemRow(file) {
  const label = file.number === null ? LETTER[file.role] || "" : String(file.number).padStart(2, "0");
  const named = file.role === "mix" ? file.name : `${label} ${file.name}`;
  file.canvas = make("canvas", { "aria-hidden": "true" });
  file.tell = make("span", { class: "tell" });
  file.muteButton = make("button", { type: "button", class: "mute", "aria-pressed": "false", "aria-label": `Mute ${file.name}`, title: "Mute (M)" }, "M");
  file.soloButton = make("button", { type: "button", class: "solo", "aria-pressed": "false", "aria-label": `Solo ${file.name}`, title: "Solo (S)" }, "S");
  file.gainInput = make("input", { type: "range", min: -60, max: 0, step: 0.5, value: 0, "aria-label": `Gain of ${file.name}` });
  file.gainText = make("output");
  file.row = make("div", { class: "row stem", role: "group", tabindex: 0, "aria-label": named },
    make("div", { class: "who" },
      make("div", { class: "name", title: file.name }, make("i", null, file.role === "mix" ? "00" : label), file.name),
      make("div", { class: "switches" }, file.muteButton, file.soloButton),
      make("label", { class: "fader" }, file.gainInput, file.gainText)),
    make("div", { class: "wave" }, file.canvas, file.tell),
    figures(file));
  return file.row;
}

function fillNullTest() {
  const found = take.residual, [, text] = nullRemark();
  if (!take.mix || !found) {
    byId("verdict").textContent = text + ".";
    return;
  }
  const nothing = found.peak === 0;
  byId("verdict").className = "verdict " + (found.passed ? "good" : "bad");
  byId("verdict").append(make("b", null, found.passed ? "Passed. " : "Failed. "),
    nothing ? "Mix minus the sum of the stems is exactly zero, in every sample."
      : `Mix minus the sum of the stems reaches ${level(found.peak_dbfs)}\u00a0dBFS (RMS\u00a0${level(found.rms_dbfs)}); ` +
        `rounding explains up to ${level(found.bound > 0 ? 20 * Math.log10(found.bound) : null)}\u00a0dBFS.`);
  if (found.worst_rms > 0) {
    const at = found.worst_frame / rate;
    byId("verdict").append(` The worst second begins at `, jump(at), ".");
  }
  if (found.hint) {
    byId("hint").hidden = false;
    byId("hint").textContent = found.hint;
  }
  if (residual && !nothing) fillChart();
}

function fillChart() {
  const { bound, top, bottom } = residualRange();
  byId("chart-row").hidden = false;
  byId("residual").setAttribute("aria-label", `Residual over time, in dBFS; rounding explains up to ${level(bound)}`);
  for (let db = gridTop(top); db >= bottom; db -= gridStep(top, bottom))
    byId("residual-scale").append(make("span", { style: `top:${(top - db) / (top - bottom) * 100}%` }, `${number(db, 0)} dBFS`));
}

// A button that goes to a time.
function jump(at) {
  const button = make("button", { type: "button", class: "goto" }, clock(at));
  button.addEventListener("click", () => players.seek(at));
  return button;
}

function levelCells(file) {
  const { levels } = file, dc = Math.abs(levels.dc_offset || 0);
  const cells = [
    [level(file.peak), above(file, LIMITS[0])],
    [level(levels.true_peak_dbtp), levels.true_peak_dbtp > 0],
    [level(levels.integrated_lufs)], [level(levels.short_term_lufs)], [level(levels.momentary_lufs)],
    [level(levels.range_lu)], [level(levels.rms_dbfs)],
    ...LIMITS.map((limit) => file.peak === null ? ["any"] : [number(limit - file.peak, 1), limit === LIMITS[0] && above(file, limit)]),
    [file.clips.toLocaleString("en"), file.clips > 0],
    [levels.dc_offset === undefined ? NONE : dc < 1e-7 ? "none" : `${number(20 * Math.log10(dc), 0)}`],
  ];
  return cells.map(([text, over]) => make("td", { class: over ? "over" : null }, text));
}

function fillLevels() {
  const heads = ["Peak dBFS", "True peak dBTP", "LUFS integrated", "LUFS short-term max", "LUFS momentary max", "Range LU", "RMS dBFS",
    ...LIMITS.map((limit) => `Room to ${MINUS}${-limit}`), "Clips", "DC dBFS"];
  byId("levels").append(
    make("thead", null, make("tr", null, make("th", { scope: "col" }, "File"),
      ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", null, ...files.map((file) => make("tr", null,
      make("th", { scope: "row", title: `${file.name}, ${file.file}` }, file.name, " ", make("span", null, file.file)),
      ...levelCells(file)))));
}

function list(title, total, heads, rows) {
  if (!total) return;
  const cut = rows.length < total ? `, the first ${rows.length} are listed; take.json has all` : "";
  const box = make("details", rows.length <= 12 ? { open: true } : null, make("summary", null, `${title}${cut}`),
    make("div", { class: "scroll" }, make("table", null,
      make("thead", null, make("tr", null, ...heads.map((head) => make("th", { scope: "col", class: head === "Time" || head === "Frame" ? null : "text" }, head)))),
      make("tbody", null, ...rows.map((cells) => make("tr", null, ...cells))))));
  byId("events").append(box);
}

const cell = (...content) => make("td", null, ...content);
const words = (text) => make("td", { class: "text" }, text);
const whole = (frame) => frame.toLocaleString("en");

function fillEvents() {
  const { gaps, xruns, markers } = data.totals;
  list(many(markers, "marker"), markers, ["Time", "Frame", "Text"],
    take.markers.map(({ frame, text }) => [cell(jump(frame / rate)), cell(whole(frame)), words(text)]));
  list(many(gaps, "gap"), gaps, ["Time", "Frame", "Length and reason"],
    take.gaps.map(({ frame, frames, reasons }) => [cell(jump(frame / rate)), cell(whole(frame)),
      words(`${many(frames, "frame")} (${number(frames / rate * 1000, 1)} ms): ${reasons.map((reason) => REASONS[reason] || reason).join(", ") || "no reason given"}`)]));
  list(many(xruns, "xrun"), xruns, ["Time", "Frame", "Delay"],
    take.xruns.map(({ frame, delay_us }) => [cell(jump(frame / rate)), cell(whole(frame)), words(`${number(delay_us / 1000, 2)} ms`)]));
  if (take.tempo_map.length > 1)
    list(`${take.tempo_map.length} entries in the tempo map`, take.tempo_map.length, ["Time", "Frame", "Tempo"],
      take.tempo_map.map((entry) => [cell(jump(entry.frame / rate)), cell(whole(entry.frame)),
        words(`bar ${entry.bar}, beat ${entry.beat}: ${number(entry.bpm, 2)} bpm, ${entry.beats_per_bar}/${entry.beat_type}`)]));
  if (!gaps && !xruns && !markers) byId("events").append(make("p", { class: "small" }, "No gaps, no xruns, no markers."));
}

// The time axis: as many labels as fit.
function fillRuler() {
  const width = byId("ruler").clientWidth || 600;
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600];
  const step = steps.find((one) => one * width / seconds >= 76) || 86400;
  byId("ruler").replaceChildren();
  for (let n = 0; n * step < seconds; n++) {
    const left = n * step / seconds;
    if (n > 0 && (1 - left) * width < 46) break;
    const text = clock(n * step, step < 1 ? 1 : 0).replace(/^0:/, "");
    byId("ruler").append(make("span", { style: `left:${left * 100}%` }, text));
  }
}

// Flags of the lane; each is as wide as the next one lets it be.
function fillFlags() {
  byId("marker-lane").hidden = take.markers.length === 0;
  take.markers.forEach(({ frame, text }, m) => {
    const next = (take.markers[m + 1] || { frame: take.frames }).frame;
    const flag = make("button", { type: "button", tabindex: -1, title: `${clock(frame / rate)} ${text}`.slice(0, 300),
      style: `left:${frame / take.frames * 100}%;max-width:${Math.max(0, (next - frame) / take.frames * 100)}%` }, text.slice(0, 100));
    flag.addEventListener("click", () => players.seek(frame / rate));
    byId("flags").append(flag);
  });
  const { gaps, xruns } = data.totals;
  byId("trouble-lane").hidden = !gaps && !xruns;
  byId("trouble-label").textContent = [gaps && many(gaps, "gap"), xruns && many(xruns, "xrun")].filter(Boolean).join(", ");
}

function drawAll() {
  const scale = byId("scale").value;
  fillRuler();
  for (const file of files) drawWave(file.canvas, file, scale);
  if (!byId("trouble-lane").hidden) drawTrouble(byId("trouble"));
  if (!byId("chart-row").hidden) drawResidual(byId("residual"));
}
