"""Which networks can be trained, what are they called, and which of them take a table?

core/models/networks.py builds them.
"""

from __future__ import annotations

from core.types import Dataset, UserError

NETWORKS = {
    "talk_cnn": "The talk's network",
    "lenet5": "LeNet-5",
    "mlp": "MLP",
    "linear": "Linear",
    "fi_cnn": "Small CNN (FI paper)",
    "resnet18": "ResNet-18",
    "vgg11": "VGG-11",
    "convmixer": "ConvMixer",
}
FOR_TABLES = ("mlp", "linear")


def check_network(network: str, data: Dataset) -> None:
    """A UserError if the network needs images and the dataset is a table."""
    if not (data.is_images or network in FOR_TABLES):
        raise UserError(
            f"{NETWORKS[network]} needs images; {data.called} is a table. Choose"
            f" {' or '.join(FOR_TABLES)}."
        )
