/** The frame of the page: which page is shown, the theme, and keys. */

import { h, fill, icon, note } from "./dom.js";
import { drawPlayer, player } from "./player.js";
import { tokenFromAddress } from "./token.js";

const PAGES = [
  ["/", "Library", "./library.js"],
  ["/station", "Station", "./station.js"],
  ["/map", "Map", "./map.js"],
  ["/genres", "Genres", "./genres.js"],
  ["/identify", "Identify", "./identify.js"],
  ["/add", "Add", "./add.js"],
];
const OTHERS = [
  [/^\/song\/([0-9a-f]{32})$/, "./song.js"],
  [/^\/docs$/, "./docs.js"],
];

const main = document.getElementById("main");
let leaving = new AbortController();

/** Go to another page without loading this one anew, so that the music plays on. */
export function go(address) {
  history.pushState(null, "", address);
  show();
}

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const path = location.pathname;
  for (const link of document.querySelectorAll("#top nav a")) {
    if (link.pathname === path) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const found = PAGES.find(([address]) => address === path);
  const [pattern, other] = OTHERS.find(([known]) => known.test(path)) ?? [];
  const file = found?.[2] ?? other ?? "./library.js";
  try {
    const page = await import(file);
    if (signal.aborted) return;
    const place = h("div", { class: "page" });
    fill(main, place);
    main.scrollTop = 0;
    await page.show(place, { signal, go, argument: pattern?.exec(path)[1] ?? null, query: new URLSearchParams(location.search) });
    main.dataset.ready = path;
  } catch (error) {
    if (error.name === "AbortError" || signal.aborted) return;
    fill(main, h("div", { class: "empty", role: "alert" }, h("p", {}, error.message), h("button", { on: { click: show } }, "Try again")));
  }
}

function drawTop() {
  const theme = h("button", { class: "bare", on: { click: () => setTheme(dark() ? "light" : "dark") } });
  fill(
    document.getElementById("top"),
    h("a", { href: "/", class: "brand" }, h("img", { src: "/static/icon.svg", alt: "", width: 26, height: 26 }), "songprint"),
    h("nav", { "aria-label": "Pages" }, PAGES.map(([address, name]) => h("a", { href: address }, name))),
    theme,
  );
  const setTheme = (name, keep = true) => {
    document.documentElement.dataset.theme = name;
    if (keep) localStorage.setItem("theme", name);
    theme.setAttribute("aria-label", name === "dark" ? "Light colours" : "Dark colours");
    fill(theme, icon(name === "dark" ? "sun" : "moon"));
    document.dispatchEvent(new Event("theme"));
  };
  const dark = () => document.documentElement.dataset.theme === "dark";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = localStorage.getItem("theme");
  setTheme(kept ?? (system.matches ? "dark" : "light"), false);
  system.addEventListener("change", () => localStorage.getItem("theme") ?? setTheme(system.matches ? "dark" : "light", false));
}

function listen() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || link.origin !== location.origin || link.download || link.hash || link.target) return;
    if (link.pathname.startsWith("/api/") || link.pathname.startsWith("/openapi")) return;
    event.preventDefault();
    go(link.href);
  });
  addEventListener("popstate", show);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=range]), textarea, select, [role=grid], dialog, button, a")) return;
    if (event.key.startsWith("Arrow") && event.target.closest("input")) return; // a slider's own
    if (event.key === " " || event.key === "k") player.toggle();
    else if (event.key === "ArrowRight") player.seek(player.time + 5);
    else if (event.key === "ArrowLeft") player.seek(player.time - 5);
    else if (event.key === "n") player.go(1);
    else if (event.key === "b") player.go(-1);
    else if (event.key === "/") document.querySelector("#main input[type=search]")?.focus();
    else return;
    event.preventDefault();
  });
  addEventListener("unhandledrejection", (event) => {
    if (event.reason?.name !== "AbortError") note(event.reason?.message ?? "something went wrong", true);
  });
}

globalThis.songprint = { player }; // for tests, and for the curious
await tokenFromAddress();
drawTop();
drawPlayer(document.getElementById("player"));
listen();
show();
