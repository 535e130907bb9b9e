import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lrlab import config
from lrlab.config import Experiment, experiment
from lrlab.config.source import MAX_BYTES
from lrlab.errors import ConfigError, UsageError
from lrlab.schedules import SCHEDULES

LEAST = "schedule: {type: constant, lr: 0.01}\n"
KEYS = (
    "known keys: name, schedule, model, data, validation, scale, loss, metric, class_weight, "
    "optimizer, batch_size, epochs"
)
MODELS = (
    "must be mlp, cnn, linear, lenet, cnn_bn, resnet8, attention, FILE.py:FUNCTION or FILE.keras"
)
DATA = (
    "must be auto, fashion-mnist, sketches, cycling, sentences, keras:NAME, a path ending in .npz "
    "or .csv, or FILE.py:FUNCTION"
)
WAYS = "write `20 epochs`, `20 steps` or `20%` (of the run)"
NAMES = (
    "must start with a letter or digit and hold at most 64 letters, digits or any of `._+-`, "
    "since it names a folder"
)
UNWELCOME = "anchors and aliases are not supported"


def constant(lr):
    return f"schedule: {{type: constant, lr: {lr}}}\n"


def falling(s):
    return f"schedule: {{type: power, initial_lr: 1, s: {s}}}\n"


def piecewise(values, boundaries):
    return f"schedule:\n  type: piecewise\n  values: {values}\n  boundaries: {boundaries}\n"


def performance(line):
    return f"schedule:\n  type: performance\n  initial_lr: 0.1\n  {line}\n"


# name: (text of the file, `line:column: message`)
PROBLEMS = {
    # keys
    "unknown key, near": (LEAST + "epoch: 3\n", "2:1: epoch: unknown key; did you mean `epochs`?"),
    "unknown key, far": (LEAST + "colour: red\n", f"2:1: colour: unknown key; {KEYS}"),
    "unknown key of a schedule": (
        "schedule: {type: constant, lr: 0.01, s: 3}",
        "1:38: schedule.s: unknown key; known keys: warmup, scale, update, for, type, lr",
    ),
    "unknown key that is a tag": (
        "schedule: {type: constant, lr: 0.01, constant: 3}",
        "1:38: schedule.constant: unknown key; known keys: warmup, scale, update, for, type, lr",
    ),
    "unknown key of an optimizer": (
        LEAST + "optimizer: {type: sgd, beta_1: 0.9}\n",
        "2:24: optimizer.beta_1: unknown key; known keys: type, momentum, nesterov, weight_decay",
    ),
    "number for a key": (LEAST + "1: 2\n", f"2:1: 1: unknown key; {KEYS}"),
    "merge key": (LEAST + "<<: {epochs: 3}\n", f"2:1: <<: unknown key; {KEYS}"),
    "list for a key": (LEAST + "? [a]\n: 3\n", "2:3: a key must be plain text"),
    "duplicate key": (
        LEAST + "epochs: 5\nepochs: 6\n",
        "3:1: epochs: duplicate key; it already stands on line 2",
    ),
    "duplicate inner key": (
        "schedule:\n  type: constant\n  lr: 0.1\n  lr: 0.1\n",
        "4:3: schedule.lr: duplicate key; it already stands on line 3",
    ),
    # kinds of value
    "boolean for a rate": (constant("true"), "1:32: schedule.lr: must be a number, got `true`"),
    "boolean for a count": (
        LEAST + "epochs: true\n",
        "2:9: epochs: must be a whole number, got `true`",
    ),
    "boolean for text": (LEAST + "data: true\n", "2:7: data: must be text, got `true`"),
    "decimals for a count": (
        LEAST + "epochs: 2.0\n",
        "2:9: epochs: must be a whole number, got `2.0`",
    ),
    "null for a count": (LEAST + "epochs: ~\n", "2:9: epochs: must be a whole number, got `null`"),
    "number for text": (LEAST + "name: 3\n", "2:7: name: must be text, got `3`"),
    "text for a number": (constant("'0.1'"), "1:32: schedule.lr: must be a number, got `0.1`"),
    "number for a boolean": (
        LEAST + "optimizer: {type: sgd, nesterov: 1}\n",
        "2:34: optimizer.nesterov: must be true or false, got `1`",
    ),
    # YAML 1.1
    "yaml 1.1 boolean": (
        LEAST + "optimizer: {type: sgd, nesterov: on}\n",
        "2:34: optimizer.nesterov: must be true or false, got `on`",
    ),
    "yaml 1.1 octal": (constant("012"), "1:32: schedule.lr: must be a number, got `012`"),
    "yaml 1.2 octal": (
        LEAST + "epochs: 0o12\n",
        "2:9: epochs: must be a whole number, got `0o12`",
    ),
    "yaml 1.1 clock": (constant("1:30"), "1:32: schedule.lr: must be a number, got `1:30`"),
    "hexadecimal": (constant("0x10"), "1:32: schedule.lr: must be a number, got `0x10`"),
    "yaml 1.1 underscore": (constant("1_000"), "1:32: schedule.lr: must be a number, got `1_000`"),
    # ranges
    "NaN": (constant(".nan"), "1:32: schedule.lr: must be a finite number, got `.nan`"),
    "infinity": (constant(".inf"), "1:32: schedule.lr: must be a finite number, got `.inf`"),
    "minus infinity": (
        constant("-.inf"),
        "1:32: schedule.lr: must be a finite number, got `-.inf`",
    ),
    "overflow": (constant("1e999"), "1:32: schedule.lr: must be a finite number, got `.inf`"),
    "negative rate": (constant("-0.1"), "1:32: schedule.lr: must be greater than 0, got -0.1"),
    "rate of zero": (constant("0"), "1:32: schedule.lr: must be greater than 0, got 0"),
    "just beyond a bound": (
        LEAST + "optimizer: {type: sgd, momentum: 1.0000001}\n",
        "2:34: optimizer.momentum: must be less than 1, got 1.0000001",
    ),
    "no epochs": (LEAST + "epochs: 0\n", "2:9: epochs: must be greater than 0, got 0"),
    "too many epochs": (
        LEAST + "epochs: 999999999999\n",
        "2:9: epochs: must be at most 100000, got 999999999999",
    ),
    "batch too large": (
        LEAST + "batch_size: 1000001\n",
        "2:13: batch_size: must be at most 1000000, got 1000001",
    ),
    "huge integer": (
        LEAST + f"epochs: {'9' * 26}\n",
        "2:9: epochs: must be a whole number, got `1e+26`",
    ),
    # durations
    "missing unit": (falling("20"), f"1:43: schedule.s: needs a unit: {WAYS}"),
    "unknown unit": (
        falling("20 hours"),
        f"1:43: schedule.s: must be a duration, got `20 hours`; {WAYS}",
    ),
    "boolean for a duration": (
        falling("true"),
        f"1:43: schedule.s: must be a duration, got `true`; {WAYS}",
    ),
    "null for a duration": (
        falling("~"),
        f"1:43: schedule.s: must be a duration, got `null`; {WAYS}",
    ),
    "list for a duration": (
        falling("[1 epoch]"),
        f"1:43: schedule.s: must be a duration, got `['1 epoch']`; {WAYS}",
    ),
    "negative duration": (
        falling("-2"),
        "1:43: schedule.s: must be longer than 0 and finite, got `-2`",
    ),
    "infinite duration": (
        falling("1e999 epochs"),
        "1:43: schedule.s: must be longer than 0 and finite, got `1e999 epochs`",
    ),
    # schedules and optimizers
    "unknown type": (
        "schedule: {type: quasar}\n",
        "1:18: schedule.type: unknown type `quasar`; known types: " + ", ".join(SCHEDULES),
    ),
    "unknown type, near": (
        "schedule:\n  type: onecycle\n  max_lr: 0.1\n",
        "2:9: schedule.type: unknown type `onecycle`; did you mean `one_cycle`?",
    ),
    "unknown optimizer": (
        LEAST + "optimizer: {type: sdg}\n",
        "2:19: optimizer.type: unknown type `sdg`; did you mean `sgd`?",
    ),
    "null for a type": (
        LEAST + "optimizer: {type: ~}\n",
        "2:19: optimizer.type: unknown type `null`; known types: sgd, adam, adamw, nadam, rmsprop",
    ),
    "missing type": (
        "schedule: {lr: 0.1}\n",
        "1:11: schedule: needs a `type`: constant, multistep, piecewise or one of 18 others",
    ),
    "missing schedule": (
        "# mine\n\nepochs: 3\n",
        "3:1: schedule: missing; it is the learning-rate schedule",
    ),
    "empty schedule": (
        "schedule:\n",
        "1:10: schedule: must be a mapping (keys and values), got `null`",
    ),
    "word for a schedule": (
        "schedule: constant\n",
        "1:11: schedule: must be a mapping (keys and values), got `constant`",
    ),
    "missing field": (
        "schedule: {type: one_cycle}\n",
        "1:1: schedule.max_lr: missing; it is the peak, from `lrlab find-lr`",
    ),
    "unknown update": (
        "schedule: {type: constant, lr: 0.1, update: batch}\n",
        "1:45: schedule.update: must be step or epoch, got `batch`",
    ),
    "unknown monitor": (
        performance("monitor: val_acuracy"),
        "4:12: schedule.monitor: must be loss, val_loss, or a metric such as val_accuracy; for "
        "another name say `mode: max` or `mode: min`, got `val_acuracy`",
    ),
    "no patience": (
        performance("patience: 0"),
        "4:13: schedule.patience: must be greater than 0, got 0",
    ),
    "factor of one": (
        performance("factor: 1"),
        "4:11: schedule.factor: must be less than 1, got 1",
    ),
    "too few values": (
        piecewise("[0.1]", "[1 epoch, 2 epochs]"),
        "2:3: schedule: 2 boundaries need 3 values, got 1",
    ),
    "no values": (
        piecewise("[]", "[]"),
        "3:11: schedule.values: must hold at least 1 values, got 0",
    ),
    "word for a list": (
        piecewise("[0.1]", "never"),
        "4:15: schedule.boundaries: must be a list, got `never`",
    ),
    "boundary without a unit": (
        piecewise("[0.2, 0.1]", "[20]"),
        f"4:16: schedule.boundaries.0: needs a unit: {WAYS}",
    ),
    "boundaries that fall": (
        piecewise("[0.3, 0.2, 0.1]", "[2 epochs, 1 epoch]"),
        "2:3: schedule: boundaries must increase, got `2 epochs` before `1 epoch`",
    ),
    "negative value in a list": (
        piecewise("[0.1, -1]", "[1 epoch]"),
        "3:17: schedule.values.1: must be at least 0, got -1",
    ),
    "start above the peak": (
        "schedule: {type: one_cycle, max_lr: 0.1, start_lr: 0.2}\n",
        "1:11: schedule: start_lr must not be above max_lr, got 0.2 > 0.1",
    ),
    # words
    "unknown model": (LEAST + "model: gpt\n", f"2:8: model: {MODELS}, got `gpt`"),
    "unknown data": (
        LEAST + "data: mnist\n",
        f"2:7: data: {DATA}, got `mnist`",
    ),
    "null byte in a path": (
        LEAST + 'data: "a\\0.npz"\n',
        f"2:7: data: {DATA}, got `a\\x00.npz`",
    ),
    "path for a name": (LEAST + "name: a/b\n", f"2:7: name: {NAMES}; got `a/b`"),
    "folder above for a name": (LEAST + "name: ..\n", f"2:7: name: {NAMES}; got `..`"),
    "empty name": (LEAST + "name: ''\n", f"2:7: name: {NAMES}; got ``"),
    "long name": (LEAST + f"name: {'x' * 65}\n", f"2:7: name: {NAMES}; got `{'x' * 57}...`"),
    # terminals
    "escape in a name": (LEAST + 'name: "\\e[2J"\n', f"2:7: name: {NAMES}; got `\\x1b[2J`"),
    "escape in a key": (LEAST + '"\\e[2J": 3\n', f"2:1: \\x1b[2J: unknown key; {KEYS}"),
    "escape in a value": (
        LEAST + 'epochs: "\\e[2J"\n',
        "2:9: epochs: must be a whole number, got `\\x1b[2J`",
    ),
    # YAML itself
    "list for a config": ("- a\n", "1:1: must be a mapping (keys and values)"),
    "text for a config": ("just text\n", "1:1: must be a mapping (keys and values)"),
    "open bracket": (
        "epochs: [1, 2",
        "1:14: not valid YAML: expected ',' or ']', but got '<stream end>'",
    ),
    "two colons": ("a: b: c\n", "1:5: not valid YAML: mapping values are not allowed here"),
    "two documents": (LEAST + "---\n", "2:1: not valid YAML: but found another document"),
    "anchor": ("schedule: &s {type: constant}\n", f"1:11: {UNWELCOME}"),
    "alias": ("schedule: *s\n", f"1:11: {UNWELCOME}"),
    "alias bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", f"1:4: {UNWELCOME}"),
    "tag of Python": (
        "schedule: !!python/object/apply:os.system [ls]\n",
        "1:11: tags (`!`) are not supported",
    ),
    "tag of a date": (LEAST + "name: !!timestamp now\n", "2:7: tags (`!`) are not supported"),
    "deep nesting": ("[" * 50 + "]" * 50, "1:21: nested too deeply"),
}


def complaint(text, **options):
    with pytest.raises(ConfigError) as caught:
        config.parse(text, "bad.yaml", **options)
    return caught.value.message


@pytest.mark.parametrize(("text", "problem"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_problem_with_place_and_caret(text, problem):
    line, column = map(int, problem.split(":")[:2])
    excerpt = text.split("\n")[line - 1][:100]
    assert complaint(text) == (
        f"1 problem in `bad.yaml`\nbad.yaml:{problem}\n  | {excerpt}\n  | {' ' * (column - 1)}^"
    )


# name: (text of the file, the whole message)
MESSAGES = {
    "several problems, in file order": (
        "epochs: 0\nschedule:\n  type: one_cycle\n  max_rl: 0.5\nbatch_size: -1\nepochs: 3\n",
        "4 problems in `bad.yaml`\n"
        "bad.yaml:1:9: epochs: must be greater than 0, got 0\n"
        "  | epochs: 0\n"
        "  |         ^\n"
        "bad.yaml:4:3: schedule.max_rl: unknown key; did you mean `max_lr`?\n"
        "  |   max_rl: 0.5\n"
        "  |   ^\n"
        "bad.yaml:5:13: batch_size: must be greater than 0, got -1\n"
        "  | batch_size: -1\n"
        "  |             ^\n"
        "bad.yaml:6:1: epochs: duplicate key; it already stands on line 1\n"
        "  | epochs: 3\n"
        "  | ^",
    ),
    "only a comment": (
        "# later\n",
        "1 problem in `bad.yaml`\nbad.yaml: is empty; `schedule` is missing",
    ),
    "control character": (
        "name: a\x1b[2Jb\n",
        "1 problem in `bad.yaml`\nbad.yaml: not valid YAML: unacceptable character #x001b: "
        'special characters are not allowed in "<unicode string>", position 7',
    ),
    "tab": (
        LEAST + "\tepochs: 3\n",
        "1 problem in `bad.yaml`\n"
        "bad.yaml:2:1: not valid YAML: found character '\\t' that cannot start any token\n"
        "  |  epochs: 3\n"
        "  | ^",
    ),
    "end of the file": (
        "epochs: [1, 2\n",
        "1 problem in `bad.yaml`\n"
        "bad.yaml:2:1: not valid YAML: expected ',' or ']', but got '<stream end>'",
    ),
    "far to the right": (
        f"{{{' ' * 200}epoch: 3, schedule: {{type: constant, lr: 0.01}}}}\n",
        "1 problem in `bad.yaml`\n"
        "bad.yaml:1:202: epoch: unknown key; did you mean `epochs`?\n"
        f"  | {' ' * 60}epoch: 3, schedule: {{type: constant, lr:\n"
        f"  | {' ' * 60}^",
    ),
    "text that runs backwards": (
        "schedule: {type: constant, lr: 1, \u202e: 3, s: 4}\n",
        "2 problems in `bad.yaml`\n"
        "bad.yaml:1:35: schedule.\\u202e: unknown key; "
        "known keys: warmup, scale, update, for, type, lr\n"
        "  | schedule: {type: constant, lr: 1, \\u202e: 3, s: 4}\n"
        "  |                                   ^\n"
        "bad.yaml:1:41: schedule.s: unknown key; "
        "known keys: warmup, scale, update, for, type, lr\n"
        "  | schedule: {type: constant, lr: 1, \\u202e: 3, s: 4}\n"
        "  |                                              ^",
    ),
}


@pytest.mark.parametrize(("text", "message"), MESSAGES.values(), ids=MESSAGES.keys())
def test_whole_message(text, message):
    assert complaint(text) == message


# name: (bytes of the file, what is wrong with it)
FILES = {
    "empty": (b"", "is empty; the least is `schedule: {type: constant, lr: 0.01}`"),
    "blank": (b" \n\n", "is empty; the least is `schedule: {type: constant, lr: 0.01}`"),
    "Latin-1": (b"name: caf\xe9\n", "is not UTF-8 text (byte 9); save it as UTF-8"),
    "UTF-16": (LEAST.encode("utf-16"), "is not UTF-8 text (byte 0); save it as UTF-8"),
    "too large": (
        b"#" * (MAX_BYTES + 1),
        f"is larger than {MAX_BYTES:,} bytes; is it a config?",
    ),
    "too large, cut in a character": (
        "é".encode() * MAX_BYTES + b"x",
        f"is larger than {MAX_BYTES:,} bytes; is it a config?",
    ),
}


@pytest.mark.parametrize(("content", "problem"), FILES.values(), ids=FILES.keys())
def test_file_that_cannot_be_read(tmp_path, content, problem):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert caught.value.message == f"1 problem in `{path}`\n{path}: {problem}"


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ConfigError) as caught:
        config.read([tmp_path / "none.yaml", tmp_path])
    assert caught.value.message == (
        f"2 problems in 2 files\n{tmp_path / 'none.yaml'}: no such file\n"
        f"{tmp_path}: is a folder; name the files in it, as in `FOLDER/*.yaml`"
    )


def test_problems_of_several_files_at_once(write_config):
    good = write_config(LEAST, "good.yaml")
    first, second = write_config("a: 1\n" + LEAST, "1.yaml"), write_config("", "2.yaml")
    with pytest.raises(ConfigError) as caught:
        config.read([first, good, second])
    assert caught.value.message == (
        f"2 problems in 2 files\n"
        f"{first}:1:1: a: unknown key; {KEYS}\n  | a: 1\n  | ^\n"
        f"{second}: is empty; the least is `schedule: {{type: constant, lr: 0.01}}`"
    )
    assert caught.value.exit_code == 2


def test_equal_names(write_config):
    one, two = write_config(LEAST, "a.yaml"), write_config(LEAST + "name: a\n", "b.yaml")
    with pytest.raises(UsageError) as caught:
        config.read([one, two])
    assert caught.value.message == f"2 experiments are called `a`: `{one}`, `{two}`"
    assert caught.value.hint == "give each its own `name:`, and each file only once"


# --- what is accepted ---


RATES = {"1e-3": 0.001, "1E3": 1000.0, ".5": 0.5, "5.": 5.0, "+2": 2.0, "3": 3.0, "9" * 30: 1e30}


@pytest.mark.parametrize(("text", "lr"), RATES.items(), ids=RATES.keys())
def test_numbers(text, lr):
    assert config.parse(constant(text)).experiment.schedule.lr == lr


TEXTS = ["on", "no", "012", "2020-01-01", "1_000", "0x10", "1.0.0"]


@pytest.mark.parametrize("text", TEXTS)
def test_text_that_yaml_1_1_takes_for_something_else(text):
    assert config.parse(f"{LEAST}name: {text}\n").experiment.name == text


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode() + b"epochs: 3\r\n")
    assert config.load(path).epochs == 3


def test_defaults_are_the_reference_experiment():
    spelled_out = """
        name: reference
        schedule: {type: constant, lr: 0.01, update: step}
        model: mlp
        data: auto
        optimizer: {type: sgd, momentum: 0.9, nesterov: false, weight_decay: null}
        batch_size: 32
        epochs: 10
    """
    assert config.reference().experiment == config.parse(spelled_out).experiment


REFERENCE = {
    "a bad value": (
        ["epochs=0"],
        "--set epochs=0: epochs: must be greater than 0, got 0 (for the reference experiment)",
    ),
    "a missing one": (
        ["schedule={type: constant}"],
        "--set schedule={type: constant}: schedule.lr: missing; it is the rate "
        "(for the reference experiment)",
    ),
    "one that another type needs": (
        ["schedule.type=exponential", "schedule.s=1 epoch", "schedule.lr=1"],
        "the reference experiment: schedule.initial_lr: missing; it is the rate at the first step",
    ),
}


@pytest.mark.parametrize(("settings", "problem"), REFERENCE.values(), ids=REFERENCE.keys())
def test_bad_settings_of_the_reference_experiment(settings, problem):
    with pytest.raises(ConfigError) as caught:
        config.reference(config.overrides(settings))
    assert problem in caught.value.message.splitlines()


STEMS = {
    "1cycle.yaml": "1cycle",
    "my run (2).yaml": "my-run-2-",
    "v1.2.yaml": "v1.2",
    "..hidden.yaml": "hidden",
    "été.yaml": "t-",
    "---.yaml": "experiment",
    f"{'x' * 80}.yaml": "x" * 64,
}


@pytest.mark.parametrize(("file", "name"), STEMS.items(), ids=STEMS.keys())
def test_name_from_the_stem(write_config, file, name):
    assert config.load(write_config(LEAST, file)).name == name


def test_every_config_of_the_repository_is_valid():
    paths = sorted((Path(__file__).parents[1] / "configs").rglob("*.yaml"))
    assert len(paths) >= 13
    for path in paths:
        config.load(path)


# --- overrides ---


def test_overrides_hold_values_and_what_was_typed():
    given = config.overrides(
        ["batch_size=64", "schedule.s=2 epochs", "name=a=b"], epochs=3, data=None
    )
    assert given == [
        config.Override(("batch_size",), 64, "--set batch_size=64"),
        config.Override(("schedule", "s"), "2 epochs", "--set schedule.s=2 epochs"),
        config.Override(("name",), "a=b", "--set name=a=b"),
        config.Override(("epochs",), 3, "--epochs 3"),
    ]


@pytest.mark.parametrize("text", ["epochs", "=3", "a b=3", "a..b=3", "schedule.=3", ""])
def test_overrides_refuse_other_forms(text):
    with pytest.raises(UsageError) as caught:
        config.overrides([text])
    assert caught.value.message == f"`--set {text}` is not of the form `key=value`"


# text after --set: key by key, what comes out
OVERRIDES = {
    "epochs=3": {"epochs": 3},
    "optimizer={type: nadam}": {"optimizer": {"type": "nadam"}},
    "schedule.lr=1e-3": {"schedule": {"type": "constant", "lr": 0.001}},
    "name=012": {"name": "012"},
    "model=cnn": {"model": "cnn"},
}


@pytest.mark.parametrize(("text", "changed"), OVERRIDES.items(), ids=OVERRIDES.keys())
def test_override(write_config, text, changed):
    path = write_config(LEAST, "x.yaml")
    [read] = config.read([path], config.overrides([text]))
    expected = {"name": "x", "schedule": {"type": "constant", "lr": 0.01}, **changed}
    assert read.experiment == config.parse(yaml.safe_dump(expected)).experiment


# name: (text after --set, what is said about it)
BAD_OVERRIDES = {
    "value": ("batch_size=0", "batch_size: must be greater than 0, got 0"),
    "inner value": ("schedule.lr=-1", "schedule.lr: must be greater than 0, got -1"),
    "unknown key": ("epoch=3", "epoch: unknown key; did you mean `epochs`?"),
    "unknown inner key": ("foo.bar=3", f"foo: unknown key; {KEYS}"),
    "unknown type": (
        "schedule.type=constan",
        "schedule.type: unknown type `constan`; did you mean `constant`?",
    ),
    "half a mapping": ("optimizer.momentum=0.5", "optimizer: needs a `type`: sgd, adam, adamw, "
                       "nadam or rmsprop"),
    "no value": ("model=", "model: must be text, got `null`"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), BAD_OVERRIDES.values(), ids=BAD_OVERRIDES.keys())
def test_bad_override_is_placed_at_the_option(write_config, text, problem):
    path = write_config(LEAST)
    with pytest.raises(ConfigError) as caught:
        config.read([path], config.overrides([text]))
    assert caught.value.message == f"1 problem in `{path}`\n--set {text}: {problem} (for {path})"


NO_VALUES = {
    "not YAML": ("model=[", "not valid YAML: expected the node content, but found '<stream end>'"),
    "tag": ("name=!!timestamp x", "tags (`!`) are not supported"),
    "escape": ("name=\x1b", "not valid YAML: unacceptable character #x001b: special characters "
               'are not allowed in "<unicode string>", position 0'),
}  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), NO_VALUES.values(), ids=NO_VALUES.keys())
def test_an_override_that_is_not_yaml_is_refused(text, problem):
    with pytest.raises(UsageError) as caught:
        config.overrides([text])
    assert caught.value.message == f"`--set {text}`: {problem}"


def test_what_was_typed_is_blamed(write_config):
    path = write_config(LEAST)
    with pytest.raises(ConfigError, match=r"\n--set data=foo: data: must be auto"):
        config.read([path], config.overrides(["data=foo"]))


def test_bad_epochs_and_data_are_placed_at_their_options(write_config):
    path = write_config(LEAST)
    with pytest.raises(ConfigError) as caught:
        config.read([path], config.overrides([], data="mnist", epochs=0))
    first, *lines = caught.value.message.splitlines()
    assert first == f"2 problems in `{path}`"
    assert lines[0].startswith("--data mnist: data: must be auto")
    assert lines[1] == f"--epochs 0: epochs: must be greater than 0, got 0 (for {path})"


def test_override_mends_a_bad_value(write_config):
    path = write_config(LEAST + "epochs: 0\n")
    [read] = config.read([path], config.overrides([], epochs=2))
    assert read.experiment.epochs == 2


def test_override_leaves_the_next_reading_alone(write_config):
    path = write_config(LEAST)
    config.read([path], config.overrides(["schedule.lr=0.5"]))
    assert config.load(path).schedule.lr == 0.01


def test_data_path_counts_from_the_folder_of_the_config(write_config):
    path = write_config(LEAST + "data: ../mine.npz\n", "sub/x.yaml")
    assert Path(config.load(path).data) == path.parent / "../mine.npz"


def test_data_path_of_an_option_counts_from_here(write_config):
    path = write_config(LEAST + "data: mine.npz\n", "sub/x.yaml")
    [read] = config.read([path], config.overrides([], data="yours.npz"))
    assert read.experiment.data == "yours.npz"


def test_absolute_data_path_stays(write_config, tmp_path):
    path = write_config(f"{LEAST}data: {tmp_path / 'a.npz'}\n", "sub/x.yaml")
    assert config.load(path).data == str(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["auto", "fashion-mnist", "sketches"])
def test_built_in_data_is_no_path(write_config, name):
    assert config.load(write_config(f"{LEAST}data: {name}\n")).data == name


# --- warnings ---


PAST = {
    "20 epochs": True,
    "10 epochs": True,
    "9.99 epochs": False,
    "1000 steps": True,
    "999 steps": False,
    "100%": True,
    "99%": False,
}


@pytest.mark.parametrize(("boundary", "warned"), PAST.items(), ids=PAST.keys())
def test_warning_for_a_boundary_past_the_end(boundary, warned):
    text = piecewise("[0.1, 0.02]", f"[{boundary}]")
    message = (
        f"bad.yaml:4:16: schedule.boundaries.0: `{boundary}` is past the end of the run "
        "(10 epochs, 1,000 steps); the rate 0.02 is never used\n"
        f"  |   boundaries: [{boundary}]\n"
        "  |                ^"
    )
    found = config.warnings(config.parse(text, "bad.yaml"), steps_per_epoch=100)
    assert found == ([message] if warned else [])


def test_warning_for_boundaries_whose_units_cross():
    parsed = config.parse(piecewise("[3, 2, 1]", "[1 epoch, 50 steps]"), "bad.yaml")
    assert config.warnings(parsed, steps_per_epoch=49) == []
    assert config.warnings(parsed, steps_per_epoch=50) == [
        "bad.yaml:4:25: schedule.boundaries.1: `50 steps` is not after `1 epoch`, with 50 steps an "
        "epoch; boundaries must increase\n"
        "  |   boundaries: [1 epoch, 50 steps]\n"
        "  |                         ^"
    ]


def test_other_schedules_have_no_warnings():
    assert config.warnings(config.parse(LEAST), steps_per_epoch=1) == []


# --- identity ---


# name: (a config, another one, whether they are the same experiment)
IDENTITIES = {
    "defaults spelled out": (
        LEAST,
        LEAST + "optimizer: {momentum: 0.9, type: sgd}\nepochs: 10\nmodel: mlp\ndata: auto\n",
        True,
    ),
    "default of a schedule": (
        falling("1 epoch"),
        falling("1 epoch, c: 1, update: step"),
        True,
    ),
    "spelling of numbers": (constant("0.01"), constant("1e-2"), True),
    "spelling of durations": (falling("10 epochs"), falling("1e1 epoch"), True),
    "null for a default of null": (
        "schedule: {type: one_cycle, max_lr: 1}",
        "schedule: {type: one_cycle, max_lr: 1, end_lr: ~}",
        True,
    ),
    "momentum left out of sgd": (LEAST, LEAST + "optimizer: {type: sgd}\n", False),
    "another rate": (constant("0.01"), constant("0.010000001"), False),
    "another unit": (falling("1 epoch"), falling("1 step"), False),
    "another update": (constant("1"), constant("1, update: epoch"), False),
}


@pytest.mark.parametrize(("one", "two", "same"), IDENTITIES.values(), ids=IDENTITIES.keys())
def test_identity(one, two, same):
    first, second = (config.parse(text).experiment.identity() for text in (one, two))
    assert (first == second) is same


def test_identity_leaves_defaults_out_so_that_later_keys_change_nothing():
    text = LEAST + "name: x\nepochs: 10\noptimizer: {type: nadam, beta_1: 0.8}\n"
    assert config.parse(text).experiment.identity() == {
        "name": "x",
        "schedule": {"type": "constant", "lr": 0.01},
        "optimizer": {"type": "nadam", "beta_1": 0.8},
    }


# --- properties ---


def outcome(text):
    """Return the experiment that a text states, or the text of its problems."""
    try:
        return config.parse(text).experiment
    except ConfigError as error:
        return error.message


CONFIG_PIECES = st.sampled_from(
    [*"{}[]:,-?&*!|>'\"%@#~ \n\t", ": ", "\n  ", "schedule", "type", "constant", "power", "lr", "s",
     "0.1", "1e3", "-1", ".nan", "9" * 30, "true", "~", "20 epochs", "5%", "optimizer", "sgd",
     "name", "..", "a.npz", "data", "epochs", "<<", "---\n", "!!int ", "!!binary ", "&a ", "*a",
     "\x1b", "\u2028", "é"]
)  # fmt: skip


@hypothesis_settings(max_examples=200)
@given(text=st.text(max_size=60) | st.lists(CONFIG_PIECES, max_size=25).map("".join))
def test_any_text_is_a_valid_config_or_a_config_error(text):
    found = outcome(text)
    if isinstance(found, Experiment):
        assert config.parse(yaml.safe_dump(found.model_dump(mode="json"))).experiment == found
    else:
        assert re.match(r"\d+ problems? in `config.yaml`\n", found)
        assert all(character.isprintable() or character == "\n" for character in found)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


@hypothesis_settings(max_examples=100)
@given(
    key=st.sampled_from([*Experiment.model_fields, "schedule.lr", "schedule.type", "optimizer.x"]),
    value=VALUES,
)
def test_any_value_is_valid_or_a_config_error(key, value):
    data = {"schedule": {"type": "constant", "lr": 0.1}, "optimizer": {"type": "sgd"}}
    outer, _, inner = key.partition(".")
    if inner:
        data[outer][inner] = value
    else:
        data[outer] = value
    found = outcome(yaml.safe_dump(data, allow_unicode=True))
    assert isinstance(found, Experiment) or len(found) < 5_000


RATE = st.floats(1e-12, 1e12)
DURATION = st.builds(
    "{:.15g}{}".format,
    st.floats(1e-3, 1e6) | st.integers(1, 10**6),
    st.sampled_from([" epochs", " steps", "%"]),
)


def a_mapping(kind, required=None, **optional):
    return st.fixed_dictionaries({"type": st.just(kind), **(required or {})}, optional=optional)


@st.composite
def piecewise_schedules(draw):
    counts = draw(st.lists(st.integers(1, 10**6), unique=True, max_size=4).map(sorted))
    unit = draw(st.sampled_from([" epochs", " steps", "%"]))
    size = len(counts) + 1
    return {
        "type": "piecewise",
        "values": draw(st.lists(st.floats(0, 1e3), min_size=size, max_size=size)),
        "boundaries": [f"{count}{unit}" for count in counts],
    }


UPDATE = st.sampled_from(["step", "epoch"])
FACTOR = st.floats(0, 1, exclude_min=True, exclude_max=True)
SCHEDULES = st.one_of(
    a_mapping("constant", {"lr": RATE}, update=UPDATE),
    a_mapping("power", {"initial_lr": RATE, "s": DURATION}, c=RATE, update=UPDATE),
    a_mapping("exponential", {"initial_lr": RATE, "s": DURATION}, factor=FACTOR),
    piecewise_schedules(),
    a_mapping(
        "performance",
        {"initial_lr": RATE},
        factor=FACTOR,
        patience=st.integers(1, 100),
        cooldown=st.integers(0, 9),
        monitor=st.sampled_from(["val_loss", "val_accuracy"]),
    ),
    a_mapping("one_cycle", {"max_lr": RATE}, end_lr=st.none() | RATE, over=DURATION),
)
BETA = st.floats(0, 1, exclude_max=True)
EXPERIMENTS = st.fixed_dictionaries(
    {"schedule": SCHEDULES},
    optional={
        "name": st.from_regex(experiment._NAME, fullmatch=True),
        "model": st.sampled_from(["mlp", "cnn"]),
        "data": st.sampled_from(["auto", "fashion-mnist", "sketches", "a.npz"]),
        "optimizer": st.one_of(
            a_mapping("sgd", momentum=BETA, nesterov=st.booleans(), weight_decay=st.none() | RATE),
            a_mapping("nadam", beta_1=BETA, epsilon=RATE),
            a_mapping("adamw", weight_decay=st.none() | RATE),
            a_mapping("rmsprop", rho=BETA, momentum=BETA),
        ),
        "batch_size": st.integers(1, 1_000_000),
        "epochs": st.integers(1, 100_000),
    },
)


@hypothesis_settings(max_examples=100)
@given(values=EXPERIMENTS)
def test_round_trip_through_yaml(values):
    first = config.parse(yaml.safe_dump(values)).experiment
    again = config.parse(yaml.safe_dump(first.model_dump(mode="json"))).experiment
    assert again == first
    assert again.identity() == first.identity()
