// A tree of continuations: each token tinted by its probability, with its alternatives; one chosen begins another branch.
import { box, button } from "./api.js";

const SVG = "http://www.w3.org/2000/svg";

export class Continuation {
  /** `write(tokens, add)` asks for what follows the tokens and gives each record to `add`. */
  constructor(write) {
    this.write = write;
    this.prompt = "";
    this.text = el("div", { class: "sample written", role: "group", "aria-label": "what was written; arrow keys go from token to token" });
    this.panel = el("div", { class: "alternatives", role: "group", "aria-label": "alternatives" });
    this.verdict = el("p", { class: "verdict", role: "status" });
    this.spark = el("div", { class: "spark" });
    this.branches = el("div", { class: "branches" });
    this.host = box("div", {}, this.text, this.verdict, this.spark, this.panel, this.branches);
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.clear();
  }

  clear() {
    this.root = { children: [], parent: null };
    this.leaf = this.root;
    this.at = null;
    this.pinned = false;
    this.said = null;
  }

  begin(prompt) {
    this.clear();
    this.prompt = prompt;
    this.panel.replaceChildren();
    this.goOn(this.root);
  }

  path(leaf = this.leaf) {
    const nodes = [];
    for (let node = leaf; node.parent; node = node.parent) nodes.unshift(node);
    return nodes;
  }

  /** Write on from a node. */
  goOn(node) {
    this.leaf = node;
    this.said = null;
    const tokens = this.path(node).map((one) => one.id);
    this.draw();
    let tip = node; // where it writes, whatever branch is looked at meanwhile
    this.write(tokens, (record) => {
      const looked = this.leaf === tip;
      if (record.path) {
        this.path(node).forEach((one, i) => { one.text = record.path[i]; });
      } else if (record.end) {
        tip.said = record;
      } else {
        tip = this.grow(tip, record);
      }
      if (!looked) return;
      this.leaf = tip;
      this.said = tip.said || null;
      if (record.path || record.end) this.draw();
      else this.append(tip);
    });
  }

  grow(parent, record) {
    const node = { ...record, parent, children: [] };
    parent.children.push(node);
    return node;
  }

  /** Take another token in the place of a node's, and write on from it. */
  choose(node, other) {
    const known = node.parent.children.find((child) => child.id === other.id);
    if (known) return this.follow(known);
    const rest = node.alternatives.filter((one) => one.id !== other.id);
    const alternatives = [...rest, { id: node.id, p: node.p, text: node.text }].sort((a, b) => b.p - a.p);
    const made = this.grow(node.parent, { id: other.id, text: other.text, p: other.p, entropy: node.entropy, alternatives, chosen: true });
    this.goOn(made);
    this.show(made);
  }

  /** Show the branch that begins with a node, to its end. */
  follow(node) {
    let leaf = node;
    while (leaf.children.length) leaf = leaf.children[leaf.children.length - 1];
    this.leaf = leaf;
    this.said = leaf.said || null;
    this.at = node;
    this.draw();
    this.show(node);
  }

  draw() {
    this.spans = new Map();
    this.text.replaceChildren(el("b", {}, this.prompt));
    const verdict = this.said && this.said.verdict;
    let place = this.prompt.length;
    for (const node of this.path()) {
      const span = this.append(node, true);
      place += node.text.length;
      if (verdict && !verdict.right && place > verdict.until) span.classList.add("wrong");
    }
    if (this.said && this.said.rest) this.text.append(this.said.rest);
    this.verdict.textContent = verdict ? (verdict.right ? verdict.why : `stops being a story where it is underlined: ${verdict.why}`) : "";
    this.verdict.className = verdict ? `verdict ${verdict.right ? "verdict-better" : "verdict-worse"}` : "verdict";
    this.drawBranches();
    this.drawSpark();
  }

  append(node, quiet = false) {
    const span = el("span", { class: "token", tabindex: this.spans.size ? "-1" : "0" }, node.text);
    span.style.setProperty("--doubt", `${Math.round(70 * (1 - node.p))}%`);
    if (node.chosen) span.classList.add("chosen");
    if (node.parent.children.length > 1) span.classList.add("fork");
    span.title = `${(100 * node.p).toPrecision(3)} %`;
    span.addEventListener("mouseenter", () => { if (!this.pinned) this.show(node); });
    span.addEventListener("focus", () => this.show(node));
    span.addEventListener("click", () => { this.pinned = this.at !== node || !this.pinned; this.show(node); });
    this.spans.set(node, span);
    this.text.append(span);
    if (!quiet) this.drawSpark();
    return span;
  }

  show(node) {
    this.at = node;
    for (const [other, span] of this.spans) span.classList.toggle("at", other === node);
    const head = el("p", { class: "meta" }, `${JSON.stringify(node.text)} ${(100 * node.p).toPrecision(3)} % · entropy ${node.entropy.toFixed(2)} nats`);
    const choices = node.alternatives.map((other) => {
      const made = button(`${JSON.stringify(other.text)} ${(100 * other.p).toPrecision(3)} %`, () => { this.pinned = false; this.choose(node, other); });
      made.classList.add("alternative");
      return made;
    });
    this.panel.replaceChildren(head, ...choices);
    this.drawSpark();
  }

  key(event) {
    const nodes = [...this.spans.keys()], i = nodes.indexOf(this.at);
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      const next = nodes[Math.max(0, Math.min(nodes.length - 1, i + (event.key === "ArrowRight" ? 1 : -1)))];
      if (next) this.spans.get(next).focus();
      event.preventDefault();
    }
    if (event.key === "Enter" && this.panel.querySelector("button")) { event.preventDefault(); this.pinned = true; this.panel.querySelector("button").focus(); }
  }

  drawBranches() {
    const leaves = [];
    const walk = (node, depth, from) => {
      if (!node.children.length && node.parent) leaves.push([node, depth, from]);
      node.children.forEach((child) => walk(child, depth + 1, node.children.length > 1 ? child : from));
    };
    walk(this.root, 0, null);
    if (leaves.length < 2) return this.branches.replaceChildren();
    const rows = leaves.map(([leaf, depth, from]) => {
      const before = this.path(leaf).indexOf(from);
      const words = this.path(leaf).slice(before, before + 14).map((node) => node.text).join("");
      const made = button(`${before + 1}: ${words}… (${depth} tokens)`, () => { this.pinned = false; this.leaf = leaf; this.said = leaf.said || null; this.draw(); });
      made.setAttribute("aria-current", String(leaf === this.leaf));
      return box("li", {}, made);
    });
    this.branches.replaceChildren(el("h4", {}, "continuations, by the token where they part"), box("ol", {}, ...rows));
  }

  drawSpark() {
    const nodes = this.path(), width = 600, height = 48;
    if (nodes.length < 2) return this.spark.replaceChildren();
    const most = Math.max(1, ...nodes.map((node) => node.entropy));
    const make = (tag, attributes) => { const made = document.createElementNS(SVG, tag); for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value); return made; };
    const x = (i) => ((i + 0.5) * width) / nodes.length, y = (value) => height - 4 - ((height - 8) * value) / most;
    const picture = make("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": `entropy per token, up to ${most.toFixed(2)} nats` });
    picture.append(make("polyline", { points: nodes.map((node, i) => `${x(i).toFixed(1)},${y(node.entropy).toFixed(1)}`).join(" ") }));
    const here = nodes.indexOf(this.at);
    if (here >= 0) picture.append(make("line", { x1: x(here), x2: x(here), y1: 0, y2: height }));
    this.spark.replaceChildren(el("h4", {}, `entropy per token (to ${most.toFixed(2)} nats)`), picture);
  }
}
