// The page's behaviour: charts (uPlot draws axes and handles zoom, the curves are drawn here, each with its own x values),
// hover values, legends that switch curves, sortable tables, light and dark. Text is only ever set as textContent.
"use strict";
(function () {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  for (const figure of figures) {
    figure.x_axes = Object.fromEntries(figure.x_axes);
    figure.lines = Object.fromEntries(figure.lines);
  }
  const charts = [];
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

  function short(value) {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    if (size >= 1e9) return trim(value / 1e9) + " G";
    if (size >= 1e6) return trim(value / 1e6) + " M";
    if (size >= 1e4) return trim(value / 1e3) + " k";
    if (size !== 0 && size < 1e-3) return value.toExponential(2).replace(/\.?0+e/, "e");
    return trim(value);
  }
  const trim = (value) => String(Number(value.toPrecision(5)));
  // As few digits as tell the ticks of an axis apart: memory that hardly changes is not "368 M" five times.
  function ticks(values) {
    let said = [];
    for (let digits = 3; digits < 7; digits++) {
      said = values.map((value) => (value === null ? "" : short(Number(value.toPrecision(digits)))));
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
    for (const digits of [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]]) {
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
    // Less than three such values: the widest even steps that give three.
    const unit = Math.pow(10, Math.floor(Math.log10(high - low)));
    for (const step of [5, 2, 1, 0.5, 0.2, 0.1].map((m) => m * unit)) {
      found = [];
      for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(round(k * step));
      if (found.length >= 3) break;
    }
    return found;
  };

  // ---- one chart
  function Chart(host, spec) {
    const axes = Object.keys(spec.x_axes);
    const state = { axis: axes[0], xLog: spec.x_log, yLog: spec.y_log, hidden: new Set(), plot: null };
    const colors = new Set(spec.series.map((s, i) => s.color ?? i)).size;
    const paint = (i) => color(spec.series[i].color ?? i, colors);
    const area = host.querySelector(".plot");
    const tip = el("div", { class: "tip", hidden: "" });

    const usable = (s, k) => {
      const x = s.x[state.axis][k], y = s.y[k];
      return x !== null && y !== null && (!state.xLog || x > 0) && (!state.yLog || y > 0);
    };

    function extent(window) {
      let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
      spec.series.forEach((s, i) => {
        if (state.hidden.has(i)) return;
        const xs = s.x[state.axis];
        for (let k = 0; k < xs.length; k++) {
          if (!usable(s, k)) continue;
          const x = xs[k];
          if (window && (x < window[0] || x > window[1])) continue;
          if (x < x0) x0 = x;
          if (x > x1) x1 = x;
          const low = s.low && s.low[k] !== null ? s.low[k] : s.y[k], high = s.high && s.high[k] !== null ? s.high[k] : s.y[k];
          if (low < y0 && (!state.yLog || low > 0)) y0 = low;
          if (s.y[k] < y0) y0 = s.y[k];
          if (high > y1) y1 = high;
        }
      });
      for (const height of Object.values(spec.lines)) {
        if (state.yLog && height <= 0) continue;
        y0 = Math.min(y0, height);
        y1 = Math.max(y1, height);
      }
      if (!(x0 <= x1)) { x0 = state.xLog ? 1 : 0; x1 = state.xLog ? 10 : 1; }
      if (!(y0 <= y1)) { y0 = state.yLog ? 1 : 0; y1 = state.yLog ? 10 : 1; }
      // Beyond the outermost line there must be room for its label.
      const share = Object.keys(spec.lines).length ? 0.12 : state.yLog ? 0.05 : 0.04;
      return { x: spec.categories ? [x0 - 0.5, x1 + 0.5] : pad(x0, x1, state.xLog, state.xLog ? 0.05 : 0.04), y: pad(y0, y1, state.yLog, share) };
    }

    function pad(low, high, log, share) {
      if (log) {
        const f = low === high ? 1.5 : Math.pow(high / low, share);
        return [low / f, high * f];
      }
      const d = low === high ? Math.abs(low) * 0.1 || 1 : (high - low) * share;
      return [low - d, high + d];
    }

    function paths(u, index) {
      const s = spec.series[index - 1], xs = s.x[state.axis], line = new Path2D(), band = new Path2D(), dots = new Path2D();
      const r = 2.6 * devicePixelRatio, upper = [], lower = [];
      let open = false;
      for (let k = 0; k < xs.length; k++) {
        if (!usable(s, k)) { open = false; continue; }
        const px = u.valToPos(xs[k], "x", true), py = u.valToPos(s.y[k], "y", true);
        if (s.style !== "points") open ? line.lineTo(px, py) : line.moveTo(px, py);
        open = true;
        if (s.style === "points" || s.style === "both") { dots.moveTo(px + r, py); dots.arc(px, py, r, 0, 7); }
        if (s.low && s.high && s.low[k] !== null && s.high[k] !== null) {
          const floor = state.yLog && s.low[k] <= 0 ? u.scales.y.min : s.low[k];
          upper.push([px, u.valToPos(s.high[k], "y", true)]);
          lower.push([px, u.valToPos(floor, "y", true)]);
        }
      }
      // A band between neighbours; with single points (arms) an error bar.
      if (s.style === "points" || upper.length === 1) {
        upper.forEach((p, k) => { line.moveTo(p[0], p[1]); line.lineTo(lower[k][0], lower[k][1]); });
      } else if (upper.length) {
        upper.concat(lower.reverse()).forEach((p, k) => (k ? band.lineTo(p[0], p[1]) : band.moveTo(p[0], p[1])));
        band.closePath();
      }
      line.addPath(dots);
      return { stroke: line, fill: band };
    }

    function drawLines(u) {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = tint("--soft");
      ctx.lineWidth = 1.2 * devicePixelRatio;
      ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.font = `${11.5 * devicePixelRatio}px ${token("--sans")}`;
      ctx.textAlign = "right";
      for (const [label, height] of Object.entries(spec.lines)) {
        if (state.yLog && height <= 0) continue;
        const y = u.valToPos(height, "y", true);
        if (y < bbox.top || y > bbox.top + bbox.height) continue;
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
        // A floor has the curves above it, a ceiling below: the label stands on the other side.
        const below = y > bbox.top + bbox.height / 2;
        ctx.textBaseline = below ? "top" : "bottom";
        ctx.fillText(`${label} ${short(height)}`, bbox.left + bbox.width - 4, y + (below ? 3 : -3) * devicePixelRatio);
      }
      ctx.restore();
    }

    function nearest(s, x) {
      const xs = s.x[state.axis];
      let best = -1, distance = Infinity;
      for (let k = 0; k < xs.length; k++) {
        if (!usable(s, k)) continue;
        const d = state.xLog ? Math.abs(Math.log(xs[k] / x)) : Math.abs(xs[k] - x);
        if (d < distance) { distance = d; best = k; }
      }
      return best;
    }

    function hover(u) {
      u.over.querySelectorAll(".dot").forEach((dot) => dot.remove());
      const { left, top } = u.cursor;
      tip.hidden = true;
      if (left === undefined || left < 0) return;
      const x = u.posToVal(left, "x");
      let found = [];
      spec.series.forEach((s, i) => {
        if (state.hidden.has(i)) return;
        const k = nearest(s, x);
        if (k < 0) return;
        const px = u.valToPos(s.x[state.axis][k], "x"), py = u.valToPos(s.y[k], "y");
        if (Math.abs(px - left) < 40) found.push({ i, k, px, py, far: Math.abs(py - top), side: Math.abs(px - left) });
      });
      if (!found.length) return;
      const all = found.length;
      found = found.sort((a, b) => a.far - b.far).slice(0, 9).sort((a, b) => a.py - b.py);
      const closest = found.reduce((a, b) => (b.side < a.side ? b : a));
      const at = spec.series[closest.i].x[state.axis][closest.k];
      const place = spec.categories ? spec.categories[Math.round(at)] : `${spec.x_axes[state.axis]} ${short(at)}`;
      tip.replaceChildren(el("b", {}, place));
      for (const f of found) {
        const s = spec.series[f.i], row = el("div");
        const key = el("i");
        key.style.background = paint(f.i);
        const range = s.low && s.low[f.k] !== null && s.high[f.k] !== null ? ` (${short(s.low[f.k])} – ${short(s.high[f.k])})` : "";
        row.append(key, document.createTextNode(s.name), el("span", {}, short(s.y[f.k]) + range));
        tip.append(row);
        const dot = el("div", { class: "dot" });
        dot.style.cssText = `left:${f.px}px;top:${f.py}px;background:${paint(f.i)}`;
        u.over.append(dot);
      }
      if (all > found.length) tip.append(el("div", {}, `… ${all - found.length} more`));
      tip.hidden = false;
      const width = tip.offsetWidth, room = u.over.clientWidth;
      const at_left = left + 16 + width > room ? Math.max(-40, left - width - 16) : left + 16;
      tip.style.left = `${at_left}px`;
      tip.style.top = `${Math.max(0, Math.min(top, u.over.clientHeight - tip.offsetHeight))}px`;
    }

    function axisStyle(extra) {
      const font = `11.5px ${token("--sans")}`;
      const faint = { stroke: tint("--grid"), width: 1 };
      return Object.assign({ stroke: tint("--soft"), font, labelFont: font, grid: faint, ticks: faint }, extra);
    }

    this.draw = function () {
      const zoom = state.plot && state.zoomed ? [state.plot.scales.x.min, state.plot.scales.x.max] : null;
      if (state.plot) state.plot.destroy();
      const whole = extent(null);
      state.yRange = extent(zoom).y;
      const names = spec.categories;
      const xAxis = { label: spec.x_axes[state.axis], labelSize: 20, size: names ? 44 : 34 };
      if (names) {
        xAxis.splits = () => names.map((_, i) => i);
        const stride = Math.ceil((names.reduce((n, s) => n + s.length, 0) * 7 + names.length * 14) / Math.max(200, area.clientWidth - 60));
        xAxis.values = () => names.map((name, i) => (i % stride ? "" : name.length > 22 ? name.slice(0, 21) + "…" : name));
      } else {
        xAxis.values = (u, v) => ticks(v);
        if (state.xLog) Object.assign(xAxis, { splits: logSplits(44), filter: (u, v) => v });
      }
      const yAxis = { label: spec.y_label, labelSize: 20, size: 64, values: (u, v) => ticks(v) };
      if (state.yLog) Object.assign(yAxis, { splits: logSplits(18), filter: (u, v) => v });
      const options = {
        width: Math.max(240, area.clientWidth),
        height: Math.round(Math.min(400, Math.max(270, area.clientWidth * 0.52))),
        legend: { show: false },
        cursor: { points: { show: false }, drag: { x: true, y: false }, y: false },
        scales: {
          x: { time: false, distr: state.xLog ? 3 : 1, range: (u, low, high) => [low, high] },
          y: { distr: state.yLog ? 3 : 1, range: () => state.yRange },
        },
        axes: [axisStyle(xAxis), axisStyle(yAxis)],
        series: [{}].concat(spec.series.map((s, i) => ({
          show: !state.hidden.has(i), stroke: paint(i), fill: s.low ? translucent(paint(i)) : undefined, width: spec.series.length > 12 ? 1 : 1.6,
          dash: s.style === "dash" ? [7, 5] : undefined, paths, points: { show: false },
        }))),
        hooks: {
          draw: [drawLines],
          setCursor: [hover],
          setScale: [(u, key) => {
            if (key !== "x") return;
            const { min, max } = u.scales.x;
            state.zoomed = min > whole.x[0] || max < whole.x[1];
            const [low, high] = extent([min, max]).y;
            if (low !== state.yRange[0] || high !== state.yRange[1]) { state.yRange = [low, high]; u.setScale("y", { min: low, max: high }); }
          }],
        },
      };
      state.plot = new uPlot(options, [whole.x].concat(spec.series.map(() => [1, 1])), area);
      if (zoom) state.plot.setScale("x", { min: zoom[0], max: zoom[1] });
      state.plot.over.append(tip);
      state.plot.over.addEventListener("mouseleave", () => { tip.hidden = true; });
      legend();
    };

    function legend() {
      const box = host.querySelector(".legend");
      box.replaceChildren();
      if (spec.series.length < 2) return;
      spec.series.forEach((s, i) => {
        const chip = el("button", { type: "button", "aria-pressed": String(!state.hidden.has(i)), title: "click: show or hide; double click: this one alone" });
        const key = el("i");
        key.style.background = paint(i);
        chip.append(key, document.createTextNode(s.name));
        chip.addEventListener("click", () => { state.hidden.has(i) ? state.hidden.delete(i) : state.hidden.add(i); chart.draw(); });
        chip.addEventListener("dblclick", () => {
          const alone = state.hidden.size === spec.series.length - 1 && !state.hidden.has(i);
          state.hidden = new Set(alone ? [] : spec.series.keys());
          state.hidden.delete(i);
          chart.draw();
        });
        box.append(chip);
      });
    }

    function controls() {
      const box = host.querySelector(".controls");
      const group = (items) => {
        const span = el("span", { class: "group" });
        for (const [label, pressed, act] of items) {
          const button = el("button", { type: "button", "aria-pressed": String(pressed()) }, label);
          button.addEventListener("click", () => { act(); state.zoomed = false; chart.draw(); controls(); });
          span.append(button);
        }
        return span;
      };
      box.replaceChildren();
      if (axes.length > 1) box.append(group(axes.map((a) => [spec.x_axes[a], () => state.axis === a, () => { state.axis = a; }])));
      const logs = [["log y", () => state.yLog, () => { state.yLog = !state.yLog; }]];
      if (!spec.categories) logs.unshift(["log x", () => state.xLog, () => { state.xLog = !state.xLog; }]);
      box.append(group(logs));
    }

    const chart = this;
    this.host = host;
    this.drawn = () => state.plot !== null;
    controls();
  }

  // ---- the page
  function ensure(chart) { if (!chart.drawn()) chart.draw(); }
  function redraw() { charts.forEach((chart) => { if (chart.drawn()) chart.draw(); }); }

  document.querySelectorAll(".chart").forEach((host, i) => charts.push(new Chart(host, figures[i])));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      ensure(charts.find((chart) => chart.host === entry.target));
    }
  }, { rootMargin: "400px" });
  charts.forEach((chart) => seen.observe(chart.host));

  let width = window.innerWidth, waiting = 0;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(redraw, 120);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  window.matchMedia("print").addEventListener("change", () => { charts.forEach(ensure); redraw(); });
  document.getElementById("theme").addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; redraw(); });

  document.querySelectorAll("table.sortable").forEach((table) => {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => row.cells[column].dataset.sort;
      const numeric = head.classList.contains("number");
      const rows = [...body.rows].sort((a, b) => {
        const x = value(a), y = value(b);
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = numeric && !isNaN(x) && !isNaN(y) ? x - y : x.localeCompare(y, undefined, { numeric: true });
        return down ? -order : order;
      });
      body.append(...rows);
    }));
  });
})();
