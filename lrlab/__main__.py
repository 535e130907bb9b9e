"""`python -m lrlab`."""

import sys

if not sys.flags.safe_path:
    # With `-m` the working directory comes first: a `numpy.py` there would be run.
    del sys.path[0]

from lrlab.cli import main

main()
