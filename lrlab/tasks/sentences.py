"""The embedded token sequences: sentences in which one animal does something to another.

Which of them acts is the class: the words alone do not tell, their order and the voice do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrlab.tasks.parts import Given, Part
from lrlab.tasks.raw_bits import RawBits

SEED = 2017
TRAIN_SENTENCES = 20_000
TEST_SENTENCES = 5_000
MISLABELLED = 0.03
"""The share of sentences with another animal's class: a model is right at most 97 % of the time."""

FINGERPRINT = "687ee6bacd1f9fc0c282dc8e838d287a105cc06a73422cd321059470a3178856"
"""Of the whole data set; a test holds both together."""

ANIMALS = ("fox", "dog", "cat", "owl", "hen", "pig", "cow", "rat")
VERBS = ("chases", "sees", "follows", "helps", "bites", "hears")
PARTICIPLES = ("chased", "seen", "followed", "helped", "bitten", "heard")
ADJECTIVES = ("red", "old", "small", "loud", "quick")
ADVERBS = ("today", "often", "again", "slowly")
WORDS = (
    "", "the", "this", "that", "is", "by", *ANIMALS, *VERBS, *PARTICIPLES, *ADJECTIVES, *ADVERBS
)  # fmt: skip
"""The words by their token; token 0 fills a sentence up."""

LENGTH = 25
VOCABULARY = len(WORDS)

_THE, _THAT, _IS, _BY = (WORDS.index(word) for word in ("the", "that", "is", "by"))

Tokens = NDArray[np.int64]


def sentences(train: int = TRAIN_SENTENCES, test: int = TEST_SENTENCES) -> Given:
    """Return the data set: sentences and the number of the animal that acts in the main clause.

    A sentence may be passive, and both animals may have a relative clause with another one: "the
    old fox that is seen by this hen bites the cow that helps this dog" is of class `fox`.

    Args:
        train: Sentences to train on, >= 1; fewer are the beginning of more.
        test: Sentences to test on, >= 1.

    Returns:
        Tokens int32 (n, 25) below `VOCABULARY` and classes int32 (n,) below 8.

    Example:
        >>> given = sentences(3, 1)
        >>> text(given.train.x[0]), given.classes[given.train.y[0]]
        ('the cat that is followed by this rat is seen by this pig often', 'pig')
    """
    parts = [_drawn(0, train, TRAIN_SENTENCES), _drawn(1, test, TEST_SENTENCES)]
    return Given(parts[0], test=parts[1], classes=ANIMALS)


def text(tokens: NDArray[np.integer]) -> str:
    """Return the sentence that some tokens are."""
    return " ".join(WORDS[token] for token in tokens if token)


@dataclass
class _Draw:
    """Words drawn for all sentences at once, each kind from a stream of its own."""

    split: int
    count: int
    streams: int = 0

    def _bits(self) -> RawBits:
        self.streams += 1
        return RawBits(SEED, self.split, self.streams)

    def word(self, words: tuple[str, ...]) -> Tokens:
        return WORDS.index(words[0]) + self.number(len(words))

    def number(self, limit: int) -> Tokens:
        return self._bits().below(limit, self.count)

    def flag(self, probability: float) -> NDArray[np.bool_]:
        return self._bits().chance(probability, self.count)

    def animals(self) -> list[Tokens]:
        """Return four different animals per sentence: their numbers, (count,) each."""
        left = np.tile(np.arange(len(ANIMALS)), (self.count, 1))
        every, drawn = np.arange(self.count), []
        for taken in range(4):
            place = taken + self.number(len(ANIMALS) - taken)
            drawn.append(left[every, place])
            left[every, place] = left[every, taken]
        return drawn

    def phrase(self, animal: Tokens) -> list[Tokens]:
        """Return an article, perhaps an adjective, and an animal."""
        article = _THE + self.number(2)
        adjective = np.where(self.flag(0.4), self.word(ADJECTIVES), 0)
        return [article, adjective, WORDS.index(ANIMALS[0]) + animal]

    def predicate(self, passive: NDArray[np.bool_]) -> list[Tokens]:
        """Return `sees` or, in the passive, `is seen by`."""
        active, participle = self.word(VERBS), self.word(PARTICIPLES)
        return [
            np.where(passive, _IS, active), np.where(passive, participle, 0),
            np.where(passive, _BY, 0),
        ]  # fmt: skip

    def clause(self, animal: Tokens) -> list[Tokens]:
        """Return, for some, a relative clause with another animal."""
        said = self.flag(0.5)
        words = [np.full(self.count, _THAT), *self.predicate(self.flag(0.5)), *self.phrase(animal)]
        return [np.where(said, each, 0) for each in words]


def _drawn(split: int, count: int, most: int) -> Part:
    draw = _Draw(split, max(count, most))
    subject, other, third, fourth = draw.animals()
    passive = draw.flag(0.5)
    columns = [
        np.where(draw.flag(0.2), draw.word(ADVERBS), 0),
        *draw.phrase(subject),
        *draw.clause(third),
        *draw.predicate(passive),
        *draw.phrase(other),
        *draw.clause(fourth),
        np.where(draw.flag(0.3), draw.word(ADVERBS), 0),
    ]
    grid = np.stack(columns, axis=1)[:count]
    order = np.argsort(grid == 0, axis=1, kind="stable")  # Words first, in their order.
    tokens = np.take_along_axis(grid, order, axis=1).astype(np.int32)
    wrong = draw.flag(MISLABELLED) * (1 + draw.number(len(ANIMALS) - 1))
    labels = (np.where(passive, other, subject) + wrong) % len(ANIMALS)
    return Part(tokens, labels[:count].astype(np.int32))
