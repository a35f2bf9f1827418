"""The search methods: one module each, and the parts that several of them have."""
