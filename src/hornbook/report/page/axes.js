// What charts and pages of hornbook draw with: elements, numbers in words, colours of base.css for a canvas, ticks of axes.
"use strict";
const { color, el, isDark, logSplits, short, ticks, tint, token, translucent } = (function () {
  const root = document.documentElement;
  const printing = () => window.matchMedia("print").matches;
  const isDark = () => !printing() && (root.dataset.theme ? root.dataset.theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches);
  const token = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  // A colour of base.css as this mode has it; the property alone holds both, `light-dark(…, …)`.
  const probe = document.body.appendChild(document.createElement("i"));
  probe.hidden = true;
  function tint(name) {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  }

  function color(index, count) {
    if (count <= 10) return tint(`--series-${index % 10}`);
    // Many runs: around the colour circle, neighbours far apart.
    return `hsl(${Math.round((index * 137.508) % 360)}, 62%, ${isDark() ? 66 : 40}%)`;
  }
  const translucent = (c) => c.replace(")", ", 0.17)");

  function el(tag, attributes, text) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }

  // As format.short in Python has it: 0.5, 9000, 12 k, 1.2 B, 3×10⁻⁵, 10²³.
  function short(value, digits = 5) {
    if (!Number.isFinite(value)) return "–";
    const rounded = Number(value.toPrecision(digits)), size = Math.abs(rounded);
    const plain = (number) => String(Number(number.toPrecision(10)));
    if (size >= 1e15 || (size !== 0 && size < 1e-3)) return raised(rounded, digits);
    for (const [unit, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]])
      if (size >= 1e4 && size >= unit) return `${plain(rounded / unit)} ${letter}`;
    return plain(rounded);
  }
  function raised(value, digits) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    const power = "10" + String(Number(exponent)).replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻");
    const front = String(Number(Number(mantissa).toPrecision(10)));
    return Math.abs(Number(front)) === 1 ? `${front.slice(0, -1)}${power}` : `${front}×${power}`;
  }

  // As few digits as tell the ticks of an axis apart: memory that hardly changes is not "368 M" five times.
  function ticks(values) {
    let said = [];
    const sizes = values.filter((value) => value).map(Math.abs);
    // Over nine orders of magnitude letters for thousands are a riddle: powers of ten throughout.
    if (sizes.length && Math.max(...sizes) >= 1e9 * Math.min(...sizes)) return values.map((value) => (value ? raised(value, 3) : value === 0 ? "0" : ""));
    for (let digits = 3; digits < 7; digits++) {
      said = values.map((value) => (value === null ? "" : short(value, digits)));
      const shown = said.filter((text) => text !== "");
      if (new Set(shown).size === shown.length) break;
    }
    return said;
  }

  // Ticks of a logarithmic axis: the densest of these choices whose labels lie `space` pixels apart, and always three.
  const logSplits = (space) => (u, axis, low, high) => {
    // Not the size of u.over: that is 0 while a new chart looks for its ticks.
    const pixels = (axis === 0 ? u.bbox.width : u.bbox.height) / devicePixelRatio / Math.log(high / low);
    const gap = (ticks) => Math.min(...ticks.slice(1).map((v, i) => Math.log(v / ticks[i]) * pixels));
    const round = (v) => Number(v.toPrecision(6));
    let found = [];
    // Within a factor of three even steps tell more than whole digits, which crowd at one end.
    for (const digits of high < 3 * low ? [] : [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]]) {
      const ticks = [];
      for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
        for (const d of digits) { const v = round(d * Math.pow(10, e)); if (v >= low && v <= high) ticks.push(v); }
      if (ticks.length < 3) break;
      found = ticks;
      if (gap(found) >= space) return found;
    }
    if (found.length) {
      const stride = Math.min(Math.ceil(space / gap(found)), Math.floor((found.length - 1) / 2));
      return found.filter((_, i) => i % stride === 0);
    }
    // The widest even steps that give three.
    const unit = Math.pow(10, Math.floor(Math.log10(high - low)));
    for (const step of [5, 2, 1, 0.5, 0.2, 0.1].map((m) => m * unit)) {
      found = [];
      for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(round(k * step));
      if (found.length >= 3) break;
    }
    return found;
  };

  return { color, el, isDark, logSplits, short, ticks, tint, token, translucent };
})();
