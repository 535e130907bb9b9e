"""The JSON Schema of configs, by a validator: every config fits it, broken ones do not."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from schedule_strategies import ANY
from typer.testing import CliRunner

from lrlab import config
from lrlab.cli import app
from lrlab.config import source
from lrlab.config.experiment import Experiment
from lrlab.config.json_schema import json_schema
from lrlab.errors import ConfigError
from lrlab.schedules import SCHEDULES

ROOT = Path(__file__).parents[1]
CONFIGS = [
    path
    for folder in ("configs", "examples")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
    if "schedule:" in path.read_text(encoding="utf-8")
]
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def stated(text: str):
    """Return what a config's text states, as lrlab reads YAML."""
    return source.parse(source.Source("x.yaml", text)).data


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("/2020-12/schema")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_config_of_the_repository_fits(path):
    text = path.read_text(encoding="utf-8")
    VALIDATOR.validate(stated(text))


def test_it_knows_every_schedule_and_every_key_with_its_description():
    schedule = SCHEMA["properties"]["schedule"]["oneOf"][0]["discriminator"]["mapping"]
    assert set(schedule) == set(SCHEDULES)
    for name, place in schedule.items():
        found = SCHEMA["$defs"][place.rpartition("/")[2]]
        assert set(found["properties"]) == set(SCHEDULES[name].keys())
        assert found["description"].startswith(SCHEDULES[name].description())
        for key, of in found["properties"].items():
            assert key == "type" or of["description"]
    assert set(SCHEMA["properties"]) == set(Experiment.keys())


@given(ANY)
def test_whatever_a_schedule_states_fits(schedule):
    VALIDATOR.validate(json.loads(json.dumps({"schedule": schedule}, default=str)))


GOOD = {
    "auto": "schedule: {type: one_cycle, max_lr: auto}",
    "scale": "schedule: {type: constant, lr: 1, scale: 0.25}",
    "a warm-up": "schedule: {type: cosine, initial_lr: 0.1, warmup: {for: 5%, from: 0.01}}",
    "an own schedule": "schedule: {type: mine.py:warp, args: {top: 0.1}}",
    "an own phase": "schedule: {type: sequence, phases: [{type: my.rates:warp, for: rest}]}",
    "an own model": "schedule: {type: constant, lr: 1}\nmodel: nets.py:build",
    "an own model with arguments": (
        "schedule: {type: constant, lr: 1}\nmodel: {build: my.nets:build, args: {width: 64}}"
    ),
    "a saved model": "schedule: {type: constant, lr: 1}\nmodel: {build: a.keras, weights: file}",
    "own data": "schedule: {type: constant, lr: 1}\ndata: {load: sets.py:load, args: {n: 1}}",
    "a table": "schedule: {type: constant, lr: 1}\ndata: {load: a.csv, args: {target: y}}",
    "Keras' data": "schedule: {type: constant, lr: 1}\ndata: keras:cifar10",
    "a file": "schedule: {type: constant, lr: 1}\ndata: folder/a.npz",
    "a split": "schedule: {type: constant, lr: 1}\nvalidation: first 5000",
    "a number to hold out": "schedule: {type: constant, lr: 1}\nvalidation: 500",
    "a share to hold out": "schedule: {type: constant, lr: 1}\nvalidation: 12.5 %",
    "an optimizer's name": "schedule: {type: constant, lr: 1}\noptimizer: adam",
    "an own optimizer": "schedule: {type: constant, lr: 1}\noptimizer: {type: opt.py:make}",
    "a metric's direction": "schedule: {type: constant, lr: 1}\nmetric: {name: a.py:f, mode: max}",
    "a loss": "schedule: {type: constant, lr: 1}\nloss: huber",
    "weights of classes": "schedule: {type: constant, lr: 1}\nclass_weight: {0: 1, 1: 2.5}",
}


@pytest.mark.parametrize("case", GOOD)
def test_what_lrlab_takes_fits(case):
    assert config.parse(GOOD[case])
    VALIDATOR.validate(json.loads(json.dumps(stated(GOOD[case]))))


BROKEN = {
    "no schedule": "epochs: 3",
    "an unknown key": "schedule: {type: constant, lr: 1}\nepoch: 3",
    "an unknown key of a schedule": "schedule: {type: constant, lr: 1, max_rl: 2}",
    "an unknown schedule": "schedule: {type: cosin, initial_lr: 1}",
    "a schedule's name alone": "schedule: constant",
    "a key that is missing": "schedule: {type: constant}",
    "auto where it cannot be": "schedule: {type: cosine, initial_lr: 1, end_lr: auto}",
    "another word than auto": "schedule: {type: constant, lr: automatic}",
    "a rate of 0": "schedule: {type: constant, lr: 0}",
    "a rate as text": "schedule: {type: constant, lr: '0.1'}",
    "a truth as a rate": "schedule: {type: constant, lr: true}",
    "a scale of 0": "schedule: {type: constant, lr: 1, scale: 0}",
    "a duration without a unit": "schedule: {type: step, initial_lr: 1, every: 3}",
    "an unknown unit": "schedule: {type: step, initial_lr: 1, every: 3 days}",
    "a broken phase": "schedule: {type: sequence, phases: [{type: constant, lr: 1, for: soon}]}",
    "a closed loop as a phase": (
        "schedule: {type: sequence, phases: [{type: performance, initial_lr: 1}]}"
    ),
    "an unknown model": "schedule: {type: constant, lr: 1}\nmodel: mlpp",
    "a model with an unknown key": (
        "schedule: {type: constant, lr: 1}\nmodel: {build: a.py:f, arguments: {}}"
    ),
    "a model of another kind of file": "schedule: {type: constant, lr: 1}\nmodel: a.h5x",
    "unknown data": "schedule: {type: constant, lr: 1}\ndata: fashion_mnist",
    "a split in words": "schedule: {type: constant, lr: 1}\nvalidation: a tenth",
    "an unknown loss": "schedule: {type: constant, lr: 1}\nloss: cross_entropy",
    "an unknown metric": "schedule: {type: constant, lr: 1}\nmetric: acuracy",
    "a metric without direction": "schedule: {type: constant, lr: 1}\nmetric: {name: a.py:f}",
    "an unknown optimizer": "schedule: {type: constant, lr: 1}\noptimizer: adamm",
    "a wrong momentum": "schedule: {type: constant, lr: 1}\noptimizer: {type: sgd, momentum: 1}",
    "no epochs": "schedule: {type: constant, lr: 1}\nepochs: 0",
    "half an epoch": "schedule: {type: constant, lr: 1}\nepochs: 1.5",
    "a name with a slash": "schedule: {type: constant, lr: 1}\nname: a/b",
    "a list": "[1, 2]",
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_lrlab_refuses_does_not_fit(case):
    with pytest.raises(ConfigError):
        config.parse(BROKEN[case])
    assert not VALIDATOR.is_valid(stated(BROKEN[case]))


def test_the_command_prints_it_without_anything_heavy():
    done = CliRunner().invoke(app, ["schema"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, SCHEMA)
    code = (
        "import sys\nfrom lrlab import cli\ntry:\n    cli.main()\nfinally:\n"
        "    print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "schema"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert {"tensorflow", "keras", "matplotlib"}.isdisjoint(done.stderr.split())
