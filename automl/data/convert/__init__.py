"""Data sets of other formats, read as one stream of frames and written in the training layout."""
