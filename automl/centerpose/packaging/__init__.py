"""The skill's files, generated from the typed spec: schemas, spec templates and metadata."""
