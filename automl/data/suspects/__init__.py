"""What in a split is probably wrong though training can read it: labels, units, leaks."""
