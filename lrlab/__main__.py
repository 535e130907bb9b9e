"""`python -m lrlab`."""

from lrlab.cli import main

main()
