// A chart of a figure's record (studies/charts.py): uPlot draws axes and handles zoom, the curves are drawn here, each with its
// own x values; hover values, a legend that switches curves. Text is only ever set as textContent. Needs axes.js and uPlot.
"use strict";

/** Draw into `host` (elements .controls, .plot, .legend) a figure whose x_axes and lines are lists of pairs. */
function Chart(host, figure) {
  const named = (record) => ({ ...record, x_axes: Object.fromEntries(record.x_axes), lines: Object.fromEntries(record.lines) });
  let spec = named(figure), whole = null;
  const axes = Object.keys(spec.x_axes);
  const state = { axis: axes[0], xLog: spec.x_log, yLog: spec.y_log, hidden: new Set(), plot: null };
  const paint = (i) => color(spec.series[i].color ?? i, new Set(spec.series.map((s, k) => s.color ?? k)).size);
  const area = host.querySelector(".plot");
  const tip = el("div", { class: "tip", hidden: "" }), ends = el("div", { class: "ends" });

  const usable = (s, k) => {
    const x = s.x[state.axis][k], y = s.y[k];
    if (s.style === "cross") return x !== null && (!state.xLog || x > 0);
    return x !== null && y !== null && (!state.xLog || x > 0) && (!state.yLog || y > 0);
  };

  // What report/scales.py has too: a curve's first part does not stretch the axis, nor does a line that is far from all curves.
  const START = 0.02, FAR = 2;
  function beginning(window) {
    if (window || state.xLog || !("step" in spec.x_axes)) return -Infinity;
    const shown = spec.series.filter((s, i) => !state.hidden.has(i)).map((s) => s.x[state.axis].filter((x, k) => usable(s, k))).flat();
    const low = shown.reduce((a, b) => Math.min(a, b), Infinity), high = shown.reduce((a, b) => Math.max(a, b), -Infinity);
    const end = low + START * (high - low);
    return shown.filter((x) => x > end).length > 1 ? end : -Infinity;
  }

  function extent(window) {
    const end = beginning(window);
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
        if (x <= end || s.style === "cross") continue;
        const low = s.low && s.low[k] !== null ? s.low[k] : s.y[k], high = s.high && s.high[k] !== null ? s.high[k] : s.y[k];
        if (low < y0 && (!state.yLog || low > 0)) y0 = low;
        if (s.y[k] < y0) y0 = s.y[k];
        if (high > y1) y1 = high;
      }
    });
    for (const height of Object.values(spec.lines)) {
      if (state.yLog && height <= 0) continue;
      const scale = state.yLog ? Math.log : Number, low = Math.min(y0, height), high = Math.max(y1, height);
      if (y1 > y0 && scale(high) - scale(low) > FAR * (scale(y1) - scale(y0))) continue;
      [y0, y1] = [low, high];
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
      const px = u.valToPos(xs[k], "x", true), py = s.style === "cross" ? u.bbox.top + 4 * r : u.valToPos(s.y[k], "y", true);
      if (s.style === "cross") {
        for (const side of [-1, 1]) { line.moveTo(px - 1.7 * r, py - 1.7 * r * side); line.lineTo(px + 1.7 * r, py + 1.7 * r * side); }
        continue;
      }
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
    for (const [label, height] of Object.entries(spec.lines)) {
      if (state.yLog && height <= 0) continue;
      const y = u.valToPos(height, "y", true), above = y < bbox.top;
      ctx.textAlign = "right";
      if (above || y > bbox.top + bbox.height) {
        // Falling curves leave two corners free.
        ctx.textAlign = above ? "right" : "left";
        ctx.textBaseline = above ? "top" : "bottom";
        const [x, edge] = above ? [bbox.left + bbox.width - 4, bbox.top + 3] : [bbox.left + 4, bbox.top + bbox.height - 3];
        ctx.fillText(`${above ? "↑" : "↓"} ${label} ${short(height)}`, x, edge);
        continue;
      }
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
      const px = u.valToPos(s.x[state.axis][k], "x"), py = s.style === "cross" ? 10 : u.valToPos(s.y[k], "y");
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
      row.append(key, document.createTextNode(s.name), el("span", {}, s.style === "cross" ? "✕" : short(s.y[f.k]) + range));
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

  const plotHeight = () => Math.round(Math.min(400, Math.max(270, area.clientWidth * 0.52)));

  this.draw = function () {
    const zoom = state.plot && state.zoomed ? [state.plot.scales.x.min, state.plot.scales.x.max] : null;
    if (state.plot) state.plot.destroy();
    whole = extent(null);
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
    const room = endRoom();
    const options = {
      padding: [null, room || null, null, null],
      width: Math.max(240, area.clientWidth),
      height: plotHeight(),
      legend: { show: false },
      cursor: { points: { show: false }, drag: { x: true, y: false }, y: false },
      scales: {
        x: { time: false, distr: state.xLog ? 3 : 1, range: (u, low, high) => [low, high] },
        y: { distr: state.yLog ? 3 : 1, range: () => state.yRange },
      },
      axes: [axisStyle(xAxis), axisStyle(yAxis)],
      series: [{}].concat(spec.series.map((s, i) => ({
        show: !state.hidden.has(i), stroke: paint(i), fill: s.low ? translucent(paint(i)) : undefined, width: spec.series.length > 12 ? 1 : 1.6,
        dash: { dash: [7, 5], dot: [2, 4] }[s.style], paths, points: { show: false },
      }))),
      hooks: {
        draw: [drawLines, placeEnds],
        setCursor: [hover],
        setScale: [(u, key) => {
          if (key !== "x") return;
          const { min, max } = u.scales.x;
          state.zoomed = min > whole.x[0] || max < whole.x[1];
          const [low, high] = extent(state.zoomed ? [min, max] : null).y;
          if (low !== state.yRange[0] || high !== state.yRange[1]) { state.yRange = [low, high]; u.setScale("y", { min: low, max: high }); }
        }],
      },
    };
    state.plot = new uPlot(options, [whole.x].concat(spec.series.map(() => [1, 1])), area);
    if (zoom) state.plot.setScale("x", { min: zoom[0], max: zoom[1] });
    state.plot.over.append(tip);
    state.plot.over.addEventListener("mouseleave", () => { tip.hidden = true; });
    say(state.plot.root.querySelector("canvas"));
    area.append(ends);
    legend(room ? ends : host.querySelector(".legend"));
    placeEnds(state.plot);
  };

  // What a canvas shows, for those who hear it: the axes, and the last value of each curve.
  function say(canvas) {
    const last = (s) => s.y.filter((y) => y !== null).at(-1);
    const curves = spec.series.slice(0, 12).map((s) => `${s.name} ends at ${short(last(s))}`);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${spec.title}: ${spec.y_label} by ${spec.x_axes[state.axis]}. ${curves.join(", ")}.`);
  }

  // Arrow keys read values as a pointer does, Escape puts them away.
  area.tabIndex = 0;
  area.setAttribute("role", "group");
  area.setAttribute("aria-label", `${spec.title}: left and right arrows read values`);
  area.addEventListener("keydown", (event) => {
    if (!state.plot || event.target !== area || !["ArrowLeft", "ArrowRight", "Escape"].includes(event.key)) return;
    event.preventDefault();
    const wide = state.plot.over.clientWidth, step = (event.key === "ArrowLeft" ? -1 : 1) * wide * (event.shiftKey ? 0.1 : 0.02);
    const left = event.key === "Escape" ? -10 : Math.max(0, Math.min(wide, Math.max(0, state.plot.cursor.left ?? 0) + step));
    state.plot.setCursor({ left, top: state.plot.over.clientHeight / 2 });
  });
  area.addEventListener("blur", () => { if (state.plot) state.plot.setCursor({ left: -10, top: -10 }); });

  // Names stand at the ends of their curves where there is room for them; otherwise below the chart.
  function endRoom() {
    const lines = spec.series.every((s) => s.style !== "points" && s.style !== "cross") && !spec.categories;
    const most = (plotHeight() - 80) / 15;
    if (!lines || spec.series.length < 2 || spec.series.length > most) return 0;
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `12px ${token("--sans")}`;
    const widest = Math.max(...spec.series.map((s) => pen.measureText(s.name).width));
    return widest <= 0.28 * area.clientWidth ? widest + 16 : 0;
  }

  function placeEnds(u) {
    const top = u.over.offsetTop, height = u.over.clientHeight, chips = [...ends.children];
    const { min, max } = u.scales.x;
    const places = spec.series.map((s, i) => {
      let k = s.y.length - 1;
      while (k > 0 && !(usable(s, k) && s.x[state.axis][k] >= min && s.x[state.axis][k] <= max)) k--;
      const y = usable(s, k) ? u.valToPos(s.y[k], "y") : 0;
      return { chip: chips[i], y: Math.max(8, Math.min(height - 8, y)) };
    }).filter((place) => place.chip).sort((a, b) => a.y - b.y);
    // Apart by a line of text: down where they would meet, and back up from the lower edge.
    places.forEach((place, k) => { if (k) place.y = Math.max(place.y, places[k - 1].y + 15); });
    places.reverse().forEach((place, k) => { place.y = Math.min(place.y, k ? places[k - 1].y - 15 : height - 8); });
    for (const { chip, y } of places) chip.style.cssText += `;left:${u.over.offsetLeft + u.over.clientWidth + 3}px;top:${top + y - 8}px`;
  }

  function legend(box) {
    host.querySelector(".legend").replaceChildren();
    ends.replaceChildren();
    if (spec.series.length < 2) return;
    spec.series.forEach((s, i) => {
      const chip = el("button", { type: "button", "aria-pressed": String(!state.hidden.has(i)), title: "click: show or hide; double click: this one alone" });
      const key = el("i");
      key.style.background = paint(i);
      if (box === ends) chip.style.color = paint(i);
      chip.append(...(box === ends ? [] : [key]), document.createTextNode(s.name));
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
  /** Draw the same figure with other values: points that came, or the curves of other runs. */
  this.update = function (next) {
    const names = (record) => JSON.stringify([record.series.map((s) => [s.name, s.style]), record.y_label]);
    const same = names(next) === names(spec);
    spec = named(next);
    if (!same) state.hidden.clear();
    if (!state.plot) return;
    if (!same) { chart.draw(); return; }
    whole = extent(null);
    state.yRange = extent(state.zoomed ? [state.plot.scales.x.min, state.plot.scales.x.max] : null).y;
    state.plot.setData([whole.x].concat(spec.series.map(() => [1, 1])), !state.zoomed);
    if (state.zoomed) state.plot.setScale("y", { min: state.yRange[0], max: state.yRange[1] });
  };
  this.destroy = function () { if (state.plot) state.plot.destroy(); state.plot = null; };
  controls();
}
