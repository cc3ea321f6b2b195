"""A page in a real browser: it draws without errors, asks for nothing, fits a phone, and opens fast when large."""

import json
import math
import random
import shutil
import time
from pathlib import Path

import pytest
import tomli_w

from hornbook.report.render import write_report

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync "
    "--no-first-run"
)


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
    rows = page.locator("table.sortable tbody tr td:first-child")
    page.locator("table.sortable th button").first.click()
    page.locator("table.sortable th button").first.click()
    assert rows.all_inner_texts() == ["run-2", "run-1", "run-0"]
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
