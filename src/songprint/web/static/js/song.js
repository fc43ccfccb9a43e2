/** One song: its sound as pictures, what is heard in it, and its kin. */

import { ask, askPatiently, send } from "./api.js";
import { colourOf } from "./colours.js";
import { bars, chip, dot, download, genreOf, songFinder, songList, whyLegend, wide } from "./parts.js";
import { clock, fill, h, icon, note, svg, trying } from "./dom.js";
import { Pictures } from "./pictures.js";
import { player } from "./player.js";

const SHOWN_GENRES = 6;

export async function show(page, { signal, go, argument, query }) {
  const id = argument;
  const song = await ask(`/api/songs/${id}`, { signal });
  const compared = query.get("with");
  fill(page, head(song, go));
  if (/^[0-9a-f]{32}$/.test(compared ?? "")) {
    const other = await ask(`/api/songs/${compared}`, { signal });
    await sideBySide(page, song, other, signal);
    return;
  }
  const pictures = new Pictures(song, signal, { parts: ["wave", "spec", "axis"] });
  const timeline = h("div", { class: "panel stack" }, h("h2", {}, "Genres along the song"));
  const kin = h("div", { class: "panel stack" }, h("h2", {}, "Kin"), h("p", { class: "soft" }, "…"));
  page.append(
    h(
      "div",
      { class: "song-grid" },
      h("div", { class: "stack" }, h("div", { class: "panel stack" }, zoom(pictures), pictures.element), timeline, described(song)),
      h("div", { class: "stack" }, genres(song), kin),
    ),
  );
  const soon = [pictures.load(), drawTimelineOf(timeline, song, signal), neighbours(kin, song, signal, go)];
  for (const one of soon) one.catch((error) => error.name === "AbortError" || console.warn(error));
}

function head(song, go) {
  return h(
    "div",
    { class: "page-head" },
    h("div", { class: "grow" }, h("h1", {}, song.title), h("div", { class: "soft" }, [song.artist, song.album, song.year].filter(Boolean).join(" · ") || "no tags")),
    h(
      "div",
      { class: "row" },
      h("button", { class: "main", disabled: !song.playable, on: { click: () => player.play([song]) } }, icon("play"), "Play"),
      h("button", { on: { click: () => go(`/station?seeds=${song.id}`) } }, icon("station"), "Station from this"),
      h("button", { disabled: !song.playable, on: { click: trying((event) => picture(song, event.currentTarget)) } }, "Save a picture"),
    ),
  );
}

/** Save what `songprint plot` draws of a song; it is heard anew for that. */
async function picture(song, button) {
  button.disabled = true;
  note(`drawing ${song.title} …`);
  try {
    const response = await send("/api/plot", { body: { songs: [song.id] } });
    await download(response, `${song.title.replace(/[/\\\x00-\x1f\x7f]/g, " ").slice(0, 80).trim() || "song"}.png`);
  } finally {
    button.disabled = false;
  }
}

function zoom(pictures) {
  const buttons = [1, 4, 16].map((times) =>
    h(
      "button",
      {
        "aria-pressed": String(times === 1),
        title: times === 1 ? null : "Enlarged, and moving with what is played",
        on: {
          click: (event) => {
            pictures.zoom = times;
            for (const button of buttons) button.setAttribute("aria-pressed", String(button === event.currentTarget));
            pictures.draw();
          },
        },
      },
      times === 1 ? "Whole song" : `${times}×`,
    ),
  );
  return h("div", { class: "row" }, h("h2", { class: "grow" }, "Waveform and spectrogram"), h("div", { class: "row", role: "group", "aria-label": "Zoom" }, buttons));
}

function genres(song) {
  const unsure = song.unsure ? h("p", {}, "songprint is unsure: no genre is likely enough, or this is hardly music.") : null;
  return h("div", { class: "panel stack" }, h("h2", {}, "Genre"), unsure, bars(song.genres.slice(0, SHOWN_GENRES)), h("p", { class: "soft small" }, "Calibrated probabilities, from the audio alone."));
}

async function drawTimelineOf(panel, song, signal) {
  const shown = song.genres.slice(0, SHOWN_GENRES).map(({ name }) => name);
  const waiting = h("p", { class: "soft small" }, "…");
  panel.append(waiting);
  try {
    const segments = await askPatiently(`/api/songs/${song.id}/timeline`, { signal });
    const pictures = new Pictures(song, signal, { parts: ["time", "axis"] });
    pictures.waiting.remove();
    pictures.segments = segments;
    pictures.genres = [...new Set([...shown, ...segments.flatMap((segment) => segment.genres.map(({ name }) => name))])];
    const present = pictures.genres.filter((genre) => segments.some((segment) => segment.genres.some(({ name, p }) => name === genre && p >= 0.15)));
    const said = segments.map((s) => `${clock(s.start)} ${s.unsure ? "unsure" : s.genres[0].name}`);
    waiting.replaceWith(
      pictures.element,
      h("div", { class: "legend", "aria-hidden": "true" }, present.map((genre) => h("span", {}, dot(colourOf(genre)), genre)), h("span", {}, "pale, hatched: unsure")),
      h("p", { class: "sr" }, `Genres along the song: ${said.join(", ")}`),
    );
    pictures.draw();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    waiting.textContent = error.message;
  }
}

const NUMBERS = [
  ["tempo_bpm", "Tempo", "BPM", 1], ["beat_strength", "Beat strength", "", 2], ["loudness_lufs", "Loudness", "LUFS", 1],
  ["loudness_range_lu", "Loudness range", "LU", 1], ["dynamic_range_db", "Dynamic range", "dB", 1], ["onset_rate_hz", "Onsets", "a second", 1],
  ["pulse_clarity", "Pulse clarity", "", 2], ["swing", "Swing", "", 2], ["brightness_hz", "Brightness", "Hz", 0], ["flatness", "Flatness", "", 3],
  ["percussiveness", "Percussiveness", "", 2], ["roughness", "Roughness", "", 2], ["stereo_width", "Stereo width", "", 2],
];

function described(song) {
  const facts = NUMBERS.map(([name, label, unit, digits]) => {
    const value = song.descriptors[name];
    const unsure = name === "tempo_bpm" && song.tempo_bpm === null;
    return [label, value === null ? "not known" : `${value.toFixed(digits)} ${unit}${unsure ? ", unsure" : ""}`];
  });
  facts.splice(3, 0, ["Key", song.key ?? "not known"]);
  const opinions = [["Sounds of the", song.eras], ["Mood", song.moods], ["Style", song.styles], ["Instruments", song.instruments]];
  return h(
    "div",
    { class: "panel stack" },
    h("h2", {}, "What it sounds like"),
    h("div", { class: "row" }, song.words.map((word) => chip(word)), song.words.length ? null : h("span", { class: "soft" }, "nothing out of the ordinary")),
    h("dl", { class: "facts" }, facts.map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value)))),
    h("h3", {}, "In the tagger's opinion"),
    h("dl", { class: "facts" }, opinions.map(([label, tags]) => h("div", {}, h("dt", {}, label), h("dd", {}, tags.slice(0, 3).map(({ name }) => name).join(", "))))),
    song.path ? h("p", { class: "soft small" }, h("code", {}, song.path)) : null,
  );
}

async function neighbours(panel, song, signal, go) {
  const near = await ask("/api/similar", { body: { song: song.id, count: 12 }, signal });
  const compare = (other) => h("button", { class: "bare", "aria-label": `Compare with ${other.title}`, title: "Compare", on: { click: () => go(`/song/${song.id}?with=${other.id}`) } }, icon("compare"));
  fill(
    panel,
    h("h2", {}, "Kin, and why"),
    whyLegend(),
    near.length ? songList(near, { label: "Kin", actions: (other) => [compare(other)] }) : h("p", { class: "soft" }, "There is no other song yet."),
    h("p", { class: "soft small" }, "50% is as near as the ten nearest songs usually are. The bar tells what sets the two apart."),
    songFinder("Compare with another song", (other) => go(`/song/${song.id}?with=${other.id}`)),
  );
}

async function sideBySide(page, one, two, signal) {
  const span = Math.max(one.seconds, two.seconds);
  const both = [one, two].map((song) => ({ song, pictures: new Pictures(song, signal, { parts: ["wave", "spec", "axis"], span }) }));
  const spectra = h("div", { class: "panel stack" }, h("h2", {}, "Average spectrum"), h("p", { class: "soft" }, "…"));
  page.append(
    h(
      "div",
      { class: "stack" },
      h("p", { class: "soft" }, "Both on the same axes: time, frequency and colour mean the same. Click either to hear it there."),
      h(
        "div",
        { class: "compare" },
        both.map(({ song, pictures }) =>
          h(
            "section",
            { class: "panel stack", "aria-label": song.title },
            h("div", {}, h("h2", { class: "cut" }, h("a", { href: `/song/${song.id}` }, song.title)), h("div", { class: "row small soft" }, [song.artist, song.tempo_bpm && `${Math.round(song.tempo_bpm)} BPM`, song.key].map((fact) => fact && h("span", {}, fact)), genreOf(song))),
            pictures.element,
          ),
        ),
      ),
      spectra,
      h("div", { class: "panel" }, wide("Both in numbers", comparison(one, two))),
    ),
  );
  await Promise.all(both.map(({ pictures }) => pictures.load()));
  if (both.every(({ pictures }) => pictures.signals)) fill(spectra, h("h2", {}, "Average spectrum"), spectrumPlot(both.map(({ song, pictures }) => ({ song, signals: pictures.signals }))));
}

function comparison(one, two) {
  const rows = NUMBERS.map(([name, label, unit, digits]) => {
    const shown = (song) => (song.descriptors[name] === null ? "–" : song.descriptors[name].toFixed(digits));
    return h("tr", {}, h("th", { scope: "row" }, label, unit ? h("span", { class: "soft" }, ` ${unit}`) : null), h("td", { class: "num" }, shown(one)), h("td", { class: "num" }, shown(two)));
  });
  return h(
    "table",
    { class: "plain" },
    h("thead", {}, h("tr", {}, h("th", {}, h("span", { class: "sr" }, "Descriptor")), h("th", { class: "num", scope: "col" }, one.title), h("th", { class: "num", scope: "col" }, two.title))),
    h("tbody", {}, h("tr", {}, h("th", { scope: "row" }, "Genre"), [one, two].map((song) => h("td", { class: "num" }, song.unsure ? "unsure" : song.genre))), rows),
  );
}

const STROKES = ["var(--accent)", "#e08a00"];

function spectrumPlot(both) {
  const [width, height, left, bottom] = [innerWidth < 700 ? 420 : 900, 220, 44, 24];
  const { lowest_hz: lowest, highest_hz: highest } = both[0].signals.spectrogram;
  const levels = both.flatMap(({ signals }) => signals.spectrum_dbfs);
  const top = Math.ceil(Math.max(...levels) / 10) * 10;
  const floor = Math.max(top - 70, Math.floor(Math.min(...levels) / 10) * 10);
  const y = (level) => ((top - Math.max(level, floor)) / (top - floor)) * (height - bottom);
  const lines = both.map(({ signals }, i) => {
    const n = signals.spectrum_dbfs.length - 1;
    const points = signals.spectrum_dbfs.map((level, band) => `${(left + (band / n) * (width - left)).toFixed(1)},${y(level).toFixed(1)}`);
    return svg("polyline", { points: points.join(" "), fill: "none", stroke: STROKES[i].startsWith("var") ? "currentColor" : STROKES[i], "stroke-width": 2, "stroke-dasharray": i ? "6 3" : null });
  });
  const marks = [100, 300, 1000, 3000].map((hz) => {
    const x = left + (Math.log(hz / lowest) / Math.log(highest / lowest)) * (width - left);
    return [svg("line", { x1: x, x2: x, y1: 0, y2: height - bottom, stroke: "currentColor", opacity: 0.12 }), svg("text", { x, y: height - 6, "text-anchor": "middle" }, hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`)];
  });
  const decibels = [];
  for (let level = top; level >= floor; level -= 20) decibels.push(svg("text", { x: left - 6, y: y(level) + 10, "text-anchor": "end" }, String(level)), svg("line", { x1: left, x2: width, y1: y(level), y2: y(level), stroke: "currentColor", opacity: 0.12 }));
  return h(
    "div",
    { class: "plot" },
    svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Average spectra of both songs in dBFS" }, marks, decibels, lines),
    h("div", { class: "legend" }, h("span", {}, "solid: ", both[0].song.title), h("span", {}, "dashed: ", both[1].song.title), h("span", {}, "dBFS in a twelfth of an octave")),
  );
}
