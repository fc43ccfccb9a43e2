/** Genres: how those of the library sound, how well they are told, and genres of one's own. */

import { ask, follow, library } from "./api.js";
import { classify, dropZone } from "./add.js";
import { colourOf } from "./colours.js";
import { bars, chip, dot, empty, songFinder, songList } from "./parts.js";
import { count, fill, h, note, percent, svg, trying } from "./dom.js";
import { Pictures } from "./pictures.js";
import { folderForm, work } from "./work.js";

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

// How they sound

async function sound(place, signal) {
  const known = await library();
  if (!known.songs) {
    fill(place, empty("There are no songs to compare yet.", h("a", { class: "button", href: "/add" }, "Add music")));
    return;
  }
  const found = await ask("/api/genres", { signal });
  const signals = h("section", { class: "panel" }, h("h2", {}, "A typical song of each genre, on the same axes"), h("p", { class: "soft small" }, "The song nearest to its genre's mean: waveform and spectrogram, 40 Hz to 7.8 kHz. Click to hear it there."));
  fill(
    place,
    h(
      "section",
      { class: "panel" },
      h("h2", {}, "How genres differ"),
      h("p", { class: "soft small" }, "Box: half of the genre's songs; line: nine in ten; mark: the middle one. The genres are what songprint hears in your songs; the unsure are left out."),
      h("div", { class: "plots" }, found.descriptors.filter(({ values }) => Object.keys(values).length).map(boxes)),
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

// How well they are told

async function accuracy(place, signal) {
  const card = await ask("/api/genres/card", { signal });
  const wanted = card.sections.filter((section) => section.tables.length || section.text.length);
  const head = wanted.findIndex(({ title }) => title.startsWith("The genre head"));
  const own = head >= 0 ? wanted.slice(head, head + 1 + wanted.slice(head + 1).findIndex(({ level }) => level === 1)) : [];
  const rest = wanted.filter((section) => !own.includes(section));
  fill(place, measuring(signal), h("p", { class: "soft" }, card.measured, ". These are songprint's own figures, not those of your library, in which nobody has told it what is right."), own.map(drawSection), h("details", { class: "panel" }, h("summary", {}, "The rest of the accuracy card"), rest.map(drawSection)));
}

/** Measure on music whose genres a person knows. */
function measuring(signal) {
  const result = h("div", { "aria-live": "polite" });
  const told = h("div", { class: "stack" });
  return h(
    "section",
    { class: "panel stack", "aria-label": "Measure on your music" },
    h("h2", {}, "On music whose genres you know"),
    h("p", { class: "soft" }, "Every song in it is heard, not added, and what songprint says is compared with the name of the song's folder."),
    folderForm("Measure", async (folder) => {
      fill(told);
      const report = await work(result, "Measuring", "/api/evaluate", { body: { folder }, signal });
      if (report) drawMeasured(told, report);
    }),
    result,
    told,
  );
}

function drawMeasured(place, report) {
  fill(
    place,
    h("p", { "data-measured": report.songs }, `${count(report.songs, "song")} heard`, report.failed.length ? `, ${report.failed.length} could not be` : "", "."),
    scored(report.head, "the genres that songprint knows"),
    scored(report.probe, "your genres, learnt from one part of these songs and measured on the other"),
    report.notes.length ? h("ul", { class: "remarks" }, report.notes.map((remark) => h("li", {}, remark))) : null,
  );
}

function scored(score, what) {
  if (!score) return null;
  const { value, songs, low, high } = score.accuracy;
  return [
    h("p", {}, h("span", { class: "big" }, percent(value)), ` right (${percent(low)} to ${percent(high)}), ${count(songs, "song")}: ${what}`),
    h("div", { class: "scroll" }, confusion(score.confusion_genres, score.confusion)),
  ];
}

function drawSection({ title, level, text, tables }) {
  const isConfusion = title.startsWith("What is mistaken");
  return h("section", { class: "panel" }, h(level === 1 ? "h2" : "h3", {}, title), text.map((line) => h("p", { class: "small" }, line)), tables.map((table) => h("div", { class: "scroll" }, isConfusion ? confusion(table.columns.slice(1), table.rows.map((row) => row.slice(1).map((v) => (v === "·" ? 0 : Number(v)))), table.rows.map(([name]) => name)) : plain(table))));
}

function plain({ columns, rows }) {
  const right = (i) => (i && rows.every((row) => /^[<+\-\d·]/.test(row[i] || "0")) ? "num" : "");
  return h(
    "table",
    { class: "plain" },
    h("thead", {}, h("tr", {}, columns.map((name, i) => h("th", { class: right(i), scope: "col" }, name)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, i) => (i ? h("td", { class: right(i) }, cell) : h("th", { scope: "row" }, cell)))))),
  );
}

/** Return a confusion matrix: a row for what songs are, a column for what they are called. */
function confusion(columns, matrix, rows = columns) {
  const cells = matrix.map((row, i) => {
    const sum = row.reduce((a, b) => a + b, 0) || 1;
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, rows[i]),
      row.map((n, j) => {
        const share = n / sum;
        const cell = h("td", { title: `${n} of ${sum} ${rows[i]} called ${columns[j]}` }, n || "·");
        const own = rows[i] === columns[j];
        if (n) {
          cell.style.background = `color-mix(in srgb, ${own ? "var(--good)" : "var(--bad)"} ${Math.round(12 + 60 * share)}%, transparent)`;
          if (share > 0.55) cell.style.fontWeight = "650";
        }
        return cell;
      }),
    );
  });
  return h("table", { class: "confusion", "aria-label": "What is mistaken for what" }, h("thead", {}, h("tr", {}, h("td", {}), columns.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, cells));
}

// Your own

async function mine(place, signal) {
  const [known, own] = await Promise.all([library(), ask("/api/genres/personal", { signal })]);
  const list = h("section", { class: "panel stack" });
  const drawList = (heads) => fill(list, h("h2", {}, "Genres that you taught"), heads.length ? heads.map((head) => taught(head, signal, reload)) : h("p", { class: "soft" }, "None yet."));
  const reload = async () => drawList(await ask("/api/genres/personal", { signal }));
  drawList(own);
  fill(place, teach(known, signal, reload), list);
}

function taught(head, signal, reload) {
  if (head.error) return h("p", { class: "soft small" }, `${head.name}: ${head.error}`);
  const { accuracy: measured } = head;
  const songs = h("div");
  const listen = (genre) => trying(async () => {
    const found = await ask(`/api/genres/personal/${encodeURIComponent(head.name)}/songs`, { query: { genre, limit: 20 }, signal });
    fill(songs, h("h3", {}, `Most surely ${genre}`), songList(found, { label: genre, below: (song) => h("div", { class: "small soft" }, `${song.mine_unsure ? "unsure, " : ""}${song.mine.slice(0, 2).map(({ name, p }) => `${name} ${percent(p)}`).join(", ")}`) }));
  });
  return h(
    "article",
    { class: "stack" },
    h("div", { class: "row" }, h("h3", { class: "grow" }, head.name), h("button", { class: "danger", on: { click: trying(async () => { await ask(`/api/genres/personal/${encodeURIComponent(head.name)}`, { method: "DELETE" }); await reload(); }) } }, "Forget")),
    measured ? h("p", {}, h("span", { class: "big" }, percent(measured.right / measured.songs)), ` right (${percent(measured.low)} to ${percent(measured.high)}), on ${count(measured.songs, "song")} by artists it did not learn from`) : h("p", { class: "soft" }, "never measured"),
    h("div", { class: "row" }, head.classes.map((name) => h("button", { on: { click: listen(name) } }, dot(colourOf(name)), `${name} in your library`))),
    songs,
  );
}

function teach(known, signal, reload) {
  const name = h("input", { type: "text", maxlength: 80, placeholder: "moods for the evening", required: true });
  const deep = h("input", { type: "checkbox" });
  const groups = [];
  const places = h("div", { class: "stack" });
  const result = h("div", { class: "stack", "aria-live": "polite" });
  const addGroup = () => {
    const group = new Group(known, signal, groups.length + 1);
    groups.push(group);
    places.append(group.element);
  };
  addGroup();
  const train = trying(async (event) => {
    event.preventDefault();
    const genres = {};
    for (const group of groups) {
      const label = group.label.value.trim();
      if (!label && !group.songs.size) continue;
      if (!label) throw new Error("each genre needs a name");
      genres[label] = [...group.songs.keys()];
    }
    fill(result, h("p", { class: "soft" }, "learning, and measuring on artists it did not learn from …"));
    try {
      if (deep.checked) {
        const learnt = await work(result, "Fine-tuning", "/api/train", { body: { name: name.value, genres, finetune: true }, signal, files: false });
        if (learnt) drawLearnt(result, learnt);
        await reload();
        return;
      }
      const job = await ask("/api/genres/personal", { body: { name: name.value, genres } });
      const state = await follow(job.id, () => {}, signal);
      if (state.state !== "done") throw new Error(state.error ?? "stopped");
      drawLearnt(result, state.result);
      await reload();
    } catch (error) {
      fill(result);
      throw error;
    }
  });
  return h(
    "section",
    { class: "panel stack", "aria-label": "Teach genres" },
    h("h2", {}, "Teach songprint genres of your own"),
    h("p", { class: "soft" }, "Name them and give each a dozen songs by several artists: from your library, or as files, which are heard and not kept. One genre alone is told from all kinds of other music."),
    h("form", { class: "stack", on: { submit: train } }, h("label", { class: "field" }, "What to call them together", name), places, h("label", { class: "row" }, deep, "Fine-tune the whole encoder: minutes to hours, with songs of the library alone; kept only if it is better"), h("div", { class: "row" }, h("button", { type: "button", on: { click: addGroup } }, "Another genre"), h("button", { class: "main" }, "Learn"))),
    result,
  );
}

class Group {
  constructor(known, signal, number) {
    this.songs = new Map();
    this.signal = signal;
    this.label = h("input", { type: "text", maxlength: 60, placeholder: `genre ${number}` });
    this.list = h("div", { class: "row" });
    this.told = h("p", { class: "soft small", role: "status" });
    const folder = h("input", { type: "search", placeholder: "artist, album or folder …", "aria-label": "Words that all songs have in their names" });
    const more = h("button", { type: "button", on: { click: trying(async () => {
      if (!folder.value.trim()) return;
      const found = await ask("/api/songs", { query: { q: folder.value, limit: 200 }, signal });
      for (const song of found.songs) this.put(song.id, song.title);
      note(`${count(found.songs.length, "song")} added`);
    }) } }, "Add all that are named so");
    this.element = h(
      "fieldset",
      { class: "panel stack" },
      h("legend", {}, `Genre ${number}`),
      h("label", { class: "field" }, "Name", this.label),
      known.songs ? [songFinder("Add a song of the library", (song) => this.put(song.id, song.title)), h("div", { class: "row" }, folder, more)] : null,
      dropZone("or drop files", async (file) => {
        this.told.textContent = `listening to ${file.name} …`;
        try {
          const heard = await classify(file, signal);
          this.put(heard.id, heard.title ?? file.name);
        } catch (error) {
          note(`${file.name}: ${error.message}`, true);
        }
        this.draw();
      }),
      this.told,
      this.list,
    );
    this.draw();
  }

  put(id, title) {
    this.songs.set(id, title);
    this.draw();
  }

  draw() {
    this.told.textContent = `${count(this.songs.size, "song")}; 8 by 2 artists are the least`;
    fill(this.list, [...this.songs].slice(0, 60).map(([id, title]) => chip(title, null, () => { this.songs.delete(id); this.draw(); }, `Remove ${title}`)), this.songs.size > 60 ? h("span", { class: "soft" }, `and ${this.songs.size - 60} more`) : null);
  }
}

function drawLearnt(place, learnt) {
  const { accuracy: measured } = learnt;
  fill(
    place,
    h("p", { "data-learnt": learnt.name }, h("span", { class: "big" }, percent(measured.share)), ` right (${percent(measured.low)} to ${percent(measured.high)}): ${measured.right} of ${count(measured.songs, "song")}, each judged by a head that never heard its artist. Always saying the commonest genre would be right in ${percent(measured.always_commonest)}.`),
    measured.low <= measured.always_commonest ? h("p", { class: "bad" }, "That is not surely better than to guess: more songs, by more artists, help.") : null,
    learnt.confusion ? h("h3", {}, "What is mistaken for what") : null,
    learnt.confusion && h("div", { class: "scroll" }, confusion(learnt.confusion.classes, learnt.confusion.matrix)),
    bars(learnt.genres.map((genre) => ({ name: `${genre.name} found`, p: genre.recall })), () => "#1d5fd6"),
  );
}
