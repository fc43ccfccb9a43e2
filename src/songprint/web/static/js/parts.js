/** Parts that several pages show: names, genres, reasons, bars, lists of songs. */

import { ask } from "./api.js";
import { PARTS, UNSURE, colourOf } from "./colours.js";
import { clock, debounced, fill, h, icon, percent, setText, svg, trying } from "./dom.js";
import { player } from "./player.js";

/** Return a coloured dot. */
export function dot(colour) {
  return svg("svg", { class: "dot", viewBox: "0 0 10 10", "aria-hidden": "true" }, svg("circle", { cx: 5, cy: 5, r: 4.5, fill: colour }));
}

/** Return a song's genre with its colour; what is unsure says so. */
export function genreOf(song) {
  const name = song.unsure ? "unsure" : song.genre;
  return h("span", { class: "cell-genre" }, dot(song.unsure ? UNSURE : colourOf(song.genre)), h("span", { class: "cut" }, name));
}

/** Return a table that may be wider than the screen; keys move it too. */
export function wide(label, table) {
  return h("div", { class: "scroll", role: "group", tabindex: 0, "aria-label": label }, table);
}

export function chip(content, colour = null, onClose = null, closeLabel = "Remove") {
  return h(
    "span",
    { class: "chip" },
    colour && dot(colour),
    h("span", { class: "cut" }, content),
    onClose && h("button", { type: "button", "aria-label": closeLabel, on: { click: onClose } }, icon("close")),
  );
}

/** Return probabilities as bars with their numbers. */
export function bars(probabilities, colour = colourOf) {
  return h(
    "div",
    { class: "bars", role: "list" },
    probabilities.map(({ name, p }) =>
      h(
        "div",
        { class: "bar", role: "listitem" },
        h("span", { class: "cut" }, name),
        h(
          "span",
          { class: "track", "aria-hidden": "true" },
          svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none" }, svg("rect", { width: Math.max(100 * p, 0.4), height: 10, fill: colour(name) })),
        ),
        h("span", { class: "value" }, percent(p)),
      ),
    ),
  );
}

/** Return a bar of what each part adds to the distance of two songs; `tellWhy` fills it. */
function whyBar() {
  return h("span", { class: "why", role: "img" });
}

/** Draw the parts' shares, as one gradient: many elements a song would be drawn too slowly. */
function tellWhy(bar, why) {
  const sum = Object.values(why).reduce((a, b) => a + b, 0) || 1;
  const told = Object.entries(why).map(([part, value]) => `${part} ${percent(value / sum)}`).join(", ");
  let x = 0;
  // Between two parts lies a line of the ground: where one ends is seen whatever colours eyes tell apart.
  const stops = Object.entries(why).flatMap(([part, value]) => [
    `${PARTS[part]} ${x}% calc(${(x += (100 * value) / sum)}% - 1px)`, `var(--panel) calc(${x}% - 1px) ${x}%`,
  ]);
  bar.style.backgroundImage = `linear-gradient(to right, ${stops.join(", ")})`;
  bar.setAttribute("aria-label", `what tells them apart: ${told}`);
  bar.title = told;
}

export function whyLegend() {
  return h("div", { class: "legend", "aria-hidden": "true" }, Object.entries(PARTS).map(([part, colour]) => h("span", {}, dot(colour), part)));
}

/** Return a list of songs. `actions` makes more buttons for a song, `below` more lines. */
export function songList(songs, options) {
  const lines = new SongLines(options);
  lines.show(songs);
  return lines.list;
}

/** A list whose songs change; the lines of songs that stay are kept, so that less is drawn anew. */
export class SongLines {
  constructor({ actions = () => [], below = () => null, label = "Songs" } = {}) {
    Object.assign(this, { actions, below, songs: [], lines: new Map() });
    this.list = h("ol", { class: "songs", "aria-label": label });
  }

  show(songs) {
    const before = this.lines;
    this.songs = songs;
    this.lines = new Map(songs.map((song) => [song.id, before.get(song.id) ?? this.line(song)]));
    for (const [id, { item }] of before) if (!this.lines.has(id)) item.remove();
    songs.forEach((song, index) => {
      const line = this.lines.get(song.id);
      const there = this.list.children[index];
      if (there !== line.item) this.list.insertBefore(line.item, there ?? null);
      line.tell(song);
    });
    markPlaying(this.list.children);
  }

  line(song) {
    const { id, title, artist, playable, seconds } = song;
    const kinship = song.kinship !== undefined && h("span", { class: "num", title: "Kinship: 50% is a usual neighbour" });
    const why = song.why && whyBar();
    const because = h("div", { class: "because" });
    const below = h("div");
    const play = () => player.play(this.songs, this.songs.findIndex((one) => one.id === id));
    const item = h(
      "li",
      { "data-id": id },
      h("button", { class: "bare", disabled: !playable, "aria-label": `Play ${title}`, on: { click: play } }, icon("play")),
      h(
        "div",
        { class: "name" },
        h("div", { class: "cut" }, h("a", { href: `/song/${id}` }, title), artist && h("span", { class: "soft" }, ` ${artist}`)),
        h("div", { class: "row small soft" }, kinship, why, genreOf(song), h("span", { class: "num" }, clock(seconds))),
        because,
        below,
      ),
      h("div", { class: "actions" }, this.actions(song)),
    );
    const tell = (now) => {
      if (kinship) setText(kinship, percent(now.kinship));
      if (why) tellWhy(why, now.why);
      setText(because, now.because ?? "");
      fill(below, this.below(now));
    };
    return { item, tell };
  }
}

function markPlaying(items) {
  for (const item of items) item.classList.toggle("playing", item.dataset.id === player.song?.id);
}

player.addEventListener("song", () => markPlaying(document.querySelectorAll(".songs > li")));

/** Return a field that finds songs while one types, and hands the chosen one on. */
export function songFinder(label, onChoose) {
  const id = `finder-${Math.random().toString(36).slice(2)}`;
  let found = [];
  let active = -1;
  const options = h("ul", { role: "listbox", id, class: "hidden", "aria-label": "Songs that fit" });
  const field = h("input", {
    type: "search", role: "combobox", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list",
    autocomplete: "off", placeholder: "Title, artist, album …", class: "grow",
    on: {
      input: () => look(field.value),
      blur: () => setTimeout(() => show([]), 150),
      keydown: (event) => {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
          move(event.key === "ArrowDown" ? 1 : -1);
          event.preventDefault();
        } else if (event.key === "Enter" && found.length) {
          choose(found[Math.max(active, 0)]);
          event.preventDefault();
        } else if (event.key === "Escape") {
          show([]);
        }
      },
    },
  });
  const look = debounced(
    120,
    trying(async (words) => {
      show(words.trim() ? (await ask("/api/songs", { query: { q: words, limit: 8 } })).songs : []);
    }),
  );
  const choose = (song) => {
    field.value = "";
    show([]);
    onChoose(song);
  };
  const move = (step) => {
    active = (active + step + found.length) % Math.max(found.length, 1);
    [...options.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === active)));
    field.setAttribute("aria-activedescendant", `${id}-${active}`);
  };
  const show = (songs) => {
    found = songs;
    active = -1;
    field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-expanded", String(songs.length > 0));
    options.classList.toggle("hidden", !songs.length);
    fill(
      options,
      songs.map((song, i) =>
        h(
          "li",
          { role: "option", id: `${id}-${i}`, on: { mousedown: () => choose(song) } },
          song.title,
          song.artist && h("span", { class: "soft" }, ` ${song.artist}`),
        ),
      ),
    );
  };
  return h("div", { class: "suggest" }, h("label", { class: "field" }, label, field), options);
}

/** Save a text that the server sent as a file. */
export async function download(response, name) {
  const address = URL.createObjectURL(await response.blob());
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** Show that there is nothing, and what can be done about it. */
export function empty(text, ...more) {
  return h("div", { class: "empty" }, h("p", {}, text), more);
}
