"""`lrlab.tune`: a tuning as a call, with real TensorFlow."""

import numpy as np
import pytest

import lrlab
from lrlab.errors import UsageError

SCHEDULES = {
    "steady": {"type": "constant", "lr": 0.1},
    "warp": {"type": lambda step, steps: 0.2 * (1 - step / steps) ** 2},
}


def data():
    rng = np.random.default_rng(4)
    x = rng.normal(0, 1, (300, 5)).astype(np.float32)
    return x, (x @ rng.normal(0, 1, (5,)) + rng.normal(0, 0.1, 300)).astype(np.float32)


def tune(**options):
    usual = {"model": "linear", "data": data(), "epochs": 2, "budget": 8, "batch_size": 16}
    return lrlab.tune(SCHEDULES, **usual | options)


def test_tuned_schedules_can_be_read_drawn_and_compared(tmp_path):
    tuned = tune(out=tmp_path / "out")
    assert set(tuned.best) == {"steady", "warp"}
    assert tuned.sentence.startswith("each at its best rate: ")
    assert repr(tuned).startswith(tuned.sentence)
    assert "best rate" in repr(tuned.table)
    assert "<table>" in tuned.table._repr_html_()
    assert tuned.figures == ("sensitivity",)
    assert tuned.figure().axes
    with pytest.raises(UsageError, match="there is no figure `loss`"):
        tuned.figure("loss")
    frame = tuned.to_pandas()
    assert len(frame) == 16
    assert set(frame["fresh"]) == {True, False}
    assert frame.loc[frame["fresh"], "seed"].tolist() == [0, 1, 2] * 2
    files = {path.name for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert files >= {"tuning.json", "tuning.csv", "tuning.md", "sensitivity.png"}

    schedules = tuned.schedules
    assert schedules["steady"].peak(lrlab.schedules.Length(1, 1)) == pytest.approx(
        tuned.best["steady"].lr
    )
    runs = tmp_path / "out" / "runs"
    before = {path: path.stat().st_mtime_ns for path in runs.glob("*/*/run.json")}
    compared = lrlab.compare(
        schedules, model="linear", data=data(), epochs=2, batch_size=16, out=tmp_path / "out"
    )
    assert before == {path: path.stat().st_mtime_ns for path in runs.glob("*/*/run.json")}
    assert compared.verdict.means == tuned.verdict.means


REFUSED = {
    "a small budget": ({"budget": 7}, "`--budget` must be at least 8"),
    "no seeds": ({"seeds": 0}, "`seeds` must be at least 1"),
    "too many seeds": ({"seeds": 1001, "budget": 2000}, "must be from 1 to 1,000"),
    "no epochs": ({"epochs": [1, 0]}, "`epochs` must be at least 1"),
    "an unknown loss": ({"loss": "guess"}, "must be a loss"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(options, message):
    with pytest.raises(lrlab.LrlabError, match=message):
        tune(**options)
