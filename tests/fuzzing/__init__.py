"""Inputs that nobody means to give, and what must hold of each: it is read, or refused by name.

A refusal is an error of this package that says which rule is broken; anything else that is raised
is a fault. ``tests/property/test_fuzz.py`` runs a few of each kind, ``tests/bench/fuzz.py``
thousands, with their times.
"""
