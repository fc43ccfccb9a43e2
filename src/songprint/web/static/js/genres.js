/** Genres: how those of the library sound; how well they are told, and one's own, are views of it. */

import { accuracy } from "./accuracy.js";
import { ask, library } from "./api.js";
import { colourOf } from "./colours.js";
import { dot, empty } from "./parts.js";
import { count, fill, h, svg } from "./dom.js";
import { Pictures } from "./pictures.js";
import { mine } from "./teach.js";
import { folderForm, work } from "./work.js";

/** Of fewer a genre's spread cannot be told. */
const FEWEST_SONGS = 5;
const TABS = [["sound", "Sound"], ["accuracy", "Accuracy"], ["mine", "Your own"]];

export async function show(page, { signal, query, go }) {
  const tab = TABS.some(([name]) => name === query.get("tab")) ? query.get("tab") : "sound";
  const place = h("div", { class: "stack" });
  fill(
    page,
    h("div", { class: "page-head" }, h("h1", {}, "Genres")),
    h("nav", { class: "tabs", "aria-label": "Views" }, TABS.map(([name, label]) => h("a", { class: "button", href: `/genres?tab=${name}`, "aria-current": name === tab ? "page" : null }, label))),
    place,
  );
  const views = { sound, accuracy, mine };
  await views[tab](place, signal, go);
}

async function sound(place, signal) {
  const known = await library();
  if (!known.songs) {
    fill(place, empty("There are no songs to compare yet.", h("a", { class: "button", href: "/add" }, "Add music")));
    return;
  }
  const found = await ask("/api/genres", { signal });
  const enough = new Set(found.genres.filter(({ songs }) => songs >= FEWEST_SONGS).map(({ name }) => name));
  const compared = found.descriptors
    .map((descriptor) => ({ ...descriptor, values: Object.fromEntries(Object.entries(descriptor.values).filter(([name]) => enough.has(name))) }))
    .filter(({ values }) => Object.keys(values).length);
  const signals = h("section", { class: "panel" }, h("h2", {}, "A typical song of each genre, on the same axes"), h("p", { class: "soft small" }, "The song nearest to its genre's mean: waveform and spectrogram, 40 Hz to 7.8 kHz. Click to hear it there."));
  fill(
    place,
    h(
      "section",
      { class: "panel" },
      h("h2", {}, "How genres differ"),
      h("p", { class: "soft small" }, `Box: half of the genre's songs; line: nine in ten; mark: the middle one. The genres are what songprint hears in your songs; the unsure are left out, and genres of fewer than ${FEWEST_SONGS} songs.`),
      compared.length ? h("div", { class: "plots" }, compared.map(boxes)) : h("p", {}, "No genre has so many songs yet."),
    ),
    signals,
    gallery(found, signal),
  );
  const span = Math.max(...found.genres.flatMap(({ typical }) => typical.slice(0, 1).map((song) => song.seconds)), 1);
  const rows = found.genres.map((genre) => {
    const song = genre.typical.find((one) => one.playable);
    if (!song) return null;
    const wave = new Pictures(song, signal, { parts: ["wave"], span });
    const spec = new Pictures(song, signal, { parts: ["spec"], span });
    signals.append(
      h(
        "div",
        { class: "signal-row" },
        h("div", {}, h("div", { class: "row" }, dot(colourOf(genre.name)), h("strong", {}, genre.name)), h("div", { class: "small cut" }, h("a", { href: `/song/${song.id}` }, song.title)), h("div", { class: "soft small" }, `${count(genre.songs, "song")}, ${genre.hours.toFixed(1)} h`)),
        wave.element,
        spec.element,
      ),
    );
    return [wave, spec];
  });
  load(rows.filter(Boolean));
}

/** The figures of `songprint gallery`: of a folder's genres, or of typical songs of the library. */
function gallery(found, signal) {
  const result = h("div", { "aria-live": "polite" });
  const typical = () => Object.fromEntries(found.genres.map(({ name, typical: songs }) => [name, songs.filter(({ playable }) => playable).map(({ id }) => id)]).filter(([, ids]) => ids.length));
  return h(
    "section",
    { class: "panel stack", "aria-label": "Pictures of genres" },
    h("h2", {}, "Pictures to keep"),
    h("p", { class: "soft" }, "Genres side by side as figures, a page and tables of what they differ in. Name a folder that is sorted by genre; without one the typical songs above are drawn."),
    folderForm("Draw", async (folder) => {
      const drawn = await work(result, "Drawing", "/api/gallery", { body: folder ? { folder, dpi: 150 } : { genres: typical(), dpi: 150 }, signal });
      if (drawn) result.querySelector("[data-work]").prepend(h("p", {}, "Drawn."));
    }, { optional: "your library's typical songs" }),
    result,
  );
}

async function load(rows) {
  for (const [wave, spec] of rows) {
    try {
      await wave.load(); // the second is answered from the server's cache
      await spec.load();
    } catch (error) {
      if (error.name === "AbortError") return;
    }
  }
}

function boxes({ label, unit, values, name }) {
  const genres = Object.keys(values);
  const [width, left, tall] = [320, 84, 22];
  const all = Object.values(values).flat();
  const log = name.endsWith("_hz") && name !== "onset_rate_hz";
  const scaled = (v) => (log ? Math.log(Math.max(v, 1)) : v);
  const [least, most] = [Math.min(...all.map(scaled)), Math.max(...all.map(scaled))];
  const x = (v) => left + ((scaled(v) - least) / (most - least || 1)) * (width - left - 8);
  const shown = (v) => (Math.abs(v) >= 100 ? Math.round(v) : Number(v.toPrecision(2)));
  const height = genres.length * tall + 22;
  const drawn = genres.map((genre, i) => {
    const [p5, p25, p50, p75, p95] = values[genre];
    const y = i * tall + tall / 2;
    return svg(
      "g", {},
      svg("title", {}, `${genre}: half between ${shown(p25)} and ${shown(p75)} ${unit}, middle ${shown(p50)}`),
      svg("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, genre),
      svg("line", { x1: x(p5), x2: x(p95), y1: y, y2: y, stroke: colourOf(genre), "stroke-width": 2, opacity: 0.6 }),
      svg("rect", { x: x(p25), y: y - 6, width: Math.max(x(p75) - x(p25), 2), height: 12, rx: 3, fill: colourOf(genre), opacity: 0.85 }),
      svg("rect", { x: x(p50) - 1, y: y - 8, width: 2, height: 16, fill: "currentColor" }),
    );
  });
  const ends = [least, most].map((v, i) => svg("text", { x: i ? width - 8 : left, y: height - 4, "text-anchor": i ? "end" : "start" }, `${shown(log ? Math.exp(v) : v)} ${i ? unit : ""}`));
  const told = genres.map((genre) => `${genre} ${shown(values[genre][2])}`).join(", ");
  return h("figure", { class: "plot" }, h("figcaption", {}, h("h3", {}, label)), svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${label} in the middle: ${told} ${unit}` }, drawn, ends));
}
