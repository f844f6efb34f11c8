"""What is settled so far about the columns of a table: which role each of them has."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.data.imports.draft import Choices, Fault, Role
from core.data.imports.tables.columns import Column


@dataclass(eq=False)
class Assignment:
    """What is settled so far. columns: in the order of the file. index: pandas' own index columns.

    labels: the words and codes of the label column.
    """

    columns: dict[str, Column]
    choices: Choices
    faults: list[Fault]
    index: tuple[str, ...] = ()
    roles: dict[str, Role] = field(default_factory=dict)

    @property
    def free(self) -> list[Column]:
        """The columns without a role."""
        return [column for name, column in self.columns.items() if name not in self.roles]

    def named(self, role: str) -> list[str]:
        """The columns of this role, in the order of the file."""
        return [name for name in self.columns if self._is(name, role)]

    def one(self, role: str) -> Column | None:
        """The column of a role that one column has."""
        return next((self.columns[name] for name in self.named(role)), None)

    def settle(self, column: Column | str, role: str, why: str) -> None:
        name = column if isinstance(column, str) else column.name
        self.roles[name] = Role(name, role, why)

    def _is(self, name: str, role: str) -> bool:
        return name in self.roles and self.roles[name].role == role
