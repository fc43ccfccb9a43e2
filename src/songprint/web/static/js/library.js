/** The library: a table of any length, of which only what is seen is drawn. */

import { ask, library } from "./api.js";
import { colourOf } from "./colours.js";
import { dot, genreOf } from "./parts.js";
import { clock, count, debounced, fill, h, icon, note, trying } from "./dom.js";
import { player } from "./player.js";
import { sharing } from "./sharing.js";

const STRETCH = 100;
const HEAD_PIXELS = 40;
const MOST_SEEDS = 50;
const MOST_PLAYED = 500;
/** Browsers draw nothing below some thirty million pixels. */
const MOST_PIXELS = 20_000_000;

const COLUMNS = [
  { key: "title", name: "Title" },
  { key: "album", name: "Album", css: "wide" },
  { key: "genre", name: "Genre", css: "medium" },
  { key: "tempo_bpm", name: "BPM", css: "right medium" },
  { key: "key", name: "Key", css: "wide" },
  { key: "loudness_lufs", name: "Loudness", css: "right wide" },
  { key: "seconds", name: "Length", css: "right" },
];

let kept = { filters: {}, sort: "title", descending: false, top: 0 };

export async function show(page, { signal, go }) {
  page.classList.add("library");
  const known = await library(true);
  if (!known.songs) {
    const failed = known.failed ? h("p", {}, `${count(known.failed, "file")} could not be heard.`) : null;
    fill(page, h("h1", { class: "sr" }, "Library"), welcome(failed));
    return;
  }
  const table = new Table(page, signal, go);
  fill(page, head(known, table), filters(known, table), table.element);
  page.querySelector(".page-head").append(h("button", { on: { click: () => sharing(signal, () => go("/")) } }, "Share …"));
  await table.reload();
  table.body.scrollTop = kept.top;
}

function welcome(more) {
  return h(
    "div",
    { class: "empty" },
    h("h2", {}, "There are no songs here yet"),
    h("p", {}, "Add a folder of music; songprint hears each song once and keeps what it heard."),
    more,
    h("a", { class: "button", href: "/add" }, "Add music"),
  );
}

function head(known, table) {
  const sound = h("input", { type: "search", placeholder: "calm piano, 90s", "aria-label": "Find by sound" });
  const find = h(
    "form",
    {
      class: "row",
      on: {
        submit: trying(async (event) => {
          event.preventDefault();
          table.words = sound.value.trim();
          await table.refresh();
        }),
      },
    },
    sound,
    h("button", {}, "Find by sound"),
  );
  return h(
    "div",
    { class: "page-head" },
    h("h1", {}, "Library"),
    h("span", { class: "soft" }, `${count(known.songs, "song")}, ${known.hours < 1 ? `${Math.max(1, Math.round(60 * known.hours))} min` : `${Math.round(known.hours).toLocaleString("en")} h`}`),
    find,
  );
}

function filters(known, table) {
  const change = (name, value) => {
    if (value === "" || value === null) delete kept.filters[name];
    else kept.filters[name] = value;
    kept.top = 0;
    table.refresh().catch((error) => error.name === "AbortError" || note(error.message, true));
  };
  // A timer for each field: what is typed into one must not undo what was typed into another.
  const later = (name) => {
    const typed = debounced(150, change);
    return { input: (event) => typed(name, event.target.value) };
  };
  const choice = (label, name, options) =>
    h(
      "label",
      { class: "field" },
      label,
      h(
        "select",
        { on: { change: (event) => change(name, event.target.value) } },
        h("option", { value: "" }, "any"),
        options.map(([value, shown]) => h("option", { value, selected: kept.filters[name] === value }, shown)),
      ),
    );
  const range = (label, name, unit) =>
    h(
      "div",
      { class: "field", role: "group", "aria-label": label },
      h(
        "label",
        { class: "field" },
        label,
        h(
          "span",
          { class: "range" },
          ["from", "to"].map((end) =>
            h("input", {
              type: "number", placeholder: end, "aria-label": `${label} ${end}, ${unit}`, value: kept.filters[`${name}_${end}`] ?? "",
              on: later(`${name}_${end}`),
            }),
          ),
        ),
      ),
    );
  const states = [["false", "sure"], ["true", "unsure"]];
  const more = h("button", {
    class: "narrow", "aria-expanded": "false", "aria-controls": "filters",
    on: { click: () => more.setAttribute("aria-expanded", String(more.nextElementSibling.classList.toggle("open"))) },
  }, "Filters");
  return h(
    "div",
    { class: "stack" },
    h(
      "div",
      { class: "looking", role: "search", "aria-label": "Filter the songs" },
      h(
        "label",
        { class: "field" },
        "Search",
        h("input", { type: "search", placeholder: "Title, artist, album, file", value: kept.filters.q ?? "", on: later("q") }),
      ),
      more,
      h(
      "div",
      { class: "filters", id: "filters" },
      choice("Genre", "genre", Object.entries(known.genres).map(([name, songs]) => [name, `${name} (${songs.toLocaleString("en")})`])),
      choice("Mood", "mood", known.moods.map((name) => [name, name])),
      choice("Sounds of the", "era", known.eras.map((name) => [name, name])),
      choice("Key", "key", known.keys.map((name) => [name, name])),
      choice("Certainty", "unsure", states),
      range("Tempo", "tempo", "BPM"),
      range("Loudness", "loudness", "LUFS"),
      ),
    ),
    known.failed
      ? h("details", {
          class: "small",
          on: { toggle: trying(async (event) => event.target.open && event.target.childElementCount < 2 && event.target.append(await failures())) },
        }, h("summary", {}, `${count(known.failed, "file")} could not be heard`))
      : null,
  );
}

async function failures() {
  const files = await ask("/api/failed");
  return h("ul", { class: "failures" }, files.map((file) => h("li", {}, h("code", {}, file.path), `: ${file.error}`)));
}

class Table {
  constructor(page, signal, go) {
    this.signal = signal;
    this.go = go;
    this.selected = new Map();
    this.songs = new Map(); // by place
    this.asked = new Set();
    this.total = 0;
    this.active = 0;
    this.lines = new Map();
    this.words = ""; // for how songs sound
    this.found = null; // songs that were found by them, instead of a sorted table
    this.space = h("div", { class: "space" });
    this.body = h(
      "div",
      { class: "body", role: "grid", tabindex: 0, "aria-multiselectable": "true", "aria-label": "Songs; arrows move, Enter opens, Space selects, P plays" },
      this.space,
    );
    this.header = h("div", { class: "head", role: "row" });
    this.body.prepend(this.header);
    this.element = h("div", { class: "grid panel" }, this.body);
    this.bar = h("div", { class: "selection hidden", role: "region", "aria-label": "Selected songs" });
    this.told = h("div", { class: "row small hidden", role: "status", "aria-label": "Found by sound" });
    this.body.addEventListener("scroll", () => this.draw(), { passive: true });
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("focus", () => this.draw());
    const size = new ResizeObserver(() => this.draw());
    size.observe(this.body);
    const mark = () => this.draw(true);
    player.addEventListener("song", mark);
    signal.addEventListener("abort", () => {
      size.disconnect();
      player.removeEventListener("song", mark);
      kept.top = this.body.scrollTop;
    });
    this.drawHead();
  }

  get row() {
    return parseFloat(getComputedStyle(this.body).getPropertyValue("--row")) || 44;
  }

  /** How much of the table is seen: what is left below its head, which stays in place. */
  get seen() {
    return Math.max(0, this.body.clientHeight - HEAD_PIXELS);
  }

  get query() {
    return { ...kept.filters, sort: kept.sort, descending: kept.descending };
  }

  drawHead() {
    const cells = COLUMNS.map(({ key, name, css = "" }) => {
      const sorted = kept.sort === key && !this.found;
      return h(
        "div",
        { role: "columnheader", class: css, "aria-sort": sorted ? (kept.descending ? "descending" : "ascending") : null },
        h("button", { on: { click: trying(() => this.sortBy(key)) } }, name, sorted ? (kept.descending ? " ↓" : " ↑") : ""),
      );
    });
    const all = h("input", { type: "checkbox", "aria-label": "Select all songs", on: { change: trying(() => this.selectAll(all.checked)) } });
    fill(this.header, h("div", { role: "columnheader" }, all), h("div", { role: "columnheader" }, h("span", { class: "sr" }, "Play")), cells);
  }

  async sortBy(key) {
    kept.descending = kept.sort === key ? !kept.descending : false;
    kept.sort = key;
    this.words = "";
    await this.reload();
  }

  refresh() {
    return this.words ? this.find() : this.reload();
  }

  /** Show songs that sound like words, the most fitting first. */
  async find() {
    const turn = (this.turn = new AbortController());
    const found = await ask("/api/find", { query: { ...kept.filters, words: this.words, limit: 500 }, signal: this.signal });
    if (turn !== this.turn) return;
    this.found = found.songs;
    this.songs = new Map(found.songs.map((song, place) => [place, song]));
    this.resize(found.songs.length);
    const understood = found.heard.length ? `heard as: ${found.heard.join(", ")}` : "no word of it is a sound that songprint knows";
    const all = h("button", { on: { click: trying(() => { this.words = ""; return this.reload(); }) } }, "All songs");
    const asked = `${understood}${found.text ? `; named: ${found.text}` : ""}`;
    // Where none fits all of it the songs are the nearest, and a remark ends with saying so.
    const told = found.total ? `${count(found.total, "song")}, the most fitting first; ${asked}` : `${asked}; ${found.remarks.join("; ")}${found.songs.length ? ":" : ""}`;
    fill(this.told, h("span", {}, told), all);
    this.told.classList.remove("hidden");
  }

  /** Ask anew; what is drawn stays until the answer is there. */
  async reload() {
    const turn = (this.turn = new AbortController());
    const first = await ask("/api/songs", { query: { ...this.query, offset: 0, limit: STRETCH }, signal: this.signal });
    if (turn !== this.turn) return;
    this.found = null;
    this.told.classList.add("hidden");
    this.songs = new Map(first.songs.map((song, place) => [place, song]));
    this.asked = new Set([0]);
    this.resize(first.total);
  }

  resize(total) {
    this.total = total;
    this.active = Math.min(this.active, Math.max(total - 1, 0));
    this.scale = Math.max(1, (total * this.row) / MOST_PIXELS);
    this.space.style.height = `${Math.max((total * this.row) / this.scale, 1)}px`;
    this.body.setAttribute("aria-rowcount", String(total + 1));
    this.body.scrollTop = 0;
    this.drawHead();
    this.draw(true);
    if (!total) fill(this.space, h("div", { class: "empty" }, "No song fits all of this."));
    this.drawBar();
  }

  draw(anew = false) {
    if (!this.total) {
      this.lines.clear();
      return;
    }
    const row = this.row;
    const top = this.body.scrollTop * this.scale;
    const first = Math.max(0, Math.floor(top / row) - 6);
    const last = Math.min(this.total - 1, Math.ceil((top + this.seen) / row) + 6);
    if (anew) {
      this.lines.clear();
      fill(this.space);
    }
    for (const [place, line] of this.lines) {
      if (place < first || place > last || (line.dataset.waits && this.songs.has(place))) {
        line.remove();
        this.lines.delete(place);
      }
    }
    for (let place = first; place <= last; place++) {
      if (!this.lines.has(place)) {
        const line = this.line(place);
        this.lines.set(place, line);
        this.space.append(line);
      }
      const offset = place * row - top + this.body.scrollTop;
      this.lines.get(place).style.top = `${offset}px`;
    }
    this.ask(first, last);
  }

  ask(first, last) {
    if (this.found) return;
    for (let stretch = Math.floor(first / STRETCH); stretch <= Math.floor(last / STRETCH); stretch++) {
      if (this.asked.has(stretch)) continue;
      this.asked.add(stretch);
      const { turn } = this;
      // While a person drags the bar, what has already gone by need not be asked for.
      setTimeout(() => {
        const row = this.row;
        const top = (this.body.scrollTop * this.scale) / row;
        if (turn !== this.turn || this.signal.aborted) return;
        if ((stretch + 1) * STRETCH < top - STRETCH || stretch * STRETCH > top + 2 * STRETCH) {
          this.asked.delete(stretch);
          return;
        }
        ask("/api/songs", { query: { ...this.query, offset: stretch * STRETCH, limit: STRETCH }, signal: this.signal })
          .then((found) => {
            if (turn !== this.turn) return;
            found.songs.forEach((song, i) => this.songs.set(stretch * STRETCH + i, song));
            this.draw();
          })
          .catch((error) => {
            this.asked.delete(stretch);
            if (error.name !== "AbortError") note(error.message, true);
          });
      }, 60);
    }
  }

  line(place) {
    const song = this.songs.get(place);
    const properties = { class: "line", role: "row", "aria-rowindex": place + 2, id: `line-${place}` };
    if (place === this.active) properties.class += " active";
    if (!song) return h("div", { ...properties, "data-waits": "1" }, h("span"), h("span"), h("span", { class: "soft" }, "…"));
    const selected = this.selected.has(song.id);
    if (player.song?.id === song.id) properties.class += " playing";
    const tick = h("input", {
      type: "checkbox", checked: selected, tabindex: -1, "aria-label": `Select ${song.title}`,
      on: { click: (event) => { this.select(place, event.shiftKey); event.stopPropagation(); } },
    });
    return h(
      "div",
      { ...properties, "aria-selected": String(selected), on: { click: () => this.activate(place), dblclick: () => this.play(place) } },
      h("div", { role: "gridcell" }, tick),
      h("div", { role: "gridcell" }, h("button", { class: "bare", tabindex: -1, disabled: !song.playable, "aria-label": `Play ${song.title}`, on: { click: () => this.play(place) } }, icon("play"))),
      h(
        "div",
        { role: "gridcell", class: "title" },
        h("div", { class: "cut" }, h("a", { href: `/song/${song.id}`, tabindex: -1 }, song.title)),
        h("div", { class: "cut small soft" }, h("span", { class: "brief" }, dot(colourOf(song.genre, song.unsure)), ` ${song.unsure ? "unsure" : song.genre} · `), song.lacks?.length ? h("span", { class: "lacks" }, `lacks ${song.lacks.join(", ")} · `) : null, song.artist ?? "unknown artist"),
      ),
      h("div", { role: "gridcell", class: "wide cut soft" }, song.album ?? ""),
      h("div", { role: "gridcell", class: "medium" }, genreOf(song)),
      h("div", { role: "gridcell", class: "right medium" }, song.tempo_bpm === null ? "" : Math.round(song.tempo_bpm)),
      h("div", { role: "gridcell", class: "wide" }, song.key ?? ""),
      h("div", { role: "gridcell", class: "right wide" }, song.loudness_lufs === null ? "" : song.loudness_lufs.toFixed(1)),
      h("div", { role: "gridcell", class: "right" }, clock(song.seconds)),
    );
  }

  activate(place) {
    this.active = place;
    this.body.setAttribute("aria-activedescendant", `line-${place}`);
    for (const [there, line] of this.lines) line.classList.toggle("active", there === place);
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.seen / this.row) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.total, End: this.total };
    const song = this.songs.get(this.active);
    if (event.key in steps) {
      this.activate(Math.min(Math.max(this.active + steps[event.key], 0), this.total - 1));
      this.reveal();
    } else if (event.key === "Enter" && song) this.go(`/song/${song.id}`);
    else if (event.key === " ") this.select(this.active, event.shiftKey);
    else if (event.key === "p" && song) this.play(this.active);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.selectAll(true);
    else return;
    event.preventDefault();
  }

  reveal() {
    const row = this.row;
    const top = this.active * row;
    const seen = this.body.scrollTop * this.scale;
    if (top < seen) this.body.scrollTop = top / this.scale;
    else if (top + row > seen + this.seen) this.body.scrollTop = (top + row - this.seen) / this.scale;
    this.draw();
  }

  play = trying(async (place) => {
    const song = this.songs.get(place);
    const around = [];
    for (let next = place; next < Math.min(place + MOST_PLAYED, this.total) && this.songs.has(next); next++) around.push(this.songs.get(next));
    player.play(around, around.indexOf(song));
  });

  select(place, stretch) {
    const song = this.songs.get(place);
    if (!song) return;
    const [from, to] = stretch && this.anchor !== undefined ? [Math.min(place, this.anchor), Math.max(place, this.anchor)] : [place, place];
    const on = !this.selected.has(song.id);
    for (let one = from; one <= to; one++) {
      const found = this.songs.get(one);
      if (found && on) this.selected.set(found.id, found);
      else if (found) this.selected.delete(found.id);
    }
    this.anchor = place;
    this.active = place;
    this.draw(true);
    this.drawBar();
  }

  async selectAll(on) {
    this.selected.clear();
    if (on) {
      const ids = this.found ? this.found.map((song) => song.id) : await ask("/api/song-ids", { query: this.query, signal: this.signal });
      for (const id of ids) this.selected.set(id, null);
      if (ids.length < this.total) note(`the first ${ids.length.toLocaleString("en")} songs are selected`);
    }
    this.draw(true);
    this.drawBar();
  }

  drawBar() {
    if (!this.bar.isConnected) this.element.before(this.told, this.bar);
    const ids = [...this.selected.keys()];
    this.bar.classList.toggle("hidden", !ids.length);
    const limit = ids.length > MOST_SEEDS ? ` of the first ${MOST_SEEDS}` : "";
    fill(
      this.bar,
      h("strong", {}, `${count(ids.length, "song")} selected`),
      h("button", { class: "main", on: { click: () => this.go(`/station?seeds=${ids.slice(0, MOST_SEEDS).join(",")}`) } }, icon("station"), `Station${limit}`),
      h("button", { on: { click: trying(() => this.playSelected(ids)) } }, icon("play"), "Play"),
      h("button", { class: "bare", on: { click: trying(() => this.selectAll(false)) } }, "Clear"),
    );
  }

  async playSelected(ids) {
    player.play(await ask("/api/songs/of", { body: ids.slice(0, MOST_PLAYED) }));
  }
}
