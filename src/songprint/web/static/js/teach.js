/** Genres of one's own: taught by songs, measured on artists that were not learnt from. */

import { ask, follow, library } from "./api.js";
import { classify, dropZone } from "./add.js";
import { colourOf } from "./colours.js";
import { confirmed } from "./dialogs.js";
import { confusion } from "./accuracy.js";
import { bars, chip, dot, songFinder, songList, wide } from "./parts.js";
import { count, fill, h, note, percent, trying } from "./dom.js";
import { work } from "./work.js";

export async function mine(place, signal) {
  const [known, own] = await Promise.all([library(), ask("/api/genres/personal", { signal })]);
  const list = h("section", { class: "panel stack" });
  const drawList = (heads) => fill(list, h("h2", {}, "Genres that you taught"), heads.length ? heads.map((head) => taught(head, signal, reload)) : h("p", { class: "soft" }, "None yet."));
  const reload = async () => drawList(await ask("/api/genres/personal", { signal }));
  drawList(own);
  fill(place, teach(known, signal, reload), list);
}

function taught(head, signal, reload) {
  const { accuracy: measured } = head;
  const forgetting = h("button", { class: "danger", "aria-label": `Forget ${head.name}`, on: { click: trying(async () => {
    if (!(await confirmed(`Forget ${head.name}?`, "Forget"))) return;
    await ask(`/api/genres/personal/${encodeURIComponent(head.name)}`, { method: "DELETE" });
    await reload();
  }) } }, "Forget");
  if (head.error) return h("article", { class: "row" }, h("p", { class: "soft small grow" }, `${head.name}: ${head.error}`), forgetting);
  const songs = h("div");
  const listen = (genre) => trying(async () => {
    const found = await ask(`/api/genres/personal/${encodeURIComponent(head.name)}/songs`, { query: { genre, limit: 20 }, signal });
    fill(songs, h("h3", {}, `Most surely ${genre}`), songList(found, { label: genre, below: (song) => h("div", { class: "small soft" }, `${song.mine_unsure ? "unsure, " : ""}${song.mine.slice(0, 2).map(({ name, p }) => `${name} ${percent(p)}`).join(", ")}`) }));
  });
  return h(
    "article",
    { class: "stack" },
    h("div", { class: "row" }, h("h3", { class: "grow" }, head.name), forgetting),
    measured ? h("p", {}, h("span", { class: "big" }, percent(measured.right / measured.songs)), ` right (${percent(measured.low)} to ${percent(measured.high)}), on ${count(measured.songs, "song")} by artists it did not learn from`) : h("p", { class: "soft" }, "never measured"),
    head.encoder
      ? h("p", { class: "soft small" }, `${head.classes.join(", ")}: told by an encoder that was fine-tuned for them and has not heard your library. Files are heard with it under `, h("a", { href: "/add" }, "Add"), ".")
      : h("div", { class: "row" }, head.classes.map((name) => h("button", { on: { click: listen(name) } }, dot(colourOf(name)), `${name} in your library`))),
    songs,
  );
}

function teach(known, signal, reload) {
  const name = h("input", { type: "text", maxlength: 80, placeholder: "moods for the evening", required: true });
  const folder = h("input", { type: "text", placeholder: "/home/me/Music/by-genre", spellcheck: "false", autocomplete: "off" });
  const deep = h("input", { type: "checkbox" });
  const learn = h("button", { class: "main" }, "Learn");
  const groups = [];
  const places = h("div", { class: "stack" });
  const result = h("div", { class: "stack", "aria-live": "polite" });
  const addGroup = () => {
    const group = new Group(known, signal, groups.length + 1);
    groups.push(group);
    places.append(group.element);
  };
  addGroup();
  const train = trying(async (event) => {
    event.preventDefault();
    const asked = { name: name.value, ...taughtBy(groups, folder.value.trim(), deep.checked) };
    learn.disabled = true;
    try {
      fill(result, h("p", { class: "soft" }, "learning, and measuring on artists it did not learn from …"));
      const learnt = asked.folder || deep.checked ? await learnByCommand(asked, deep.checked) : await learnAtOnce(asked);
      if (learnt) drawLearnt(result, learnt);
      await reload();
    } catch (error) {
      fill(result);
      throw error;
    } finally {
      learn.disabled = false;
    }
  });
  const learnByCommand = (asked, finetune) => work(result, finetune ? "Fine-tuning" : "Learning", "/api/train", { body: { ...asked, finetune }, signal, files: false });
  const learnAtOnce = async (asked) => {
    const job = await ask("/api/genres/personal", { body: asked });
    const state = await follow(job.id, () => {}, signal);
    if (state.state !== "done") throw new Error(state.error ?? "stopped");
    return state.result;
  };
  return h(
    "section",
    { class: "panel stack", "aria-label": "Teach genres" },
    h("h2", {}, "Teach songprint genres of your own"),
    h("p", { class: "soft" }, "Name them and give each a dozen songs by several artists: from your library, or as files, which are heard and not kept. One genre alone is told from all kinds of other music."),
    h(
      "form",
      { class: "stack", on: { submit: train } },
      h("label", { class: "field" }, "What to call them together", name),
      places,
      h("div", { class: "row" }, h("button", { type: "button", on: { click: addGroup } }, "Another genre")),
      h("label", { class: "field" }, "Or all of a folder with one folder for each genre in it", folder),
      h("label", { class: "row" }, deep, "Fine-tune the whole encoder: minutes to hours; kept only if it is better"),
      h("div", { class: "row" }, learn),
    ),
    result,
  );
}

/** Return what is learnt from: a folder, or songs by genre. */
function taughtBy(groups, folder, deep) {
  const named = groups.filter((group) => group.label.value.trim() || group.songs.size);
  if (folder && named.length) throw new Error("either a folder or songs, not both");
  if (folder) return { folder };
  if (named.some((group) => !group.label.value.trim())) throw new Error("each genre needs a name");
  if (deep && named.some((group) => group.dropped.size)) throw new Error("fine-tuning hears songs anew: files that were dropped here are gone; take songs of the library, or a folder");
  return { genres: Object.fromEntries(named.map((group) => [group.label.value.trim(), [...group.songs.keys()]])) };
}

class Group {
  constructor(known, signal, number) {
    this.songs = new Map();
    this.dropped = new Set(); // those of them that are not of the library
    this.signal = signal;
    this.label = h("input", { type: "text", maxlength: 60, placeholder: `genre ${number}` });
    this.list = h("div", { class: "row" });
    this.told = h("p", { class: "soft small", role: "status" });
    const folder = h("input", { type: "search", class: "words", placeholder: "Artist, album or folder …", "aria-label": "Words that all songs have in their names" });
    const more = h("button", { type: "button", on: { click: trying(async () => {
      if (!folder.value.trim()) return;
      const found = await ask("/api/songs", { query: { q: folder.value, limit: 200 }, signal });
      for (const song of found.songs) this.put(song.id, song.title);
      note(`${count(found.songs.length, "song")} added`);
    }) } }, "Add all that are named so");
    this.element = h(
      "fieldset",
      { class: "panel stack" },
      h("legend", {}, `Genre ${number}`),
      h("label", { class: "field" }, "Name", this.label),
      known.songs ? [songFinder("Add a song of the library", (song) => this.put(song.id, song.title)), h("div", { class: "row" }, folder, more)] : null,
      dropZone("or drop files", async (file) => {
        this.told.textContent = `listening to ${file.name} …`;
        try {
          const heard = await classify(file, signal);
          if (!heard.in_library) this.dropped.add(heard.id);
          this.put(heard.id, heard.title ?? file.name);
        } catch (error) {
          note(`${file.name}: ${error.message}`, true);
        }
        this.draw();
      }),
      this.told,
      this.list,
    );
    this.draw();
  }

  put(id, title) {
    this.songs.set(id, title);
    this.draw();
  }

  draw() {
    this.told.textContent = `${count(this.songs.size, "song")}; 8 by 2 artists are the least`;
    fill(this.list, [...this.songs].slice(0, 60).map(([id, title]) => chip(title, null, () => { this.songs.delete(id); this.dropped.delete(id); this.draw(); }, `Remove ${title}`)), this.songs.size > 60 ? h("span", { class: "soft" }, `and ${this.songs.size - 60} more`) : null);
  }
}

function drawLearnt(place, learnt) {
  const { accuracy: measured, genres } = learnt;
  const unheard = learnt.failed?.length ?? 0;
  fill(
    place,
    h("p", { "data-learnt": learnt.name }, h("span", { class: "big" }, percent(measured.share)), ` right (${percent(measured.low)} to ${percent(measured.high)}): ${measured.right} of ${count(measured.songs, "song")}, each judged by a head that never heard its artist. Always saying the commonest genre would be right in ${percent(measured.always_commonest)}.`),
    measured.low <= measured.always_commonest ? h("p", { class: "bad" }, "That is not surely better than to guess: more songs, by more artists, help.") : null,
    learnt.finetuning ? tuned(learnt.finetuning) : null,
    unheard ? h("p", { class: "soft" }, `${count(unheard, "file")} could not be heard.`) : null,
    h("h3", {}, "What is mistaken for what"),
    wide("What is mistaken for what", confusion(genres.map((genre) => genre.name), matrixOf(genres))),
    bars(genres.map((genre) => ({ name: `${genre.name} found`, p: genre.recall })), () => "#1d5fd6"),
  );
}

/** Say what fine-tuning brought. */
function tuned({ kept, frozen, finetuned, p, cosine_to_frozen: nearness }) {
  const share = ({ share: value, low, high }) => `${percent(value)} (${percent(low)} to ${percent(high)})`;
  const chance = `between encoders that are equally good, chance makes such a difference in ${percent(p)} of cases`;
  const better = finetuned.right > frozen.right;
  const decided = kept ? "It is kept; as it was chosen on these songs, its accuracy flatters a little."
    : better ? `It moves songs too far from where they were (mean cosine ${nearness.toFixed(2)}): the encoder stays as it is.`
    : "That is not better: the encoder stays as it is.";
  return h("p", { "data-finetuned": kept ? "kept" : "left" }, `On the same artists, none of them learnt from: ${share(frozen)} right with songprint's encoder, ${share(finetuned)} with the fine-tuned one; ${chance}. ${decided}`);
}

/** Return the confusion matrix of genres of which each tells what it was taken for. */
function matrixOf(genres) {
  return genres.map(({ name, songs, recall, taken_for: others }) => genres.map((called) => (called.name === name ? Math.round(recall * songs) : (others.find((other) => other.name === called.name)?.songs ?? 0))));
}
