"""Figures as still SVG: what a page shows before, and without, its script."""
