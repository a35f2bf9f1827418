"""A model skill on disk: metadata, schema tree, spec templates, and the run policy."""
