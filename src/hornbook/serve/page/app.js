// Which view is shown, by the part of the address after #; light and dark; the one connection that hears of changes.
import { complain, link, listen } from "./api.js";
import { showCompare } from "./compare.js";
import { showPlay } from "./play.js";
import { showRun } from "./run.js";
import { showRuns } from "./runs.js";
import { showStudy } from "./study.js";
import { showTokens } from "./tokens.js";

const VIEWS = [
  ["runs", "Runs", showRuns],
  ["run", "Run", showRun, true],
  ["compare", "Compare", showCompare],
  ["study", "Studies", showStudy],
  ["play", "Playground", showPlay],
  ["tokens", "Tokenizer", showTokens],
];
const rows = new Map();
const view = document.getElementById("view");
const hearers = new Set();
let close = () => {};
let deaf = () => {};

function connect(parameters = {}, handlers = {}) {
  deaf();
  const heard = ({ rows: changed, gone }) => {
    for (const row of changed) rows.set(row.id, row);
    for (const name of gone) rows.delete(name);
    hearers.forEach((hear) => hear(changed, gone));
  };
  const live = document.getElementById("live");
  deaf = listen(parameters, { rows: heard, ...handlers }, (on) => {
    live.textContent = on ? "live" : "no connection";
    live.className = on ? "on" : "off";
  });
}

async function show() {
  const [name, what] = location.hash.replace(/^#\//, "").split("?")[0].split("/").map(decodeURIComponent);
  const found = VIEWS.find(([key]) => key === name) || VIEWS[0];
  close();
  hearers.clear();
  view.replaceChildren();
  document.querySelectorAll("nav a").forEach((a) => a.toggleAttribute("aria-current", a.dataset.view === found[0]));
  document.title = `${what || found[1]} · hornbook`;
  const parts = new URLSearchParams(location.hash.split("?")[1] || "");
  close = () => {};
  try {
    close = (await found[2](view, { what, parts, rows, connect, hear: (f) => hearers.add(f) })) || (() => {});
  } catch (error) {
    complain(error);
  }
}

const nav = document.querySelector("nav");
for (const [key, words, , hidden] of VIEWS) if (!hidden) nav.append(el("a", { href: link(key), "data-view": key }, words));
document.getElementById("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  document.dispatchEvent(new Event("theme"));
});
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("theme")));
window.addEventListener("hashchange", show);
connect();
show();
