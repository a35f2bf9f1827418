"""How one trial is trained: the trainers, what they leave on disk, and how it is read."""
