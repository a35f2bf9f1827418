"""What a setting is, how its value is written, and which of several values wins."""
