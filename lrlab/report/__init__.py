"""What people take along from a comparison: its tables.

Text only; `plots` draws.
"""
