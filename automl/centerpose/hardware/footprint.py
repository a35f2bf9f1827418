"""How much memory a training needs, known before it is tried."""

import torch
from torch import Tensor, nn

from automl.centerpose.config.dataset import Dataset
from automl.centerpose.hardware.device import mixed
from automl.centerpose.models.fan import FAN

__all__ = ["save_memory", "saved_bytes"]

_STATE_BYTES = 12  # a parameter's gradient and Adam's two moments
_SLACK = 1.15  # what kernels need for a moment; one H200 needed 1.06 at most
_SHARE = 0.9  # of the memory that is free now


def save_memory(network: nn.Module, data: Dataset, device: torch.device, precision: str) -> bool:
    """Turns on gradient checkpointing if a GPU has no room for a batch without it.

    Returns:
        Whether it is on. Networks that cannot checkpoint stay as they are.
    """
    if device.type != "cuda" or not isinstance(network, FAN):
        return False
    image = torch.zeros(1, 3, data.input_res, data.input_res, device=device)
    image = image.contiguous(memory_format=torch.channels_last)
    each = saved_bytes(network, image, precision)
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    needed = _SLACK * each * data.batch_size + _STATE_BYTES * n_parameters
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    free = torch.cuda.mem_get_info(device)[0] + cached
    network.backbone.checkpointing = needed > _SHARE * free
    return network.backbone.checkpointing


def saved_bytes(network: nn.Module, image: Tensor, precision: str) -> int:
    """Bytes that a forward pass over ``image`` (1, 3, H, W) keeps for the backward pass.

    The pass runs in evaluation mode, which keeps as much as training and changes no statistics
    and no random state; the network is left in the mode it was in.
    """
    own = {tensor.untyped_storage().data_ptr() for tensor in network.state_dict().values()}
    kept: dict[int, Tensor] = {}

    def note(tensor: Tensor) -> None:
        # An operation that saved its own result, graph and all, would never be freed.
        kept[tensor.untyped_storage().data_ptr()] = tensor.detach()

    was_training = network.training
    network.eval()
    try:
        hooks = torch.autograd.graph.saved_tensors_hooks(note, lambda nothing: nothing)
        with hooks, mixed(image.device, precision):
            network(image)
    finally:
        network.train(was_training)
    return sum(
        tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in own
    )
