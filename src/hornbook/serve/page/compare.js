// Several runs: their curves over each other, what differs in their recipes, their samples side by side.
import { box, button, complain, count, drawCharts, get, link } from "./api.js";

const WAIT = 2000; // ms between two looks at runs that train
const kept = { smoothing: 0 };

export async function showCompare(view, { parts, rows, hear, connect }) {
  connect();
  const chosen = parts.getAll("run");
  const heading = el("h1", {}, "Compare");
  if (!chosen.length) {
    view.append(heading, box("p", {}, "Choose runs in the ", el("a", { href: link("runs") }, "table"), ", then press compare."));
    return null;
  }
  const slider = el("input", { type: "range", min: "0", max: "0.99", step: "0.01", "aria-label": "smoothing" }), said = el("output");
  slider.value = kept.smoothing;
  const names = el("p", { class: "meta" });
  const go = (list) => { location.hash = `#/compare?${new URLSearchParams(list.map((name) => ["run", name]))}`; };
  const more = el("select", { "aria-label": "add a run" });
  more.addEventListener("change", () => { if (more.value) go([...chosen, more.value]); });
  const charts = el("div", { class: "charts" }), rest = el("div");
  view.append(heading, names, box("div", { class: "tools" }, more, box("label", { class: "slider" }, el("span", {}, "smoothing"), slider, said)), charts, rest);
  for (const name of chosen) names.append(box("span", { class: "tag" }, el("a", { href: link("run", name) }, name), button("×", () => go(chosen.filter((other) => other !== name)), { class: "edit", "aria-label": `without ${name}` })));
  const offer = () => more.replaceChildren(el("option", { value: "" }, "add a run …"), ...[...rows.keys()].filter((name) => !chosen.includes(name)).sort().map((name) => el("option", { value: name }, name)));

  let drawn = null, waiting = 0, closed = false;
  async function fetchAll() {
    const found = await get("/api/figures", { run: chosen, smoothing: kept.smoothing });
    if (closed) return;
    if (drawn) drawn.update(found.figures);
    else drawn = drawCharts(charts, found.figures);
    showRest(rest, found);
  }
  const tell = () => { said.textContent = kept.smoothing ? kept.smoothing.toFixed(2) : "none"; };
  slider.addEventListener("input", () => { kept.smoothing = Number(slider.value); tell(); soon(150); });
  function soon(wait) {
    if (waiting && wait === WAIT) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => { waiting = 0; fetchAll().catch(complain); }, wait);
  }
  tell();
  offer();
  hear((changed, gone) => { offer(); if (changed.some((row) => chosen.includes(row.id))) soon(WAIT); });
  await fetchAll();
  return () => { closed = true; clearTimeout(waiting); if (drawn) drawn.close(); };
}

function showRest(host, found) {
  const open = new Set([...host.querySelectorAll("details[open]")].map((one) => one.dataset.key));
  host.replaceChildren();
  const differing = (found.config || []).filter((row) => row.differs);
  if (found.names) {
    const head = box("tr", {}, el("th", { scope: "col", class: "text" }, "what differs"), ...found.names.map((name) => el("th", { scope: "col", class: "text" }, name)));
    const body = differing.map((row) => box("tr", {}, el("th", { scope: "row", class: "text" }, row.key), ...row.values.map((value) => el("td", { class: value === row.values[0] ? "text" : "text differs" }, value))));
    host.append(el("h2", {}, "Recipes"), differing.length ? box("div", { class: "scroll" }, box("table", { class: "config" }, box("thead", {}, head), box("tbody", {}, ...body))) : el("p", {}, "All recipes are equal."));
  }
  const groups = new Map();
  for (const { run, samples } of found.samples) {
    for (const sample of samples) {
      const key = `${String(sample.step).padStart(12, "0")} ${sample.prompt}`;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push({ run, sample });
    }
  }
  if (!groups.size) return;
  host.append(el("h2", {}, "Samples"));
  // Steps that several runs have come first: those can be compared.
  const ordered = [...groups].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? 1 : -1)).slice(0, 12);
  ordered.forEach(([key, group], i) => {
    const { step, prompt } = group[0].sample;
    const articles = group.map(({ run, sample }) => box("article", {}, el("h4", {}, run), box("p", { class: "sample" }, el("b", {}, prompt), sample.text)));
    const entry = box("details", { "data-key": key }, el("summary", {}, `step ${count(step)}${prompt ? ` · ${prompt.slice(0, 80)}` : ""}`), box("div", { class: "side-by-side" }, ...articles));
    entry.open = open.size ? open.has(key) : i === 0;
    host.append(entry);
  });
}
