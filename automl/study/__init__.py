"""The study folder: every path in it, the storage, the records, the lock, the provenance."""
