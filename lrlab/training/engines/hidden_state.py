"""State that a user's model would keep where no run could begin with it anew."""

from collections.abc import Iterator
from typing import Any

from lrlab.errors import CodeError
from lrlab.tasks.own_model import OwnModel, predicted, variables_of
from lrlab.tasks.random_state import preserved_random_state
from lrlab.tasks.setup import Setup
from lrlab.training.engines.loaded import keras, tf

_GLOBAL_RANDOMNESS = {
    "Multinomial",
    "ParameterizedTruncatedNormal",
    "RandomGamma",
    "RandomPoissonV2",
    "RandomShuffle",
    "RandomStandardNormal",
    "RandomUniform",
    "RandomUniformInt",
    "TruncatedNormal",
}
"""Operations whose state is hidden in TensorFlow, so that no run could begin with it anew."""


def check_state(setup: Setup) -> None:
    """Make sure that all that changes from step to step are variables that Keras knows of.

    Args:
        setup: A setup with a user's own model.

    Raises:
        CodeError: If the model draws random numbers from a global state, or keeps another one.
    """
    assert isinstance(setup.model, OwnModel)
    model, built, sample = setup.model, setup.build(0), setup.data.sample(setup.batch or 2)
    specs = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), sample)
    call = tf.function(lambda x: predicted(built, x, training=True), autograph=False)
    with preserved_random_state():
        keras.random.uniform(())  # Keras' global generator cannot be made within a trace.
        graph = model.at_home(lambda: call.get_concrete_function(specs), sample).graph
        known = {id(each.value) for each in variables_of(built)}
        strange = [each.name for each in graph.variables if id(each) not in known]
    if any("seed_generator" in name for name in strange):
        raise _global_randomness(model, "Keras' global seed")
    if strange:
        raise CodeError(
            f"`{model.label}` uses a variable that Keras does not know of: `{strange[0]}`",
            "make it with `self.add_weight` in a layer, so that every run begins with it anew",
        )
    if used := _GLOBAL_RANDOMNESS & set(operations(graph)):
        raise _global_randomness(model, f"TensorFlow's global state ({min(used)})")


def _global_randomness(model: OwnModel, where: str) -> CodeError:
    return CodeError(
        f"`{model.label}` draws random numbers from {where} while it is trained, so that no run "
        "could be repeated",
        "keep a `keras.random.SeedGenerator` in the layer, and pass it as the `seed`",
    )


def operations(graph: Any) -> Iterator[str]:
    """Yield the types of all operations in a graph and in the functions that it calls."""
    definition = graph.as_graph_def()
    yield from (node.op for node in definition.node)
    for function in definition.library.function:
        yield from (node.op for node in function.node_def)
