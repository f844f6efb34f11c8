"""Which networks can a point go through? Every architecture, as its source gives it, by name.

    network = build("talk_cnn", classes=10, shape=(28, 28), seed=1)
    network(x) = head(embed(x)),  embed(x) = body(inputs(x))

Conventions: x is a batch as the dataset stores it: uint8 images (b, h, w) or (b, h, w, 3), or a
feature table (b, d). The network itself turns it into floats and normalises it, so no other room
knows the constants. `embed` gives the penultimate layer (b, d); `head` is the last nn.Linear (d to
classes). Weights are PyTorch's default draws from a generator of our own, on the CPU: the same on
every machine.

Sources: talk_cnn is the network of "Assessing Representation Sensitivity of Leverage Scores in
Active Learning"; lenet5 LeCun et al. 1998 (with ReLU and max-pooling); mlp and vgg11 Ash et al.
2020 (BADGE), mlp with 128 hidden units Ash et al. 2021 (BAIT); fi_cnn the small network of the FI
paper; resnet18 He et al. 2016; convmixer Trockman and Kolter 2022.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.types import UserError

MNIST = {"mean": 0.1307, "std": 0.3081}
CIFAR10 = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}


class Network(nn.Module):
    """inputs -> body -> head. See the module's first lines."""

    def __init__(self, name: str, body: nn.Module, head: nn.Linear, inputs: Inputs):
        super().__init__()
        self.name = name
        self.inputs = inputs
        self.body = body
        self.head = head

    def embed(self, x: Tensor) -> Tensor:
        """The penultimate layer, (b, d). x: a batch as the dataset stores it."""
        return self.body(self.inputs(x))

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of the head, (b, classes): logits, or regressed one-hot values."""
        return self.head(self.embed(x))


class Inputs(nn.Module):
    """From stored points to normalised floats.

    Images become (x/255 - mean)/std as (b, channels, h, w), tables (x - mean)/std as (b, d).
    smallest: images with a shorter side are first framed with black to this many pixels, centred.
    Raises UserError for points of another shape or kind than the network was built for.
    """

    def __init__(self, shape: tuple[int, ...], mean: Any, std: Any, smallest: int = 1):
        super().__init__()
        self.shape = tuple(shape)
        self.channels = channels(self.shape)
        self.frame = _frame(self.shape, smallest)
        for name, value in (("mean", mean), ("std", std)):
            self.register_buffer(name, _constants(value, name, self.shape))

    def forward(self, x: Tensor) -> Tensor:
        if tuple(x.shape[1:]) != self.shape:
            raise UserError(
                f"This network takes points of shape {self.shape}, found {tuple(x.shape[1:])}."
                " Build it for this dataset."
            )
        if len(self.shape) == 1:
            return (x.float() - self.mean) / self.std
        if x.dtype != torch.uint8:
            raise UserError(
                f"Images: found {x.dtype} pixels, expected uint8 from 0 to 255."
                " Scale and convert them first."
            )
        x = x.unsqueeze(1) if self.channels == 1 else x.permute(0, 3, 1, 2)
        x = F.pad(x, self.frame) if any(self.frame) else x
        return (x.float() / 255 - self.mean) / self.std


class Dropout(nn.Module):
    """Zero each value with probability `rate` while training, scale the others by 1/(1-rate).

    The draws come from `generator`, which training sets, so that two trainings at once never share
    draws (nn.Dropout takes them from the one global generator).
    """

    def __init__(self, rate: float):
        super().__init__()
        if not 0 <= rate < 1:
            raise UserError(
                f"dropout: found {rate}, expected a rate from 0 up to, not including, 1."
            )
        self.rate = rate
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        assert self.generator is not None, (
            "core.models.training sets the generator of every dropout layer"
        )
        keep = torch.empty(x.shape, dtype=x.dtype, device=x.device).bernoulli_(
            1 - self.rate, generator=self.generator
        )
        return x * keep / (1 - self.rate)


def build(
    name: str, *, classes: int, shape: tuple, seed: int, regression: bool = False, **options: Any
) -> Network:
    """The network of this name for points of this shape, in eval mode, on the CPU.

    shape: (h, w), (h, w, 3) or (d,). regression: classes are the numbers of a target, of which one
    is enough. seed: of the weights; the global generator is neither used nor
    moved. options: mean, std (a number, or one per channel or feature; images in units of 255; by
    default MNIST's for grey images, CIFAR-10's for colour, 0 and 1 for tables), and the
    architecture's own, e.g. hidden=256 for mlp. Raises UserError for an unknown name or option,
    fewer than two classes, or a shape the network cannot take.
    """
    shape = _check(name, classes + regression, shape, seed)
    builder = ARCHITECTURES[name]
    default = {0: {"mean": 0.0, "std": 1.0}, 1: MNIST, 3: CIFAR10}[channels(shape)]
    constants = {name: options.pop(name, default[name]) for name in ("mean", "std")}
    allowed = builder.__kwdefaults__ or {}
    if unknown := set(options) - set(allowed):
        raise UserError(
            f"{name} has no option {', '.join(sorted(unknown))}; it has"
            f" {', '.join(['mean', 'std', *allowed])}."
        )
    # On the meta device the layers' own initialisation draws nothing; ours follows, from our own
    # generator.
    with torch.device("meta"):
        body, width = builder(shape, **options)
        head = nn.Linear(width, classes)
    inputs = Inputs(shape, **constants, smallest=SMALLEST.get(name, 1))
    network = Network(name, body.to_empty(device="cpu"), head.to_empty(device="cpu"), inputs)
    generator = torch.Generator().manual_seed(seed)
    _initialise(network, generator, he_normal=name in ("resnet18", "vgg11"))
    return network.eval()


def own_generator(seed: int, purpose: int, device: torch.device | str = "cpu") -> torch.Generator:
    """One of several independent streams for one seed: purpose 1 orders points, 2 is dropout."""
    state = np.random.SeedSequence([seed, purpose]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state))


def draws(network: nn.Module) -> bool:
    """Does the network draw random numbers while it trains?"""
    return any(isinstance(layer, Dropout) for layer in network.modules())


def seed_dropout(network: Network, seed: int) -> None:
    """Give every dropout layer a generator of this network alone, on the network's device."""
    generator = own_generator(seed, 2, network.head.weight.device)
    for layer in network.modules():
        if isinstance(layer, Dropout):
            layer.generator = generator


def channels(shape: tuple[int, ...]) -> int:
    """Colour channels of an image shape: 1 or 3; 0 for a feature table."""
    return {1: 0, 2: 1, 3: 3}[len(shape)]


def talk_cnn(shape, *, width: int = 200):
    """Two 3x3 convolutions (to 32, to 64) with ReLU and 2x2 max-pooling; linear to 200 with ReLU.

    Padding 1: a 28x28 digit then costs the published 4.5 million multiply-adds (4,467,664); without
    it 2.7 million.
    """
    flat = 64 * (shape[0] // 4) * (shape[1] // 4)
    return nn.Sequential(*_two_convolutions(shape), nn.Linear(flat, width), nn.ReLU()), width


def lenet5(shape):
    """5x5 convolutions to 6 (padding 2) and 16 with ReLU and 2x2 max-pooling; linear to 120, 84.

    0.42 million multiply-adds.
    """
    flat = 16 * ((shape[0] // 2 - 4) // 2) * ((shape[1] // 2 - 4) // 2)
    first = [nn.Conv2d(channels(shape), 6, 5, padding=2), nn.MaxPool2d(2), nn.ReLU()]
    second = [nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.ReLU()]
    dense = [nn.Flatten(), nn.Linear(flat, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()]
    return nn.Sequential(*first, *second, *dense), 84


def mlp(shape, *, hidden: int = 128):
    """One hidden layer with ReLU: 128 units (BAIT) or 256 (BADGE)."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), hidden), nn.ReLU()), hidden


def linear(shape):
    """No hidden layer: the embedding is the normalised input itself."""
    return nn.Sequential(nn.Flatten()), math.prod(shape)


def fi_cnn(shape, *, dropout: float = 0.5):
    """Two 3x3 convolutions (32x14x14, 64x7x7 for a digit), dropout, linear to 256 with ReLU.

    The paper's table gives no dropout rate and no word on how the size halves: 0.5 and 2x2
    max-pooling here.
    """
    flat = 64 * (shape[0] // 4) * (shape[1] // 4)
    dense = [nn.Linear(flat, 256), nn.ReLU()]
    return nn.Sequential(*_two_convolutions(shape), Dropout(dropout), *dense), 256


def resnet18(shape):
    """torchvision's ResNet-18 with the stem for 32x32 images.

    The stem is one 3x3 convolution of stride 1, without max-pooling.
    """
    # torchvision loads slowly, and only two networks need it.
    from torchvision.models import resnet18 as torchvision_resnet18

    body = torchvision_resnet18(weights=None)
    body.conv1 = nn.Conv2d(channels(shape), 64, 3, padding=1, bias=False)
    body.maxpool = nn.Identity()
    body.fc = nn.Identity()
    return body, 512


def vgg11(shape):
    """torchvision's VGG-11 convolutions with batch normalisation, averaged to 512.

    Without the normalisation Adam at 1e-3 often stalls.
    """
    from torchvision.models import vgg11_bn

    features = vgg11_bn(weights=None).features
    features[0] = nn.Conv2d(channels(shape), 64, 3, padding=1)
    return nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten()), 512


def convmixer(shape, *, dim: int = 256, depth: int = 8, kernel: int = 5, patch: int = 2):
    """Patches to `dim` channels, `depth` mixing blocks, averaged to (dim,).

    A block is a residual depthwise and a pointwise convolution.
    """
    stem = [nn.Conv2d(channels(shape), dim, patch, stride=patch), nn.GELU(), nn.BatchNorm2d(dim)]
    blocks = [_mixer_block(dim, kernel) for _ in range(depth)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten()), dim


def _two_convolutions(shape: tuple[int, ...]) -> list[nn.Module]:
    # ReLU after max-pooling gives the same values as before it, on a quarter of the pixels.
    first = [nn.Conv2d(channels(shape), 32, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()]
    return [*first, nn.Conv2d(32, 64, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()]


class _Residual(nn.Module):
    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


def _mixer_block(dim: int, kernel: int) -> nn.Sequential:
    depthwise = [
        nn.Conv2d(dim, dim, kernel, groups=dim, padding="same"),
        nn.GELU(),
        nn.BatchNorm2d(dim),
    ]
    return nn.Sequential(
        _Residual(nn.Sequential(*depthwise)), nn.Conv2d(dim, dim, 1), nn.GELU(), nn.BatchNorm2d(dim)
    )


ARCHITECTURES: dict[str, Callable] = {
    f.__name__: f for f in (talk_cnn, lenet5, mlp, linear, fi_cnn, resnet18, vgg11, convmixer)
}
SMALLEST = {"resnet18": 32, "vgg11": 32, "convmixer": 32}
_LEAST_SIDE = {"talk_cnn": 4, "fi_cnn": 4, "lenet5": 12}
_FOR_TABLES = ("mlp", "linear")


def _check(name: str, classes: int, shape: tuple, seed: int) -> tuple[int, ...]:
    if name not in ARCHITECTURES:
        raise UserError(f"Network: found {name!r}, expected one of {', '.join(ARCHITECTURES)}.")
    if classes < 2:
        raise UserError(
            f"Network: found {classes} classes, expected at least 2."
            " Check the labels of the dataset."
        )
    if seed < 0:
        raise UserError(f"Network seed: found {seed}, expected a whole number of at least 0.")
    shape = tuple(int(side) for side in shape)
    if len(shape) not in (1, 2, 3) or min(shape) < 1 or (len(shape) == 3 and shape[2] != 3):
        raise UserError(
            f"Network: found points of shape {shape}, expected (h, w), (h, w, 3) or (d,)."
        )
    if len(shape) == 1 and name not in _FOR_TABLES:
        raise UserError(
            f"{name} needs images, found a feature table with {shape[0]} columns. Choose"
            f" {' or '.join(_FOR_TABLES)}."
        )
    if len(shape) > 1 and min(shape[:2]) < _LEAST_SIDE.get(name, 1):
        raise UserError(
            f"{name} needs images of at least {_LEAST_SIDE[name]} pixels a side, found"
            f" {min(shape[:2])}. Choose another network."
        )
    return shape


def _constants(value: Any, name: str, shape: tuple[int, ...]) -> Tensor:
    """mean or std in the shape that broadcasts over a batch."""
    constant = torch.as_tensor(value, dtype=torch.float32).flatten()
    expected = shape[0] if len(shape) == 1 else channels(shape)
    if (
        constant.numel() not in (1, expected)
        or not constant.isfinite().all()
        or (name == "std" and (constant <= 0).any())
    ):
        raise UserError(
            f"{name}: found {value!r}, expected one finite number or"
            f" {expected}{', above 0' if name == 'std' else ''}."
        )
    return constant if len(shape) == 1 else constant.reshape(-1, 1, 1)


def _frame(shape: tuple[int, ...], smallest: int) -> tuple[int, ...]:
    if len(shape) == 1:
        return ()
    rows, columns = (max(0, smallest - side) for side in shape[:2])
    return columns // 2, columns - columns // 2, rows // 2, rows - rows // 2


def _initialise(network: Network, generator: torch.Generator, he_normal: bool) -> None:
    """PyTorch's defaults in module order, weight before bias.

    he_normal: torchvision's rule for convolutions.
    """
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
        elif isinstance(layer, nn.Conv2d) and he_normal:
            nn.init.kaiming_normal_(
                layer.weight, mode="fan_out", nonlinearity="relu", generator=generator
            )
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            if layer.bias is not None:
                bound = 1 / math.sqrt(layer.weight[0].numel())
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
