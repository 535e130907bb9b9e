"""Summaries over seeds, the comparison's files, and the table: exact numbers, exact text."""

import csv
import io
import json
import math
import re
import sys
from dataclasses import replace

import pytest
from samples import COLLAPSED, DIVERGED, FAILED, run, summary

from lrlab import experiment
from lrlab.analysis import summaries
from lrlab.analysis.summaries import over_seeds
from lrlab.console import results
from lrlab.errors import ResultsError
from lrlab.metric import LOSS
from lrlab.report import tables
from lrlab.results import comparison
from lrlab.results.asked import Summary
from lrlab.results.comparison import Comparison
from lrlab.results.run import Status

# --- the maths ---


@pytest.mark.parametrize(
    ("values", "mean", "std", "ci95"),
    [
        ((0.5,), 0.5, None, None),
        ((1.0, 3.0), 2.0, math.sqrt(2), 12.706),  # 12.706 * sqrt(2) / sqrt(2)
        ((1.0, 2.0, 3.0), 2.0, 1.0, 4.303 / math.sqrt(3)),
        ((2.0, 4.0, 4.0, 6.0), 4.0, math.sqrt(8 / 3), 3.182 * math.sqrt(8 / 3) / 2),
        ((0.88, 0.88, 0.88), 0.88, 0.0, 0.0),
    ],
)
def test_summary(values, mean, std, ci95):
    found = over_seeds(values)
    assert found.mean == pytest.approx(mean, rel=1e-14)
    for value, expected in ((found.std, std), (found.ci95, ci95)):
        assert value == (expected if not expected else pytest.approx(expected, rel=1e-12))
    assert found.values == values


def test_summary_leaves_out_what_is_missing_but_keeps_its_place():
    assert over_seeds([1.0, None, 3.0]) == replace(over_seeds([1.0, 3.0]), values=(1.0, None, 3.0))
    assert over_seeds([None, None]) == Summary(None, None, None, (None, None))
    assert over_seeds([]) == Summary(None, None, None, ())


@pytest.mark.parametrize(
    ("seeds", "quantile"),
    # 97.5 % quantiles of Student's t for seeds - 1 degrees of freedom, from R's qt().
    [(2, 12.7062), (3, 4.30265), (10, 2.26216), (31, 2.04227), (32, 2.03951), (41, 2.02108),
     (61, 2.0003), (121, 1.97993), (1000, 1.96234)],
)  # fmt: skip
def test_the_interval_is_students(seeds, quantile):
    values = [float(i % 2) for i in range(seeds)]
    found = over_seeds(values)
    assert found.ci95 == pytest.approx(quantile * found.std / math.sqrt(seeds), rel=2e-3)


# --- one experiment over its seeds ---


def test_an_experiment_over_its_seeds():
    found = summary(run(0.5, 0.7), run(0.9, 0.8, test=0.6, val_loss=0.3, seconds=4.0))
    assert (found.name, found.schedule, found.seeds, found.status) == (
        "power",
        "power",
        (0, 1),
        "done",
    )
    assert found.final["val_accuracy"].values == (0.7, 0.8)
    assert found.best["val_accuracy"].values == (0.7, 0.9)
    assert found.final["val_loss"].values == (0.5, 0.3)
    assert found.best["val_loss"].values == (0.5, 0.3)
    assert found.final["test_accuracy"].values == (0.8, 0.6)
    assert found.train_seconds.mean == 3.0
    assert found.notes == ()
    assert found.runs == ("runs/power-0123456789/seed-0", "runs/power-0123456789/seed-1")


def test_the_best_loss_is_the_lowest_of_all_epochs():
    result = run(0.5, 0.5)
    rising = tuple(replace(epoch, val_loss=0.2 + epoch.epoch) for epoch in result.epochs)
    found = summary(replace(result, epochs=rising))
    assert (found.best["val_loss"].mean, found.final["val_loss"].mean) == (0.2, 1.2)


NOTE_DIVERGED = "seed 1 diverged at step 1, learning rate 0.25"
NOTE_COLLAPSED = "seed 1 collapsed: val accuracy 0.1000, no better than guessing (0.1250)"
NOTE_FAILED = "seed 1 failed: ValueError: no such luck"


@pytest.mark.parametrize(
    ("results", "status", "notes"),
    [
        ([run(0.5), run(0.7)], "done", ()),
        ([run(0.5), DIVERGED], "diverged", (NOTE_DIVERGED,)),
        ([run(0.5), COLLAPSED], "collapsed", (NOTE_COLLAPSED,)),
        ([DIVERGED, COLLAPSED], "diverged", (NOTE_DIVERGED.replace("1", "0", 1), NOTE_COLLAPSED)),
        ([run(0.5), FAILED], "failed", (NOTE_FAILED,)),
        ([DIVERGED, FAILED], "failed", (NOTE_DIVERGED.replace("1", "0", 1), NOTE_FAILED)),
    ],
)
def test_status_and_notes(results, status, notes):
    found = summary(*results)
    assert (found.status, found.notes) == (status, notes)


@pytest.mark.parametrize("bad", [DIVERGED, COLLAPSED, FAILED])
def test_seeds_that_did_not_end_well_are_no_part_of_the_mean(bad):
    found = summary(run(0.5), bad, run(0.7))
    for of in (*found.final.values(), *found.best.values(), found.train_seconds):
        assert of.values[1] is None
    assert found.final["val_accuracy"].mean == pytest.approx(0.6)
    assert found.final["val_accuracy"].std == pytest.approx(math.sqrt(0.02))


def test_without_any_good_seed_there_are_no_numbers():
    found = summary(DIVERGED, FAILED)
    assert found.final["val_accuracy"] == Summary(None, None, None, (None, None))


# --- what differs ---


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, None),
        ({"schedule": {"type": "constant", "lr": 0.1}}, None),
        ({"batch_size": 128}, "batch_size 32 (power, more), 128 (other)"),
        (
            {"batch_size": 128, "optimizer": {"type": "nadam"}},
            "optimizer sgd momentum 0.9 (power, more), nadam (other); batch_size 32 (power, more), "
            "128 (other)",
        ),
        (
            {"model": "cnn", "epochs": 3},
            "model mlp (power, more), cnn (other); epochs 2 (power, more), 3 (other); steps 2 "
            "(power, more), 3 (other)",
        ),
        (
            {"data": "sketches", "epochs": 3},
            "data Fashion-MNIST (power, more), sketches (other); epochs 2 (power, more), 3 "
            "(other); steps 2 (power, more), 3 (other)",
        ),
    ],
)
def test_not_like_for_like(changes, line):
    others = [summary(run(0.5)), summary(run(0.5), name="more")]
    compared = summaries.compare([*others, summary(run(0.5), name="other", **changes)])
    assert tables.warnings(compared) == ([f"not like for like: {line}"] if line else [])


HERE = {"tensorflow": "2.21.0", "processor": "A", "cores": 8}


@pytest.mark.parametrize(
    ("made_in", "texts"),
    [
        ([(HERE,), (HERE,)], ()),
        ([(HERE,), (HERE | {"cores": 2},)], ()),
        ([(), (HERE,)], ()),
        (
            [(HERE,), (HERE,), (HERE | {"tensorflow": "2.18.0"},)],
            ("tensorflow 2.21.0 (2 runs), 2.18.0 (1 run)",),
        ),
        (
            [(HERE,), (HERE | {"processor": "B"}, HERE)],
            ("processor A (2 runs), B (1 run)",),
        ),
        (
            [(HERE,), ({"tensorflow": "2.18.0", "processor": "B"},)],
            ("tensorflow 2.21.0 (1 run), 2.18.0 (1 run)", "processor A (1 run), B (1 run)"),
        ),
    ],
)
def test_runs_from_different_environments(made_in, texts):
    results = [replace(run(0.5), environments=environments) for environments in made_in]
    assert summaries.environments(results) == texts
    made = summaries.compare([summary(*results)], summaries.environments(results))
    line = f"made in different environments: {'; '.join(texts)}"
    assert tables.warnings(made) == ([line] if texts else [])
    assert (line in tables.to_markdown(made)) == bool(texts)


# --- the table ---


@pytest.fixture
def small() -> Comparison:
    """One good experiment, a worse one that differs otherwise too, and one that lost a seed."""
    return summaries.compare(
        [
            summary(run(0.6, 0.75, seconds=2.0), run(0.8, 0.85, val_loss=0.25, seconds=3.0)),
            summary(
                run(0.875, 0.5, val_loss=1.0, test=0.5),
                run(0.875, 0.5, val_loss=1.0, test=0.5),
                name="flat|line",
                schedule={"type": "constant", "lr": 0.1},
                batch_size=128,
            ),
            summary(run(0.9, 0.95), DIVERGED, name="wild"),
        ]
    )


def test_markdown(small):
    assert tables.to_markdown(small) == (
        "no verdict with two seeds; a third one allows it: `--seeds 3`, better 5\n"
        "\n"
        "| experiment | schedule | val accuracy | best val accuracy | val loss | test accuracy "
        "| seconds | status |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n"
        "| power | power | **0.8000 ± 0.0707** | 0.8000 ± 0.0707 | **0.3750 ± 0.1768** "
        "| **0.8000 ± 0.0000** | 2.5 ± 0.7 | done |\n"
        "| flat\\|line | constant | 0.5000 ± 0.0000 | **0.8750 ± 0.0000** | 1.0000 ± 0.0000 "
        "| 0.5000 ± 0.0000 | 2.0 ± 0.0 | done |\n"
        "| wild | power | 0.9500 | 0.9500 | 0.5000 | 0.8000 | 2.0 | 1 of 2 diverged |\n"
        "\n"
        "Fashion-MNIST, mean ± standard deviation over 2 seeds; bold: the best mean of a column\n"
        "\n"
        "not like for like: batch_size 32 (power, wild), 128 (flat|line)\n"
        "\n"
        "`wild`: seed 1 diverged at step 1, learning rate 0.25\n"
    )


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ([COLLAPSED], "collapsed"),
        ([run(0.9), COLLAPSED, COLLAPSED], "2 of 3 collapsed"),
        ([COLLAPSED, DIVERGED, FAILED], "1 of 3 diverged, 1 of 3 collapsed, 1 of 3 failed"),
    ],
)
def test_the_table_tells_how_runs_ended(results, told):
    _, rows = tables.table(summaries.compare([summary(*results), summary(run(0.5), name="other")]))
    assert [row[-1] for row in rows] == [(told, False), ("done", False)]


def test_a_collapse_just_above_guessing_is_not_said_to_be_below():
    above = replace(run(0.15, status=Status.COLLAPSED), guess=COLLAPSED.guess)
    note = "seed 0 collapsed: val accuracy 0.1500, not clearly better than guessing (0.1250)"
    assert summary(above).notes == (note,)


def test_a_run_that_learned_and_does_not_validate_is_told_apart():
    """As with BatchNorm after a few steps, whose moving averages lag behind."""
    ended = replace(run(0.12, status=Status.COLLAPSED), guess=COLLAPSED.guess)
    (*before, last) = ended.epochs
    learned = replace(ended, epochs=(*before, replace(last, score=0.8)))
    (note,) = summary(learned).notes
    assert note == (
        "seed 0 collapsed: val accuracy 0.1200, no better than guessing (0.1250), although its "
        "training accuracy is 0.8000: what it learned does not carry over (with BatchNorm, more "
        "steps may help)"
    )


def test_csv(small):
    first, *rows = tables.to_csv(small).splitlines()
    quantities = ["final_val_accuracy", "final_val_loss", "final_test_accuracy"]
    quantities += ["best_val_accuracy", "best_val_loss", "train_seconds"]
    parts = [f"{name}_{part}" for name in quantities for part in ("mean", "std", "ci95")]
    judged = ["may_be_best", "behind_low", "behind_high"]
    titles = [*parts, *(f"val_accuracy_{part}" for part in judged)]
    assert first == ",".join(["experiment", "schedule", "data", "seeds", "status", *titles])
    assert rows[1:] == [
        "flat|line,constant,Fashion-MNIST,2,done,"
        "0.5,0.0,0.0,1.0,0.0,0.0,0.5,0.0,0.0,0.875,0.0,0.0,1.0,0.0,0.0,2.0,0.0,0.0,,,",
        "wild,power,Fashion-MNIST,2,diverged,0.95,,,0.5,,,0.8,,,0.95,,,0.5,,,2.0,,,,,",
    ]
    power = dict(zip(first.split(","), rows[0].split(","), strict=True))
    assert float(power["final_val_accuracy_std"]) == small.experiments[0].final["val_accuracy"].std


def marks(*experiments) -> dict[str, list[str]]:
    """The titles of each experiment's marked cells."""
    titles, rows = tables.table(summaries.compare(experiments))
    return {
        row[0][0]: [title for title, (_, best) in zip(titles, row, strict=True) if best]
        for row in rows
    }


def test_a_tie_to_the_last_shown_digit_marks_both():
    first, second = summary(run(0.80001)), summary(run(0.80004), name="other")
    found = marks(first, second)
    assert "val accuracy" in found["power"]
    assert "val accuracy" in found["other"]


def test_one_good_experiment_alone_is_not_called_the_best():
    assert marks(summary(run(0.8))) == {"power": []}
    assert marks(summary(run(0.8)), summary(DIVERGED, name="x")) == {"power": [], "x": []}


def test_a_column_without_any_value_is_left_out():
    titles, _ = tables.table(summaries.compare([summary(run(0.8, test=None))]))
    assert titles == ["experiment", "val accuracy", "best val accuracy", "val loss", "seconds",
                      "status"]  # fmt: skip


def test_a_table_in_which_everything_failed():
    text = tables.to_markdown(summaries.compare([summary(FAILED)]))
    assert text.splitlines()[0] == "| experiment | status |"
    assert text.splitlines()[2] == "| power | failed |"
    assert "`power`: seed 0 failed: ValueError: no such luck" in text


def test_the_fastest_is_not_called_the_best():
    slow, fast = summary(run(0.9), run(0.9)), summary(run(0.8, seconds=1.0), name="fast")
    assert "seconds" not in marks(slow, fast)["fast"]


def test_the_schedule_has_no_column_where_it_repeats_the_names():
    constant = {"name": "constant", "schedule": {"type": "constant", "lr": 0.1}}
    power, steady = summary(run(0.8)), summary(run(0.8), **constant)
    assert "schedule" not in tables.table(summaries.compare([power, steady]))[0]
    other = summary(run(0.8), **constant | {"name": "mine"})
    assert tables.table(summaries.compare([power, other]))[0][:2] == ["experiment", "schedule"]
    # A rate that a sweep chose is only there.
    found = replace(power, chosen={"initial_lr": 0.01})
    titles, rows = tables.table(summaries.compare([found, steady]))
    assert (titles[1], rows[0][1]) == ("schedule", ("power, initial_lr 0.01", False))


@pytest.mark.parametrize("name", ["=1+1.npz", "+1.npz", "-1.npz", "@SUM(A1).npz"])
def test_a_name_is_no_formula_of_a_spreadsheet(name):
    compared = summaries.compare([summary(run(0.8), data=name)])
    (row,) = csv.DictReader(io.StringIO(tables.to_csv(compared)))
    assert row["data"] == f"'{name}"
    assert float(row["final_val_accuracy_mean"]) == 0.8


def test_a_name_is_neither_html_nor_a_link_in_markdown():
    name = "<img src=x>&[a](http://b).npz"
    failed = replace(FAILED, error=name)
    text = tables.to_markdown(summaries.compare([summary(run(0.8), failed, data=name)]))
    shown = "&lt;img src=x&gt;&amp;\\[a\\](http://b).npz"
    assert f"\n{shown}, mean" in text
    assert f"seed 1 failed: {shown}\n" in text
    assert "<" not in text


# --- the verdict ---


@pytest.fixture
def judged():
    """Two that cannot be told apart, one that is clearly worse; three seeds each."""
    return summaries.compare(
        [
            summary(run(0.900), run(0.904), run(0.902), name="first"),
            summary(run(0.901), run(0.903), run(0.899), name="second"),
            summary(run(0.800), run(0.803), run(0.801), name="worse"),
        ]
    )


def test_the_verdict_is_told_everywhere(judged, tmp_path):
    sentence = "first and second may each be the best (first leads with val accuracy 0.9020); worse"
    assert tables.to_markdown(judged).startswith(sentence)
    titles, rows = tables.table(judged)
    said = [row[titles.index("verdict")][0] for row in rows]
    assert said[:2] == ["may be the best"] * 2
    assert re.fullmatch(r"worse by 9\.\d to 10\.\d|worse by 9\.\d to 11\.\d", said[2])
    found = experiment.verdict_of(judged)
    assert found["best_set"] == ["first", "second"]
    low, high = found["behind"]["worse"]
    experiment.save(judged, tmp_path)
    written = json.loads((tmp_path / "comparison.json").read_text())
    assert written["verdict"] == found
    assert comparison.read(tmp_path) == judged
    table = list(csv.DictReader(io.StringIO((tmp_path / "comparison.csv").read_text())))
    assert [row["val_accuracy_may_be_best"] for row in table] == ["True", "True", "False"]
    assert (float(table[2]["val_accuracy_behind_low"]), float(table[2]["val_accuracy_behind_high"])
            ) == (low, high)  # fmt: skip


def test_another_metric_decides(judged):
    loss = LOSS.on("val")
    by_accuracy, by_loss = tables.to_markdown(judged), tables.to_markdown(judged, loss)
    assert by_accuracy.split("\n")[0] != by_loss.split("\n")[0]
    assert experiment.verdict_of(judged, loss)["metric"] == "val_loss"


def test_different_data_have_no_verdict(judged):
    first, second, worse = judged.experiments
    made = summaries.compare([first, second, replace(worse, data="other data")])
    said = "no verdict: the experiments were trained on different data\n"
    assert tables.to_markdown(made).startswith(said)
    assert "verdict" not in tables.table(made)[0]
    assert experiment.verdict_of(made) is None


def test_one_experiment_has_none():
    alone = summaries.compare([summary(run(0.9), run(0.9), run(0.9))])
    assert tables.to_markdown(alone).startswith("| experiment")


# --- the table in a terminal ---


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


LONG = "a-long-name-of-an-experiment-that-somebody-gave-it-in-a-hurry-42"


def printed(columns: int, monkeypatch, *experiments) -> list[str]:
    """The lines of a comparison in a terminal of so many columns."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", stream := Terminal())
    results.print_comparison(summaries.compare(experiments))
    text = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    return [line.rstrip() for line in text.splitlines()]


@pytest.fixture
def six():
    names = ("constant", "exponential", "one_cycle", "performance", "piecewise", "power")
    return [
        summary(run(0.80 + i / 100), run(0.81 + i / 100), name=name) for i, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("columns", "left_out"),
    [
        (140, []),
        (110, ["seconds"]),
        (100, ["seconds", "best val accuracy"]),
        (80, ["seconds", "best val accuracy", "val loss"]),
    ],
)
def test_a_narrow_terminal_shows_what_is_needed_most(columns, left_out, six, monkeypatch):
    verdict, empty, *lines = printed(columns, monkeypatch, *six)
    assert (verdict.split(";")[0], empty) == ("no verdict with two seeds", "")
    header, *rows = lines[:7]
    every = ["experiment", "schedule", "val accuracy", "best val accuracy", "val loss",
             "test accuracy", "seconds", "status"]  # fmt: skip
    assert re.split(r"\s{2,}", header) == [title for title in every if title not in left_out]
    assert [row.split()[0] for row in rows] == [e.name for e in six]
    assert all(re.search(r" done$", row) for row in rows)
    note = f"too narrow for {', '.join(left_out)}: see comparison.md"
    assert (note in lines) == bool(left_out)
    # All but the sentences below fit.
    assert max(map(len, lines[:7])) <= columns


def test_a_long_name_is_folded_and_never_cut(six, monkeypatch):
    long = summary(run(0.9), DIVERGED, run(0.9), name=LONG)
    printed_lines = printed(80, monkeypatch, *six, long)
    lines = printed_lines[printed_lines.index("") + 1 :]
    end = lines.index("")
    first = next(number for number, line in enumerate(lines) if line.startswith("a-long"))
    words = "".join(line.split("  ")[0] for line in lines[first:end])
    assert words == LONG
    assert "…" not in "".join(lines)
    assert max(map(len, lines[:end])) <= 80
    assert "1 of 3 diverged" in lines[first]


# --- comparison.json ---


def test_json_has_what_the_design_promises(small):
    found = json.loads(comparison.to_json(small))
    assert (found["data"], found["differences"]) == ("Fashion-MNIST", ["batch_size"])
    first = found["experiments"][0]
    assert first.keys() >= {"name", "schedule", "seeds", "status", "final", "best", "train_seconds"}
    assert first["final"].keys() == {"val_accuracy", "val_loss", "test_accuracy"}
    accuracy = first["final"]["val_accuracy"]
    assert (accuracy["mean"], accuracy["values"]) == (pytest.approx(0.8), [0.75, 0.85])
    assert accuracy.keys() == {"mean", "std", "ci95", "values"}


def test_json_round_trip(small, tmp_path):
    first, second, third = small.experiments
    second = replace(
        second, name="flat", runs=tuple(f"runs/flat-0123456789/seed-{i}" for i in (0, 1))
    )
    given = replace(small, experiments=(first, second, third))
    (tmp_path / "comparison.json").write_text(comparison.to_json(given))
    assert comparison.read(tmp_path) == given


def test_reading_where_there_is_none(tmp_path):
    with pytest.raises(ResultsError) as caught:
        comparison.read(tmp_path)
    assert caught.value.message == f"`{tmp_path}` holds no `comparison.json`"
    assert "lrlab compare" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"data": 1}', '{"data": "x", "differences": [], "experiments": [{}]}',
     '{"data": "x", "differences": 3, "experiments": []}', "null"],
)  # fmt: skip
def test_reading_what_is_damaged(text, tmp_path):
    (tmp_path / "comparison.json").write_text(text)
    with pytest.raises(ResultsError) as caught:
        comparison.read(tmp_path)
    said = caught.value.message
    assert said.startswith(f"`{tmp_path / 'comparison.json'}` ")
    assert "cannot be read: " in said
    assert "lrlab compare" in caught.value.hint
