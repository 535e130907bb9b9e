"""The test set is opened once: for whom, how that is recorded, and what a second look says."""

import json

import pytest
from samples import run, summary
from told import Told

from lrlab import experiment
from lrlab.analysis import summaries
from lrlab.errors import ResultsError
from lrlab.experiment import opening
from lrlab.metric import ACCURACY, LOSS
from lrlab.report import remarks, tables
from lrlab.results import comparison, inspection, test_openings
from lrlab.results.test_openings import Opening, Openings

VAL, TEST = ACCURACY.on("val"), ACCURACY.on("test")
DATA = "d" * 64


def compared(far=0.5):
    return summaries.compare(
        [
            summary(run(0.900), run(0.904), run(0.902), name="first"),
            summary(run(0.901), run(0.903), run(0.899), name="second"),
            summary(run(far), run(far + 0.003), run(far + 0.001), name="third"),
        ]
    )


def opened(made, before=None, metric=VAL):
    prints = [DATA] * len(made.experiments)
    return opening.open_test(made, metric, prints, before or Openings())


def means(made):
    return [e.final["test_accuracy"].mean for e in made.experiments]


def test_it_is_shown_for_those_that_may_be_the_best():
    made = opened(compared())
    assert means(made) == [pytest.approx(0.8), pytest.approx(0.8), None]
    assert made.test.shown == ("first", "second")
    titles, rows = tables.table(made)
    at = titles.index("test accuracy")
    assert [row[at][0] for row in rows] == ["0.8000 ± 0.0000", "0.8000 ± 0.0000", "-"]
    said = remarks.remarks(made, VAL)
    assert "test results are shown only for those that may be the best" in said
    for text in (tables.to_csv(made), tables.to_markdown(made)):
        assert text.count("0.8000") + text.count("0.8,") > 0
    assert tables.to_csv(made).splitlines()[3].split(",")[11:14] == ["", "", ""]


def test_of_an_experiment_alone_it_is_shown():
    made = opened(summaries.compare([summary(run(0.9))]))
    assert means(made) == [0.8]
    assert remarks.test_set(made, made.test) == ""


def test_without_a_verdict_it_is_not():
    few = summaries.compare([summary(run(0.9), name="a"), summary(run(0.8), name="b")])
    made = opened(few)
    assert means(made) == [None, None]
    assert "test accuracy" not in tables.table(made)[0]
    assert remarks.test_set(made, made.test).startswith(
        "test results are not shown: without a verdict"
    )
    assert made.test.openings == ()


def test_by_the_test_set_all_are_shown_with_a_warning():
    made = opened(compared(), metric=TEST)
    assert means(made) == [pytest.approx(0.8)] * 3
    told = Told()
    opening.warn_if_it_decides(VAL, 3, told)
    opening.warn_if_it_decides(TEST, 1, told)
    assert told.warnings == []
    opening.warn_if_it_decides(TEST, 3, told)
    assert told.warnings == [
        "the test set decides here (`--metric test_accuracy`), so no untouched data is left to "
        "check the choice with"
    ]


def test_a_second_look_is_mentioned(tmp_path):
    first = opened(compared())
    experiment.save(first, tmp_path)
    kept = test_openings.read(tmp_path)
    assert kept.openings == (
        Opening(DATA, "val_accuracy", ("first-0123456789", "second-0123456789")),
    )
    again = opened(compared(), kept)
    assert again.test.earlier == ()
    by_loss = opened(compared(), kept, metric=LOSS.on("val"))
    assert remarks.test_set(by_loss, by_loss.test).endswith(
        "this test set was opened once before, for first and second by val accuracy: the more "
        "often, the less a test result proves"
    )
    wider = opened(compared(far=0.9), kept)
    assert wider.test.shown != first.test.shown
    assert [look.names for look in wider.test.earlier] == [["first", "second"]]
    experiment.save(wider, tmp_path)
    assert len(test_openings.read(tmp_path).openings) == 2
    experiment.save(wider, tmp_path)
    assert len(test_openings.read(tmp_path).openings) == 2


def test_other_data_are_another_test_set():
    before = Openings((Opening("e" * 64, "val_accuracy", ("x-0123456789",)),))
    assert opened(compared(), before).test.earlier == ()


def test_the_comparison_is_read_as_it_was_written(tmp_path):
    made = opened(compared())
    experiment.save(made, tmp_path)
    assert comparison.read(tmp_path) == made


@pytest.mark.parametrize("change", ["flipped", "not signed", "no JSON"])
def test_damage_is_noticed(tmp_path, change):
    test_openings.add(tmp_path, [Opening(DATA, "val_accuracy", ("a-0123456789",))])
    path = tmp_path / test_openings.FILE
    text = path.read_text()
    if change == "flipped":
        path.write_text(text.replace("val_accuracy", "val_accurbcy"))
    elif change == "not signed":
        path.write_text(json.dumps({"openings": []}))
    else:
        path.write_text("{")
    with pytest.raises(ResultsError, match="is damaged"):
        test_openings.read(tmp_path)
    (found,) = [f for f in inspection.inspect(tmp_path).findings if f.path == path]
    assert found.kind.is_problem
    assert "`--repair` sets it aside" in found.remedy


def test_a_sound_one_belongs_to_the_directory(tmp_path):
    test_openings.add(tmp_path, [Opening(DATA, "val_accuracy", ("a-0123456789",))])
    assert inspection.inspect(tmp_path).findings == ()
