// The table of runs: sorted by a column, filtered by words, moved by events; notes and tags are edited in a dialog.
import { age, box, button, complain, count, fixed, get, link, post, say } from "./api.js";

const COLUMNS = [
  ["name", "run", "text", (r) => r.id],
  ["status", "status", "text", (r) => r.status],
  ["step", "step", "number", (r) => r.step],
  ["loss", "val loss", "number", (r) => r.val_loss, (v) => fixed(v)],
  ["train", "train loss", "number", (r) => r.train_loss, (v) => fixed(v)],
  ["bits", "bits/byte", "number", (r) => r.bits_per_byte, (v) => fixed(v)],
  ["floor", "× floor", "number", (r) => r.ratio, (v) => fixed(v, 3)],
  ["speed", "tokens/s", "number", (r) => r.tokens_per_second, count],
  ["age", "age", "number", (r) => r.made, age],
  ["changed", "changed", "text", (r) => r.changed],
  ["tags", "tags", "text", (r) => r.tags.join(" ")],
  ["note", "note", "text", (r) => r.note],
];
const kept = { sort: "age", down: true, filter: "", chosen: new Set() };

export function showRuns(view, { rows, hear, connect }) {
  connect();
  const lines = new Map();
  const filter = el("input", { type: "search", placeholder: "filter: words of name, status, tags, note, settings", "aria-label": "filter runs" });
  filter.value = kept.filter;
  const said = el("p", { class: "meta", role: "status" });
  const compare = button("compare", () => { location.hash = `#/compare?${new URLSearchParams([...kept.chosen].map((name) => ["run", name]))}`; });
  const body = el("tbody");
  const head = el("tr");
  head.append(el("th", { scope: "col" }, ""));
  for (const [key, words, kind] of COLUMNS) {
    const sorter = button(words, () => {
      kept.down = kept.sort === key ? !kept.down : kind === "number" && key === "age";
      kept.sort = key;
      arrange();
    });
    head.append(box("th", { scope: "col", class: kind, "data-key": key }, sorter));
  }
  const table = box("table", { class: "runs" }, box("thead", {}, head), body);
  view.append(el("h1", {}, "Runs"), box("div", { class: "tools" }, filter, compare), said, box("div", { class: "scroll" }, table));

  function passes(row) {
    const text = [row.id, row.status, row.tags.map((tag) => `#${tag}`).join(" "), row.note, row.changed].join(" ").toLowerCase();
    return kept.filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  function arrange() {
    const [, , kind, value] = COLUMNS.find(([key]) => key === kept.sort);
    const absent = (v) => v === null || v === undefined || v === "";
    const shown = [...rows.values()].filter(passes).sort((a, b) => {
      const x = value(a), y = value(b);
      if (absent(x) || absent(y)) return absent(x) - absent(y) || (a.id < b.id ? -1 : 1);
      const order = kind === "number" ? x - y : x.localeCompare(y, undefined, { numeric: true });
      return (kept.down ? -order : order) || (a.id < b.id ? -1 : 1);
    });
    for (const th of head.querySelectorAll("[data-key]")) {
      th.removeAttribute("aria-sort");
      // Age is what passed since a run was made: the newest has the largest number and the smallest age.
      const down = th.dataset.key === "age" ? !kept.down : kept.down;
      if (th.dataset.key === kept.sort) th.setAttribute("aria-sort", down ? "descending" : "ascending");
    }
    const wanted = shown.map((row) => lines.get(row.id) || fill(row));
    // Rows that stand where they belong are not touched: whoever is in one with the keyboard stays there.
    wanted.forEach((line, i) => { if (body.children[i] !== line) body.insertBefore(line, body.children[i] || null); });
    while (body.children.length > wanted.length) body.lastChild.remove();
    said.textContent = rows.size ? `${shown.length} of ${rows.size} runs` : "no runs yet: `hornbook train --text FILE` makes one, and it appears here";
    compare.disabled = kept.chosen.size < 1;
    compare.textContent = kept.chosen.size ? `compare ${kept.chosen.size}` : "compare";
  }

  function fill(row) {
    const line = lines.get(row.id) || el("tr");
    if (!lines.has(row.id)) {
      lines.set(row.id, line);
      const mark = el("input", { type: "checkbox", "aria-label": `choose ${row.id}` });
      mark.checked = kept.chosen.has(row.id);
      mark.addEventListener("change", () => { kept.chosen[mark.checked ? "add" : "delete"](row.id); arrange(); });
      line.append(box("td", {}, mark));
      for (const [key, , kind] of COLUMNS) line.append(el(key === "name" ? "th" : "td", { class: `${kind} ${key}`, ...(key === "name" ? { scope: "row" } : {}) }));
      line.querySelector(".name").append(el("a", { href: link("run", row.id) }, row.id));
      line.querySelector(".note").append(el("span"), button("edit", () => edit(row.id), { class: "edit", "aria-label": `note and tags of ${row.id}` }));
    }
    COLUMNS.forEach(([key, , kind, value, words], i) => {
      const cell = line.children[i + 1], now = value(row);
      if (key === "name") return;
      if (key === "tags") return cell.replaceChildren(...row.tags.map((tag) => el("span", { class: "tag" }, tag)));
      if (key === "note") { cell.firstChild.textContent = now; return; }
      if (key === "step") { cell.textContent = row.steps ? `${count(now || 0)} / ${count(row.steps)}` : count(now); return; }
      cell.textContent = words ? words(now) : now ?? "";
      if (key === "status") { cell.className = `text status status-${now}`; cell.title = row.reason; }
      if (key === "changed") cell.title = now;
    });
    return line;
  }

  filter.addEventListener("input", () => { kept.filter = filter.value; arrange(); });
  hear((changed, gone) => {
    for (const name of gone) { lines.delete(name); kept.chosen.delete(name); }
    changed.forEach(fill);
    arrange();
  });
  const ticking = setInterval(() => rows.forEach((row) => { const line = lines.get(row.id); if (line) line.querySelector(".age").textContent = age(row.made); }), 5000);
  arrange();
  return () => clearInterval(ticking);
}

/** Open a dialog with the note and the tags of a run. */
export async function edit(name) {
  const now = await get("/api/note", { run: name });
  const note = el("textarea", { rows: "4", "aria-label": "note" }), tags = el("input", { "aria-label": "tags, words with spaces between" });
  note.value = now.note;
  tags.value = now.tags.join(" ");
  const dialog = el("dialog");
  const save = button("save", async () => {
    await post("/api/note", { run: name, note: note.value, tags: tags.value.split(/\s+/).filter(Boolean) });
    dialog.close();
    say("written to config.toml of the run");
  }, { class: "main" });
  const labelled = (words, field) => box("label", {}, el("span", {}, words), field);
  dialog.append(el("h2", {}, name), labelled("note", note), labelled("tags", tags), box("div", { class: "tools" }, save, button("cancel", () => dialog.close())));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.target === tags)) { event.preventDefault(); save.click(); } });
  document.body.append(dialog);
  dialog.showModal();
  note.focus();
}
