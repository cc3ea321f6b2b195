"""`hornbook ui` in a real browser, beside a training that really runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.boards import HOSTILE, append_records, story_recipe, write_run

from hornbook.tracking.run import Run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of `hornbook ui` on the runs below tmp_path."""
    command = [sys.executable, "-m", "hornbook", "ui", str(tmp_path), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split(" at ")[1].split()[0]
        server.terminate()


@pytest.fixture
def browser() -> Iterator[Any]:
    """A page of a headless Chromium; what goes wrong in its scripts fails the test, and so does a request elsewhere."""
    from playwright.sync_api import sync_playwright

    wrong: list[str] = []
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": 1400, "height": 900})
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("request", lambda r: None if r.url.startswith(("http://127.0.0.1", "data:")) else wrong.append(r.url))
        page.set_default_timeout(10_000)
        yield page
        chromium.close()
    assert wrong == []


def test_the_table_moves_and_notes_are_edited(tmp_path: Path, address: str, browser: Any) -> None:
    write_run(tmp_path / "a", run={"note": "plain"})
    write_run(tmp_path / "b", run={"note": HOSTILE, "tags": ["</script>"]}, optimizer={"lr": 0.1})
    browser.goto(address)
    browser.get_by_text("2 of 2 runs").wait_for()
    cell = browser.locator("tr", has_text="plain").locator(".step")
    assert cell.inner_text() == "50 / 50"
    append_records(tmp_path / "a", 51, 60)
    browser.locator(".runs", has_text="59 / 50").wait_for(timeout=1500)
    assert "\\u202eevil" in browser.locator("tr", has_text="</script>").first.inner_text()
    assert browser.locator("main img").count() == 0

    browser.get_by_role("button", name="note and tags of a").click()
    browser.get_by_label("note", exact=True).fill("better\nthan b")
    browser.get_by_label("tags, words").fill("x y")
    browser.keyboard.press("Enter")
    browser.locator("tr", has_text="better").wait_for()
    assert (Run.open(tmp_path / "a").note, Run.open(tmp_path / "a").tags) == ("better\nthan b", ["x", "y"])

    browser.get_by_label("filter runs").fill("#x better")
    browser.get_by_text("1 of 2 runs").wait_for()
    browser.get_by_label("filter runs").fill("")
    browser.locator("th[data-key=name] button").click()
    names = "Array.from(document.querySelectorAll('tbody .name'), (n) => n.innerText).join()"
    assert browser.evaluate(names) == "a,b"
    browser.locator("th[data-key=name] button").press("Enter")
    assert browser.evaluate(names) == "b,a"


@pytest.mark.parametrize("width", [360, 2000])
def test_the_table_fits(tmp_path: Path, address: str, browser: Any, width: int) -> None:
    write_run(tmp_path / "a-name-that-is-long-and-goes-on", run={"note": "word " * 60, "tags": ["a", "b"]})
    browser.set_viewport_size({"width": width, "height": 800})
    browser.goto(address)
    browser.get_by_text("1 of 1 runs").wait_for()
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_a_training_is_watched_stopped_and_resumed(tmp_path: Path, address: str, browser: Any) -> None:
    recipe = story_recipe(tmp_path)
    command = [sys.executable, "-m", "hornbook", "train", str(recipe)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as training:
        browser.goto(address)
        browser.get_by_role("link", name="runs/story").click(timeout=60_000)
        browser.locator(".status", has_text="running").wait_for(timeout=60_000)
        browser.locator('[data-figure="loss"] canvas').wait_for(timeout=60_000)

        def last_step() -> int:
            return int(browser.locator(".facts dd").first.inner_text().replace(",", ""))

        def drawn() -> str:
            return browser.evaluate("document.querySelector('[data-figure=loss] canvas').toDataURL()")

        before, picture = last_step(), drawn()
        browser.wait_for_timeout(1500)
        assert last_step() > before
        assert drawn() != picture, "the curve grows"
        browser.get_by_text("left", exact=False).first.wait_for()
        browser.locator(".sample").first.wait_for(timeout=60_000)
        assert "loss" in browser.locator(".log").inner_text()

        browser.get_by_role("button", name="stop").click()
        browser.locator(".status", has_text="stopped").wait_for(timeout=30_000)
        assert training.wait(30) == 130
    stood = Run.open(tmp_path / "runs" / "story").summary()["step"]
    browser.get_by_role("button", name="resume").click()
    browser.locator(".status", has_text="running").wait_for(timeout=60_000)
    deadline = 60
    while last_step() <= stood and deadline:
        browser.wait_for_timeout(1000)
        deadline -= 1
    assert last_step() > stood
    browser.get_by_role("button", name="stop").click()
    browser.locator(".status", has_text="stopped").wait_for(timeout=30_000)


@pytest.mark.slow
def test_the_playground_streams_and_goes_on_from_another_token(tmp_path: Path, address: str, browser: Any) -> None:
    subprocess.run(
        [sys.executable, "-m", "hornbook", "train", str(story_recipe(tmp_path, 60))],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    browser.set_viewport_size({"width": 360, "height": 800})
    browser.goto(f"{address}/#/play?run=runs%2Fstory")
    browser.locator("option", has_text="runs/story").first.wait_for(state="attached")
    browser.get_by_label("prompt").fill("Once there was </b>")
    browser.get_by_label("length").first.fill("40")
    browser.get_by_role("button", name="write").click()
    browser.locator(".waiting", has_text="reading the model").wait_for(timeout=60_000)
    browser.locator(".token").nth(3).wait_for(timeout=60_000)
    assert browser.locator(".waiting").inner_text() == ""
    browser.locator(".verdict-worse, .verdict-better").wait_for(timeout=60_000)
    tokens = browser.locator(".token").all_inner_texts()
    assert len(tokens) == 40
    browser.locator(".token").nth(4).focus()
    browser.keyboard.press("ArrowRight")
    browser.keyboard.press("Enter")
    chosen = browser.locator(".alternative").first
    assert browser.evaluate("document.activeElement.className") == "alternative"
    words = chosen.inner_text()
    chosen.press("Enter")
    browser.locator(".branches li").nth(1).wait_for(timeout=60_000)
    browser.locator(".token.chosen").wait_for()
    assert browser.locator(".token").all_inner_texts()[:5] == tokens[:5]
    assert browser.locator(".token.chosen").inner_text().strip() in words
    assert browser.locator(".spark svg").count() == 1
    assert browser.evaluate("document.documentElement.scrollWidth") <= 360
    browser.locator(".branches button").first.click()  # while the other one is still being written
    browser.locator(".token").nth(39).wait_for()
    browser.wait_for_timeout(500)
    assert browser.locator(".token").all_inner_texts() == tokens


def test_runs_are_compared_and_every_view_fits_a_phone(tmp_path: Path, address: str, browser: Any) -> None:
    for name in ("a", "b"):
        write_run(tmp_path / name, optimizer={"lr": 0.1 if name == "b" else 0.2})
    browser.goto(address)
    for name in ("a", "b"):
        browser.get_by_label(f"choose {name}", exact=True).check(timeout=10_000)
    browser.get_by_role("button", name="compare 2").click()
    browser.locator('[data-figure="train_loss"] canvas').wait_for()
    assert browser.locator("tr", has_text="optimizer.lr").locator(".differs").inner_text() == "0.1"
    browser.get_by_role("button", name="tokens").first.click()
    browser.get_by_label("smoothing").fill("0.9")
    browser.get_by_text("0.90").wait_for()
    for view in ("compare?run=a&run=b", "run/a", "runs", "tokens", "study", "play"):
        browser.set_viewport_size({"width": 360, "height": 800})
        browser.goto(f"{address}/#/{view}")
        browser.locator("h1").wait_for()
        browser.wait_for_timeout(300)
        assert browser.evaluate("document.documentElement.scrollWidth") <= 360, view
