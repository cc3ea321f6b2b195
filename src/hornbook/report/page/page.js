// A report: its charts, drawn when they come into view, sortable tables, light and dark. Needs chart.js.
"use strict";
(function () {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const charts = [], root = document.documentElement;
  function ensure(chart) { if (!chart.drawn()) chart.draw(); }
  function redraw() { charts.forEach((chart) => { if (chart.drawn()) chart.draw(); }); }

  document.querySelectorAll(".chart:not(.drawn)").forEach((host, i) => charts.push(new Chart(host, figures[i])));
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
