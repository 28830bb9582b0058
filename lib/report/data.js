// The take as the page uses it, unpacked from the block of JSON (report_data.c tells its form).

const data = JSON.parse(byId("data").textContent);
const take = data.take, rate = take.rate_hz;
const seconds = take.frames / rate;
const LIMITS = [-3, -6, -10]; // dBFS, what the receivers of stems ask for

// Base64 as 16-bit numbers.
function unpack(text) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Int16Array(bytes.buffer);
}

function describe(file, kind, index) {
  const levels = file.levels || {};
  return {
    kind, // "stem", "mix" or "extra"
    name: file.name || file.file,
    number: kind === "stem" ? file.number : null,
    file: file.file,
    url: "./" + encodeURIComponent(file.file),
    role: kind === "extra" ? file.role : kind,
    channels: file.channels,
    clips: file.clips,
    bad: data.bad[index],
    muted: file.muted,
    peak: file.peak_dbfs,
    levels,
    silent: file.levels ? levels.silent : file.peak === 0,
    wave: data.waves[index] ? unpack(data.waves[index]) : null,
    frames: file.frames,
  };
}

const files = [
  ...take.stems.map((file) => [file, "stem"]),
  ...(take.mix ? [[take.mix, "mix"]] : []),
  ...take.extras.map((file) => [file, "extra"]),
].map(([file, kind], index) => describe(file, kind, index));

const residual = data.residual && { each: data.residual.seconds_each, db: unpack(data.residual.db) };

// Bar and beat at a time, where the tempo map knows it.
function musical(at) {
  const frame = at * rate;
  const tempo = take.tempo_map.filter((entry) => entry.frame <= frame).pop();
  if (!tempo || !(tempo.bpm > 0) || !(tempo.beats_per_bar >= 1)) return null;
  const beats = (tempo.beat - 1) + (tempo.ticks_per_beat > 0 ? tempo.tick / tempo.ticks_per_beat : 0) +
    (frame - tempo.frame) / rate * tempo.bpm / 60 + 1e-6;
  const bar = tempo.bar + Math.floor(beats / tempo.beats_per_bar);
  return { bar, beat: Math.floor(beats % tempo.beats_per_bar) + 1, bpm: tempo.bpm };
}

// What is known about browsers and this format; null where all of them play it.
function formatNote() {
  const { container, encoding } = take.format;
  const largest = Math.max(0, ...files.map((file) => file.frames * file.channels * BYTES[encoding]));
  const name = `${CONTAINERS[container]}, ${ENCODINGS[encoding]}`;
  if (container === "w64") return `These files are ${name}: no browser plays Wave64. The files are fine; open them in a workstation.`;
  if (container === "caf" || container === "aiff")
    return `These files are ${name}: Safari plays them, most other browsers do not. The files are fine; open them in a workstation.`;
  if (container === "wav" && largest > 0xFFFFFFFF - 4096)
    return "Files above 4 GiB are RF64, which not every browser plays. The files are fine; open them in a workstation.";
  if (encoding === "double" || encoding === "pcm32") return `These files are ${name}, which not every browser plays. The files are fine; open them in a workstation.`;
  return null;
}
