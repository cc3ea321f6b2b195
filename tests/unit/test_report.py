"""Reports: what a page shows, that text cannot break out of it, and that nothing in it reaches for a network."""

import dataclasses
import json
import math
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from hornbook.cli.main import main
from hornbook.errors import DataError, FormatError
from hornbook.evaluation.storyworld import StoryScore, StoryworldMetrics, save_metrics
from hornbook.report.answers import run_verdict
from hornbook.report.drawing import save_figures
from hornbook.report.figures import run_figures, thin
from hornbook.report.load import read_runs
from hornbook.report.plain_svg import plain_svg
from hornbook.report.render import script_json, write_report
from hornbook.report.scales import apart, y_range
from hornbook.report.tables import config_rows, final_metrics
from hornbook.studies.charts import Figure, Series, figure_from_dict, record_to_dict, table_from_dict
from hornbook.studies.verdict import course_of
from hornbook.tracking.run import Run

HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> \u2028 & \" ' {{ 7*7 }}"


def make_run(
    folder: Path, *, name: str, steps: int = 60, lr: float = 1e-3, level: float = 2.0, sample: str = "Once.", floor=None
) -> Path:
    """A run folder in the format of docs/formats/run.md, with smooth made-up curves."""
    folder.mkdir(parents=True)
    config = {
        "run": {"name": name},
        "model": {"d_model": 64},
        "optimizer": {"name": "adamw", "lr": lr},
        "training": {"steps": steps},
    }
    (folder / "config.toml").write_text(tomli_w.dumps(config))
    (folder / "environment.json").write_text(
        json.dumps({"torch": "2.13.0", "device": "cpu", "command": f"hornbook train {name}.toml"})
    )
    records = []
    for step in range(1, steps + 1):
        loss = level + 4 * math.exp(-step / (steps / 6)) + 0.05 * math.sin(step * 1.7)
        record = {
            "step": step,
            "tokens": step * 4096,
            "seconds": step * 0.11,
            "train_loss": loss,
            "lr": lr,
            "grad_norm": 1 / step,
            "tokens_per_second": 37000.0,
            "mfu": 0.41,
            "memory_bytes": 10**9,
        }
        if step % max(1, steps // 10) == 0:
            record |= {
                "val_loss": loss + 0.02,
                "val_perplexity": math.exp(loss + 0.02),
                "val_bits_per_byte": (loss + 0.02) / 3,
            }
        records.append(json.dumps(record))
    (folder / "metrics.jsonl").write_text("\n".join(records) + "\n")
    (folder / "samples.jsonl").write_text(
        json.dumps({"step": steps, "prompt": "Once upon", "text": sample, "temperature": 0.8}) + "\n"
    )
    if floor is not None:
        (folder / "summary.json").write_text(json.dumps({"entropy_floor_bits_per_byte": floor}))
    (folder / "status.json").write_text(json.dumps({"version": 1, "status": "done", "reason": ""}))
    return folder


class Page(HTMLParser):
    """Collects the elements, the text outside scripts, and the scripts of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.tags, self.text, self.scripts, self.inside = [], [], [], None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.inside = tag
            self.scripts.append("")

    def handle_endtag(self, tag):
        if tag == self.inside:
            self.inside = None

    def handle_data(self, data):
        if self.inside:
            self.scripts[-1] += data
        else:
            self.text.append(data)

    @property
    def tiles(self):
        """The headline numbers: what a tile is called → what it says."""
        words = [word for word in self.text if word.strip()]
        words = words[words.index("In numbers") + 1 : words.index("Final metrics")]
        return dict(pairwise(words))

    @property
    def figures(self):
        return json.loads(self.scripts[-2])


def test_report_of_one_run_shows_curves_floor_metrics_samples_config_and_command(tmp_path):
    run = make_run(tmp_path / "stories", name="stories", floor=0.61, sample="The hen slept.")
    page = Page(write_report([run], tmp_path / "report.html"))
    text = " ".join(page.text)
    for expected in (
        "Run stories",
        "The hen slept.",
        "optimizer.lr",
        "hornbook train stories.toml",
        "2.13.0",
        "0.61",
        "245,760",
    ):
        assert expected in text, expected
    by_id = {figure["id"]: figure for figure in page.figures}
    assert [key for key, _ in by_id["loss"]["x_axes"]] == ["step", "tokens", "seconds"]
    assert [series["name"] for series in by_id["loss"]["series"]] == ["training", "validation"]
    assert by_id["val_bits_per_byte"]["lines"] == [["entropy floor of the corpus", 0.61]]
    assert by_id["loss"]["series"][0]["x"]["tokens"][-1] == 60 * 4096


def test_hostile_text_stays_text(tmp_path):
    run = make_run(tmp_path / "evil", name=HOSTILE, sample=HOSTILE)
    out = write_report([run], tmp_path / "report.html", title=HOSTILE)
    page = Page(out)
    assert sum(tag == "script" for tag, _ in page.tags) == 2
    assert not any(tag == "img" or any(key.startswith("on") for key in attributes) for tag, attributes in page.tags)
    assert "{{ 7*7 }}" in " ".join(page.text)
    assert "49" not in "".join(t for t in page.text if "alert" in t)
    assert "\u2028" not in page.scripts[-2]


def test_page_reaches_for_nothing_outside_itself(tmp_path):
    page = Page(write_report([make_run(tmp_path / "a", name="a")], tmp_path / "report.html"))
    assert not [
        tag for tag, attributes in page.tags if "src" in attributes or tag in ("link", "iframe", "object", "embed")
    ]
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "@import" not in page.scripts[0]
    assert "url(" not in page.scripts[0]


def test_several_runs_share_charts_and_their_differences_come_first(tmp_path):
    runs = [make_run(tmp_path / f"r{i}", name=f"r{i}", lr=lr, level=2 + i) for i, lr in enumerate((1e-3, 3e-3))]
    page = Page(write_report([tmp_path], tmp_path / "out.html"))
    assert {f["id"] for f in page.figures} >= {"train_loss", "val_loss", "val_bits_per_byte", "lr", "grad_norm"}
    assert all(len(f["series"]) == 2 for f in page.figures)
    rows = config_rows(read_runs(runs))
    assert rows[0] == {"key": "optimizer.lr", "values": ["0.001", "0.003"], "differs": True}
    assert not any(row["differs"] for row in rows[1:])


def test_json_in_a_script_cannot_close_it():
    text = script_json([HOSTILE, "\u2029"])
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == [HOSTILE, "\u2029"]


@pytest.mark.parametrize("count", [1, 99, 100, 101, 1000, 10_007])
def test_thinning_keeps_ends_and_spikes(count):
    values = [math.sin(i / 50) for i in range(count)]
    values[count // 3], values[count // 2] = 99.0, -99.0
    kept = thin(values, 100)
    assert len(kept) <= 100
    assert {0, count - 1, count // 3, count // 2} <= set(kept) or count == 1
    assert kept == sorted(set(kept))


def test_thinning_skips_values_that_are_not_numbers():
    values = [math.nan] * 1000
    values[500] = 3.0
    assert 500 in thin(values, 20)


def test_final_metrics_of_a_run_and_the_ratio_to_its_floor(tmp_path):
    run = make_run(tmp_path / "r", name="r", floor=0.5)
    row = final_metrics(read_runs([run])).rows[0]
    assert row["window_ratio"] == pytest.approx(row["bits_per_byte"] / 0.5)
    assert row["perplexity"] == pytest.approx(math.exp(row["val_loss"]))
    assert row["seconds"]["text"] == "6.6 s"


def test_page_says_the_ratio_to_the_floor_that_the_evaluation_says(tmp_path):
    run = make_run(tmp_path / "r", name="r", floor=0.5)
    metrics = StoryworldMetrics("easy", StoryScore(0.15855, 0.14821, 500, 0), None)
    save_metrics(metrics, run)
    page = Page(write_report([run], tmp_path / "report.html"))
    assert f"{page.tiles['× floor']} × the floor" in " ".join(metrics.lines())
    assert "(windows)" not in " ".join(page.text)
    table = final_metrics(read_runs([run]))
    assert table.rows[0]["ratio"] == pytest.approx(0.15855 / 0.14821)
    assert [c.label for c in table.columns if "floor" in c.label] == ["entropy floor (bits/byte)", "× floor"]


def test_a_ratio_that_nobody_has_measured_says_that_it_is_of_windows(tmp_path):
    plain, measured = (make_run(tmp_path / name, name=name, floor=0.5) for name in ("plain", "measured"))
    page = Page(write_report([plain], tmp_path / "report.html"))
    assert "× floor" not in page.tiles
    assert float(page.tiles["× floor (windows)"]) == pytest.approx(
        final_metrics(read_runs([plain])).rows[0]["bits_per_byte"] / 0.5, abs=6e-4
    )
    save_metrics(StoryworldMetrics("easy", StoryScore(0.6, 0.5, 500, 0), None), measured)
    table = final_metrics(read_runs([plain, measured]))
    assert [c.label for c in table.columns if c.label.startswith("×")] == ["× floor", "× floor (windows)"]
    assert [row["ratio"] for row in table.rows] == [None, pytest.approx(1.2)]
    assert None not in [row["window_ratio"] for row in table.rows]


def test_runs_are_called_as_their_recipes_say_and_by_their_folders_where_that_is_not_enough(tmp_path):
    def names(*runs):
        paths = [make_run(tmp_path / folder, name=name) for folder, name in runs]
        return [run.name for run in read_runs(paths)]

    assert names(("demo/run", "demo")) == ["demo"]
    assert names(("own-folder", "run")) == ["own-folder"]
    assert names(("a", "same"), ("b", "same"), ("c", "other")) == ["a", "b", "other"]
    assert names(("x/seed-0", "same"), ("y/seed-0", "same")) == ["x/seed-0", "y/seed-0"]


def test_a_run_that_has_only_begun_is_shown(tmp_path):
    run = make_run(tmp_path / "r", name="young")
    (run / "metrics.jsonl").write_text("")
    (run / "samples.jsonl").write_text('{"step": 1, "prompt": "a", "text": "b"}\n{"step": 2, "pro')
    (run / "status.json").unlink()
    assert "young" in write_report([run], tmp_path / "r.html").read_text()


def test_a_folder_without_runs_is_one_sentence_and_exit_code_2(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert "holds no run" in message
    assert message.count("\n") == 1
    with pytest.raises(DataError, match="not a folder"):
        write_report([tmp_path / "absent"], tmp_path / "x.html")
    run = make_run(tmp_path / "r", name="r")
    (run / "summary.json").write_text("{")
    with pytest.raises(FormatError, match=r"summary\.json"):
        write_report([run], tmp_path / "x.html")


def test_command_line_writes_the_page_into_the_run_folder(tmp_path, capsys):
    run = make_run(tmp_path / "r", name="r")
    assert main(["report", str(run)]) == 0
    assert (run / "report.html").is_file()
    assert "report.html" in capsys.readouterr().out


def test_every_figure_is_also_written_as_svg_and_png(tmp_path):
    run = make_run(tmp_path / "r", name="cost $5 and $6", floor=0.5)
    files = save_figures(run_figures(read_runs([run]))[:2], tmp_path / "figures")
    assert {f.suffix for f in files} == {".svg", ".png"}
    assert (tmp_path / "figures" / "loss.svg").read_text().startswith("<?xml")
    assert all(f.stat().st_size > 2000 for f in files)


def test_a_readers_matplotlibrc_changes_no_figure_and_its_fonts_are_not_looked_for(tmp_path, caplog):
    mpl = pytest.importorskip("matplotlib")
    figures = run_figures(read_runs([make_run(tmp_path / "r", name="r")]))[:1]
    (plain,) = save_figures(figures, tmp_path / "plain", formats=["png"])
    with mpl.rc_context({"font.family": "No Such Font", "lines.linewidth": 9.0}):
        (other,) = save_figures(figures, tmp_path / "other", formats=["png"])
        assert mpl.rcParams["lines.linewidth"] == 9.0
    assert other.read_bytes() == plain.read_bytes()
    assert "findfont" not in caplog.text


def test_figure_records_survive_a_round_trip_and_damage_is_named():
    series = Series(name="a", x={"step": [1, 2]}, y=[1.0, math.nan], low=[0.5, 1], high=[2, 3])
    figure = Figure(id="f", title="F", x_axes={"step": "step"}, y_label="loss", series=[series])
    record = json.loads(json.dumps(record_to_dict(figure)))
    again = figure_from_dict(record, "results.json")
    assert again.series[0].y == [1.0, None]
    for damage, message in (
        ({"colour": 1}, "colour: there is no such key"),
        ({"series": 3}, "series: wanted a list"),
        ({"series": [{"name": "a", "x": {"step": [1]}, "y": [1, 2]}]}, "1 values, y has 2"),
        ({"title": 7}, "title: wanted text, got 7"),
        ({"x_axes": []}, "at least one axis"),
    ):
        with pytest.raises(FormatError, match=message):
            figure_from_dict(record | damage, "results.json")
    with pytest.raises(FormatError, match="rows is missing"):
        table_from_dict({"id": "t", "title": "T", "columns": []}, "results.json")


def test_a_page_without_scripts_still_draws_its_curves(tmp_path):
    make_run(tmp_path / "a", name="one")
    page = write_report([tmp_path / "a"], tmp_path / "a.html").read_text()
    drawn = re.findall(r'<div class="plot"><noscript>(.*?)</noscript>', page)
    assert len(drawn) == page.count('<div class="plot">') > 3
    assert all("<polyline points=" in svg and "aria-label=" in svg for svg in drawn)
    memory = next(svg for svg in drawn if "Memory" in svg)
    assert "1 B<" in memory  # a number of bytes, not 1e+09
    assert len(max(re.findall(r'points="(.*?)"', page), key=len).split()) <= 201


def test_a_figure_without_scripts_leaves_out_what_cannot_be_drawn():
    def drawn(x, y, **more):
        series = [Series(name="<b>", x={"lr": x}, y=y)]
        return plain_svg(Figure(id="f", title="t", x_axes={"lr": "rate"}, y_label="loss", series=series, **more))

    assert drawn([], []) == ""
    assert drawn([0.0, 1.0], [None, None]) == ""
    assert drawn([0.0, 10.0], [2.0, 3.0], x_log=True).count("<circle") == 1
    assert "10" in drawn([10.0, 1000.0], [2.0, 3.0], x_log=True)
    assert "&lt;b&gt;" in drawn([1.0, 2.0], [2.0, 3.0])
    assert ">loud<" in drawn([0.0, 1.0], [2.0, 3.0], categories=["quiet", "loud"])


def test_a_page_of_several_runs_begins_with_which_ends_lowest(tmp_path):
    make_run(tmp_path / "a", name="one", level=2.0)
    make_run(tmp_path / "b", name="two", level=1.5)
    page = write_report([tmp_path / "a", tmp_path / "b"], tmp_path / "a.html").read_text()
    answer = re.search(r'<p class="answer">(.*?)</p>', page)
    assert answer[1].startswith("two ends lowest, at a validation loss of 1.5")
    assert "next is one, 0.5000 above it" in answer[1]
    assert page.index('class="answer"') < page.index('class="chart"')


def test_the_settings_are_folded_and_the_command_is_named_by_the_program(tmp_path):
    make_run(tmp_path / "a", name="one")
    (tmp_path / "a" / "environment.json").write_text(
        json.dumps({"command": ["/somewhere/bin/hornbook", "train", "a b"]})
    )
    page = write_report([tmp_path / "a"], tmp_path / "a.html").read_text()
    assert "<details><summary>all of it" in page
    assert "hornbook train &#39;a b&#39;" in page
    assert "/somewhere" not in page[page.index('<pre class="command">') :]


def test_valid_stories_are_counted_not_shared(tmp_path):
    run = make_run(tmp_path / "a", name="one") or tmp_path / "a"
    written = {"samples": 200, "valid_share": 0.0}
    (Path(run) / "summary.json").write_text(json.dumps({"storyworld": {"written": written}}))
    assert "<dd>0 of 200</dd>" in write_report([tmp_path / "a"], tmp_path / "a.html").read_text()


def courses(*losses, train=None, steps=100):
    """Records of a run with these validation losses at even steps, and training losses beside them."""
    rows = zip(losses, train or losses, strict=True)
    return [{"step": i * steps // (len(losses) - 1), "val_loss": v, "train_loss": t} for i, (v, t) in enumerate(rows)]


@pytest.mark.parametrize(
    ("records", "word", "step"),
    [
        (courses(6.0, 3.0, 2.5, 2.0, 1.5, 1.4), "still falling", 80),
        (courses(6.0, 3.0, 2.1, 2.01, 2.0, 1.995), "level", 80),
        (courses(6.0, 3.0, 2.0, 2.2, 2.4, 2.6, train=(6.0, 2.9, 1.8, 1.6, 1.4, 1.2)), "overfitting", 40),
        # A rise without a falling training loss is no overfitting.
        (courses(6.0, 3.0, 2.0, 2.2, 2.4, 2.6), "level", 80),
        (courses(6.0, 3.0, 2.0, 2.03, 2.03, 2.03, train=(6.0, 2.9, 1.8, 1.6, 1.4, 1.2)), "level", 80),
    ],
)
def test_the_course_of_a_validation_loss_has_a_word_and_a_step_to_compare_with(records, word, step):
    found = course_of(records)
    assert found is not None
    assert (found[0], found[1]["step"]) == (word, step)
    assert course_of(records[:2]) is None


def verdict(tmp_path, records, status="done", reason="", vocab=512, **more):
    run = make_run(tmp_path / "r", name="r", **more)
    config = {"run": {"name": "r"}, "model": {"vocab_size": vocab}, "training": {"steps": 100}}
    (run / "config.toml").write_text(tomli_w.dumps(config))
    (run / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (run / "status.json").write_text(json.dumps({"version": 1, "status": status, "reason": reason}))
    # A run whose process has gone counts as stopped.
    return run_verdict(dataclasses.replace(read_runs([run])[0], status=status))


def test_a_single_run_is_judged_in_a_sentence_against_guessing_and_the_floor(tmp_path):
    records = [r | {"val_bits_per_byte": r["val_loss"] / 2} for r in courses(6.2, 3.0, 2.5, 2.0, 1.6, 1.5)]
    assert verdict(tmp_path, records, floor=0.5) == (
        "Finished, still falling after 100 steps: a validation loss of 1.500 nats per token, 24 % of guessing all 512 "
        "tokens alike (6.238), 1.50 × the entropy floor (windows). Since step 80 it fell by 6.2 %."
    )


@pytest.mark.parametrize(
    ("status", "reason", "records", "begins"),
    [
        ("done", "", courses(6.3, 6.25, 6.24), "Learned nothing after 100 steps: a validation loss of 6.240 nats per "
         "token, no better than guessing all 512 tokens alike (6.238)."),
        ("stopped", "signal 2", courses(6.3, 4.0, 3.99, steps=60), "Stopped at step 60 of 100: a validation loss of"),
        ("running", "", courses(6.3, 6.3, steps=40), "Running, learned nothing at step 40 of 100: a validation loss"),
        ("diverged", "the loss rose at step 4", courses(6.3, 5.0), "Diverged: the loss rose at step 4. The lowest "
         "validation loss was 5.000 nats per token, 80 % of guessing"),
        ("done", "", courses(6.3, 5.0, 90.0), "Diverged: the validation loss ends at 90.00, well above its start."),
        ("failed", "no space left", [], "Failed: no space left."),
        ("done", "", [{"step": 9, "train_loss": 2.0}], "Finished after 9 steps: a training loss of 2.000 nats per "
         "token; no validation loss has been measured."),
        ("done", "", courses(6.3, 2.0, 3.0, train=(6.3, 1.5, 1.0)), "Finished, overfitting after 100 steps: a "
         "validation loss of 3.000 nats per token, 48 % of guessing all 512 tokens alike (6.238). It was lowest at "
         "step 50, 2.000; since then only the training loss fell."),
    ],
)  # fmt: skip
def test_the_words_of_every_ending(tmp_path, status, reason, records, begins):
    assert verdict(tmp_path, records, status, reason).startswith(begins)


def test_a_run_begins_with_its_verdict_then_the_curve_samples_and_numbers(tmp_path):
    run = make_run(tmp_path / "r", name="r", sample="The hen slept.", floor=0.5)
    page = write_report([run], tmp_path / "r.html").read_text()
    order = ['class="answer"', 'data-figure="loss"', "The hen slept.", 'class="facts"', 'id="table-final"',
             "More figures", 'data-figure="lr"', "Configuration", "Reproduce"]  # fmt: skip
    places = [page.index(part) for part in order]
    assert places == sorted(places)


def falling(lines, y_log=True, axis="step"):
    steps = list(range(0, 101, 5))
    series = Series(name="a", x={axis: steps}, y=[0.5 + 6 * math.exp(-step / 5) for step in steps])
    return Figure(id="f", title="F", x_axes={axis: axis}, y_label="loss", y_log=y_log, series=[series], lines=lines)


def test_the_first_loss_does_not_stretch_the_axis_of_a_training():
    assert y_range(falling({}, y_log=False), "step")[1] == pytest.approx(0.5 + 6 * math.exp(-1))
    assert y_range(falling({}, y_log=False, axis="x"), "x")[1] == pytest.approx(6.5)


def test_a_line_near_the_curves_is_within_the_axis_and_a_far_one_is_named_at_its_edge():
    near, far = falling({"floor": 0.4}), falling({"floor": 1e-9, "ceiling": 1e9})
    assert y_range(near, "step")[0] == pytest.approx(math.log10(0.4))
    assert y_range(far, "step")[0] == pytest.approx(math.log10(0.5), abs=1e-3)
    assert ">floor 0.4<" in plain_svg(near)
    assert ">↓ floor 10⁻⁹<" in plain_svg(far)
    assert ">↑ ceiling 1 B<" in plain_svg(far)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=7))
def test_names_at_curves_are_apart_in_order_and_inside(places):
    moved = apart(places, 10, 0, 100)
    order = sorted(range(len(places)), key=lambda i: places[i])
    gaps = [moved[b] - moved[a] for a, b in pairwise(order)]
    assert all(gap >= 10 - 1e-9 for gap in gaps)
    assert -1e-9 <= min(moved) <= max(moved) <= 100 + 1e-9


def test_the_curve_of_a_run_has_guessing_and_the_floor_in_its_own_unit(tmp_path):
    run = make_run(tmp_path / "r", name="r", floor=0.5)
    config = {"run": {"name": "r"}, "model": {"vocab_size": 512}}
    (run / "config.toml").write_text(tomli_w.dumps(config))
    (figure, *_) = run_figures(read_runs([run]))
    assert figure.lines == pytest.approx({"guessing": math.log(512), "entropy floor": 0.5 * 3})


def test_every_table_has_a_caption_and_scopes_and_every_figure_a_name(tmp_path):
    for name in ("a", "b"):
        make_run(tmp_path / "runs" / name, name=name, lr=1e-3 if name == "a" else 3e-3)
    single = Page(write_report([tmp_path / "runs/a"], tmp_path / "a.html"))
    both = Page(write_report([tmp_path / "runs"], tmp_path / "b.html"))
    for page in (single, both):
        tags = [tag for tag, _ in page.tags]
        assert tags.count("caption") == tags.count("table") >= 3
        followers = [after for tag, after in pairwise(tags) if tag == "table"]
        assert set(followers) == {"caption"}
        assert [a for tag, a in page.tags if tag == "th" and a.get("scope") not in ("row", "col")] == []
        assert [
            a for tag, a in page.tags if tag == "figure" and not (a.get("aria-label") or "table" in a["class"])
        ] == []
        assert [a for tag, a in page.tags if a.get("class") == "scroll" and a.get("tabindex") != "0"] == []
        assert [a for tag, a in page.tags if tag == "svg" and not a.get("aria-label")] == []
    rows = [a for tag, a in both.tags if tag == "th" and a.get("scope") == "row" and "data-sort" in a]
    assert [a["data-sort"] for a in rows] == ["a", "b"]


def test_a_run_with_records_and_nothing_validated_has_a_page(tmp_path):
    Run.create(tmp_path / "run", {"run": {"name": "short"}}, {}).release()
    (tmp_path / "run" / "metrics.jsonl").write_text('{"step": 1, "train_loss": 2.0}\n{"step": 2, "train_loss": 1.0}\n')
    write_report([tmp_path / "run"], tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text().rstrip().endswith("</html>")
