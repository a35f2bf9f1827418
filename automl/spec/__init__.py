"""One training spec: built from template and overrides, checked against the skill's schemas."""
