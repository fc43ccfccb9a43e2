/** Stations: seeds, what counts, what is kept to; the result at once. */

import { ask, library, send } from "./api.js";
import { colourOf } from "./colours.js";
import { askForName, confirmed } from "./dialogs.js";
import { SongLines, chip, download, empty, songFinder, whyLegend } from "./parts.js";
import { count, fill, h, icon, note, setText, trying } from "./dom.js";
import { player } from "./player.js";

const PARTS = [
  ["beat", "Beat", 0.2], ["intensity", "Intensity", 0.2], ["rhythm", "Rhythm", 0.2], ["timbre", "Timbre", 0.2], ["genre", "Genre", 1],
];
/** In the tab's own store: the station that was not saved, with what was said there. */
const UNSAVED = "songprint.station";
const VERDICTS = [["like", "More like this"], ["skip", "Not this one"], ["never", "Never play this"]];

const beyond = (song) => (song.beyond.length ? h("div", { class: "small" }, `beyond ${song.beyond.join(", ")}`) : null);

export async function show(page, { signal, go, query }) {
  const known = await library();
  if (!known.songs) {
    fill(page, h("h1", {}, "Station"), empty("A station grows from songs of your library, which has none yet.", h("a", { class: "button", href: "/add" }, "Add music")));
    return;
  }
  await new StationPage(page, signal, go, known).open(query);
}

class StationPage {
  constructor(page, signal, go, known) {
    Object.assign(this, { page, signal, go, known, seeds: [], name: "", said: {}, songs: [], asking: null });
    this.wishes = { length: 25, weights: Object.fromEntries(PARTS.map(([part, , usual]) => [part, usual])), unpopular: 0, same_genre: false, any_genre: false, era: null, widen: false, artist_cap: 2 };
    this.isLive = this.again = false;
    this.follows = false;
  }

  async open(query) {
    const name = query.get("name");
    const ids = (query.get("seeds") ?? "").split(",").filter((id) => /^[0-9a-f]{32}$/.test(id)).slice(0, 50);
    if (name) {
      const kept = await ask(`/api/stations/${encodeURIComponent(name)}`, { signal: this.signal });
      this.name = kept.name;
      this.seeds = kept.seeds;
      Object.assign(this.wishes, kept.wishes);
      if (kept.missing) note(`${kept.missing} of its seeds are not in the library any more`);
    } else if (ids.length) {
      this.seeds = await ask("/api/songs/of", { body: ids, signal: this.signal });
      const left = JSON.parse(sessionStorage.getItem(UNSAVED));
      if (left?.seeds.some((id) => ids.includes(id))) Object.assign(this, { wishes: left.wishes, said: left.said });
    }
    this.kept = await ask("/api/stations", { signal: this.signal });
    this.draw();
    await this.grow();
  }

  draw() {
    this.title = h("h1", {}, this.name || "Station");
    this.chips = h("div", { class: "row", "aria-label": "Seeds", role: "list" });
    this.result = h("div", { class: "panel stack" });
    this.told = h("h2", { class: "grow", "aria-live": "polite" });
    this.took = h("span", { class: "soft small num" });
    this.remarks = h("ul", { class: "remarks", "aria-live": "polite" });
    this.lines = new SongLines({ label: "The station", actions: (song) => this.verdicts(song), below: beyond });
    this.buttons = h("div", { class: "row" });
    fill(
      this.page,
      h("div", { class: "page-head" }, this.title, this.buttons),
      h(
        "div",
        { class: "station-grid" },
        h("div", { class: "stack" }, this.seedPanel(), this.tuning(), this.keptPanel()),
        this.result,
      ),
    );
    this.drawSeeds();
    this.drawButtons();
  }

  seedPanel() {
    return h(
      "section",
      { class: "panel stack", "aria-label": "Seeds" },
      h("h2", {}, "Seeds"),
      this.chips,
      songFinder("Add a seed", (song) => {
        if (this.seeds.length < 50 && !this.seeds.some(({ id }) => id === song.id)) this.seeds.push(song);
        this.drawSeeds();
        this.grow();
      }),
    );
  }

  drawSeeds() {
    fill(
      this.chips,
      this.seeds.map((song) =>
        h("span", { role: "listitem" }, chip(song.title, colourOf(song.genre, song.unsure), () => {
          this.seeds = this.seeds.filter(({ id }) => id !== song.id);
          this.drawSeeds();
          this.grow();
        }, `Remove the seed ${song.title}`)),
      ),
      this.seeds.length ? null : h("span", { class: "soft", role: "listitem" }, "none yet"),
    );
    if (!this.name) history.replaceState(null, "", this.seeds.length ? `/station?seeds=${this.seeds.map(({ id }) => id).join(",")}` : "/station");
  }

  /** What counts and the guards; where the screen is narrow they make room for the songs. */
  tuning() {
    const wide = matchMedia("(min-width: 901px)");
    const place = h("details", { class: "tuning", open: wide.matches }, h("summary", {}, "What counts, and what is kept to"), h("div", { class: "stack" }, this.sliders(), this.guards()));
    wide.addEventListener("change", () => { place.open = wide.matches; }, { signal: this.signal });
    return place;
  }

  slider(label, value, most, onInput, shown = (v) => v.toFixed(1)) {
    const told = h("output", { class: "num" }, shown(value));
    const field = h("input", {
      type: "range", min: 0, max: most, step: most / 20, value,
      on: { input: () => { told.textContent = shown(Number(field.value)); onInput(Number(field.value)); this.growLive(); } },
    });
    return h("label", { class: "slider" }, label, field, told);
  }

  sliders() {
    const { weights } = this.wishes;
    return h(
      "section",
      { class: "panel stack", "aria-label": "What counts" },
      h("h2", {}, "What counts"),
      PARTS.map(([part, label]) => this.slider(label, weights[part], 2, (value) => { weights[part] = value; })),
      this.slider("Unpopular", this.wishes.unpopular, 1, (value) => { this.wishes.unpopular = value; }, (v) => `${Math.round(100 * v)}%`),
      h("p", { class: "soft small" }, this.known.has_plays ? "Unpopular: what was played least comes first." : "Unpopular: songs by artists of whom you have few come first."),
    );
  }

  guards() {
    const { wishes } = this;
    const genre = h(
      "select",
      { on: { change: () => { wishes.same_genre = genre.value === "same"; wishes.any_genre = genre.value === "any"; this.grow(); } } },
      [["widen", "kept to, left if need be"], ["same", "kept to, then stop"], ["any", "left open"]].map(([value, label]) =>
        h("option", { value, selected: value === (wishes.same_genre ? "same" : wishes.any_genre ? "any" : "widen") }, label)),
    );
    const era = h(
      "select",
      { on: { change: () => { wishes.era = era.value || null; this.grow(); } } },
      h("option", { value: "" }, "any"),
      this.known.eras.map((name) => h("option", { value: name, selected: wishes.era === name }, name)),
    );
    const length = h("input", { type: "number", min: 1, max: 200, value: wishes.length, on: { input: () => { wishes.length = Math.min(Math.max(Math.round(Number(length.value)) || 25, 1), 500); this.growLive(); } } });
    const cap = h("input", { type: "number", min: 0, max: 50, value: wishes.artist_cap, on: { input: () => { wishes.artist_cap = Math.min(Math.max(Math.round(Number(cap.value)) || 0, 0), 500); this.growLive(); } } });
    return h(
      "section",
      { class: "panel stack", "aria-label": "Guards" },
      h("h2", {}, "Guards"),
      h("label", { class: "field" }, "The seeds' genre, as the audio tells it", genre),
      h("label", { class: "field" }, "Sounds of the", era),
      h("div", { class: "row" }, h("label", { class: "field grow" }, "Songs", length), h("label", { class: "field grow" }, "Most of an artist (0: any)", cap)),
    );
  }

  keptPanel() {
    return h(
      "section",
      { class: "panel stack", "aria-label": "Saved stations" },
      h("h2", {}, "Saved stations"),
      this.kept.length
        ? h("div", { class: "row" }, this.kept.map(({ name }) => h("a", { class: "chip", href: `/station?name=${encodeURIComponent(name)}` }, name)))
        : h("p", { class: "soft small" }, "None yet. A saved station remembers what you like and skip."),
    );
  }

  drawButtons() {
    const some = this.songs.length > 0;
    const said = this.name ? 0 : Object.values(this.said).filter((verdict) => verdict !== "never").length;
    const state = `${some} ${this.seeds.length > 0} ${said}`;
    if (this.buttons.dataset.state === state) return;
    this.buttons.dataset.state = state;
    fill(
      this.buttons,
      h("button", { class: "main", disabled: !some, on: { click: () => { this.follows = true; player.play(this.songs); } } }, icon("play"), "Play through"),
      h("button", { disabled: !this.seeds.length, on: { click: trying(() => this.save()) } }, this.name ? "Save" : "Save as …"),
      said ? h("button", { title: "What you said of songs here, but for those never to be played", on: { click: () => { this.said = {}; this.grow(); } } }, `Take back ${count(said, "verdict")}`) : null,
      this.name ? h("button", { on: { click: trying(() => this.rename()) } }, "Rename") : null,
      this.name ? h("button", { class: "danger", on: { click: trying(() => this.forget()) } }, "Delete") : null,
      h("button", { disabled: !some, on: { click: trying(() => this.export()) } }, "Export M3U8"),
    );
  }

  /** Grow at once, and while a slider moves, again with each answer: one question at a time. */
  async growLive() {
    this.again = this.isLive;
    if (this.isLive) return;
    this.isLive = true;
    do {
      this.again = false;
      await this.grow();
    } while (this.again);
    this.isLive = false;
  }

  async grow() {
    this.asking?.abort();
    if (!this.seeds.length) {
      this.songs = [];
      this.instead(empty("Choose a song to start from, here, in the library or on the map."));
      this.drawButtons();
      return;
    }
    this.asking = new AbortController();
    const stop = () => this.asking.abort();
    this.signal.addEventListener("abort", stop, { once: true });
    try {
      const asked = { seeds: this.seeds.map(({ id }) => id), wishes: this.wishes, said: this.said };
      if (!this.name) sessionStorage.setItem(UNSAVED, JSON.stringify(asked));
      const body = { ...asked, name: this.name };
      this.drawResult(await ask("/api/station", { body, signal: this.asking.signal }));
    } catch (error) {
      if (error.name !== "AbortError") this.instead(h("p", { class: "bad", role: "alert" }, error.message));
    } finally {
      this.signal.removeEventListener("abort", stop);
    }
  }

  /** Show something else than songs. */
  instead(...content) {
    this.lines.show([]);
    fill(this.result, content);
  }

  drawResult(station) {
    this.songs = station.songs;
    if (this.follows) player.follow(this.songs);
    if (this.lines.list.parentNode !== this.result) {
      fill(this.result, h("div", { class: "row" }, this.told, this.took), this.remarks, whyLegend(), this.lines.list);
    }
    const guards = station.guards.length ? `, all ${station.guards.join(", ")}` : "";
    setText(this.told, `${station.songs.length} songs${station.songs.some((s) => s.beyond.length) ? "" : guards}`);
    this.took.textContent = `grown in ${Math.round(station.milliseconds)} ms`;
    this.took.dataset.ms = station.milliseconds;
    if (this.remarks.textContent !== station.remarks.join("")) fill(this.remarks, station.remarks.map((remark) => h("li", {}, remark)));
    this.remarks.hidden = !station.remarks.length;
    this.lines.show(station.songs);
    this.result.dataset.drawn = Number(this.result.dataset.drawn ?? 0) + 1;
    this.drawButtons();
  }

  verdicts(song) {
    return VERDICTS.map(([name, label]) =>
      h("button", { class: "bare", title: label, "aria-label": `${label}: ${song.title}`, on: { click: trying(() => this.say(song, name)) } }, icon(name)));
  }

  async say(song, verdict) {
    if (this.name || verdict === "never") await ask("/api/feedback", { body: { station: this.name, song: song.id, verdict } });
    this.said[song.id] = verdict;
    const heard = player.song?.id === song.id;
    await this.grow();
    if (heard && verdict !== "like") player.go(1);
    const remembered = this.name || verdict === "never" ? "remembered" : "in this tab; save the station to have it remembered";
    note(`${VERDICTS.find(([name]) => name === verdict)[1]}: ${song.title} (${remembered})`);
  }

  async save() {
    const name = this.name || (await askForName("Save the station", this.seeds[0]?.title ?? ""));
    if (!name) return;
    const body = { seeds: this.seeds.map(({ id }) => id), wishes: this.wishes };
    await ask(`/api/stations/${encodeURIComponent(name)}`, { method: "PUT", body });
    for (const [song, verdict] of this.name ? [] : Object.entries(this.said)) await ask("/api/feedback", { body: { station: name, song, verdict } });
    sessionStorage.removeItem(UNSAVED);
    note(`saved as ${name}`);
    this.go(`/station?name=${encodeURIComponent(name)}`);
  }

  async rename() {
    const name = await askForName("Rename the station", this.name);
    if (!name || name === this.name) return;
    await ask(`/api/stations/${encodeURIComponent(this.name)}`, { method: "PATCH", body: { name } });
    this.go(`/station?name=${encodeURIComponent(name)}`);
  }

  async forget() {
    if (!(await confirmed(`Delete the station ${this.name}?`))) return;
    await ask(`/api/stations/${encodeURIComponent(this.name)}`, { method: "DELETE" });
    this.go("/station");
  }

  async export() {
    const name = (this.name || this.seeds[0]?.title || "station").replace(/[/\\\x00-\x1f\x7f]/g, " ").slice(0, 80).trim() || "station";
    const response = await send("/api/playlist", { body: { name, songs: this.songs.map(({ id }) => id) } });
    await download(response, `${name}.m3u8`);
  }
}
