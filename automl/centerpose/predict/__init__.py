"""Poses for images without annotations: cameras, images, places, drawings."""
