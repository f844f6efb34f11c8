"""Datasets whose labels are incomplete: some points have none, some classes cannot be learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.types import Dataset
from tests.tools.own_data import images, table

NAMES = ("ant", "bee", "cat")


def made(kind: str, case: str, n: int = 30) -> Dataset:
    """A small table, or small images, of three classes, in one of CASES; the last quarter are its
    test points where the case has any.
    """
    labels, test = CASES[case](n)
    base = table(n, d=4) if kind == "table" else images(n, side=8)
    return replace(base, labels=labels, test=test, class_names=NAMES)


def _thirds(n: int) -> np.ndarray:
    return np.arange(n) % 3


def _late(n: int) -> np.ndarray:
    return np.arange(n) >= n - n // 4


def _none(n: int) -> np.ndarray:
    return np.zeros(n, bool)


def _partly(n: int, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.where(np.arange(n) % 4 == 1, -1, _thirds(n)), test


def _test_unlabeled(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.where(_late(n), -1, _thirds(n)), _late(n)


def _only_in_test(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.where(np.arange(n) >= n - 4, 2, np.arange(n) % 2), _late(n)


def _once(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.where(np.arange(n) == 3, 2, np.arange(n) % 2), _none(n)


def _once_in_training(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.where(np.isin(np.arange(n), [3, n - 2]), 2, np.arange(n) % 2), _late(n)


def _training_unlabeled(n: int) -> tuple[np.ndarray, np.ndarray]:
    return np.where(_late(n), _thirds(n), -1), _late(n)


CASES = {
    "partly": lambda n: _partly(n, _none(n)),
    "partly, with a test part": lambda n: _partly(n, _late(n)),
    "test part without labels": _test_unlabeled,
    "a class in the test part only": _only_in_test,
    "a class once": _once,
    "a class once in the training part": _once_in_training,
    "training part without labels": _training_unlabeled,
}
