"""A page in a real browser: it draws without errors, asks for nothing, fits a phone, and opens fast when large."""

import json
import math
import random
import re
import shutil
import time
from itertools import pairwise
from pathlib import Path

import pytest
import tomli_w

from hornbook.cli.main import main
from hornbook.format import short
from hornbook.report.render import write_report

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync "
    "--no-first-run"
)


LISTEN = """
const write = CanvasRenderingContext2D.prototype.fillText, clear = CanvasRenderingContext2D.prototype.clearRect;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  (this.canvas.said ??= []).push({ text, y, align: this.textAlign, baseline: this.textBaseline });
  return write.apply(this, arguments);
};
CanvasRenderingContext2D.prototype.clearRect = function () {
  this.canvas.said = [];
  return clear.apply(this, arguments);
};
"""
"""Keeps what was last written on each canvas."""


def make_runs(folder: Path, runs: int, points: int) -> Path:
    for i in range(runs):
        path = folder / f"run-{i}"
        path.mkdir(parents=True)
        rng = random.Random(i)
        (path / "config.toml").write_text(
            tomli_w.dumps({"run": {"name": f"run-{i}"}, "optimizer": {"lr": 1e-3 * (i + 1)}})
        )
        (path / "environment.json").write_text('{"version": 1, "torch": "2"}')
        (path / "status.json").write_text('{"version": 1, "status": "done"}')
        lines = []
        for step in range(1, points + 1):
            loss = 2 + i / 50 + 3 * math.exp(-step / (points / 8)) + rng.gauss(0, 0.05)
            record = {"step": step, "tokens": step * 4096, "seconds": step * 0.1, "train_loss": loss, "lr": 1e-3}
            record |= {"grad_norm": rng.random() + 0.1, "tokens_per_second": 4e4}
            lines.append(json.dumps(record | ({"val_loss": loss} if step % (points // 20) == 0 else {})))
        (path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def make_measured_run(path: Path) -> Path:
    """A run of four minutes with losses as the demo has them, with every measure that there is."""
    path.mkdir(parents=True)
    (path / "config.toml").write_text(tomli_w.dumps({"run": {"name": "demonstration"}}))
    (path / "environment.json").write_text('{"version": 1, "torch": "2"}')
    (path / "status.json").write_text('{"version": 1, "status": "done"}')
    written = {"samples": 200, "valid_share": 0.27, "mean_valid_prefix": 0.6632, "novelty": 1.0, "plot_coverage": 0.875}
    written |= {"plot_distance": 0.2564, "plot_distance_by_chance": 0.2057}
    summary = {"entropy_floor_bits_per_byte": 0.148, "storyworld": {"ratio_to_floor": 1.07, "written": written}}
    (path / "summary.json").write_text(json.dumps(summary))
    lines = []
    for step in range(1, 1401, 10):
        loss = 0.42 + 7 * math.exp(-step / 60)
        record = {
            "step": step,
            "tokens": step * 4096,
            "seconds": step / 5.8,
            "train_loss": loss,
            "lr": 1e-3 + 1e-6 * step,
        }
        record |= {"grad_norm": 0.13 + math.exp(-step / 200), "tokens_per_second": 4e4, "mfu": 0.4, "memory_bytes": 7e8}
        record |= {"val_loss": loss, "val_bits_per_byte": loss / 2.4, "val_perplexity": math.exp(loss)}
        lines.append(json.dumps(record))
    (path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as p:
        context = p.chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("profile")), executable_path=CHROMIUM, headless=True, args=QUIET.split()
        )
        yield context
        context.close()


def open_page(browser, path, *, width=1240, scheme="light"):
    page = browser.new_page()
    page.add_init_script(LISTEN)
    page.troubles, page.asked = [], []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("console", lambda m: page.troubles.append(m.text) if m.type in ("error", "warning") else None)
    page.on("request", lambda request: page.asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    started = time.monotonic()
    page.goto(path.as_uri())
    page.wait_for_selector(".plot canvas")
    page.seconds = time.monotonic() - started
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1240, "light"), (1240, "dark"), (390, "light")])
def test_page_draws_without_errors_or_requests_and_fits(browser, tmp_path, width, scheme):
    out = write_report([make_runs(tmp_path / "runs", 3, 200)], tmp_path / "r.html")
    page = open_page(browser, out, width=width, scheme=scheme)
    for y in range(0, page.evaluate("document.documentElement.scrollHeight"), 500):
        page.evaluate(f"window.scrollTo(0, {y})")
        page.wait_for_timeout(60)
    assert page.locator(".plot canvas").count() == page.locator(".chart").count() > 3
    assert page.troubles == []
    assert page.asked == [out.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    page.evaluate("window.scrollTo(0, 0)")
    box = page.locator(".u-over").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.locator(".tip:visible").first.inner_text().startswith("step ")
    rows = page.locator("table.sortable tbody tr > :first-child")
    page.locator("table.sortable th button").first.click()
    page.locator("table.sortable th button").first.click()
    assert rows.all_inner_texts() == ["run-2", "run-1", "run-0"]
    page.close()


def scroll_through(page):
    for y in range(0, page.evaluate("document.documentElement.scrollHeight"), 400):
        page.evaluate(f"window.scrollTo(0, {y})")
        page.wait_for_timeout(60)


@pytest.mark.parametrize("width", [1200, 390])
def test_logarithmic_axes_have_three_labels_and_a_floor_is_named_below_its_line(browser, tmp_path, width):
    out = write_report([make_measured_run(tmp_path / "run")], tmp_path / "r.html")
    page = open_page(browser, out, width=width)
    scroll_through(page)
    said = page.locator("[data-figure=loss] canvas").evaluate("canvas => canvas.said")
    right = {s["text"] for s in said if s["align"] == "right"}
    assert right == {"0.3", "0.5", "1", "2", "3", "5", "entropy floor 0.3552"}  # not up to the 7.4 of the first step
    for label in ("log x", "log y"):
        for button in page.get_by_role("button", name=label, pressed=False).all()[::-1]:
            button.click()
    page.wait_for_timeout(200)
    assert page.get_by_role("button", name="log x", pressed=False).count() == 0
    charts = page.evaluate("[...document.querySelectorAll('.plot canvas')].map((canvas) => canvas.said)")
    assert len(charts) == 7
    for said in charts:
        for align in ("center", "right"):
            ticks = {s["text"] for s in said if s["align"] == align and s["text"][:1].isdigit()}
            assert len(ticks) >= 3, said
    floors = [s for said in charts for s in said if s["text"].startswith("entropy floor")]
    assert [s["baseline"] for s in floors] == ["top", "top"]  # of the loss, and of bits per byte
    plot = page.locator("[data-figure=val_bits_per_byte] .u-over").bounding_box()
    canvas = page.locator("[data-figure=val_bits_per_byte] canvas").bounding_box()
    assert canvas["y"] + floors[1]["y"] + 12 <= plot["y"] + plot["height"]
    assert page.troubles == []
    page.close()


@pytest.mark.parametrize("width", [1200, 390])
def test_headline_numbers_stay_on_one_line_and_tables_fit_a_desktop(browser, tmp_path, width):
    out = write_report([make_measured_run(tmp_path / "run")], tmp_path / "r.html")
    page = open_page(browser, out, width=width)
    tiles = page.locator(".facts dd").evaluate_all(
        "all => all.map((d) => [d.scrollWidth - d.clientWidth, d.clientHeight])"
    )
    assert {over for over, _ in tiles} == {0}
    assert len({height for _, height in tiles}) == 1
    assert "4 min 00 s" in page.locator(".facts dd").all_inner_texts()
    over = page.locator(".table .scroll").evaluate_all("all => all.map((d) => d.scrollWidth - d.clientWidth)")
    assert set(over) == {0} if width == 1200 else max(over) > 0
    page.close()


def test_a_table_shows_a_shadow_where_it_goes_on(browser, tmp_path):
    out = write_report([make_measured_run(tmp_path / "run")], tmp_path / "r.html")
    page = open_page(browser, out, width=390)
    table = page.locator("#table-final .scroll")
    cut = table.screenshot()
    table.evaluate("d => d.style.setProperty('--shade', 'transparent')")
    assert table.screenshot() != cut
    page.close()


def test_names_stand_at_the_ends_of_curves_apart_and_switch_them(browser, tmp_path):
    page = open_page(browser, write_report([make_runs(tmp_path / "runs", 3, 200)], tmp_path / "r.html"))
    names = page.locator("[data-figure=val_loss] .ends button")
    assert names.all_inner_texts() == ["run-0", "run-1", "run-2"]
    boxes, plot = [b.bounding_box() for b in names.all()], page.locator("[data-figure=val_loss] .u-over").bounding_box()
    assert all(box["x"] >= plot["x"] + plot["width"] for box in boxes)
    tops = sorted(box["y"] for box in boxes)
    assert min(b - a for a, b in pairwise(tops)) >= 14
    card = page.locator("[data-figure=val_loss]").bounding_box()
    assert all(box["x"] + box["width"] <= card["x"] + card["width"] for box in boxes)
    names.first.click()
    assert [b.get_attribute("aria-pressed") for b in names.all()] == ["false", "true", "true"]
    assert page.locator("[data-figure=val_loss] .legend button").count() == 0
    page.close()


def test_a_page_is_operable_by_keyboard_and_its_charts_have_names(browser, tmp_path):
    page = open_page(browser, write_report([make_runs(tmp_path / "runs", 3, 200)], tmp_path / "r.html"))
    canvas = page.locator("[data-figure=val_loss] canvas")
    name = canvas.get_attribute("aria-label")
    assert name.startswith("Validation loss: loss (nats per token) by step. run-0 ends at 1.953, ")
    assert canvas.get_attribute("role") == "img"
    page.locator("[data-figure=val_loss] .plot").focus()
    page.keyboard.press("Shift+ArrowRight")
    first = page.locator("[data-figure=val_loss] .tip:visible").inner_text()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    second = page.locator("[data-figure=val_loss] .tip:visible").inner_text()
    assert first.startswith("step ")
    assert first != second
    page.keyboard.press("Escape")
    assert page.locator(".tip:visible").count() == 0
    # Whatever can be clicked is reached by Tab: buttons, summaries, links, regions that scroll.
    reached = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(document.activeElement.dataset.at ??= String(Math.random()))"))
    clickable = page.locator("button:visible, summary:visible, a:visible, .scroll:visible, .plot:visible")
    missed = clickable.evaluate_all("all => all.filter((e) => !e.dataset.at).map((e) => e.outerHTML.slice(0, 80))")
    assert missed == []
    page.close()


def test_twenty_curves_are_named_below_the_chart(browser, tmp_path):
    page = open_page(browser, write_report([make_runs(tmp_path / "runs", 24, 40)], tmp_path / "r.html"))
    assert page.locator("[data-figure=val_loss] .ends button").count() == 0
    assert page.locator("[data-figure=val_loss] .legend button").count() == 24
    page.close()


def test_numbers_are_written_by_the_page_as_python_writes_them(browser, tmp_path):
    page = open_page(browser, write_report([make_measured_run(tmp_path / "run")], tmp_path / "r.html"))
    rng = random.Random(0)
    values = [rng.choice((-1, 1)) * rng.random() * 10 ** rng.uniform(-30, 30) for _ in range(3000)]
    values += [0, 0.5, 1e-3, 9999.5, 99_999.5, 12_344.5, 1e15, 999_999_999_999_999, 2.5, 1e23, 5e-324, 1.7e307]
    for digits in (1, 3, 5):
        shown = page.evaluate("([values, digits]) => values.map((value) => short(value, digits))", [values, digits])
        assert [(v, s) for v, s in zip(values, shown, strict=True) if s != short(v, digits)] == []
    page.close()


def test_huge_values_have_ticks_that_are_numbers(browser, tmp_path, own_folders):
    assert main(["study", "run", "toy_sgd"]) == 0
    page = open_page(browser, tmp_path / "studies/toy-sgd-tiny/report.html")
    said = page.locator("[data-figure=toy-sgd] canvas").evaluate("canvas => canvas.said")
    ticks = [s["text"] for s in said if s["align"] == "right"]
    assert len(ticks) >= 3
    assert all(re.fullmatch("10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", tick) for tick in ticks), ticks
    page.close()


def test_fifty_runs_of_ten_thousand_points_open_in_two_seconds(browser, tmp_path):
    out = write_report([make_runs(tmp_path / "runs", 50, 10_000)], tmp_path / "r.html")
    seconds = []
    for _ in range(4):  # the least of several: the first warms the browser up, and the machine may be busy
        page = open_page(browser, out)
        assert page.troubles == []
        seconds.append(page.seconds)
        page.close()
    assert min(seconds) < 2, seconds
