"""Data sets: archives, the Objectron layout on disk and its checks, the synthetic data set."""
