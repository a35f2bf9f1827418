"""How trials are driven: the Ray Tune adapters and the serial driver, round one search engine."""
