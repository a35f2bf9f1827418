"""The docker trainer: a training in a container, from its options to its end."""
