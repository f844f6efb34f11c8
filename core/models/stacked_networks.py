"""Several networks of one architecture as one function: their products are batched."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.models.networks import Network
from core.types import UserError


def as_one_function(
    networks: list[Network],
) -> tuple[list[Tensor], Callable[[Tensor], Tensor], Callable[[], None]]:
    """Parameters (m, ...), the networks as one function of (m, b, ...), what writes them back."""
    if len(networks) == 1:
        return list(networks[0].parameters()), lambda x: networks[0](x[0])[None], lambda: None
    if len({tuple((k, v.shape) for k, v in one.state_dict().items()) for one in networks}) > 1:
        raise UserError(
            "A stack needs networks of one architecture, found several."
            " Train each architecture on its own."
        )
    parameters, buffers = torch.func.stack_module_state(networks)
    template = copy.deepcopy(networks[0]).train()
    for layer in template.modules():
        if isinstance(layer, nn.Conv2d) and layer.groups == 1:
            # A stack of convolutions would run as one grouped convolution, which GPUs do slowly.
            layer.forward = partial(_convolve, layer)
    model = torch.vmap(lambda p, b, x: torch.func.functional_call(template, (p, b), (x,)))

    def write_back():
        for i, network in enumerate(networks):
            network.load_state_dict(
                {name: value[i].detach() for name, value in {**parameters, **buffers}.items()}
            )

    return list(parameters.values()), partial(model, parameters, buffers), write_back


def _convolve(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """One matrix product over all patches: (b, c, h, w) -> (b, out, rows, columns)."""
    patches = F.unfold(x, layer.kernel_size, padding=layer.padding, stride=layer.stride)
    sides = zip(x.shape[2:], layer.kernel_size, layer.padding, layer.stride, strict=True)
    grid = [(side + 2 * padding - kernel) // stride + 1 for side, kernel, padding, stride in sides]
    products = F.linear(patches.transpose(1, 2), layer.weight.flatten(1), layer.bias)
    return products.transpose(1, 2).unflatten(2, grid)
