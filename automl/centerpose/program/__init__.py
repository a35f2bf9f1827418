"""The command line, the actions behind it, and the processes that carry them out."""
