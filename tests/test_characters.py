"""Curves drawn with characters: shape, axes, marks, and what plain ASCII looks like."""

import re

import numpy as np
import pytest

from lrlab.console import characters
from lrlab.console.characters import Curve, chart, sparkline

FALL = np.linspace(1, 0.3, 200)
BRAILLE = re.compile("[\u2801-\u28ff]")


def lines(*curves, width=60, height=9, plain=False, log=False):
    drawn = chart(curves, width=width, height=height, plain=plain, log=log)
    return ["".join(text for text, _ in line) for line in drawn]


# --- sparklines ---


@pytest.mark.parametrize(
    ("rates", "plain", "drawn"),
    [
        (np.linspace(0, 1, 90), False, "▁▂▃▄▅▆▇█"),
        (np.linspace(0, 1, 90), True, "_.:-=+*#"),
        (np.full(5, 0.01), False, "████████"),
        (np.repeat([1.0, 0.5], 40), False, "████▅▅▅▅"),
        (np.array([2.0]), False, "████████"),
        (np.array([0.0, 1.0]), True, "____####"),
    ],
)
def test_a_sparkline_is_as_high_as_the_rate(rates, plain, drawn):
    assert sparkline(rates, 8, plain=plain) == drawn


# --- charts ---


@pytest.mark.parametrize("width", [40, 60, 133])
@pytest.mark.parametrize("height", [6, 9, 20])
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("log", [False, True])
def test_a_chart_has_the_size_that_was_asked_for(width, height, plain, log):
    found = lines(Curve(FALL, 20), Curve(FALL / 50, 20), width=width, height=height, plain=plain,
                  log=log)  # fmt: skip
    assert len(found) == height + 3
    assert {len(line) for line in found[: height + 1]} == {width}
    assert max(map(len, found)) <= width


def test_plain_is_ascii_and_the_other_is_what_a_stream_is_asked_for():
    plain, drawn = (lines(Curve(FALL, 20), plain=one) for one in (True, False))
    assert "".join(plain).isascii()
    beyond = {c for c in "".join(drawn) if not c.isascii() and not BRAILLE.match(c)}
    assert beyond <= set(characters.NEEDED)


def test_a_curve_goes_where_its_rates_go():
    found = lines(Curve(np.linspace(1, 0, 500), 100), plain=True, width=48, height=8)
    rows = [row for row, line in enumerate(found[:8]) if "*" in line]
    assert rows == list(range(8))
    columns = [line.rindex("*") for line in found[:8]]
    assert columns == sorted(columns)
    assert re.match(r" +1\+\*", found[0])
    assert found[7].endswith("*")


def test_a_jump_is_a_line_and_a_narrow_peak_is_not_lost():
    rates = np.full(10_000, 0.1)
    rates[5_000] = 1.0
    found = lines(Curve(rates, 1_000), plain=True)
    assert all("*" in line for line in found[:8])


def test_axes_are_labelled_with_rates_epochs_and_steps():
    found = lines(Curve(FALL, 20))
    assert [label for label in re.findall(r"^ *([\d.e-]+)┤", "\n".join(found), re.MULTILINE)] == [
        "1", "0.5", "0"
    ]  # fmt: skip
    assert found[-2].split() == ["epoch", "0", "2", "4", "6", "8", "10"]
    assert found[-1].split() == ["step", "0", "40", "80", "120", "160", "200"]
    at = [match.start() for match in re.finditer("┬", found[-3])]
    assert [found[-2][column] for column in at[:-1]] == ["0", "2", "4", "6", "8"]


def test_steps_are_left_out_where_they_differ():
    found = lines(Curve(FALL, 20), Curve(FALL, 40))
    assert len(found) == 9 + 2
    assert found[-1].startswith("epoch")
    assert found[-1].split()[-1] == "10"


def test_decades_are_drawn_on_a_logarithmic_axis_of_four_at_most():
    falling = np.append(np.geomspace(1, 1e-9, 300), 0.0)  # Half of it is below the axis.
    found = lines(Curve(falling, 30), plain=True, width=70, height=12, log=None)
    labels = [float(line.split("+")[0]) for line in found[:12] if re.match(r" *\S+\+", line)]
    assert labels == pytest.approx([1, 0.1, 0.01, 0.001, 0.0001])
    assert "*" in found[11]
    assert all(line.rindex("*") < 45 for line in found[:12])
    flat = lines(Curve(np.linspace(1, 0.5, 300), 30), log=None)
    assert any(line.lstrip().startswith("0┤") for line in flat)


def test_curves_are_told_apart_by_letters_and_none_hides_another():
    curves = [Curve(FALL, 20), Curve(FALL, 20), Curve(FALL / 2, 20)]
    for plain in (False, True):
        text = "\n".join(lines(*curves, plain=plain)[:9])
        assert all(text.count(mark) >= 2 for mark in "ABC")
    spans = [span for line in chart(curves, width=60, height=9) for span in line]
    assert {owner for _, owner in spans} == {None, 0, 1, 2}
    assert all(owner is not None for text, owner in spans if BRAILLE.search(text))
    assert not re.search("[AB]", "\n".join(lines(curves[0])))


def test_a_shorter_run_ends_earlier():
    found = lines(Curve(np.ones(50), 10), Curve(np.full(100, 0.5), 10), plain=True, width=60)
    ends = {mark: max(line.rfind(mark) for line in found[:9]) for mark in "AB"}
    assert ends["A"] < 35 < ends["B"]


def test_one_step_is_drawn():
    assert "*" in "".join(lines(Curve(np.array([0.1]), 1), plain=True))


RATES = {
    "zero": np.zeros(50),
    "tiny": np.full(50, 1e-12),
    "huge": np.linspace(1e6, 3e6, 50),
    "a peak at the end": np.append(np.zeros(49), 1.0),
    "a little over a decade": np.geomspace(1, 0.04, 50),
    "many decades": np.geomspace(3e-7, 7e-3, 50),
}


@pytest.mark.parametrize("rates", RATES.values(), ids=RATES.keys())
@pytest.mark.parametrize("log", [None, False])
@pytest.mark.parametrize("width", [1, 17, 80])
def test_whatever_the_rates_there_is_a_chart(rates, log, width):
    for steps_per_epoch in (1, 7, 50, 999):
        for height in (1, 2, 8):
            found = lines(Curve(rates, steps_per_epoch), width=width, height=height, log=log)
            assert len(found) == height + 3
            assert BRAILLE.search("".join(found))
