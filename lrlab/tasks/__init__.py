"""What is trained: data sets, models, optimizers.

Keras is imported inside functions only.
"""
