"""The plan while it is being made: a world that changes as decisions fall, so that each sees those before it."""

import dataclasses
from typing import Any, TypeVar

from tsubo.model.plan import Plan, RecordChange, Step
from tsubo.model.world import KIND_NAMES, Record, World

R = TypeVar("R", bound=Record)


class Draft:
    """Collects record changes, steps and the next time to look. One pass makes one and turns it into a Plan."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._before: dict[tuple[str, str], Record | None] = {}
        self._after: dict[tuple[str, str], Record | None] = {}
        self._copied: set[str] = set()
        self._steps: list[Step] = []
        self._wake_at: float | None = None

    def put(self, record: Record) -> None:
        """Write a record, new or in place of the one with its key."""
        self._write(type(record), record.key, record)

    def update(self, record: R, **fields: Any) -> R:
        """Write a record with some fields changed; nothing if they say what they said. Return it as it now stands."""
        if all(getattr(record, name) == value for name, value in fields.items()):
            return record
        changed = dataclasses.replace(record, **fields)
        self.put(changed)
        return changed

    def delete(self, record: Record) -> None:
        """Delete a record."""
        self._write(type(record), record.key, None)

    def step(self, step: Step) -> None:
        """Ask for a step."""
        self._steps.append(step)

    def wake_at(self, time: float) -> None:
        """Ask for another decision at a time (seconds since the epoch)."""
        self._wake_at = time if self._wake_at is None else min(self._wake_at, time)

    def plan(self) -> Plan:
        """Return what has been decided."""
        changes = tuple(
            RecordChange(self._before[identity], after)
            for identity, after in self._after.items()
            if self._before[identity] != after
        )
        return Plan(self.world, changes, tuple(self._steps), self._wake_at)

    def _write(self, kind: type, key: str, record: Record | None) -> None:
        name = KIND_NAMES[kind]
        if name not in self._copied:
            copied: dict[str, Any] = {name: dict(getattr(self.world, name))}
            self.world = dataclasses.replace(self.world, **copied)
            self._copied.add(name)
        records: dict[str, Record] = getattr(self.world, name)
        identity = (name, key)
        self._before.setdefault(identity, records.get(key))
        self._after[identity] = record
        if record is None:
            records.pop(key, None)
        else:
            records[key] = record
