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

from lrlab import config, guide, schedules
from lrlab.errors import UsageError
from lrlab.guide.finding import _plain

ROOT = Path(__file__).parents[1]
ENTRIES = list(guide.ENTRIES.values())
NAMES = [pytest.param(entry, name, id=name.name) for entry in ENTRIES for name in entry.names]


def by_type(entry):
    return entry.type


@pytest.fixture(scope="module")
def catalogue():
    """The script that writes docs/schedules.md."""
    if not (ROOT / "docs" / "catalogue.py").is_file():
        pytest.skip("no docs/catalogue.py beside the tests: run them in a checkout")
    sys.path.insert(0, str(ROOT / "docs"))
    import catalogue

    yield catalogue
    sys.path.remove(str(ROOT / "docs"))


def test_every_schedule_has_an_entry_and_every_entry_a_schedule():
    assert guide.ENTRIES.keys() == guide.MODELS.keys()
    assert sum(map(len, guide.FAMILIES.values())) == len(guide.ENTRIES)
    assert guide.MODELS.keys() == {*schedules.FORMULAS, *schedules.CLOSED_LOOPS, "sequence"}


@pytest.mark.parametrize("entry", ENTRIES, ids=by_type)
def test_an_entry_is_whole_and_fits_its_lines(entry):
    assert entry.formula
    assert entry.origins
    assert len(entry.traps) >= 2
    assert len(guide.description(entry)) <= 49
    lines = [*entry.formula.splitlines(), *entry.example.splitlines()]
    assert max(map(len, lines)) <= 78
    assert bool(entry.history) == (entry.type in schedules.CLOSED_LOOPS)
    for text in (*entry.traps, *(name.note for name in entry.names)):
        assert text == text.strip()
        assert text.count("`") % 2 == 0
    assert all(trap.endswith(".") for trap in entry.traps)
    assert all(origin.link.startswith("https://") for origin in entry.origins if origin.link)


# --- examples ---


@pytest.mark.parametrize("entry", ENTRIES, ids=by_type)
def test_an_example_has_rates_and_nothing_is_warned_of(entry):
    read = config.parse(entry.example, "x.yaml")
    assert read.experiment.schedule.type == entry.type
    assert config.warnings(read, guide.STEPS_PER_EPOCH) == []
    rates = guide.curve(entry)
    assert rates.shape == (guide.STEPS_PER_EPOCH * read.experiment.epochs,)
    assert np.isfinite(rates).all()
    assert (rates >= 0).all()
    assert 0.005 <= rates.max() <= 0.02


@pytest.mark.parametrize("entry", ENTRIES, ids=by_type)
def test_an_example_is_a_file_of_configs(entry):
    main, more = (ROOT / "configs" / folder / f"{entry.type}.yaml" for folder in ("", "more"))
    (path,) = [path for path in (main, more) if path.is_file()]
    assert path.read_text(encoding="utf-8") == entry.example


def test_configs_more_holds_examples_alone():
    more = {path.name for path in (ROOT / "configs" / "more").iterdir()}
    main = {path.name for path in (ROOT / "configs").glob("*.yaml")}
    assert more == {f"{name}.yaml" for name in guide.ENTRIES} - main


@pytest.mark.parametrize("name", schedules.CLOSED_LOOPS)
def test_an_invented_history_makes_a_closed_loop_move(name):
    assert len(set(guide.curve(guide.ENTRIES[name]))) >= 3


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


@pytest.mark.parametrize("name", sorted(set(schedules.FORMULAS) - {"formula"}))
def test_a_formula_is_what_lrlab_computes(name):
    entry, steps_per_epoch = guide.ENTRIES[name], 20
    stated = guide.experiment(entry)
    schedule = stated.schedule.model_copy(update={"warmup": None})
    arguments = schedule.arguments(steps_per_epoch, stated.epochs)
    found = []
    for step in range(steps_per_epoch * stated.epochs + 5):
        scope = MATHEMATICS | arguments | {"t": Step(step)}
        exec(entry.formula, scope)
        found.append(scope["rate"])
    expected = schedules.FORMULAS[name](np.arange(len(found)), **arguments)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize("shape", ["linear", "cosine", "one_minus_sqrt"])
def test_the_formula_of_wsd_holds_for_every_shape(shape):
    arguments = {"max_lr": 0.1, "over": 40.0, "decay": 10.0, "end_lr": 0.01, "shape": shape}
    for step in range(45):
        scope = MATHEMATICS | arguments | {"t": step}
        exec(guide.ENTRIES["wsd"].formula, scope)
        assert scope["rate"] == pytest.approx(float(schedules.wsd(step, **arguments)), rel=1e-12)


# --- names ---


def test_a_name_is_that_of_one_schedule():
    owners = {(_plain(name.name), entry.type) for entry in ENTRIES for name in entry.names}
    counts = Counter(name for name, _ in owners)
    assert [name for name, count in counts.items() if count > 1] == []
    assert not {name for name, _ in owners} & set(guide.ENTRIES)


@pytest.mark.parametrize(("entry", "name"), NAMES)
def test_a_name_finds_its_schedule_however_it_is_written(entry, name):
    for written in (name.name, name.name.lower(), name.name.upper(), f" {name.name} "):
        found, libraries = guide.find(written)
        assert found is entry
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
    entry, found = guide.find(name)
    assert (entry.type, found) == (type_, libraries)


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
        entry, libraries = guide.find(call)
        assert LIBRARIES[table] in libraries
        assert entry.type == type_ or call.startswith(several), row["schedule"]


# --- parameters and JSON ---


def test_parameters_are_the_keys_with_their_defaults_as_in_a_config():
    found = {p.key: (p.default, p.stated) for p in guide.parameters(guide.MODELS["wsd"])}
    assert list(found) == ["over", "max_lr", "decay", "end_lr", "shape", "warmup", "update", "for"]
    assert found["over"] == ("100%", True)
    assert found["max_lr"] == ("required", False)
    assert found["warmup"] == ("{for: 5%}", True)
    assert found["for"] == ("none", False)


def test_json_holds_every_entry():
    everything = json.loads(guide.to_json(None))
    assert [one["type"] for one in everything] == list(guide.ENTRIES)
    one = json.loads(guide.to_json(guide.ENTRIES["step"]))
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
    for name in guide.ENTRIES:
        (catalogue.PICTURES / f"{name}.png").touch()
    catalogue.PAGE.write_text(catalogue.page(), encoding="utf-8")
    assert catalogue.stale() == []
    catalogue.PAGE.write_text(catalogue.page() + "\n", encoding="utf-8")
    (catalogue.PICTURES / "cosine.png").unlink()
    assert catalogue.stale() == ["schedules.md", "figures/pictures/"]


def test_pictures_are_small(catalogue):
    sizes = [path.stat().st_size for path in catalogue.PICTURES.iterdir()]
    assert max(sizes) < 20_000
