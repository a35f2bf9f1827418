"""The networks: one module an idea, one table (``build``) from ``model_type`` to network."""
