"""Hyperparameter search for NVIDIA TAO CenterPose, and for any other TAO model skill.

Importing this package imports nothing else: every entry point loads what it needs itself, so
that ``automl --help`` answers at once.
"""

__version__ = "0.1.0"
