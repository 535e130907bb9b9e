r"""Train a network on one task, save it, and fine-tune it on a related one.

python examples/fine_tuning/blobs.py  # writes pretrained.keras
lrlab find-lr examples/fine_tuning/warmup.yaml \
        --trust examples/fine_tuning/blobs.py --trust examples/fine_tuning/pretrained.keras
lrlab compare examples/fine_tuning/*.yaml \
        --trust examples/fine_tuning/blobs.py --trust examples/fine_tuning/pretrained.keras
"""

from pathlib import Path

import numpy as np

CLASSES, FEATURES = 8, 32


def points(examples, turn, seed):
    """Return noisy points around the centres of the classes, and the classes.

    The task is how far the centres are turned; a small turn makes a related one.
    """
    centres = np.random.default_rng(0).normal(0, 1, (2, CLASSES, FEATURES))
    centres = np.cos(turn) * centres[0] + np.sin(turn) * centres[1]
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, examples)
    return (centres[labels] + rng.normal(0, 1.8, (examples, FEATURES))).astype("float32"), labels


def load():
    """Return the new task, 30 degrees away; the configs train on 200 examples of it."""
    return points(1000, np.pi / 6, seed=1), points(1000, np.pi / 6, seed=2)


def pretrain():
    """Return a network that is trained on the old task, which has plenty of examples."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    hidden = [layers.Dense(64, activation="relu"), layers.BatchNormalization()]
    head = layers.Dense(CLASSES, activation="softmax")
    model = keras.Sequential([keras.Input((FEATURES,)), *hidden, head])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*points(8000, 0.0, seed=0), batch_size=64, epochs=4, verbose=0)
    return model


if __name__ == "__main__":
    pretrain().save(Path(__file__).with_name("pretrained.keras"))
