"""Driving trials on a Ray cluster: which nodes are fit, and what runs where."""
