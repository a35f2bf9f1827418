"""The synthetic data set: textured boxes on a ground plane, in the Objectron layout."""
