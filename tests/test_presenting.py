"""Figures and report are written when what they show has changed, and only then."""

from pathlib import Path

import pytest
import samples

from lrlab import experiment
from lrlab.analysis import summaries
from lrlab.errors import ResultsError
from lrlab.experiment import reporting
from lrlab.results import inspection, run_folder, shown
from lrlab.results.run_folder import RunOrigin


def written(out: Path, *accuracies: float, metric=None):
    """A comparison of two experiments in a results directory, the second with these accuracies."""
    runs = {"a": [samples.run(0.5, 0.6)] * 3, "b": [samples.run(0.4, last) for last in accuracies]}
    made = summaries.compare([samples.summary(*of, name=name) for name, of in runs.items()])
    for e, of in zip(made.experiments, runs.values(), strict=True):
        for folder, result in zip(e.runs, of, strict=True):
            run_folder.write(out / folder, result, RunOrigin())
    experiment.save(made, out, metric)
    return made


def present(out: Path, made) -> list[Path]:
    """Present a comparison; return what was written anew."""
    before = {path: path.stat().st_ino for path in out.glob("*.*")}
    files = experiment.present(out, made, {})
    return [path for path in files if before.get(path) != path.stat().st_ino]


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "results"


def test_what_shows_everything_already_is_left_alone(out):
    made = written(out, 0.5, 0.6, 0.7)
    assert len(present(out, made)) > 2
    assert present(out, made) == []


def test_other_results_are_shown(out):
    assert present(out, written(out, 0.5, 0.6, 0.7))
    assert present(out, written(out, 0.5, 0.6, 0.8))


def test_another_run_with_the_same_summary_is_shown(out):
    made = written(out, 0.5, 0.6, 0.7)
    present(out, made)
    run_folder.write(out / made.experiments[1].runs[0], samples.run(0.45, 0.5), RunOrigin())
    assert present(out, made)


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"x")])
@pytest.mark.parametrize("name", ["loss.png", shown.FILE])
def test_what_is_deleted_or_altered_is_made_again(name, harm, out):
    made = written(out, 0.5, 0.6, 0.7)
    whole = {path: path.read_bytes() for path in present(out, made)}
    harm(out / name)
    assert present(out, made)
    assert {path: path.read_bytes() for path in whole} == whole


def test_a_damaged_record_is_found(out):
    present(out, written(out, 0.5, 0.6, 0.7))
    path = out / shown.FILE
    path.write_text(path.read_text().replace('"of": "', '"of": "0', 1))
    with pytest.raises(ResultsError, match="its signature is not that of its content"):
        shown.read(out)
    (finding,) = [f for f in inspection.inspect(out).findings if f.path == path]
    assert finding.kind == "damaged"


def test_the_report_is_the_same_whether_its_figures_were_drawn_before(out):
    made = written(out, 0.5, 0.6, 0.7)
    present(out, made)
    path = out / reporting.FILE
    before = path.read_bytes()
    assert reporting.write_again(out).read_bytes() == before
