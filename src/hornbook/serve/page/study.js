// Studies: the list of them, and the page of one, which grows as its runs end.
import { box, complain, drawCharts, fixed, get, link } from "./api.js";

const WAIT = 3000; // ms between two looks

export async function showStudy(view, { what, rows, hear, connect }) {
  connect();
  if (!what) {
    const { studies } = await get("/api/studies");
    view.append(el("h1", {}, "Studies"));
    if (!studies.length) view.append(el("p", {}, "No study below this folder; `hornbook study run NAME` makes one, and it appears here."));
    view.append(box("ul", {}, ...studies.map((one) => box("li", {}, el("a", { href: link("study", one.id) }, one.name), ` · ${one.question} `, el("span", { class: "meta" }, one.done)))));
    return null;
  }
  const answer = el("p", { class: "answer" }), size = el("p", { class: "meta" }), grid = el("tbody"), head = el("tr");
  const charts = el("div", { class: "charts" }), rest = el("div"), title = el("h1");
  view.append(title, answer, size, el("h2", {}, "Runs"), box("div", { class: "scroll" }, box("table", {}, box("thead", {}, head), grid)), el("h2", {}, "Figures"), charts, rest);
  let study = null, drawn = null, waiting = 0, closed = false;

  async function look() {
    study = await get("/api/study", { study: what });
    if (closed) return;
    title.textContent = study.title;
    answer.textContent = study.answer;
    size.textContent = study.size;
    if (drawn) drawn.update(study.figures);
    else drawn = drawCharts(charts, study.figures);
    const findings = study.findings.length ? [el("h2", {}, "What was measured"), box("ul", { class: "findings" }, ...study.findings.map((words) => el("li", {}, words)))] : [];
    rest.replaceChildren(...findings, ...study.tables.map(showTable), el("h2", {}, "Design"), el("p", { class: "lead" }, study.lead), el("pre", { class: "command" }, study.commands.join("\n")));
    stand();
  }
  function stand() {
    if (!study) return;
    head.replaceChildren(el("th", { scope: "col", class: "text" }, "arm"), ...study.seeds.map((seed) => el("th", { scope: "col" }, `seed ${seed}`)));
    grid.replaceChildren(...study.arms.map((arm) => box("tr", {}, el("th", { scope: "row", class: "text" }, arm.name), ...arm.runs.map((name) => {
      const row = rows.get(name);
      if (!row) return el("td", { class: "text status-stopped" }, "waits");
      const words = row.status === "running" && row.steps ? `${Math.round((100 * (row.step || 0)) / row.steps)} %` : row.status;
      return box("td", { class: `text status-${row.status}` }, el("a", { href: link("run", name) }, words), ` ${fixed(row.val_loss)}`);
    }))));
  }
  hear((changed) => {
    stand();
    if (!study || !changed.some((row) => study.arms.some((arm) => arm.runs.includes(row.id))) || waiting) return;
    waiting = setTimeout(() => { waiting = 0; look().catch(complain); }, WAIT);
  });
  await look();
  return () => { closed = true; clearTimeout(waiting); if (drawn) drawn.close(); };
}

function showTable(table) {
  const head = box("tr", {}, ...table.columns.map((column) => el("th", { scope: "col", class: column.kind }, column.label)));
  const body = table.rows.map((row) => box("tr", {}, ...row.map((words, i) => el("td", { class: table.columns[i].kind }, words))));
  return box("figure", { class: "table" }, el("figcaption", {}, table.title), box("div", { class: "scroll" }, box("table", {}, box("thead", {}, head), box("tbody", {}, ...body))), table.note ? el("p", { class: "note" }, table.note) : null);
}
