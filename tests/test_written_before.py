"""Files that lrlab 0.1 wrote: they are read, and written again they only gain keys at the end."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lrlab.io import npz, records
from lrlab.results import checkpoint, comparison, run_folder, sweep_record
from lrlab.results.run import Status
from lrlab.results.sweep_record import SweepSummary

BEFORE = Path(__file__).parent / "written_before"


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.COLLAPSED])
def test_a_run(status, tmp_path):
    kept = run_folder.read(BEFORE / status)
    assert kept.result.status is status
    assert kept.has_weights == (status is Status.DONE)
    written = kept.result
    if kept.has_weights:
        weights = npz.unpack((BEFORE / status / run_folder.WEIGHTS).read_bytes())
        written = replace(written, weights=tuple(weights.values()))
    run_folder.write(tmp_path / status, written, kept.origin)
    assert not kept.signed
    for path in (BEFORE / status).iterdir():
        again = (tmp_path / status / path.name).read_bytes()
        if path.name == run_folder.RECORD:
            again = re.sub(rb',\n  "signature": "sha256:[0-9a-f]{64}"', b"", again)
        assert again == path.read_bytes(), path.name


def test_a_checkpoint(tmp_path):
    path = BEFORE / "checkpoint.npz"
    kept = checkpoint.read(path)
    checkpoint.write(tmp_path / "c.npz", kept.state, kept.origin)
    assert (tmp_path / "c.npz").read_bytes() == path.read_bytes()


def test_a_comparison():
    written = (BEFORE / comparison.FILE).read_text()
    assert comparison.to_json(comparison.read(BEFORE)) == written


def test_a_sweep():
    path = BEFORE / sweep_record.JSON_FILE
    assert records.text(records.read_file(path, SweepSummary)) == path.read_text()


def test_a_sweep_that_does_not_state_its_identity_has_one():
    settings = records.read_file(BEFORE / sweep_record.JSON_FILE, SweepSummary).settings
    fingerprint = "ba2e37a64f59ed31e1b1407ccf40ff95278a2d525d06ea8c38f7184d9b82b731"
    optimizer = {"type": "sgd", "momentum": 0.9}
    stated = sweep_record.identity(["mlp", optimizer, 32, fingerprint])
    assert sweep_record.recorded_identity(settings) == stated
