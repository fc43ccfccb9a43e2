/** How well genres are told: the card that ships with songprint, and a measurement of one's own. */

import { ask } from "./api.js";
import { download, wide } from "./parts.js";
import { count, fill, h, percent } from "./dom.js";
import { folderForm, work } from "./work.js";

const MOST_LEAKS = 20;

export async function accuracy(place, signal) {
  const card = await ask("/api/genres/card", { signal });
  const wanted = card.sections.filter((section) => section.tables.length || section.text.length);
  const head = wanted.findIndex(({ title }) => title.startsWith("The genre head"));
  const own = head >= 0 ? wanted.slice(head, head + 1 + wanted.slice(head + 1).findIndex(({ level }) => level === 1)) : [];
  const rest = wanted.filter((section) => !own.includes(section));
  fill(place, measuring(signal), h("p", { class: "soft" }, card.measured, ". These are songprint's own figures, not those of your library, in which nobody has told it what is right."), own.map(drawSection), h("details", { class: "panel" }, h("summary", {}, "The rest of the accuracy card"), rest.map(drawSection)));
}

/** Measure on music whose genres a person knows. */
function measuring(signal) {
  const result = h("div", { "aria-live": "polite" });
  const told = h("div", { class: "stack" });
  return h(
    "section",
    { class: "panel stack", "aria-label": "Measure on your music" },
    h("h2", {}, "On music whose genres you know"),
    h("p", { class: "soft" }, "Every song in it is heard, not added, and what songprint says is compared with the name of the song's folder."),
    folderForm("Measure", async (folder) => {
      fill(told);
      const report = await work(result, "Measuring", "/api/evaluate", { body: { folder }, signal });
      if (report) drawMeasured(told, report);
    }),
    result,
    told,
  );
}

/** Show what `songprint evaluate` found. */
export function drawMeasured(place, report) {
  const save = () => download(new Response(JSON.stringify(report, null, 1)), "measured.json");
  fill(
    place,
    h("p", { "data-measured": report.songs }, `${count(report.songs, "song")} of ${count(Object.keys(report.genres).length, "genre")} heard`, report.failed.length ? `, ${report.failed.length} could not be` : "", "."),
    report.failed.length ? h("details", { class: "small" }, h("summary", {}, "Which could not be heard"), h("ul", { class: "failures" }, report.failed.map(({ path, error }) => h("li", {}, h("code", {}, path), `: ${error}`)))) : null,
    scored(report.head, "With the genres that songprint knows"),
    scored(report.probe, "With your genres, learnt from these songs", `Each song was judged by what was learnt without its artist (${report.split}).`),
    report.neighbours ? h("p", {}, `Of the ten nearest songs by other artists ${between(report.neighbours.precision)} are of the same genre.`) : null,
    leaks(report.leaks),
    report.notes.length ? h("ul", { class: "remarks" }, report.notes.map((remark) => h("li", {}, remark))) : null,
    h("div", { class: "row" }, h("button", { type: "button", on: { click: save } }, "Save the figures")),
  );
}

/** Return a share with its interval; there is none where there was nothing to count. */
const between = (share) => (share ? `${percent(share.value)} (${percent(share.low)} to ${percent(share.high)})` : "·");

function scored(score, title, how = "") {
  if (!score) return null;
  const { accuracy: right, sure } = score;
  return h(
    "section",
    { class: "stack", "aria-label": title },
    h("h3", {}, title),
    h("p", {}, h("span", { class: "big" }, percent(right.value)), ` right: ${right.successes} of ${count(right.songs, "song")}. Of many more such songs, ${percent(right.low)} to ${percent(right.high)} would be (95% interval).`),
    how ? h("p", { class: "soft small" }, how) : null,
    h("p", { class: "small" }, `It is sure of ${between(sure.coverage)} of them`, sure.accuracy ? `; of these ${between(sure.accuracy)} are right.` : "."),
    wide("What is mistaken for what", confusion(score.confusion_genres, score.confusion)),
    h("p", { class: "soft small" }, "A row is what songs are, a column what they are called."),
    h("details", {}, h("summary", {}, "Genre by genre"), wide("Genre by genre", plain({
      columns: ["genre", "songs", "precision", "recall", "F1"],
      rows: score.genres.map(({ name, songs, precision, recall, f1 }) => [name, String(songs), between(precision), between(recall), f1 ? f1.value.toFixed(2) : "·"]),
    }))),
  );
}

/** Songs on both sides of a split flatter what was learnt from one side. */
function leaks(found) {
  if (!found?.leaks.length) return null;
  const pairs = found.leaks.slice(0, MOST_LEAKS);
  return h(
    "details",
    {},
    h("summary", {}, `${count(found.leaks.length, "pair")} of songs sound like one recording, which flatters`),
    h("ul", { class: "failures" }, pairs.map(({ train, test, detail }) => h("li", {}, h("code", {}, train), " and ", h("code", {}, test), detail ? `: ${detail}` : ""))),
  );
}

function drawSection({ title, level, text, tables }) {
  const isConfusion = title.startsWith("What is mistaken");
  return h("section", { class: "panel" }, h(level === 1 ? "h2" : "h3", {}, title), text.map((line) => h("p", { class: "small" }, line)), tables.map((table) => wide(title, isConfusion ? confusion(table.columns.slice(1), table.rows.map((row) => row.slice(1).map((v) => (v === "·" ? 0 : Number(v)))), table.rows.map(([name]) => name)) : plain(table))));
}

function plain({ columns, rows }) {
  const right = (i) => (i && rows.every((row) => /^[<+\-\d·]/.test(row[i] || "0")) ? "num" : "");
  return h(
    "table",
    { class: "plain" },
    h("thead", {}, h("tr", {}, columns.map((name, i) => (name ? h("th", { class: right(i), scope: "col" }, name) : h("td"))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, i) => (i ? h("td", { class: right(i) }, cell) : h("th", { scope: "row" }, cell)))))),
  );
}

/** Return a confusion matrix: a row for what songs are, a column for what they are called. */
export function confusion(columns, matrix, rows = columns) {
  const cells = matrix.map((row, i) => {
    const sum = row.reduce((a, b) => a + b, 0) || 1;
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, rows[i]),
      row.map((n, j) => {
        const share = n / sum;
        const cell = h("td", { title: `${n} of ${sum} ${rows[i]} called ${columns[j]}` }, n || "·");
        const own = rows[i] === columns[j];
        if (n) {
          cell.style.background = `color-mix(in srgb, ${own ? "var(--good)" : "var(--bad)"} ${Math.round(10 + 34 * share)}%, transparent)`;
          if (share > 0.55) cell.style.fontWeight = "650";
        }
        return cell;
      }),
    );
  });
  return h("table", { class: "confusion", "aria-label": "What is mistaken for what" }, h("thead", {}, h("tr", {}, h("td", {}), columns.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, cells));
}
