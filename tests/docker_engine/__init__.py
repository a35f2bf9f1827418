"""A real Docker engine of the tests' own, and images for it that no registry is needed for."""
