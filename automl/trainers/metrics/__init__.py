"""Where a training's metrics are read: a table of sources, one module each."""
