"""A real Slurm of one node, of the tests' own."""
