"""What evaluations of a study's checkpoints say: held-out value, metrics, images, worst poses."""
