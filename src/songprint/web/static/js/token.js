/** Coming in where the server asks for a token. */

import { h } from "./dom.js";

let asking = null;

/** Hand in the token that stands behind the address's #, which no server ever sees. */
export async function tokenFromAddress() {
  const found = /^#token=(.+)$/.exec(location.hash);
  if (!found) return;
  history.replaceState(null, "", location.pathname + location.search);
  await handIn(decodeURIComponent(found[1]));
}

async function handIn(token) {
  const response = await fetch("/api/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  return response.ok ? "" : ((await response.json().catch(() => ({}))).detail ?? "refused");
}

/** Ask a person for the token; true once it was right. */
export function askForToken() {
  asking ??= new Promise((resolve) => {
    const field = h("input", { type: "password", autocomplete: "current-password", required: true, class: "grow" });
    const wrong = h("p", { class: "bad", role: "alert" });
    const form = h(
      "form",
      { method: "dialog", class: "stack" },
      h("h2", {}, "Who is there?"),
      h("p", {}, "This library is served to other machines. Its token was printed where songprint serve was started."),
      h("label", { class: "field" }, "Token", field),
      wrong,
      h("div", { class: "row" }, h("button", { class: "main" }, "Come in")),
    );
    const dialog = h("dialog", { "aria-label": "Token" }, form);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const problem = await handIn(field.value);
      wrong.textContent = problem;
      if (!problem) {
        dialog.remove();
        asking = null;
        resolve(true);
      }
    });
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}
