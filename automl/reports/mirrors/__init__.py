"""A study in the form of other trackers: each is one module, and one line of ``table``."""
