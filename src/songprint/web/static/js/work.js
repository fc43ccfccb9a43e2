/** Long work: a form that starts it, how far it has come, and what it wrote. */

import { ask, follow, send } from "./api.js";
import { count, fill, h, trying } from "./dom.js";
import { download } from "./parts.js";

/** Start a job and show its progress in `place`; return its result, or null if it was stopped. */
export async function work(place, what, path, { body, query, signal, files = true } = {}) {
  const { id } = await ask(path, { body, query, signal });
  const stop = h("button", { type: "button", on: { click: trying(() => ask(`/api/jobs/${id}`, { method: "DELETE" })) } }, "Stop");
  const bar = h("progress", { max: 1, "aria-label": `Progress: ${what}` });
  const line = h("p", { class: "num soft", role: "status" }, `${what} …`);
  const box = h("div", { class: "stack", "data-work": id }, h("div", { class: "row" }, h("strong", { class: "grow" }, what), stop), bar, line);
  fill(place, box);
  let state;
  try {
    state = await follow(
      id,
      ({ progress }) => {
        const { done, total, lines } = progress ?? {};
        if (total) bar.value = done / total;
        line.textContent = [total ? `${Math.floor(done)} of ${Math.floor(total)}` : null, lines?.at(-1)].filter(Boolean).join(": ") || `${what} …`;
      },
      signal,
    );
  } catch (error) {
    if (error.name !== "AbortError") fill(place);
    throw error;
  }
  box.dataset.state = state.state;
  if (state.state === "failed") {
    fill(box, h("p", { class: "bad", role: "alert" }, state.error));
    return null;
  }
  if (state.state === "cancelled") {
    fill(box, h("p", { class: "soft" }, "Stopped."));
    return null;
  }
  fill(box, files && state.files.length ? written(id, state.files) : null);
  return state.result;
}

function written(id, names) {
  const save = (name) => trying(async () => download(await send(`/api/jobs/${id}/files/${encodeURIComponent(name)}`), name));
  return h("div", { class: "stack" }, h("p", { class: "soft small" }, `${count(names.length, "file")} to save`), h("div", { class: "row" }, names.map((name) => h("button", { type: "button", on: { click: save(name) } }, name))));
}

/** Return a form of one folder on the server's machine, which may be left out if `optional`. */
export function folderForm(verb, onFolder, { optional = null } = {}) {
  const field = h("input", { type: "text", class: "grow", placeholder: optional ?? "/home/me/Music/by-genre", spellcheck: "false", autocomplete: "off" });
  const button = h("button", { class: "main" }, verb);
  return h(
    "form",
    { class: "stack", on: { submit: trying(async (event) => {
      event.preventDefault();
      const folder = field.value.trim();
      if (!folder && !optional) throw new Error("name a folder first");
      button.disabled = true;
      try {
        await onFolder(folder || null);
      } finally {
        button.disabled = false;
      }
    }) } },
    h("label", { class: "field" }, "Folder with one folder for each genre in it", field),
    h("div", { class: "row" }, button),
  );
}
