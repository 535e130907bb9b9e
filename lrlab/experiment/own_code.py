"""The code that configs name: loaded once, with consent, before anything is planned."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lrlab.config import Config, own_rates
from lrlab.config.experiment import BuiltModel, Experiment, StatedOptimizer, no_momentum
from lrlab.config.problems import raise_problems
from lrlab.experiment.preparation import load_tensorflow
from lrlab.reporter import Reporter
from lrlab.tasks import code, code_loading, onednn
from lrlab.tasks.code import Origin
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.own_model import OwnFunction, OwnModel
from lrlab.tasks.own_optimizer import OwnOptimizer
from lrlab.tasks.wanted import Wanted


def loaded(configs: Sequence[Config], report: Reporter) -> list[Config]:
    """Return configs whose models, losses and metrics can be built; data are resolved apart.

    TensorFlow is set up before any of that code is imported, since the code may import it too.

    Raises:
        CodeError: If code is not there, fails when it is imported, or is not a function.
    """
    named = [set(each.experiment.references()) - {"data", "data.load"} for each in configs]
    configs = _with_arithmetic(configs)
    if not any(named):
        return configs
    with report.waiting("Loading TensorFlow and your code"):
        load_tensorflow()
        return [
            _loaded(each) if references else each
            for each, references in zip(configs, named, strict=True)
        ]


def settled(configs: Sequence[Config], resolved: Mapping[Wanted, DataSource]) -> list[Config]:
    """Return configs with the optimizers that their models were compiled with.

    Raises:
        CodeError: If a model cannot be built, does not fit its data, or hides a state.
        ConfigError: If a schedule cycles a momentum that an optimizer does not have.
    """
    found = []
    looked_at = set()
    for config in configs:
        source = resolved[config.experiment.wanted]
        experiment = config.experiment.settled(source)
        setup = experiment.setup(source)
        if isinstance(setup.model, OwnModel) and (setup.model, source) not in looked_at:
            from lrlab.training.engines.hidden_state import check_state

            check_state(setup)
            looked_at.add((setup.model, source))
        if wrong := no_momentum(experiment.schedule, experiment.optimizer):
            config.source.problems.append(config.source.problem(f"optimizer: {wrong}", ()))
        found.append(replace(config, experiment=experiment))
    raise_problems(each.source for each in found)
    return found


def _with_arithmetic(configs: Sequence[Config]) -> list[Config]:
    """Return configs that say whether oneDNN was chosen for them; it is chosen here."""
    models = [each.experiment.stated_model for each in configs]
    onednn.choose(models)
    chosen = [onednn.is_on() and onednn.convolves(model) for model in models]
    return [
        replace(each, experiment=_on(each.experiment)) if on else each
        for each, on in zip(configs, chosen, strict=True)
    ]


def _on(experiment: Experiment) -> Experiment:
    return experiment.with_code(replace(experiment.own, onednn=True))


def _loaded(config: Config) -> Config:
    experiment, trusted = config.experiment, config.trusted
    references, given = experiment.references(), experiment.own

    def function(*keys: str) -> OwnFunction | None:
        text = next((references[key] for key in keys if key in references), None)
        return None if text is None else OwnFunction(_code(text, trusted))

    own = replace(
        given,
        model=given.model or _model(experiment, trusted),
        loss=given.loss or function("loss"),
        measure=given.measure or function("metric", "metric.name"),
        optimizer=given.optimizer or _optimizer(experiment, trusted),
    )
    if own == given:  # Objects from Python, or loaded before.
        return own_rates.loaded(config)
    return own_rates.loaded(replace(config, experiment=experiment.with_code(own)))


def _model(experiment: Experiment, trusted: frozenset[Origin]) -> OwnModel | None:
    references = experiment.references()
    text = references.get("model", references.get("model.build"))
    if text is None:
        return None
    stated = experiment.model if isinstance(experiment.model, BuiltModel) else None
    reference = code.parse(text, Path())
    if reference.is_keras_file:
        code.require_consent(reference, trusted)
        return OwnModel.of_file(reference, stated.weights if stated else "fresh")
    return OwnModel.of_code(_code(text, trusted), stated.args if stated else {})


def _optimizer(experiment: Experiment, trusted: frozenset[Origin]) -> OwnOptimizer | None:
    stated = experiment.optimizer
    if not isinstance(stated, StatedOptimizer):
        return None
    own = OwnOptimizer.of_code(_code(stated.type, trusted), stated.args)
    own.build()  # What is wrong with it is told before anything is trained.
    return own


def _code(text: str, trusted: frozenset[Origin]) -> code_loading.Code:
    return code_loading.load(code.parse(text, Path()), trusted)
