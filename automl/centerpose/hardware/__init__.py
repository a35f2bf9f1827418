"""Where a network computes, how fast, in which precision and in how much memory."""
