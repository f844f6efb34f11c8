"""The table of contents: every strategy of the lab, in menu order. Importing a module registers its functions."""

from core.strategies import leverage  # noqa: F401

from core.strategies import goal, influence, local_influence, shapley  # noqa: F401  isort: skip
from core.strategies import chance  # noqa: F401  isort: skip
