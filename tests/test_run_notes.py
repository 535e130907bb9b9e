"""What is told of runs that did not end well, and of differences that are very small."""

from dataclasses import replace

import pytest
from samples import FAILED, run, summary

from lrlab import console
from lrlab.analysis import summaries
from lrlab.metric import ACCURACY
from lrlab.report import tables


def test_a_reason_that_seeds_share_is_told_once(capsys):
    failed = [replace(FAILED, error="no rate")] * 3
    shown = summary(run(0.8), *failed, replace(FAILED, error="no luck"), name="power")
    compared = summaries.compare([shown])
    console.print_comparison(compared)
    said = capsys.readouterr().out
    assert "power: seeds 1, 2 and 3 failed: no rate\n" in said
    assert "power: seed 4 failed: no luck\n" in said
    assert said.count("no rate") == tables.to_markdown(compared).count("no rate") == 1
    many = summaries.compare([summary(*[replace(FAILED, error="no rate")] * 24)])
    assert "`power`: 24 seeds failed: no rate\n" in tables.to_markdown(many)


@pytest.mark.parametrize(
    ("difference", "said"),
    [(0.0, "0.00"), (4.9e-7, "5e-05"), (4.9e-5, "0.005"), (0.0002, "0.02"), (0.00094, "0.09"),
     (0.001, "0.1"), (0.0123, "1.2")],
)  # fmt: skip
def test_a_small_difference_of_shares_is_not_nothing(difference, said):
    assert ACCURACY.amount(difference) == said
