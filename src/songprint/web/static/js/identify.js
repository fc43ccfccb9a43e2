/** Which song of the library a clip is of: from the microphone, or from a file. */

import { askPatiently } from "./api.js";
import { dropZone } from "./add.js";
import { genreOf } from "./parts.js";
import { clock, fill, h, icon, percent, svg, trying } from "./dom.js";
import { Unheard, record } from "./microphone.js";
import { player } from "./player.js";

const LISTEN_SECONDS = 8;
const SILENT_DBFS = -60;
const LOWEST_DB = -60;

export function show(page, { signal }) {
  const answers = h("div", { class: "stack answers", role: "region", "aria-live": "polite", "aria-label": "Answers" });
  fill(
    page,
    h("div", { class: "page-head" }, h("h1", {}, "What is playing?")),
    h(
      "div",
      { class: "two" },
      h("div", { class: "stack" }, listenPanel(answers, signal), filePanel(answers, signal)),
      answers,
    ),
  );
}

function listenPanel(answers, signal) {
  const word = h("span", {}, "Listen");
  const button = h("button", { class: "main listen", type: "button" }, icon("microphone"), word);
  const level = svg("rect", { width: 0, height: 10, class: "level" });
  const meter = h(
    "div",
    { class: "meter", role: "meter", "aria-label": "Level of the microphone", "aria-valuemin": LOWEST_DB, "aria-valuemax": 0, "aria-valuenow": LOWEST_DB },
    svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, level),
  );
  const told = h("p", { class: "soft", role: "status" }, HINT);
  let stop = null;

  const tick = (peak, left) => {
    const db = Math.max(LOWEST_DB, 20 * Math.log10(peak || 1e-6));
    level.setAttribute("width", 100 * (1 - db / LOWEST_DB));
    meter.setAttribute("aria-valuenow", Math.round(db));
    const seconds = Math.ceil(left);
    if (word.textContent !== `${seconds} s`) word.textContent = `${seconds} s`;
  };
  const listen = async () => {
    stop = new AbortController();
    const ended = AbortSignal.any([signal, stop.signal]);
    const played = player.playing;
    if (played) player.toggle(); // or it would hear this page
    button.setAttribute("aria-label", "Stop listening");
    button.dataset.listening = "1";
    told.textContent = "Listening …";
    try {
      const clip = await record(LISTEN_SECONDS, tick, ended);
      word.textContent = "…";
      told.textContent = "Looking through your library …";
      answers.prepend(answer(await identify(clip, ended), "the microphone"));
      told.textContent = HINT;
    } catch (error) {
      if (signal.aborted) return;
      told.textContent = HINT;
      if (error.name !== "AbortError") answers.prepend(trouble(error));
      else if (played) player.toggle();
    } finally {
      stop = null;
      delete button.dataset.listening;
      button.removeAttribute("aria-label");
      word.textContent = "Listen";
      level.setAttribute("width", 0);
      meter.setAttribute("aria-valuenow", LOWEST_DB);
    }
  };
  button.addEventListener("click", () => (stop ? stop.abort() : listen()));
  return h("section", { class: "panel stack centred", "aria-label": "Listen" }, button, meter, told);
}

const HINT = `Hold the microphone near the music for ${LISTEN_SECONDS} seconds. What it hears goes to this server alone, and is not kept.`;

function filePanel(answers, signal) {
  const zone = dropZone("Or drop a clip: a recording, a voice message, a video", async (file) => {
    const waiting = h("p", { class: "soft" }, `listening to ${file.name} …`);
    answers.prepend(waiting);
    try {
      waiting.replaceWith(answer(await identify(file, signal), file.name));
    } catch (error) {
      waiting.replaceWith(trouble(error, file.name));
    }
  });
  return h("section", { class: "panel", "aria-label": "A clip" }, zone);
}

function identify(blob, signal) {
  return askPatiently("/api/identify", { method: "POST", body: blob, signal });
}

function trouble(error, name) {
  const title = error instanceof Unheard ? "Could not listen" : "Not heard";
  return h("article", { class: "panel", role: "alert", "data-answer": "trouble" }, h("h2", {}, title), h("p", { class: "bad" }, name ? `${name}: ${error.message}` : error.message));
}

function answer({ match, songs, level_dbfs: level }, source) {
  if (!match) {
    return h("article", { class: "panel", "data-answer": "none" }, h("h2", {}, "No match"), h("p", {}, whyNot(songs, level)), h("p", { class: "soft small" }, `From ${source}`));
  }
  const { song, offset_seconds: offset, confidence, speed } = match;
  const place = Math.max(0, offset);
  const off = 100 * (speed - 1);
  const play = () => {
    player.play([song]);
    player.seek(place);
  };
  return h(
    "article",
    { class: "panel stack found", "data-answer": song.id },
    h("div", {}, h("h2", {}, h("a", { href: `/song/${song.id}` }, song.title)), h("p", { class: "soft" }, [song.artist, song.album, song.year].filter(Boolean).join(" · "))),
    h(
      "dl",
      { class: "facts" },
      h("div", {}, h("dt", {}, "Place"), h("dd", {}, `${clock(place)} of ${clock(song.seconds)}`)),
      h("div", {}, h("dt", {}, "Confidence"), h("dd", {}, confidence > 0.995 ? "over 99%" : percent(confidence))),
      Math.abs(off) >= 0.05 ? h("div", {}, h("dt", {}, "Speed"), h("dd", {}, `${Math.abs(off).toFixed(1)}% too ${off > 0 ? "fast" : "slow"}`)) : null,
      h("div", {}, h("dt", {}, "Genre"), h("dd", {}, genreOf(song))),
    ),
    h(
      "div",
      { class: "row" },
      h("button", { class: "main", disabled: !song.playable, on: { click: trying(play) } }, icon("play"), `Play from ${clock(place)}`),
      h("a", { class: "button", href: `/station?seeds=${song.id}` }, icon("station"), "Station from this"),
    ),
    h("p", { class: "soft small" }, `From ${source}`),
  );
}

function whyNot(songs, level) {
  if (!songs) return "No song of the library can be identified yet: add music first, or add it again if an older songprint heard it.";
  if (level === null || level < SILENT_DBFS) return "There was hardly a sound in it. Is the microphone muted?";
  return "It is no song of your library, or too little of it could be heard. Another take or a cover is another recording. Go nearer to the loudspeaker and listen again.";
}
