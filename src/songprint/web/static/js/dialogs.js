/** Dialogs that ask for one thing before something is done. */

import { h } from "./dom.js";

/** Ask for a name; null if there shall be none. */
export function askForName(title, suggested) {
  const field = h("input", { type: "text", value: suggested.slice(0, 80), maxlength: 80, required: true, pattern: "[^\\/\\\\]+" });
  return asked(title, h("label", { class: "field" }, "Name", field), "Save", () => field.value.trim());
}

/** Ask whether something is to be done that cannot be taken back. */
export function confirmed(question, verb = "Delete") {
  return asked(question, null, verb, () => true);
}

function asked(title, content, verb, value) {
  return new Promise((resolve) => {
    const form = h(
      "form",
      { method: "dialog", class: "stack" },
      h("h2", {}, title),
      content,
      h("div", { class: "row" }, h("button", { class: "main", value: "yes" }, verb), h("button", { type: "button", on: { click: () => dialog.close("no") } }, "Cancel")),
    );
    const dialog = h("dialog", { "aria-label": title }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? value() : null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
