"""How much shared memory the data loaders of a training may want."""

__all__ = ["shm_bytes"]

_GIB = 1 << 30
_DEFAULT = 16 * _GIB
#: An augmented image of 512 x 512 with its heatmaps, in float32, on its way from a worker.
_SAMPLE_BYTES = 8 << 20
#: Batches that each worker of a loader prepares ahead.
_PREFETCHED = 2


def shm_bytes(workers: int, batch_size: int, gpus: int) -> int:
    """Shared memory that the data loaders of one training may fill, in bytes.

    Each GPU's process has ``workers`` workers, each of which prepares two batches ahead. It is a
    limit, not memory that is taken: 16 GiB are given in any case.

    Args:
        workers: Workers of one loader; 0 loads in the training process itself.
        batch_size: Images in a batch.
        gpus: Processes of the training; 0 counts as one.
    """
    need = max(1, gpus) * workers * _PREFETCHED * batch_size * _SAMPLE_BYTES
    return max(_DEFAULT, -(-need // _GIB) * _GIB)
