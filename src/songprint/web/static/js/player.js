/** Plays songs one after another without a gap: the next is loaded before the last one ends. */

import { clock, fill, h, icon, note } from "./dom.js";

const PREPARE_SECONDS = 20;
/** A song starts so long before the last one's end: what a browser takes to make a sound. */
const OVERLAP_SECONDS = 0.03;

class Player extends EventTarget {
  constructor() {
    super();
    this.queue = [];
    this.index = -1;
    this.gaps = []; // seconds between an end and the next start, to be looked at by tests
    this.sounds = [this.sound(), this.sound()];
    this.timer = 0;
  }

  sound() {
    const audio = new Audio();
    audio.preload = "auto";
    for (const event of ["timeupdate", "play", "pause", "durationchange", "seeked", "ended", "error", "playing"]) {
      audio.addEventListener(event, () => this.heard(audio, event));
    }
    return audio;
  }

  get active() {
    return this.sounds[0];
  }

  get song() {
    return this.queue[this.index] ?? null;
  }

  get playing() {
    return !this.active.paused;
  }

  get time() {
    return this.active.currentTime;
  }

  get duration() {
    return Number.isFinite(this.active.duration) ? this.active.duration : (this.song?.seconds ?? 0);
  }

  /** Play songs, from one of them on. */
  play(songs, index = 0) {
    this.queue = songs.filter((song) => song.playable);
    const wanted = songs[index];
    this.index = Math.max(0, this.queue.findIndex((song) => song.id === wanted?.id));
    if (!this.queue.length) {
      note("there is no audio of this here", true);
      return;
    }
    this.start(true);
  }

  /** Change what comes next, when a station grows anew; the song that plays goes on. */
  follow(songs) {
    const now = this.song;
    if (!now) return;
    const rest = songs.filter((song) => song.playable);
    const place = rest.findIndex((song) => song.id === now.id);
    this.queue = place >= 0 ? rest : [now, ...rest];
    this.index = Math.max(place, 0);
    this.tell("queue");
  }

  start(play) {
    clearTimeout(this.timer);
    this.sounds[1].pause();
    this.sounds[1].removeAttribute("src");
    this.active.src = address(this.song);
    this.ended = 0;
    if (play) this.begin(this.active);
    this.tell("song");
  }

  begin(audio) {
    audio.play().catch((error) => {
      if (error.name === "NotAllowedError") note("the browser wants you to press play first");
    });
  }

  toggle() {
    if (!this.song) return;
    if (this.playing) this.active.pause();
    else this.begin(this.active);
  }

  seek(seconds) {
    if (!this.song) return;
    this.active.currentTime = Math.min(Math.max(0, seconds), Math.max(0, this.duration - 0.05));
    clearTimeout(this.timer);
    this.tell("time");
  }

  go(steps) {
    const index = this.index + steps;
    if (index < 0 || index >= this.queue.length) return;
    this.index = index;
    this.start(true);
  }

  heard(audio, event) {
    if (audio !== this.active) return;
    if (event === "error" && audio.getAttribute("src") && !unplayable.has(this.song?.id)) {
      unplayable.add(this.song.id); // asked for once more, as what every browser plays
      this.start(true);
    } else if (event === "error" && audio.getAttribute("src")) {
      note(`${this.song?.title ?? "the song"}: this browser cannot play it`, true);
      if (this.index + 1 < this.queue.length) this.go(1);
    } else if (event === "ended") {
      this.ended = performance.now();
      this.advance();
    } else if (event === "playing" && this.ended) {
      this.gaps.push((performance.now() - this.ended) / 1000);
      this.ended = 0;
    }
    if (event === "timeupdate") this.prepare();
    this.tell(["play", "pause"].includes(event) ? "state" : "time");
  }

  prepare() {
    const left = this.duration - this.time;
    const next = this.queue[this.index + 1];
    if (!next || !this.playing || left > PREPARE_SECONDS) return;
    const standby = this.sounds[1];
    if (standby.getAttribute("src") !== address(next)) {
      standby.src = address(next);
      standby.load();
    }
    if (left < 1) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.advance(), Math.max(0, left - OVERLAP_SECONDS) * 1000);
    }
  }

  advance() {
    clearTimeout(this.timer);
    const next = this.queue[this.index + 1];
    if (!next) return;
    const [before, standby] = this.sounds;
    if (standby.getAttribute("src") !== address(next)) standby.src = address(next);
    this.sounds = [standby, before];
    standby.volume = before.volume;
    this.index += 1;
    if (!before.ended) {
      // The last hundredths of a second go on under the first of the next song.
      const began = performance.now() + OVERLAP_SECONDS * 1000;
      standby.addEventListener("playing", () => this.gaps.push((performance.now() - began) / 1000), { once: true });
      this.ended = 0;
    }
    this.begin(standby);
    this.tell("song");
  }

  set volume(value) {
    for (const sound of this.sounds) sound.volume = value;
  }

  tell(kind) {
    this.dispatchEvent(new Event(kind));
  }
}

const unplayable = new Set();

function address(song) {
  return `/api/songs/${song.id}/audio${unplayable.has(song.id) ? "?converted=true" : ""}`;
}

export const player = new Player();

/** Draw the bar at the foot of the page. */
export function drawPlayer(place) {
  const title = h("a", { href: "/", class: "cut" }, "");
  const artist = h("div", { class: "soft small cut" }, "Nothing is playing");
  const toggle = h("button", { class: "main toggle", "aria-label": "Play", on: { click: () => player.toggle() } }, icon("play"));
  const previous = h("button", { class: "bare", "aria-label": "Previous song", on: { click: () => player.go(-1) } }, icon("previous"));
  const next = h("button", { class: "bare", "aria-label": "Next song", on: { click: () => player.go(1) } }, icon("next"));
  const now = h("span", { class: "num" }, "0:00");
  const all = h("span", { class: "num soft" }, "0:00");
  const seek = h("input", {
    type: "range", min: 0, max: 1000, value: 0, "aria-label": "Position in the song",
    on: { input: () => player.seek((seek.value / 1000) * player.duration) },
  });
  const volume = h("input", {
    type: "range", min: 0, max: 100, value: 100, class: "volume", "aria-label": "Volume",
    on: { input: () => { player.volume = volume.value / 100; } },
  });
  fill(
    place,
    h("div", { class: "now" }, h("div", { class: "cut" }, title), artist),
    h("div", { class: "buttons" }, previous, toggle, next),
    h("div", { class: "time" }, now, seek, all, volume),
  );
  const show = () => {
    const song = player.song;
    title.textContent = song?.title ?? "";
    title.href = song ? `/song/${song.id}` : "/";
    title.classList.toggle("hidden", !song);
    artist.textContent = song ? (song.artist ?? (song.unsure ? "unsure" : song.genre)) : "Nothing is playing";
    place.toggleAttribute("data-silent", !song);
    previous.disabled = player.index <= 0;
    next.disabled = player.index + 1 >= player.queue.length;
    toggle.disabled = !song;
    document.title = song ? `${song.title} – songprint` : "songprint";
    state();
    time();
  };
  const state = () => {
    toggle.setAttribute("aria-label", player.playing ? "Pause" : "Play");
    fill(toggle, icon(player.playing ? "pause" : "play"));
  };
  const time = () => {
    now.textContent = clock(player.time);
    all.textContent = clock(player.duration);
    if (document.activeElement !== seek || player.playing) seek.value = player.duration ? (1000 * player.time) / player.duration : 0;
    seek.setAttribute("aria-valuetext", `${clock(player.time)} of ${clock(player.duration)}`);
  };
  player.addEventListener("song", show);
  player.addEventListener("queue", show);
  player.addEventListener("state", state);
  player.addEventListener("time", time);
  show();
  mediaKeys();
}

function mediaKeys() {
  if (!("mediaSession" in navigator)) return;
  player.addEventListener("song", () => {
    const { title, artist, album } = player.song ?? {};
    navigator.mediaSession.metadata = new MediaMetadata({ title: title ?? "", artist: artist ?? "", album: album ?? "" });
  });
  navigator.mediaSession.setActionHandler("nexttrack", () => player.go(1));
  navigator.mediaSession.setActionHandler("previoustrack", () => player.go(-1));
}
