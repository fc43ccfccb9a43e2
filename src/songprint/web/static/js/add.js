/** Adding folders with progress, and hearing a file without adding it. */

import { ask, askPatiently, follow, library } from "./api.js";
import { bars, genreOf, songList, whyLegend } from "./parts.js";
import { confirmed } from "./dialogs.js";
import { clock, count, fill, h, note, trying } from "./dom.js";

export async function show(page, { signal, go }) {
  const [known, taught] = await Promise.all([library(true), ask("/api/genres/personal", { signal })]);
  const own = taught.filter(({ error }) => !error);
  const api = h("a", { href: "/docs", class: "small" }, "For programs: the API");
  fill(page, h("div", { class: "page-head" }, h("h1", {}, "Add music"), api), h("div", { class: "two" }, h("div", { class: "stack" }, folderPanel(known, signal, go)), classifyPanel(own, signal)));
}

function folderPanel(known, signal, go) {
  const field = h("input", { type: "text", class: "grow", placeholder: "/home/me/Music", spellcheck: "false", autocomplete: "off" });
  const browser = h("div", { class: "hidden" });
  const progress = h("div", { class: "stack" });
  const start = async (folders) => {
    const job = await ask("/api/add", { body: { folders } });
    await watch(job.id, progress, signal, go);
  };
  const form = h(
    "form",
    {
      class: "stack",
      on: {
        submit: trying(async (event) => {
          event.preventDefault();
          if (!field.value.trim()) throw new Error("name a folder first");
          await start([field.value.trim()]);
        }),
      },
    },
    h("label", { class: "field" }, "Folder", field),
    h(
      "div",
      { class: "row" },
      h("button", { class: "main" }, "Add"),
      h("button", { type: "button", on: { click: trying(() => browse(browser, field, field.value.trim() || null)) } }, "Choose …"),
      known.folders.length ? h("button", { type: "button", on: { click: trying(() => start([])) } }, "Look again at all folders") : null,
    ),
  );
  ask("/api/jobs", { signal })
    .then((jobs) => {
      const running = jobs.find((job) => job.kind === "add" && ["waiting", "running"].includes(job.state));
      if (running) return watch(running.id, progress, signal, go);
    })
    .catch((error) => error.name === "AbortError" || note(error.message, true));
  return [
    h(
      "section",
      { class: "panel stack", "aria-label": "Add a folder" },
      h("h2", {}, "A folder"),
      h("p", { class: "soft" }, "Every song in it and below it is heard once, here on this machine. Files are never changed."),
      form,
      browser,
      progress,
    ),
    known.folders.length ? h("section", { class: "panel stack", "aria-label": "Added before" }, h("h2", {}, "Added before"), known.folders.map((folder) => addedBefore(folder, go))) : null,
  ];
}

function addedBefore(folder, go) {
  const forget = trying(async () => {
    if (!(await confirmed(`Take the songs of ${folder} out of the library? The files stay as they are.`, "Forget"))) return;
    const { files } = await ask("/api/forget", { body: { folders: [folder] } });
    note(`${count(files, "file")} forgotten`);
    go("/add");
  });
  return h("div", { class: "row" }, h("code", { class: "grow" }, folder), h("button", { type: "button", "aria-label": `Forget ${folder}`, on: { click: forget } }, "Forget"));
}

async function browse(place, field, path) {
  const folder = await ask("/api/folders", { query: { path } });
  field.value = folder.path;
  place.classList.remove("hidden");
  const open = (to) => trying(() => browse(place, field, to));
  const join = (name) => `${folder.path.replace(/\/$/, "")}/${name}`;
  fill(
    place,
    h("p", { class: "small soft" }, h("code", {}, folder.path), folder.files ? `: ${count(folder.files, "song")} here` : ""),
    h(
      "ul",
      { class: "folders", "aria-label": `Folders in ${folder.path}` },
      folder.parent ? h("li", {}, h("button", { type: "button", on: { click: open(folder.parent) } }, "↑ up")) : null,
      folder.folders.map((name) => h("li", {}, h("button", { type: "button", on: { click: open(join(name)) } }, name))),
    ),
  );
}

async function watch(job, place, signal, go) {
  const stop = h("button", { on: { click: trying(() => ask(`/api/jobs/${job}`, { method: "DELETE" })) } }, "Stop");
  const bar = h("progress", { max: 1, "aria-label": "Progress of adding" });
  const line = h("p", { class: "num", role: "status" }, "looking for songs …");
  const failures = h("ul", { class: "failures" });
  const box = h("div", { class: "stack", "data-job": job }, h("div", { class: "row" }, h("strong", { class: "grow" }, "Adding"), stop), bar, line, failures);
  fill(place, box);
  const state = await follow(
    job,
    ({ progress: p }) => {
      if (!p) return;
      const done = p.files - p.left;
      if (p.files) bar.value = done / p.files;
      const rate = p.heard ? `, ${p.songs_per_second.toFixed(1)} songs a second, ${Math.round(p.times_real_time)}× real time` : "";
      const left = p.seconds_left !== null && p.left ? `, ${clock(p.seconds_left)} left` : "";
      line.textContent = `${done.toLocaleString("en")} of ${count(p.files, "file")}${rate}${left}${p.failed ? `, ${p.failed} failed` : ""}`;
      fill(failures, p.failures.map((failed) => h("li", {}, h("code", {}, failed.path), `: ${failed.error}`)));
    },
    signal,
  );
  stop.remove();
  bar.value = 1;
  library(true);
  const { result } = state;
  if (state.state === "failed") fill(box, h("p", { class: "bad", role: "alert" }, state.error));
  else if (state.state === "cancelled") line.textContent = "Stopped; what was heard is kept.";
  else {
    const parts = [["added", result.added], ["updated", result.updated], ["moved", result.moved], ["unchanged", result.unchanged], ["copies of known songs", result.duplicates], ["failed", result.failed.length], ["gone", result.missing.length]];
    line.textContent = parts.filter(([, n]) => n).map(([what, n]) => `${n.toLocaleString("en")} ${what}`).join(", ") || "nothing to add";
    fill(failures, result.failed.map((failed) => h("li", {}, h("code", {}, failed.path), `: ${failed.error}`)));
    box.append(h("button", { class: "main", on: { click: () => go("/") } }, "Open the library"));
  }
  box.dataset.state = state.state;
}

function classifyPanel(own, signal) {
  const genres = h("select", {}, h("option", { value: "" }, "songprint's"), own.map(({ name }) => h("option", { value: name }, name)));
  const results = h("div", { class: "stack", "aria-live": "polite" });
  const zone = dropZone("Hear files without adding them", async (file) => {
    const waiting = h("p", { class: "soft" }, `listening to ${file.name} …`);
    results.prepend(waiting);
    try {
      const heard = await classify(file, signal, genres.value);
      waiting.replaceWith(card(file, heard));
    } catch (error) {
      waiting.replaceWith(h("p", { class: "bad", role: "alert" }, `${file.name}: ${error.message}`));
    }
  });
  return h(
    "section",
    { class: "panel stack", "aria-label": "Classify files" },
    h("h2", {}, "What is this?"),
    h("p", { class: "soft" }, "Drop files to hear what they are. They are not added, and are deleted once heard."),
    own.length ? h("label", { class: "field" }, "Whose genres", genres) : null,
    zone,
    results,
  );
}

/** Hear a file on the server; by genres of one's own if some are named. */
export function classify(file, signal, genres = "") {
  return askPatiently("/api/classify", { method: "POST", body: file, query: { name: file.name, genres }, signal });
}

/** Return a place where files are dropped or chosen; each is handed on, one after another. */
export function dropZone(label, onFile) {
  let turn = Promise.resolve();
  const take = (files) => {
    for (const file of files) turn = turn.then(() => onFile(file)).catch((error) => note(error.message, true));
  };
  const field = h("input", { type: "file", multiple: true, class: "sr", on: { change: () => { take([...field.files]); field.value = ""; } } });
  const zone = h(
    "div",
    {
      class: "drop",
      on: {
        dragover: (event) => { event.preventDefault(); zone.classList.add("over"); },
        dragleave: () => zone.classList.remove("over"),
        drop: (event) => { event.preventDefault(); zone.classList.remove("over"); take([...event.dataTransfer.files]); },
      },
    },
    h("span", {}, label),
    h("label", { class: "button" }, "Choose files", field),
  );
  return zone;
}

/** A key as people spell it; JSON has the tonic with a sharp. */
function keyName(tonic, mode) {
  const flats = { "D#": "Eb", "A#": "Bb", ...(mode === "major" ? { "C#": "Db", "G#": "Ab" } : {}) };
  return `${flats[tonic] ?? tonic} ${mode}`;
}

function card(file, heard) {
  const said = heard.heard;
  const summary = { genre: said.genres[0].name, unsure: said.unsure };
  const { tempo_bpm: tempo, loudness_lufs: loudness, key, mode } = said.descriptors;
  const facts = [clock(said.seconds), tempo === null ? null : `${Math.round(tempo)} BPM`, key ? keyName(key, mode) : null, loudness === null ? null : `${loudness.toFixed(1)} LUFS`];
  return h(
    "article",
    { class: "panel stack", "data-heard": heard.id },
    h("div", { class: "row" }, h("h3", { class: "grow cut" }, heard.title ?? file.name), genreOf(summary)),
    h("p", { class: "soft small" }, facts.filter(Boolean).join(" · "), heard.in_library ? h("span", {}, " · ", h("a", { href: `/song/${heard.id}` }, "in your library")) : null),
    bars(said.genres.slice(0, 4)),
    heard.similar.length
      ? h("details", {}, h("summary", {}, "Like it in your library"), whyLegend(), songList(heard.similar.slice(0, 5), { label: "Similar songs" }))
      : null,
  );
}
