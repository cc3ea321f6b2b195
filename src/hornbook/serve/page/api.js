// Requests, events, and the few words that all views share. Everything from a run becomes text by el() of axes.js.
const token = document.querySelector("meta[name=token]").content;

/** Return the answer to a GET as JSON; an Error with the server's sentence where it refuses. */
export async function get(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) [value].flat().forEach((one) => query.append(key, one));
  return answer(await fetch(query.size ? `${path}?${query}` : path));
}

/** Send a POST that changes something. */
export async function post(path, content, signal) {
  return answer(await send(path, content, signal));
}

function send(path, content, signal) {
  const headers = { "Content-Type": "application/json", "X-Hornbook-Token": token };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(content), signal });
}

async function answer(response) {
  const content = await response.json();
  if (!response.ok) throw new Error(content.error ? content.error.message : response.statusText);
  return content;
}

/** Yield the lines of an answer that comes as lines of JSON. */
export async function* lines(path, content, signal) {
  const response = await send(path, content, signal);
  if (!response.ok) await answer(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) if (part) yield JSON.parse(part);
  }
}

/** Hear of changes; `handlers` by kind of event. Returns what ends it. */
export function listen(parameters, handlers, state) {
  const source = new EventSource(`/api/events?${new URLSearchParams(parameters)}`);
  for (const [kind, handle] of Object.entries(handlers)) source.addEventListener(kind, (event) => handle(JSON.parse(event.data)));
  source.onopen = () => state(true);
  source.onerror = () => state(false);
  return () => source.close();
}

/** Show a sentence at the foot of the page for a while. */
export function say(words, bad = false) {
  const box = document.getElementById("message");
  box.textContent = words;
  box.className = bad ? "bad" : "";
  box.hidden = false;
  clearTimeout(say.waiting);
  say.waiting = setTimeout(() => { box.hidden = true; }, bad ? 12000 : 4000);
}

export const complain = (error) => { if (error.name !== "AbortError") say(error.message, true); };

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${(seconds / 3600).toFixed(1)} h`;
  return `${(seconds / 86400).toFixed(1)} d`;
}

export const age = (made) => (made ? duration(Math.max(0, Date.now() / 1000 - made)) : "");
export const fixed = (value, digits = 4) => (value === null || value === undefined ? "" : value.toFixed(digits));
export const count = (value) => (value === null || value === undefined ? "" : Math.round(value).toLocaleString("en-US"));
export const link = (view, name = "") => `#/${view}${name ? `/${encodeURIComponent(name)}` : ""}`;

/** Return a button that says what it does and reports what goes wrong. */
export function button(words, act, attributes = {}) {
  const made = el("button", { type: "button", ...attributes }, words);
  made.addEventListener("click", async () => {
    try { await act(made); } catch (error) { complain(error); }
  });
  return made;
}

/** Return an element with children. */
export function box(tag, attributes, ...children) {
  const made = el(tag, attributes);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Draw figures as charts into a host; return what brings them up to date and what ends them. */
export function drawCharts(host, figures) {
  let shown = [];
  const redraw = () => shown.forEach(({ chart }) => chart.draw());
  const build = (list) => {
    shown.forEach(({ chart }) => chart.destroy());
    host.replaceChildren();
    shown = list.map((figure) => {
      const parts = ["controls", "plot", "legend"].map((name) => el("div", { class: name }));
      const note = el("p", { class: "note" }, figure.caption);
      const place = box("figure", { class: "chart", "data-figure": figure.id }, el("figcaption", {}, figure.title), ...parts, note);
      host.append(place);
      return { id: figure.id, note, chart: new Chart(place, figure) };
    });
    redraw();
  };
  build(figures);
  const sized = new ResizeObserver(() => { if (host.clientWidth !== sized.width) { sized.width = host.clientWidth; redraw(); } });
  sized.width = host.clientWidth;
  sized.observe(host);
  document.addEventListener("theme", redraw);
  return {
    update(list) {
      if (list.map((f) => f.id).join() !== shown.map((s) => s.id).join()) return build(list);
      list.forEach((figure, i) => { shown[i].note.textContent = figure.caption; shown[i].chart.update(figure); });
    },
    close() {
      sized.disconnect();
      document.removeEventListener("theme", redraw);
      shown.forEach(({ chart }) => chart.destroy());
    },
  };
}
