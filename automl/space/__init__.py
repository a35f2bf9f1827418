"""From a train schema to a search space: bounds and their reasons, scales, inert parameters."""
