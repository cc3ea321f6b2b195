// The playground: one prompt, one or two panes with a run and settings each; what they write streams in (continuation.js).
import { box, button, complain, lines } from "./api.js";
import { Continuation } from "./continuation.js";

const SETTINGS = [
  ["temperature", 0, 2, 0.05, 0.8], ["top_p", 0.01, 1, 0.01, 1], ["top_k", 0, 200, 1, 0], ["seed", 0, 100, 1, 0], ["length", 1, 1000, 1, 100],
];
const kept = { prompt: "", second: false, panes: [{}, {}] };

export function showPlay(view, { parts, rows, hear, connect }) {
  connect();
  const asked = parts.getAll("run");
  asked.slice(0, 2).forEach((run, i) => { kept.panes[i].run = run; });
  kept.second ||= asked.length > 1;
  const prompt = el("textarea", { rows: "3", "aria-label": "prompt", placeholder: "a prompt; empty: a document of its own" });
  prompt.value = kept.prompt;
  prompt.addEventListener("input", () => { kept.prompt = prompt.value; });
  const host = el("div", { class: "side-by-side panes" });
  const panes = kept.panes.map((state, i) => pane(state, i, prompt, rows));
  const start = button("write", () => { for (const one of shown()) one.begin(); }, { class: "main" });
  const halt = button("halt", () => panes.forEach((one) => one.halt()));
  const beside = button("beside", () => { kept.second = !kept.second; arrange(); }, { title: "two runs, or two settings, next to each other" });
  const shown = () => (kept.second ? panes : panes.slice(0, 1));
  function arrange() {
    host.replaceChildren(...shown().map((one) => one.host));
    beside.setAttribute("aria-pressed", String(kept.second));
  }
  prompt.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) start.click(); });
  view.append(el("h1", {}, "Playground"), prompt, box("div", { class: "tools" }, start, halt, beside, el("span", { class: "meta" }, "Ctrl+Enter writes; a token's alternatives are one click, or arrow keys and Enter, away")), host);
  arrange();
  hear(() => panes.forEach((one) => one.offer()));
  return () => panes.forEach((one) => one.halt());
}

function pane(state, number, prompt, rows) {
  const runs = el("select", { "aria-label": `run ${number + 1}` }), checkpoint = el("input", { size: "6", "aria-label": "checkpoint: best, last or a step" });
  checkpoint.value = state.checkpoint || "best";
  const settings = {};
  const sliders = SETTINGS.map(([key, low, high, step, usual]) => {
    const slider = el("input", { type: "range", min: low, max: high, step, "aria-label": key.replace("_", "-") });
    const said = el("output");
    slider.value = state[key] ?? usual;
    const tell = () => { settings[key] = state[key] = Number(slider.value); said.textContent = key === "top_k" && !settings[key] ? "all" : String(settings[key]); };
    slider.addEventListener("input", tell);
    tell();
    return box("label", { class: "slider" }, el("span", {}, key.replace("_", "-")), slider, said);
  });
  let stopping = null;

  function offer() {
    const names = [...rows.values()].filter((row) => row.status !== "damaged" && row.status !== "reading").map((row) => row.id).sort();
    if (names.join("\n") === [...runs.options].map((option) => option.value).join("\n")) return;
    runs.replaceChildren(...names.map((name) => el("option", { value: name }, name)));
    runs.value = names.includes(state.run) ? state.run : names[0] || "";
  }

  /** Go on from the tokens of a node; `add` takes what comes. */
  async function write(tokens, add) {
    halt();
    stopping = new AbortController();
    state.run = runs.value;
    state.checkpoint = checkpoint.value.trim() || "best";
    const content = { run: runs.value, checkpoint: state.checkpoint, prompt: text.prompt, tokens, ...settings, top_k: settings.top_k || null };
    host.classList.add("busy");
    waiting.textContent = "reading the model …";
    try {
      for await (const record of lines("/api/play", content, stopping.signal)) {
        waiting.textContent = "";
        if (record.error) throw new Error(record.error);
        add(record);
      }
    } catch (error) {
      complain(error);
    } finally {
      waiting.textContent = "";
      host.classList.remove("busy");
    }
  }
  const halt = () => { if (stopping) stopping.abort(); };
  const text = new Continuation(write);
  const waiting = el("p", { class: "meta waiting", role: "status" });
  const host = box("article", { class: "pane" }, box("div", { class: "tools" }, runs, checkpoint), box("div", { class: "sliders" }, ...sliders), waiting, text.host);
  offer();
  return { host, offer, halt, begin: () => text.begin(prompt.value) };
}
