"""Metrics: the direction that a name tells, and files that carry another metric than accuracy."""

import math

import numpy as np
import pytest
import samples

from lrlab import metric
from lrlab.analysis import summaries
from lrlab.metric import ACCURACY, LOSS, known, mode_of
from lrlab.report import tables, verdict
from lrlab.results import comparison, run_folder
from lrlab.results.run import EpochResult, RunResult, Status
from lrlab.results.run_folder import RunOrigin

MAE = known("mae")

NAMES = {
    "accuracy": "max",
    "val_sparse_categorical_accuracy": "max",
    "auc": "max",
    "r2_score": "max",
    "cosine_similarity": "max",
    "loss": "min",
    "val_mean_absolute_error": "min",
    "mse": "min",
    "binary_crossentropy": "min",
    "kl_divergence": "min",
    "my_score": None,
}


@pytest.mark.parametrize(("name", "mode"), NAMES.items(), ids=NAMES.keys())
def test_a_name_tells_which_way_is_better(name, mode):
    assert mode_of(name) == mode


def test_a_name_that_does_not_tell_needs_a_mode():
    with pytest.raises(ValueError, match="`my_score` does not say whether high or low"):
        known("my_score")
    assert known("my_score", "max").mode == "max"


def test_only_shares_are_told_in_points():
    assert known("auc").points
    assert (MAE.points, MAE.least, MAE.greatest) == (False, 0.0, math.inf)
    assert known("accuracy") is ACCURACY
    assert LOSS.on("val").key == "val_loss"


def of_mae(seed: int) -> RunResult:
    epochs = tuple(EpochResult(i, 0.5, 4.0 - i, 2.0 - i / 4, 4.5 - i, 2.5 - i / 4 + seed / 100)
                   for i in range(3))  # fmt: skip
    return RunResult(
        Status.DONE, epochs, np.full(3, 0.5, np.float32), np.ones(3, np.float32), test_loss=3.0,
        test_score=2.25, metric=MAE,
    )  # fmt: skip


def test_a_run_of_another_metric_reads_back(tmp_path):
    folder = tmp_path / "runs" / "a-0123456789" / "seed-0"
    run_folder.write(folder, of_mae(0), RunOrigin(environment={}))
    assert (folder / "epochs.csv").read_text().startswith("epoch,lr,loss,mae,val_loss,val_mae\n")
    kept = run_folder.read(folder)
    assert kept is not None
    assert kept.result.metric == MAE
    assert kept.result.test_score == 2.25
    assert kept.result.after_epochs("val_mae") == [2.5, 2.25, 2.0]
    with pytest.raises(ValueError, match="there is no `val_accuracy`, only loss, val_loss, mae"):
        kept.result.after_epochs("val_accuracy")


def test_a_comparison_by_another_metric(tmp_path):
    experiments = [
        summaries.summarise(
            samples.CONFIG | {"name": name},
            {seed: of_mae(seed + worse) for seed in range(3)},
            data="houses",
            steps_per_epoch=1,
            folders=[f"runs/{name}-0123456789/seed-{seed}" for seed in range(3)],
            metric=MAE,
        )
        for name, worse in (("good", 0), ("bad", 30))
    ]
    compared = summaries.compare(experiments, metric=MAE)
    decides = verdict.usual(compared)
    assert verdict.first_line(compared, decides).startswith("good is the best (val mae 2.0100); ")
    assert tables.table(compared)[0][1:4] == ["schedule", "val mae", "best val mae"]
    comparison.write(tmp_path, compared, {"comparison.csv": tables.to_csv(compared)})
    read = comparison.read(tmp_path)
    assert read.metric == MAE
    assert tables.to_csv(read) == tables.to_csv(compared)
    assert read.experiments[0].best["val_mae"].mean == pytest.approx(2.01)


def test_results_of_the_accuracy_say_nothing_of_a_metric(tmp_path):
    folder = tmp_path / "seed-0"
    result = RunResult(Status.DONE, lr=np.zeros(0, np.float32), loss=np.zeros(0, np.float32))
    run_folder.write(folder, result, RunOrigin(environment={}))
    assert '"metric"' not in (folder / "run.json").read_text()
    assert result.metric == metric.ACCURACY
