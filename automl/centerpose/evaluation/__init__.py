"""From head maps to scores: decoding, pose from points, oriented-box overlap, average precision.

Nothing here knows the network or the training loop. Everything is a function over arrays; only
``evaluator`` keeps state, and only ``decode`` touches torch.
"""
