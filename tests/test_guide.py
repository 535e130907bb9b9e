"""The guide: complete, and each of its claims that a machine can check."""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lrlab import config
from lrlab.errors import UsageError
from lrlab.report import guide
from lrlab.schedules import SCHEDULES, ClosedLoop, Length, OpenLoop, registry

ROOT = Path(__file__).parents[1]
EACH = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())
NAMES = [
    pytest.param(schedule, name, id=name.name)
    for schedule in SCHEDULES.values()
    for name in schedule.entry.names
]


@pytest.fixture(scope="module")
def catalogue():
    """The script that writes docs/schedules.md."""
    if not (ROOT / "docs" / "catalogue.py").is_file():
        pytest.skip("no docs/catalogue.py beside the tests: run them in a checkout")
    sys.path.insert(0, str(ROOT / "docs"))
    import catalogue

    yield catalogue
    sys.path.remove(str(ROOT / "docs"))


@EACH
def test_an_entry_is_whole_and_fits_its_lines(schedule):
    entry = schedule.entry
    assert entry.formula
    assert entry.origins
    assert len(entry.traps) >= 2
    assert len(schedule.description()) <= 49
    lines = [*entry.formula.splitlines(), *entry.example.splitlines()]
    assert max(map(len, lines)) <= 78
    assert bool(entry.history) == issubclass(schedule, ClosedLoop)
    for text in (*entry.traps, *(name.note for name in entry.names)):
        assert text == text.strip()
        assert text.count("`") % 2 == 0
    assert all(trap.endswith(".") for trap in entry.traps)
    assert all(origin.link.startswith("https://") for origin in entry.origins if origin.link)


# --- examples ---


@EACH
def test_an_example_has_rates_and_no_warnings(schedule):
    read = config.parse(schedule.entry.example, "x.yaml")
    assert type(read.experiment.schedule) is schedule
    assert config.warnings(read, guide.STEPS_PER_EPOCH) == []
    rates = guide.curve(schedule)
    assert rates.shape == (guide.STEPS_PER_EPOCH * read.experiment.epochs,)
    assert np.isfinite(rates).all()
    assert (rates >= 0).all()
    assert 0.005 <= rates.max() <= 0.02


@EACH
def test_an_example_is_a_file_of_configs(schedule):
    name = f"{schedule.named()}.yaml"
    main, more = (ROOT / "configs" / folder / name for folder in ("", "more"))
    (path,) = [path for path in (main, more) if path.is_file()]
    assert path.read_text(encoding="utf-8") == schedule.entry.example


def test_configs_more_holds_examples_alone():
    more = {path.name for path in (ROOT / "configs" / "more").iterdir()}
    main = {path.name for path in (ROOT / "configs").glob("*.yaml")}
    assert more == {f"{name}.yaml" for name in SCHEDULES} - main


@EACH
def test_an_invented_history_makes_a_closed_loop_move(schedule):
    if issubclass(schedule, ClosedLoop):
        assert len(set(guide.curve(schedule))) >= 3
    else:
        assert not schedule.entry.history


# --- formulas ---

MATHEMATICS = {
    "clip": lambda value, low, high: min(max(value, low), high),
    "cos": math.cos,
    "floor": math.floor,
    "interp": np.interp,
    "min": min,
    "pi": math.pi,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
}


class Step(float):
    """A step by which may be divided at 0, as on paper."""

    def __rtruediv__(self, other):
        return math.inf if self == 0 else other / float(self)


WRITTEN = [
    name for name, model in SCHEDULES.items() if issubclass(model, OpenLoop) and name != "formula"
]


@pytest.mark.parametrize("name", WRITTEN)
def test_a_formula_is_what_lrlab_computes(name):
    model = SCHEDULES[name]
    stated = guide.experiment(model)
    length = Length(20, stated.epochs)
    arguments = stated.schedule.model_copy(update={"warmup": None}).arguments(length)
    found = []
    for step in range(length.steps + 5):
        scope = MATHEMATICS | arguments | {"t": Step(step)}
        exec(model.entry.formula, scope)
        found.append(scope["rate"])
    expected = model.formula(np.arange(len(found)), **arguments)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize("shape", ["linear", "cosine", "one_minus_sqrt"])
def test_the_formula_of_wsd_holds_for_every_shape(shape):
    arguments = {"max_lr": 0.1, "over": 40.0, "decay": 10.0, "end_lr": 0.01, "shape": shape}
    for step in range(45):
        scope = MATHEMATICS | arguments | {"t": step}
        exec(SCHEDULES["wsd"].entry.formula, scope)
        assert scope["rate"] == pytest.approx(
            float(SCHEDULES["wsd"].formula(step, **arguments)), rel=1e-12
        )


# --- names ---


def test_a_name_is_that_of_one_schedule():
    owners = {(registry.plain(p.values[1].name), p.values[0].named()) for p in NAMES}
    counts = Counter(name for name, _ in owners)
    assert [name for name, count in counts.items() if count > 1] == []
    assert not {name for name, _ in owners} & set(SCHEDULES)


@pytest.mark.parametrize(("schedule", "name"), NAMES)
def test_a_name_finds_its_schedule_however_it_is_written(schedule, name):
    for written in (name.name, name.name.lower(), name.name.upper(), f" {name.name} "):
        found, libraries = guide.find(written)
        assert found is schedule
        assert name.library in libraries


@pytest.mark.parametrize(
    ("name", "type_", "libraries"),
    [
        ("cosine", "cosine", ()),
        ("StepLR", "step", ("PyTorch",)),
        ("CosineAnnealingLR", "cosine", ("PyTorch",)),
        ("SGDR", "cosine_restarts", ("papers",)),
        ("OneCycleLR", "one_cycle", ("PyTorch",)),
        ("ReduceLROnPlateau", "performance", ("Keras", "PyTorch", "fastai")),
        ("noam", "inverse_sqrt", ("papers",)),
        ("PolynomialDecay", "polynomial", ("Keras",)),
        ("ExponentialDecay(staircase=True)", "step", ("Keras",)),
        ("cosine_onecycle_schedule", "one_cycle", ("optax",)),
        ("cosine-restarts", "cosine_restarts", ()),
    ],
)
def test_names_that_are_asked_for(name, type_, libraries):
    schedule, found = guide.find(name)
    assert (schedule.named(), found) == (type_, libraries)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("cosin", "did you mean `cosine`? `lrlab schedules` lists all"),
        ("StepRL", "did you mean `StepLR`? `lrlab schedules` lists all"),
        ("zzz", "`lrlab schedules` lists all"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name, hint):
    with pytest.raises(UsageError) as caught:
        guide.find(name)
    assert (caught.value.message, caught.value.hint) == (f"unknown schedule `{name}`", hint)


LIBRARIES = {"torch": "PyTorch", "optax": "optax", "timm": "timm", "transformers": "transformers"}


@pytest.mark.parametrize("table", LIBRARIES)
def test_what_is_compared_with_a_library_is_in_the_guide(table):
    rows = json.loads((ROOT / "tests" / "parity" / f"{table}.json").read_text())["cases"]
    for row in rows:
        call, type_ = row["call"].split("(")[0], re.search(r"type: (\w+)", row["schedule"])[1]
        # They are put together of others, or are one function with several of its settings.
        several = ("SequentialLR", "LambdaLR", "join_schedules", "get_cosine_with_hard_restarts",
                   "CosineLRScheduler", "exponential_decay")  # fmt: skip
        found, libraries = guide.find(call)
        assert LIBRARIES[table] in libraries
        assert found.named() == type_ or call.startswith(several), row["schedule"]


# --- parameters and JSON ---


def test_parameters_are_the_keys_with_their_defaults_as_in_a_config():
    found = {p.key: (p.default, p.stated) for p in guide.parameters(SCHEDULES["wsd"])}
    assert list(found) == [
        "over",
        "max_lr",
        "decay",
        "end_lr",
        "shape",
        "warmup",
        "scale",
        "update",
        "for",
    ]
    assert found["over"] == ("100%", True)
    assert found["max_lr"] == ("required", False)
    assert found["warmup"] == ("{for: 5%}", True)
    assert found["for"] == ("none", False)


def test_json_holds_every_entry():
    everything = json.loads(guide.to_json(None))
    assert [one["type"] for one in everything] == list(SCHEDULES)
    one = json.loads(guide.to_json(SCHEDULES["step"]))
    assert one in everything
    assert one.keys() >= {"formula", "parameters", "origins", "example", "names", "traps"}
    assert {"library": "PyTorch", "name": "StepLR"}.items() <= one["names"][1].items()
    assert one["parameters"][0] == {
        "key": "initial_lr", "default": "required", "meaning": "the rate at the first step"
    }  # fmt: skip


# --- the page ---


def test_docs_schedules_is_up_to_date(catalogue):
    assert catalogue.stale() == []


def test_a_changed_page_and_a_missing_picture_are_stale(catalogue, tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "PAGE", tmp_path / "schedules.md")
    monkeypatch.setattr(catalogue, "PICTURES", tmp_path / "pictures")
    catalogue.PICTURES.mkdir()
    for name in SCHEDULES:
        (catalogue.PICTURES / f"{name}.png").touch()
    catalogue.PAGE.write_text(catalogue.page(), encoding="utf-8")
    assert catalogue.stale() == []
    catalogue.PAGE.write_text(catalogue.page() + "\n", encoding="utf-8")
    (catalogue.PICTURES / "cosine.png").unlink()
    assert catalogue.stale() == ["schedules.md", "figures/pictures/"]


def test_pictures_are_small(catalogue):
    sizes = [path.stat().st_size for path in catalogue.PICTURES.iterdir()]
    assert max(sizes) < 20_000
