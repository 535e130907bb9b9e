"""The order of the training images: a function of the seed alone."""

import numpy as np

from lrlab.training.engines.engine import Order


def sample_order(images: int, seed: int, epoch: int) -> Order:
    """Return the order of the training images in an epoch, a function of seed and epoch alone."""
    return np.random.default_rng([seed, epoch]).permutation(images).astype(np.int32)


def sweep_order(images: int, batch_size: int, steps: int, seed: int) -> Order:
    """Return the order of the training images in a sweep, epoch after epoch.

    Whole batches only: a smaller last batch would be a noisier point of the curve.
    """
    whole = images - images % batch_size or images
    epochs = -(-steps * batch_size // whole)
    return np.concatenate([sample_order(images, seed, epoch)[:whole] for epoch in range(epochs)])
