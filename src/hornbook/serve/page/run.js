// One run: how it stands and what is left, live curves, samples, checkpoints, the end of its log, its recipe; stop and resume.
import { age, box, button, complain, count, drawCharts, duration, get, link, post, say } from "./api.js";
import { edit } from "./runs.js";

const MOST_POINTS = 3000; // of a curve before it is fetched anew, thinned

export async function showRun(view, { what: name, rows, hear, connect }) {
  let run = await get("/api/run", { run: name });
  const status = el("span", { class: "status" }), left = el("span", { class: "meta" }), reason = el("p", { class: "bad-news" });
  const bar = el("progress", { max: "1", "aria-label": "steps done" });
  const stop = button("stop", async () => { await post("/api/stop", { run: name }); say("asked to save and end, as by SIGTERM"); });
  const resume = button("resume", async () => { await post("/api/resume", { run: name }); say("starting; it goes on when this page is closed"); });
  const note = el("p", { class: "lead" });
  const facts = el("dl", { class: "facts" }), live = el("dl", { class: "facts" });
  const charts = el("div", { class: "charts" }), tail = el("div");
  view.append(
    el("h1", {}, name), box("p", { class: "standing" }, status, left), bar, reason, note,
    box("div", { class: "tools" }, stop, resume, button("note and tags", () => edit(name)),
      box("a", { class: "button", href: `#/play?run=${encodeURIComponent(name)}` }, "playground"),
      box("a", { class: "button", href: `#/compare?run=${encodeURIComponent(name)}` }, "compare")),
    live, el("h2", {}, "Curves"), charts, tail, fixedParts(run));

  const numbers = (host, list) => host.replaceChildren(...list.map(([words, value, unit]) => box("div", {}, el("dt", {}, words), el("dd", {}, value), el("span", {}, unit))));
  function stand() {
    const row = rows.get(name);
    if (!row) return;
    status.textContent = row.status;
    status.className = `status status-${row.status}`;
    left.textContent = [row.tags.map((tag) => `#${tag}`).join(" "), row.left === null || row.left === undefined ? "" : `${duration(row.left)} left`, row.made ? `made ${age(row.made)} ago` : ""].filter(Boolean).join(" · ");
    reason.textContent = [row.reason, row.refusal].filter(Boolean).join(" · ");
    reason.hidden = !reason.textContent;
    note.textContent = row.note;
    bar.hidden = !row.steps || row.status !== "running";
    bar.value = row.steps ? Math.min(1, (row.step || 0) / row.steps) : 0;
    stop.hidden = row.status !== "running";
    resume.hidden = !["stopped", "failed"].includes(row.status);
    numbers(live, [
      ["step", count(row.step) || "–", row.steps ? `of ${count(row.steps)}` : ""],
      ["training loss", row.train_loss === null ? "–" : short(row.train_loss), "nats per token"],
      ["validation loss", row.val_loss === null ? "–" : short(row.val_loss), row.best_val_loss === null ? "" : `best ${short(row.best_val_loss)}`],
      ["bits per byte", row.bits_per_byte === null ? "–" : short(row.bits_per_byte), row.ratio === null ? "" : `${short(row.ratio)} × floor`],
      ["speed", count(row.tokens_per_second) || "–", "tokens/s"],
      ["wall time", duration(row.seconds) || "–", row.tokens ? `${short(row.tokens)} tokens` : ""],
    ]);
  }

  function showTail(now) {
    const open = new Set([...tail.querySelectorAll("details[open]")].map((d) => d.dataset.key));
    const old = tail.querySelector(".log");
    const pinned = !old || old.scrollTop + old.clientHeight >= old.scrollHeight - 20;
    const samples = now.samples.map((sample, i) => {
      const entry = box("details", { "data-key": `sample-${sample.step}-${sample.prompt}` }, el("summary", {}, `step ${count(sample.step)}${sample.prompt ? ` · ${sample.prompt.slice(0, 80)}` : ""}`),
        box("p", { class: "sample" }, el("b", {}, sample.prompt), sample.text));
      entry.open = i === 0 || open.has(entry.dataset.key);
      return entry;
    });
    const log = el("pre", { class: "command log", tabindex: "0", "aria-label": "end of the log" }, now.log);
    const kept = now.checkpoints.length ? `steps ${now.checkpoints.map(count).join(", ")}` : "none yet";
    tail.replaceChildren(...(samples.length ? [el("h2", {}, "Samples"), ...samples] : []), el("h2", {}, "Checkpoints"), el("p", {}, kept), ...(now.log ? [el("h2", {}, "Log"), log] : []));
    if (pinned) log.scrollTop = log.scrollHeight;
  }

  const drawn = drawCharts(charts, run.figures);
  let waiting = 0;
  async function again() {
    run = await get("/api/run", { run: name });
    drawn.update(run.figures);
  }
  function add(records) {
    const places = new Map();
    for (const figure of run.figures) figure.keys.forEach((key, i) => places.set(key, [figure, figure.series[i]]));
    for (const record of records) {
      for (const key of run.metrics) {
        if (record[key] === undefined) continue;
        if (!places.has(key)) return again().catch(complain); // the first of its kind: a chart more
        const [figure, series] = places.get(key);
        for (const axis of Object.keys(series.x)) series.x[axis].push(record[axis] ?? null);
        series.y.push(record[key]);
        if (series.y.length > 40 && series.style === "both") series.style = "line";
        if (series.y.length > MOST_POINTS) return again().catch(complain);
      }
    }
    // Many records a second are drawn once.
    waiting ||= setTimeout(() => { waiting = 0; drawn.update(run.figures); }, 300);
  }

  connect({ run: name, count: run.count, generation: run.generation }, {
    records: ({ records }) => add(records),
    again: () => again().catch(complain),
    tail: showTail,
  });
  showTail(run);
  stand();
  hear(stand);
  return () => { clearTimeout(waiting); drawn.close(); };
}

function fixedParts(run) {
  const table = (rows) => box("div", { class: "scroll" }, box("table", { class: "config" }, box("tbody", {}, ...rows.map((row) => box("tr", {}, el("th", { scope: "row", class: "text" }, row.key), el("td", { class: "text" }, row.values.join("; ")))))));
  const plan = Object.entries(run.plan).map(([key, value]) => ({ key: key.replaceAll("_", " "), values: [short(value)] }));
  const folded = (words, content) => box("details", {}, el("summary", {}, words), content);
  return box("div", {}, el("h2", {}, "Recipe and machine"),
    plan.length ? folded("plan", table(plan)) : null, folded("recipe", table(run.config)), folded("environment", table(run.environment)),
    el("h3", {}, "Reproduce"), el("pre", { class: "command" }, run.command));
}
