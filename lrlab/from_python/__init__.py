"""lrlab from Python: comparisons of objects in place of names, and results to look at."""
