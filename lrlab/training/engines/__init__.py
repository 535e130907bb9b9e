"""What does the arithmetic of training, behind one interface: `engine.Engine`.

`tensorflow` implements it. TensorFlow is loaded by `loaded` and by what imports that.
"""
