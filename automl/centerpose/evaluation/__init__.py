"""From head maps to scores: decoding, pose from points, oriented-box overlap, average precision.

Nothing here knows the network or the training loop. Everything is a function over the tensors of a
whole split, on the device that the head maps came from; only ``evaluator`` keeps state, and only
``metrics`` and ``report`` work on plain arrays.
"""
