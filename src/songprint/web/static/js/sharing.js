/** Songs for others, and from others: what was heard, never the sound. */

import { ask, library } from "./api.js";
import { confirmed } from "./dialogs.js";
import { count, fill, h, note, trying } from "./dom.js";
import { work } from "./work.js";

/** Show a dialog that exports the library's songs, imports what others exported, and forgets it. */
export function sharing(signal, onChanged) {
  const out = h("div", { "aria-live": "polite" });
  const came = h("div", { "aria-live": "polite" });
  const paths = h("input", { type: "checkbox" });
  const plays = h("input", { type: "checkbox" });
  const others = h("div", { class: "stack" });
  let changed = false;
  const write = trying(async () => {
    const body = { absolute_paths: paths.checked, plays: plays.checked };
    const done = await work(out, "Exporting", "/api/export", { body, signal });
    if (done) out.querySelector("[data-work]").prepend(h("p", {}, `${count(done.songs, "song")} written.`));
  });
  const take = trying(async (event) => {
    const [file] = event.currentTarget.files;
    if (!file) return;
    const done = await work(came, `Importing ${file.name}`, "/api/import", { body: file, query: { name: file.name }, signal });
    if (!done) return;
    if (done.imported.length) hasChanged();
    const told = done.imported.map(({ songs, added, own, known }) => `${count(songs, "song")}: ${added} new, ${own} that you have, ${known} imported before`);
    fill(came, h("p", { "data-imported": String(done.imported.length) }, [...told, ...done.failed.map(({ error }) => error)].join("; ")));
  });
  const hasChanged = () => {
    changed = true;
    library(true);
    return drawOthers();
  };
  const drawOthers = trying(async () => {
    const origins = await ask("/api/imported", { signal });
    fill(others, origins.map(({ file, songs }) => h("div", { class: "row" }, h("span", { class: "grow" }, `${file}: ${count(songs, "song")}`), h("button", { type: "button", "aria-label": `Forget ${file}`, on: { click: trying(() => forget(file)) } }, "Forget"))));
  });
  const forget = async (file) => {
    if (!(await confirmed(`Take the songs that came in ${file} out of the library?`, "Forget"))) return;
    const { songs } = await ask(`/api/imported/${encodeURIComponent(file)}`, { method: "DELETE" });
    note(`${count(songs, "song")} forgotten`);
    await hasChanged();
  };
  const field = h("input", { type: "file", accept: ".parquet", class: "sr", on: { change: take } });
  const dialog = h(
    "dialog",
    { "aria-label": "Share", on: { close: () => { dialog.remove(); if (changed) onChanged(); } } },
    h(
      "div",
      { class: "stack" },
      h("h2", {}, "Share what was heard"),
      h("p", { class: "soft" }, "A file of fingerprints and tags, without any sound. Whoever imports it can search, map and find kin among your songs."),
      h("label", { class: "row" }, paths, "with the places of files"),
      h("label", { class: "row" }, plays, "with play counts"),
      h("div", { class: "row" }, h("button", { class: "main", type: "button", on: { click: write } }, "Export")),
      out,
      h("h3", {}, "From somebody else"),
      h("div", { class: "row" }, h("label", { class: "button" }, "Import a file", field)),
      came,
      others,
      h("div", { class: "row" }, h("button", { type: "button", on: { click: () => dialog.close() } }, "Close")),
    ),
  );
  document.body.append(dialog);
  signal.addEventListener("abort", () => dialog.close(), { once: true });
  dialog.showModal();
  drawOthers();
}
