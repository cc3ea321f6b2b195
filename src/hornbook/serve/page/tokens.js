// How a text splits, while it is typed, by the tokenizers of several runs; how the merges build a word.
import { box, complain, count, get, post } from "./api.js";

const kept = { text: "Once upon a time there was a little lighthouse.\n  It said: “¡Olé, 東京!”", word: " lighthouse", chosen: null };

export async function showTokens(view, { connect }) {
  connect();
  const { tokenizers } = await get("/api/tokenizers");
  const text = el("textarea", { rows: "4", "aria-label": "text to split" }), word = el("input", { "aria-label": "word whose merges are shown" });
  text.value = kept.text;
  word.value = kept.word;
  kept.chosen ||= new Set(tokenizers.slice(0, 2).map((one) => one.run));
  const marks = tokenizers.map((one) => {
    const mark = el("input", { type: "checkbox" });
    mark.checked = kept.chosen.has(one.run);
    mark.addEventListener("change", () => { kept.chosen[mark.checked ? "add" : "delete"](one.run); soon(); });
    return box("label", { class: "choice" }, mark, ` ${one.run} (${count(one.vocab_size)} entries${one.same.length ? `; the same as ${one.same.join(", ")}` : ""})`);
  });
  const host = el("div", { class: "side-by-side panes" }), trees = el("div", { class: "side-by-side panes" });
  view.append(el("h1", {}, "Tokenizer"), ...(tokenizers.length ? [text, box("fieldset", {}, el("legend", {}, "tokenizers"), ...marks), host, el("h2", {}, "How a word is merged"), box("div", { class: "tools" }, word, el("span", { class: "meta" }, "a word of yours, its space before it included; or click a token")), trees] : [el("p", {}, "No run here has a tokenizer yet.")]));

  let waiting = 0, turn = 0;
  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(() => { const mine = ++turn; look(() => mine === turn).catch(complain); }, 80);
  }
  async function look(current) {
    const chosen = [...kept.chosen].filter((run) => tokenizers.some((one) => one.run === run));
    const content = { text: kept.text, word: kept.word, runs: chosen };
    const { splits } = chosen.length ? await post("/api/split", content) : { splits: [] };
    if (!current()) return; // a later keystroke has asked again
    host.replaceChildren(...splits.map(showSplit));
    trees.replaceChildren(...splits.map((one) => box("article", {}, el("h4", {}, one.run), ...one.trees.map((tree) => box("ul", { class: "tree" }, branch(tree))))));
  }
  function showSplit(one) {
    const pieces = one.tokens.map((token) => {
      const piece = el("button", { type: "button", class: `piece ${token.special ? "special" : `shade-${token.pretoken % 2}`}`, title: `id ${token.id}` }, token.text);
      piece.addEventListener("click", () => { if (token.word) { kept.word = word.value = token.word; soon(); } });
      return piece;
    });
    const size = `${count(one.tokens.length)} tokens${one.cut ? " shown" : ""} · ${one.bytes_per_token.toFixed(2)} bytes per token`;
    return box("article", {}, el("h4", {}, one.run), el("p", { class: "meta" }, size), box("div", { class: "pieces" }, ...pieces));
  }
  function branch(node) {
    const made = node.merge === null ? "" : ` · merge ${count(node.merge)}`;
    const entry = box("li", {}, el("code", {}, node.text), el("span", { class: "meta" }, `${node.id === null ? "" : ` id ${node.id}`}${made}`));
    if (node.left) entry.append(box("ul", {}, branch(node.left), branch(node.right)));
    return entry;
  }
  text.addEventListener("input", () => { kept.text = text.value; soon(); });
  word.addEventListener("input", () => { kept.word = word.value; soon(); });
  soon();
  return () => clearTimeout(waiting);
}
