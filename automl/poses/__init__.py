"""Predicted poses, one record each: the file that an evaluation leaves, and what follows from it.

The trainer program writes the file; reports read it. Everything here is numpy on plain arrays.
"""
