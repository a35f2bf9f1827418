"""Which GPUs a training is to use, as far as the spec and the environment say; torch is not asked.

``AUTOML_TRAINER_ACCELERATOR=cpu`` keeps the trainer off the GPUs; ``train.num_gpus`` then is the
number of processes on the CPU, which is slower than one and meant for tests.
"""

from automl.centerpose.config.train import Train

__all__ = ["ACCELERATOR", "device_ids"]

ACCELERATOR = "AUTOML_TRAINER_ACCELERATOR"
"""Environment variable: ``cpu`` leaves GPUs alone."""


def device_ids(settings: Train) -> tuple[int, ...]:
    """The indices of the GPUs to train on.

    ``train.gpu_ids`` where ``train.num_gpus`` does not ask for more, else 0, 1, ...
    """
    if settings.num_gpus > len(settings.gpu_ids):
        return tuple(range(settings.num_gpus))
    return settings.gpu_ids
