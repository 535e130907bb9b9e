"""Sources that several entries of the guide share."""

from lrlab.guide.entry import Origin

GERON = Origin(
    "Géron", "Hands-On Machine Learning with Scikit-Learn, Keras and TensorFlow, chapter 11", 2019,
    "https://github.com/ageron/handson-ml2",
)  # fmt: skip
SGDR = Origin(
    "Loshchilov and Hutter", "SGDR: stochastic gradient descent with warm restarts", 2016,
    "https://arxiv.org/abs/1608.03983",
)  # fmt: skip
PYTORCH = Origin(
    "PyTorch", "torch.optim.lr_scheduler",
    link="https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate",
)  # fmt: skip
KERAS = Origin(
    "Keras", "keras.optimizers.schedules",
    link="https://keras.io/api/optimizers/learning_rate_schedules/",
)  # fmt: skip
