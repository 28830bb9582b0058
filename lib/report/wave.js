// Drawing on canvas: waveforms, what went wrong when, and the residual. All share one time axis: the
// full width is the whole take.

const PALETTES = {
  light: { outer: "#a9bcc6", inner: "#4c7388", zero: "#d3d0ca", gap: "rgba(179, 38, 30, .28)", edge: "#b3261e",
    xrun: "#b7791f", marker: "rgba(31, 95, 122, .45)", clip: "#b3261e", rms: "#7a93a0", peak: "#c28a2b", bound: "#23703f", grid: "#e0ddd7" },
  dark: { outer: "#45606e", inner: "#8fbccf", zero: "#34383d", gap: "rgba(242, 133, 123, .30)", edge: "#f2857b",
    xrun: "#e0b050", marker: "rgba(124, 192, 220, .5)", clip: "#ff7b6f", rms: "#5d7683", peak: "#d9a441", bound: "#74c690", grid: "#2c2f34" },
};
const dark = matchMedia("(prefers-color-scheme: dark)");
let printing = false;
const palette = () => PALETTES[dark.matches && !printing ? "dark" : "light"];

// Fits the canvas to its box and the screen's pixels; null while it has no size.
function surface(canvas) {
  const box = canvas.getBoundingClientRect(), ratio = Math.min(devicePixelRatio || 1, 3);
  const width = Math.round(box.width * ratio), height = Math.round(box.height * ratio);
  if (!width || !height) return null;
  canvas.width = width;
  canvas.height = height;
  return { context: canvas.getContext("2d"), width, height, ratio };
}

// Extremes and RMS of the columns that fall on each of `width` pixels.
function resample(wave, width) {
  const columns = take.frames / data.frames_per_column, last = wave.length / 3 - 1; // the last one may be short
  const low = new Float32Array(width), high = new Float32Array(width), rms = new Float32Array(width);
  for (let x = 0; x < width; x++) {
    const first = Math.min(last, Math.floor(x * columns / width));
    const end = Math.max(first + 1, Math.min(last + 1, Math.floor((x + 1) * columns / width)));
    let least = Infinity, most = -Infinity, energy = 0;
    for (let c = first; c < end; c++) {
      least = Math.min(least, wave[3 * c]);
      most = Math.max(most, wave[3 * c + 1]);
      energy += wave[3 * c + 2] ** 2;
    }
    low[x] = least / 32767;
    high[x] = most / 32767;
    rms[x] = Math.sqrt(energy / (end - first)) / 32767;
  }
  return { low, high, rms };
}

// The largest sample that a waveform shows.
function largest(file) {
  file.largest ??= (file.wave || []).reduce((found, value) => Math.max(found, Math.abs(value)), 1) / 32767;
  return file.largest;
}

// How high a sample stands, from -1 to 1.
function heights(file, scale) {
  if (scale === "db")
    return (value) => Math.sign(value) * Math.max(0, 1 + 20 * Math.log10(Math.abs(value) || 1e-9) / 60);
  const most = scale === "full" ? largest(file) : scale === "together" ? Math.max(...files.map(largest)) : 1;
  return (value) => value / most;
}

function drawWave(canvas, file, scale) {
  const on = surface(canvas);
  if (!on) return;
  const { context, width, height, ratio } = on, colours = palette(), middle = height / 2;
  const line = Math.max(1, Math.round(ratio / 2));
  context.fillStyle = colours.zero;
  context.fillRect(0, Math.round(middle), width, line);
  if (file.wave && file.wave.length) {
    const shape = resample(file.wave, width), map = heights(file, scale), reach = middle - ratio;
    const fill = (colour, top, bottom) => {
      context.fillStyle = colour;
      context.beginPath();
      for (let x = 0; x < width; x++) {
        const from = middle - map(top(x)) * reach, to = middle - map(bottom(x)) * reach;
        if (to > from) context.rect(x, from, 1, Math.max(to - from, line));
      }
      context.fill();
    };
    fill(colours.outer, (x) => shape.high[x], (x) => shape.low[x]);
    fill(colours.inner, (x) => Math.min(shape.rms[x], Math.max(shape.high[x], 0)), (x) => Math.max(-shape.rms[x], Math.min(shape.low[x], 0)));
    if (file.clips) {
      context.fillStyle = colours.clip;
      for (let x = 0; x < width; x++)
        if (shape.high[x] >= 0.9999 || shape.low[x] <= -0.9999) context.fillRect(x, 0, ratio, 3 * ratio);
    }
  }
  drawEvents(on, colours);
}

// Gaps and markers, across every waveform.
function drawEvents({ context, width, height, ratio }, colours) {
  context.fillStyle = colours.gap;
  for (const gap of take.gaps)
    context.fillRect(gap.frame / take.frames * width, 0, Math.max(ratio, gap.frames / take.frames * width), height);
  context.fillStyle = colours.marker;
  for (const marker of take.markers)
    context.fillRect(Math.round(marker.frame / take.frames * width), 0, ratio, height);
}

// The lane of gaps (blocks) and xruns (ticks).
function drawTrouble(canvas) {
  const on = surface(canvas);
  if (!on) return;
  const { context, width, height, ratio } = on, colours = palette();
  context.fillStyle = colours.xrun;
  for (const xrun of take.xruns)
    context.fillRect(xrun.frame / take.frames * width, height / 2, Math.max(1, ratio), height / 2);
  context.fillStyle = colours.edge;
  for (const gap of take.gaps)
    context.fillRect(gap.frame / take.frames * width, 0, Math.max(2 * ratio, gap.frames / take.frames * width), height);
}

const NOTHING = -32768; // a residual of exactly zero

// Its lines: every 10 or 20 dB, from the highest round number down.
const gridStep = (top, bottom) => top - bottom > 70 ? 20 : 10;
const gridTop = (top) => Math.floor(top / 10) * 10;

// The range that the residual's picture covers, in dB.
function residualRange() {
  const bound = 20 * Math.log10(take.residual ? take.residual.bound || 1e-12 : 1e-12);
  const there = Array.from(residual.db).filter((value) => value > NOTHING).map((value) => value / 100);
  const most = there.reduce((a, b) => Math.max(a, b), bound), least = there.reduce((a, b) => Math.min(a, b), bound);
  return { bound, top: Math.min(40, most + 6), bottom: Math.max(-240, least - 12) };
}

function drawResidual(canvas) {
  const on = surface(canvas);
  if (!on) return;
  const { context, width, height, ratio } = on, colours = palette(), { bound, top, bottom } = residualRange();
  const y = (db) => height * Math.min(1, Math.max(0, (top - db) / (top - bottom)));
  const groups = residual.db.length / 2, x = (group) => Math.min(1, group * residual.each / seconds) * width;
  context.fillStyle = colours.grid;
  for (let db = gridTop(top); db >= bottom; db -= gridStep(top, bottom)) context.fillRect(0, Math.round(y(db)), width, 1);
  for (let g = 0; g < groups; g++) {
    const left = x(g), wide = Math.max(1, x(g + 1) - left), [rms, peak] = [residual.db[2 * g], residual.db[2 * g + 1]];
    context.fillStyle = colours.rms;
    if (rms > NOTHING) context.fillRect(left, y(rms / 100), Math.ceil(wide), height);
    context.fillStyle = colours.peak;
    if (peak > NOTHING) context.fillRect(left, y(peak / 100) - ratio, Math.ceil(wide), 2 * ratio);
  }
  context.strokeStyle = colours.bound;
  context.lineWidth = ratio;
  context.setLineDash([5 * ratio, 4 * ratio]);
  context.beginPath();
  context.moveTo(0, y(bound));
  context.lineTo(width, y(bound));
  context.stroke();
}
