/** The map: the library as points that can be looked at, played and gathered. */

import { ask, library, send } from "./api.js";
import { context, theme } from "./drawing.js";
import { clock, count, debounced, fill, h, icon, note, trying } from "./dom.js";
import { dot, empty } from "./parts.js";
import { player } from "./player.js";
import { Drawer, Index, UNSURE_KIND, idOf, unpack } from "./points.js";

const REACH_PIXELS = 14;
const MOST_SEEDS = 50;
const MOST_PLAYED = 500;
const LISTED = 20;
const STILL_MS = 150;
/** Between these frames are fast enough to look smooth, and no faster than need be. */
const [FAST_MS, SLOW_MS] = [20, 30];
const FEWEST_POINTS = 4000;
const FIRST_POINTS = 25000;

export async function show(page, { signal, go }) {
  page.classList.add("map");
  const known = await library();
  if (!known.songs) {
    fill(page, h("h1", {}, "Map"), empty("There is nothing to map yet.", h("a", { class: "button", href: "/add" }, "Add music")));
    return;
  }
  const meta = await ask("/api/map", { signal });
  const buffer = await (await send("/api/map/points", { query: { version: meta.snapshot }, signal })).arrayBuffer();
  new MapPage(page, signal, go, meta, unpack(buffer, meta.songs)).draw();
}

class MapPage {
  constructor(page, signal, go, meta, points) {
    Object.assign(this, { signal, go, meta, points, hovered: -1, chosen: [], lasso: null, moving: false, drawn: 0 });
    this.most = Math.min(points.n, FIRST_POINTS);
    this.index = new Index(points);
    this.canvas = h("canvas", {
      tabindex: 0, role: "application", "aria-label": "Map of the library: arrows move, plus and minus zoom, Enter plays the song in the middle",
    });
    this.over = h("canvas", { class: "over", "aria-hidden": "true" });
    this.tip = h("div", { class: "map-tip hidden", role: "status" });
    this.bar = h("div", { class: "row" });
    this.area = h("div", { class: "map-area" }, this.canvas, this.over, this.tools(), this.legend(), this.tip);
    this.near = h("ul", { class: "sr", "aria-label": "Songs near the middle of the map", "aria-live": "polite" });
    fill(page, h("div", { class: "page-head" }, h("h1", {}, "Map"), h("span", { class: "soft small" }, `${count(meta.songs, "song")}; near each other where they are kin. The two axes show ${Math.round(100 * (meta.explained[0] + meta.explained[1]))}% of all differences.`), this.bar), this.area, this.near);
    this.drawer = new Drawer(this.canvas, points, meta.genres);
    this.area.dataset.webgl = String(Boolean(this.drawer.gl));
    this.fit();
    this.listen();
    this.nameSoon = debounced(80, trying((i) => this.name(i)));
    this.listSoon = debounced(400, trying(() => this.list()));
  }

  tools() {
    const button = (name, label, act) => h("button", { "aria-label": label, title: label, on: { click: act } }, icon(name));
    this.lassoButton = h("button", { "aria-pressed": "false", title: "Draw a line around songs", on: { click: () => this.setLasso(!this.isLasso) } }, icon("lasso"), "Lasso");
    return h("div", { class: "map-tools" }, button("plus", "Zoom in", () => this.zoomBy(1.6)), button("minus", "Zoom out", () => this.zoomBy(1 / 1.6)), button("fit", "Show all", () => { this.fit(); this.draw(); }), this.lassoButton);
  }

  /** Return the genres' names; one that is pointed at, or has the focus, is shown alone meanwhile: for whoever does not tell its colour from others. */
  legend() {
    const look = (kind) => {
      this.drawer.alone = kind;
      this.drawer.recolour();
      this.draw();
    };
    const counts = new Map();
    for (const kind of this.points.kind) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const kinds = [...counts.keys()].sort((a, b) => (a === UNSURE_KIND) - (b === UNSURE_KIND) || counts.get(b) - counts.get(a));
    return h(
      "div",
      { class: "map-legend", role: "group", "aria-label": "Genres shown" },
      kinds.map((kind) => {
        const name = kind === UNSURE_KIND ? "unsure" : this.meta.genres[kind];
        const button = h("button", {
          "aria-pressed": "true",
          on: {
            click: () => {
              if (!this.drawer.off.delete(kind)) this.drawer.off.add(kind);
              button.setAttribute("aria-pressed", String(!this.drawer.off.has(kind)));
              look(null);
            },
            pointerenter: (event) => event.pointerType === "mouse" && look(kind),
            pointerleave: () => look(null),
            focus: () => button.matches(":focus-visible") && look(kind),
            blur: () => look(null),
          },
        }, dot(Drawer.prototype.colour.call({ genres: this.meta.genres }, kind)), `${name} ${counts.get(kind).toLocaleString("en")}`);
        return button;
      }),
    );
  }

  /** Show all points, and none of them behind the tools and the genres' names where these lie across the whole map. */
  fit() {
    const { left, right, bottom, top } = this.index.box;
    const [width, height] = [this.area.clientWidth || 800, this.area.clientHeight || 500];
    const [tools, names] = [".map-tools", ".map-legend"].map((part) => this.area.querySelector(part));
    const across = names.offsetWidth > 0.6 * width;
    const [head, foot] = across ? [tools.offsetHeight + 10, names.offsetHeight + 10] : [0, 0];
    const free = Math.max(height - head - foot, 0.4 * height);
    const pixels = 0.92 * Math.min(width / Math.max(right - left, 1e-6), free / Math.max(top - bottom, 1e-6));
    this.whole = pixels;
    this.view = { x: (left + right) / 2, y: (top + bottom) / 2 + (head - foot) / (2 * pixels), pixels, zoom: 1 };
  }

  /** Draw while the map moves: as many points as there is time for, and all once it is still. */
  move() {
    this.moving = true;
    clearTimeout(this.still);
    this.still = setTimeout(() => {
      this.moving = false;
      this.drawn = 0;
      this.draw();
    }, STILL_MS);
    this.draw();
  }

  /** Take note of how long the last frame took, and draw more or fewer points in the next. */
  pace(now) {
    const took = now - this.drawn;
    if (this.drawn && took > SLOW_MS) this.most = Math.max(FEWEST_POINTS, this.most * 0.75);
    else if (this.drawn && took < FAST_MS) this.most = Math.min(this.points.n, this.most * 1.25);
    this.drawn = now;
  }

  draw() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame((now) => {
      this.waits = false;
      if (this.signal.aborted) return;
      this.view.zoom = this.view.pixels / this.whole;
      if (this.moving) this.pace(now);
      this.drawer.draw(this.view, this.moving ? Math.round(this.most) : this.points.n);
      this.drawOver();
      this.area.dataset.drawn = "1";
    });
  }

  screen(i) {
    return [
      this.area.clientWidth / 2 + (this.points.x[i] - this.view.x) * this.view.pixels,
      this.area.clientHeight / 2 - (this.points.y[i] - this.view.y) * this.view.pixels,
    ];
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      this.view.x + (event.clientX - box.left - box.width / 2) / this.view.pixels,
      this.view.y - (event.clientY - box.top - box.height / 2) / this.view.pixels,
    ];
  }

  drawOver() {
    const { drawing, width, height } = context(this.over);
    drawing.clearRect(0, 0, width, height);
    drawing.lineWidth = 2;
    const ring = (i, colour, radius) => {
      const [x, y] = this.screen(i);
      drawing.strokeStyle = colour;
      drawing.beginPath();
      drawing.arc(x, y, radius, 0, 2 * Math.PI);
      drawing.stroke();
    };
    for (const i of this.chosen.slice(0, 3000)) ring(i, theme("--accent"), 5);
    if (this.playing !== undefined && this.playing >= 0) ring(this.playing, theme("--ink"), 10);
    if (this.hovered >= 0) ring(this.hovered, theme("--ink"), 8);
    if (this.lasso) {
      drawing.strokeStyle = theme("--accent");
      drawing.setLineDash([6, 4]);
      drawing.beginPath();
      for (const [x, y] of this.lasso) drawing.lineTo(width / 2 + (x - this.view.x) * this.view.pixels, height / 2 - (y - this.view.y) * this.view.pixels);
      drawing.stroke();
      drawing.setLineDash([]);
    }
  }

  listen() {
    const { canvas } = this;
    const pointers = new Map();
    let moved = 0;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, event);
      moved = 0;
      if (this.isLasso) this.lasso = [this.place(event)];
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) {
        this.hover(event);
        return;
      }
      moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
      if (this.lasso) {
        this.lasso.push(this.place(event));
        pointers.set(event.pointerId, event);
        this.drawOver(); // the points stay where they are
        return;
      }
      if (pointers.size === 2) this.pinch(pointers, event);
      else {
        this.view.x -= (event.clientX - before.clientX) / this.view.pixels;
        this.view.y += (event.clientY - before.clientY) / this.view.pixels;
      }
      pointers.set(event.pointerId, event);
      this.move();
    });
    const up = trying((event) => {
      if (!pointers.delete(event.pointerId)) return;
      if (this.lasso) this.gather();
      else if (moved < 6) return this.click(event);
      else this.listSoon();
    });
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", (event) => { pointers.delete(event.pointerId); this.lasso = null; });
    canvas.addEventListener("pointerleave", () => this.setHovered(-1));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY * 0.0015), this.place(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    const size = new ResizeObserver(() => this.draw());
    size.observe(this.area);
    this.signal.addEventListener("abort", () => size.disconnect());
    document.addEventListener("theme", () => this.draw(), { signal: this.signal });
    player.addEventListener("song", () => { this.playing = this.find(player.song?.id); this.draw(); }, { signal: this.signal });
    this.playing = this.find(player.song?.id);
  }

  find(id) {
    if (!id) return -1;
    const wanted = id.match(/../g).map((byte) => parseInt(byte, 16));
    const { ids, n } = this.points;
    let [low, high] = [0, n - 1]; // the ids are in order
    while (low <= high) {
      const middle = (low + high) >> 1;
      let order = 0;
      for (let k = 0; k < 16 && !order; k++) order = ids[16 * middle + k] - wanted[k];
      if (!order) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  pinch(pointers, event) {
    const [one, two] = [...pointers.values()];
    const other = one.pointerId === event.pointerId ? two : one;
    const before = pointers.get(event.pointerId);
    const far = (a) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
    this.zoomBy(far(event) / Math.max(far(before), 1), this.place(other));
  }

  zoomBy(factor, [x, y] = [this.view.x, this.view.y]) {
    const pixels = Math.min(Math.max(this.view.pixels * factor, this.whole * 0.5), this.whole * 400);
    const real = pixels / this.view.pixels;
    this.view.x = x + (this.view.x - x) / real;
    this.view.y = y + (this.view.y - y) / real;
    this.view.pixels = pixels;
    this.move();
    this.listSoon();
  }

  nearest([x, y]) {
    return this.index.nearest(x, y, REACH_PIXELS / this.view.pixels, this.drawer.shown);
  }

  hover(event) {
    if (!this.isLasso) this.setHovered(this.nearest(this.place(event)));
  }

  setHovered(i) {
    if (i === this.hovered) return;
    this.hovered = i;
    this.canvas.classList.toggle("pointing", i >= 0);
    this.tip.classList.add("hidden");
    this.drawOver();
    if (i >= 0) this.nameSoon(i);
  }

  async name(i) {
    if (i !== this.hovered || this.signal.aborted) return;
    const song = await ask(`/api/songs/${idOf(this.points, i)}`, { signal: this.signal });
    if (i !== this.hovered) return;
    fill(this.tip, h("strong", {}, song.title), h("div", { class: "soft" }, song.artist ?? ""), h("div", {}, song.unsure ? "unsure" : song.genre, ` · ${clock(song.seconds)}`));
    const [x, y] = this.screen(i);
    this.tip.classList.remove("hidden");
    this.tip.style.left = `${Math.min(x + 14, this.area.clientWidth - this.tip.offsetWidth - 8)}px`;
    this.tip.style.top = `${Math.min(Math.max(y + 14, 8), this.area.clientHeight - this.tip.offsetHeight - 8)}px`;
  }

  async click(event) {
    const i = this.nearest(this.place(event));
    if (i < 0) return;
    const song = await ask(`/api/songs/${idOf(this.points, i)}`, { signal: this.signal });
    player.play([song]);
    this.drawBar([h("a", { href: `/song/${song.id}`, class: "cut" }, song.title)]);
  }

  setLasso(on) {
    this.isLasso = on;
    this.lasso = null;
    this.lassoButton.setAttribute("aria-pressed", String(on));
    this.setHovered(-1);
  }

  gather() {
    const { lasso } = this;
    this.lasso = null;
    if (lasso.length < 3) return;
    this.chosen = this.index.inside(lasso, this.drawer.shown);
    this.setLasso(false);
    this.draw();
    this.drawBar();
  }

  drawBar(first = []) {
    const n = this.chosen.length;
    const ids = (most) => this.spread(most).map((i) => idOf(this.points, i));
    fill(
      this.bar,
      first,
      n ? h("strong", {}, `${count(n, "song")} inside`) : null,
      n ? h("button", { class: "main", on: { click: () => this.go(`/station?seeds=${ids(MOST_SEEDS).join(",")}`) } }, icon("station"), "Station from these") : null,
      n ? h("button", { on: { click: trying(async () => player.play(await ask("/api/songs/of", { body: ids(MOST_PLAYED) }))) } }, icon("play"), "Play") : null,
      n ? h("button", { class: "bare", on: { click: () => { this.chosen = []; this.draw(); this.drawBar(); } } }, "Clear") : null,
    );
    if (n > MOST_SEEDS) note(`${MOST_SEEDS} of them, spread evenly, seed a station`);
  }

  spread(most) {
    const step = Math.max(1, this.chosen.length / most);
    return Array.from({ length: Math.min(most, this.chosen.length) }, (_, k) => this.chosen[Math.floor(k * step)]);
  }

  key(event) {
    const far = 60 / this.view.pixels;
    const moves = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] };
    if (event.key in moves) {
      this.view.x += moves[event.key][0];
      this.view.y += moves[event.key][1];
      this.move();
      this.listSoon();
    } else if (event.key === "+" || event.key === "=") this.zoomBy(1.5);
    else if (event.key === "-") this.zoomBy(1 / 1.5);
    else if (event.key === "0") { this.fit(); this.draw(); }
    else if (event.key === "Enter") this.playMiddle();
    else if (event.key === "Escape") this.setLasso(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  playMiddle = trying(async () => {
    const reach = this.area.clientWidth / 2 / this.view.pixels;
    const i = this.index.nearest(this.view.x, this.view.y, reach, this.drawer.shown);
    if (i < 0) return;
    const song = await ask(`/api/songs/${idOf(this.points, i)}`, { signal: this.signal });
    player.play([song]);
    note(`plays ${song.title}`);
  });

  /** Tell screen readers what is near the middle. */
  async list() {
    if (document.activeElement !== this.canvas || this.signal.aborted) return;
    const reach = 120 / this.view.pixels;
    const near = [];
    const { x, y } = this.view;
    this.index.each(x - reach, x + reach, y - reach, y + reach, (i) => this.drawer.shown(this.points.kind[i]) && near.push(i));
    near.sort((a, b) => Math.hypot(this.points.x[a] - x, this.points.y[a] - y) - Math.hypot(this.points.x[b] - x, this.points.y[b] - y));
    const songs = near.length ? await ask("/api/songs/of", { body: near.slice(0, LISTED).map((i) => idOf(this.points, i)), signal: this.signal }) : [];
    fill(this.near, songs.map((song) => h("li", {}, `${song.title}, ${song.artist ?? "unknown artist"}, ${song.unsure ? "unsure" : song.genre}`)));
  }
}
