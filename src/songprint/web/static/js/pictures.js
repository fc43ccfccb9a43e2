/** A song's pictures, one below the other, on one axis of time that can be clicked. */

import { askPatiently } from "./api.js";
import { drawAxis, drawSpectrogram, drawTimeline, drawWaveform, spectrogramImage } from "./drawing.js";
import { clock, h, note } from "./dom.js";
import { player } from "./player.js";

/** Pictures of one song; `load`, then they draw themselves and follow the play head. */
export class Pictures {
  /** `span` is what the axis shows at least, in seconds; `parts` of wave, spec, time, axis. */
  constructor(song, signal, { parts = ["wave", "spec", "axis"], span = 0, onSeek = null } = {}) {
    this.song = song;
    this.signal = signal;
    this.span = span;
    this.zoom = 1;
    this.onSeek = onSeek;
    this.canvases = Object.fromEntries(parts.map((part) => [part, h("canvas", { class: part, "aria-hidden": "true" })]));
    this.slider = h("div", {
      class: "picture", role: "slider", tabindex: 0, "aria-label": `Position in ${song.title}; arrows seek`,
      "aria-valuemin": 0, "aria-valuemax": Math.round(song.seconds), "aria-valuenow": 0,
    }, Object.values(this.canvases));
    this.waiting = h("p", { class: "soft small", role: "status" }, "Listening to the song …");
    this.element = h("div", {}, this.slider, this.waiting);
    this.slider.addEventListener("pointerdown", (event) => this.pointed(event));
    this.slider.addEventListener("pointermove", (event) => event.buttons && this.pointed(event));
    this.slider.addEventListener("keydown", (event) => this.key(event));
    const redraw = () => this.draw();
    const size = new ResizeObserver(redraw);
    size.observe(this.slider);
    for (const event of ["time", "song", "state"]) player.addEventListener(event, redraw, { signal });
    document.addEventListener("theme", redraw, { signal });
    signal.addEventListener("abort", () => size.disconnect());
    this.frame();
  }

  async load() {
    try {
      this.signals = await askPatiently(`/api/songs/${this.song.id}/signals`, { signal: this.signal });
      this.image = spectrogramImage(this.signals.spectrogram);
      this.waiting.remove();
      this.slider.dataset.drawn = "1";
      this.draw();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      this.waiting.textContent = error.message;
    }
  }

  get isPlaying() {
    return player.song?.id === this.song.id;
  }

  get now() {
    return this.isPlaying ? player.time : null;
  }

  get range() {
    const whole = Math.max(this.span, this.signals?.seconds ?? this.song.seconds);
    const wide = whole / this.zoom;
    if (this.zoom === 1) return { from: 0, to: whole };
    const from = Math.min(Math.max((this.now ?? 0) - wide / 2, 0), whole - wide);
    return { from, to: from + wide };
  }

  frame() {
    if (this.signal.aborted) return;
    if (this.isPlaying && player.playing) this.draw();
    requestAnimationFrame(() => this.frame());
  }

  draw() {
    const { wave, spec, time, axis } = this.canvases;
    const view = { ...this.range, now: this.now };
    if (this.signals && wave) drawWaveform(wave, this.signals, view);
    if (this.signals && spec) drawSpectrogram(spec, this.signals, this.image, view);
    if (this.segments && time) drawTimeline(time, this.segments, this.genres, view);
    if (axis) drawAxis(axis, view);
    this.slider.setAttribute("aria-valuenow", String(Math.round(this.now ?? 0)));
    this.slider.setAttribute("aria-valuetext", clock(this.now ?? 0));
  }

  pointed(event) {
    const box = this.slider.getBoundingClientRect();
    const { from, to } = this.range;
    this.seek(from + ((event.clientX - box.left) / box.width) * (to - from));
  }

  key(event) {
    const steps = { ArrowRight: 5, ArrowUp: 5, ArrowLeft: -5, ArrowDown: -5, PageUp: 30, PageDown: -30 };
    if (event.key in steps) this.seek((this.now ?? 0) + steps[event.key]);
    else if (event.key === "Home") this.seek(0);
    else if (event.key === "End") this.seek(this.song.seconds - 5);
    else if (event.key === " ") this.isPlaying ? player.toggle() : this.seek(0);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  seek(seconds) {
    if (!this.song.playable) {
      note("there is no audio of this here", true);
      return;
    }
    if (!this.isPlaying) player.play([this.song]);
    player.seek(seconds);
    this.draw();
  }
}
