"""When does an experiment go on after a worker died, and when does it stop?

Most deaths are not the fault of what was computed: somebody ends a process, a machine is switched
off, a scheduler starts anew. So it goes on by itself, after a pause that doubles with every death
until a unit is finished, up to a minute. But a unit in whose middle three workers died is left out
and named, whatever they died of, and the others go on; a second one without a finished unit between
them ends the experiment, for then it is likely all of them. Who gives no answer at all is asked
again a few times, more often if it has answered before.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.runtime import deaths
from core.runtime.deaths import Death

MOST = 3
ASKED = 6
ASKED_AT_FIRST = 2
PAUSE = 1.0
LONGEST = 60.0


@dataclass(eq=False)
class Patience:
    """One experiment's.

    deaths: each once, however many units it interrupted. middle: by a unit's key, those in whose
    middle it was. in_a_row: since the last finished unit. answered: did a worker ever begin?
    """

    deaths: list[Death] = field(default_factory=list)
    middle: dict[str, list[Death]] = field(default_factory=dict)
    left_out: list[tuple[Any, str]] = field(default_factory=list)
    in_a_row: int = 0
    answered: bool = False
    _until: float = 0.0
    _fresh: bool = False  # was one left out, and nothing finished since?

    def finished(self) -> None:
        """A unit is done."""
        self.in_a_row = 0
        self.answered = True
        self._fresh = False

    def again(self, key: str, death: Death) -> bool:
        """A worker died in the middle of this unit: is it to be tried again, after the pause?"""
        self.answered |= death.kind != "unreachable"
        if not any(death.same_as(other) for other in self.deaths):
            self.deaths.append(death)
            self.in_a_row += 1
            self._until = time.monotonic() + min(LONGEST, PAUSE * 2 ** (self.in_a_row - 1))
        if death.kind == "unreachable":
            return self.in_a_row < (ASKED if self.answered else ASKED_AT_FIRST)
        self.middle.setdefault(key, []).append(death)
        return len(self.middle[key]) < MOST

    def leave_out(self, unit: Any, key: str) -> bool:
        """Go on without it; False: that is one too many."""
        self.left_out.append((unit, key))
        goes_on = not self._fresh
        self._fresh = True
        return goes_on

    @property
    def pause(self) -> float:
        """Seconds until units are handed out again."""
        return max(0.0, self._until - time.monotonic())

    @property
    def told(self) -> tuple[str, ...]:
        """What the screen has to show of it."""
        if not self.deaths:
            return ()
        times = "once" if len(self.deaths) == 1 else f"{len(self.deaths)} times"
        return (f"Its worker was gone {times} ({deaths.counts(self.deaths)}).",)

    def sentence(self, units: Sequence[Any], units_are: str) -> str:
        """Which were left out, and why."""
        names = "; ".join(name_of(unit, units) for unit, _ in self.left_out)
        found = [death for _, key in self.left_out for death in self.middle[key]]
        mend = (
            " Choose fewer points or dimensions."
            if any(death.kind == "memory" for death in found)
            else " Start it again to try once more."
        )
        return (
            f"Left out of {len(units):,} {units_are}: {names}. Each time that this was computed its"
            f" worker died ({deaths.counts(found)}).{mend}"
        )


def name_of(unit: Any, units: Sequence[Any]) -> str:
    """In words: what tells this unit from the others of its plan."""
    fields = [one.name for one in dataclasses.fields(unit)]
    differs = [
        name for name in fields if len({str(getattr(other, name, "")) for other in units}) > 1
    ]
    return ", ".join(f"{name} {getattr(unit, name)}" for name in differs or fields[-1:])
