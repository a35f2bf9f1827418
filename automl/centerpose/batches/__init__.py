"""Batches on the device, from a data set as it lies on disk."""
