"""The training loop and everything it changes."""
