"""One resource through plan, apply, read and import: what is alike for all types.

In go a type's schema, its table of functions and an `Aws`; out come states as Terraform keeps them. Tags with the
provider block's default tags, and the `region` argument of version 6, are handled here once for all types.
"""

from dataclasses import dataclass
from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.changes import Path, plan_block, replacing_paths, settle, without_unknown
from tsubo.terraform.schema import Schema
from tsubo.terraform.table import DataSource, ResourceType
from tsubo.terraform.values import UNKNOWN, Values, conform, is_known, same


class PartlyMadeError(Exception):
    """A resource was made, but not completed. `state` is what Terraform must remember of it."""

    def __init__(self, state: Values, cause: CallError) -> None:
        super().__init__(str(cause))
        self.state = state
        self.cause = cause


@dataclass(frozen=True)
class Lifecycle:
    """The life of the resources of one type."""

    schema: Schema
    type: ResourceType
    aws: Aws

    def plan(self, prior: Values | None, config: Values) -> tuple[Values, list[Path]]:
        """Return the planned state and the paths of changes that force a replacement."""
        block = self.schema.block
        planned = plan_block(block, prior, config, self.type.alike)
        self._plan_region(prior, config, planned)
        self._plan_tags(prior, planned)
        if prior is not None:
            for name, causes in self.type.recomputed.items():
                if any(not same(prior.get(cause), planned.get(cause)) for cause in causes):
                    planned[name] = UNKNOWN
        if self.type.refine is not None:
            self.type.refine(self.aws, prior, planned)
        replacing = replacing_paths(block, prior, planned, self.type.alike) if prior and self.type.runs else []
        return planned, replacing

    def _plan_region(self, prior: Values | None, config: Values, planned: Values) -> None:
        if "region" in self.schema.block.attributes and config.get("region") is None:
            planned["region"] = self.aws.region if prior is None else prior.get("region")

    def _plan_tags(self, prior: Values | None, planned: Values) -> None:
        if "tags_all" not in self.schema.block.attributes:
            return
        tags = planned.get("tags")
        known = tags is None or is_known(tags)
        wanted = {**self.aws.default_tags, **(tags or {})} if known else UNKNOWN
        unchanged = prior is not None and same(prior.get("tags_all"), wanted)
        planned["tags_all"] = prior["tags_all"] if prior is not None and unchanged else wanted

    def apply(self, prior: Values | None, planned: Values) -> Values:
        """Create or update; return the new state. Raises CallError, or PartlyMadeError once something exists."""
        if prior is None:
            return self._create(planned)
        return self._update(prior, planned)

    def _create(self, planned: Values) -> Values:
        values: Values = without_unknown(planned)
        made = self.type.create(self.aws, values)
        values |= made
        try:
            if self.type.complete is not None:
                self.type.complete(self.aws, values)
            return self._read_back(planned, values, made)
        except CallError as error:
            raise PartlyMadeError(settle(self.schema.block, planned, made, self.type.alike), error) from error

    def _update(self, prior: Values, planned: Values) -> Values:
        values: Values = without_unknown(planned)
        try:
            if self.type.retag is not None:
                self._retag(prior, values)
            changed = self.type.update(self.aws, prior, values) if self.type.update is not None else None
            return self._read_back(planned, values | (changed or {}), changed or {})
        except CallError as error:
            raise PartlyMadeError(prior, error) from error

    def _retag(self, prior: Values, values: Values) -> None:
        before, after = prior.get("tags_all") or {}, values.get("tags_all") or {}
        changed = {key: value for key, value in after.items() if before.get(key) != value}
        removed = [key for key in before if key not in after]
        if self.type.retag is not None and (changed or removed):
            self.type.retag(self.aws, prior, changed, removed)

    def _read_back(self, planned: Values, values: Values, made: Values) -> Values:
        actual = self.type.read(self.aws, values)
        if actual is None:
            raise CallError(f"it was made as {values.get('id')}, but AWS does not find it")
        return settle(self.schema.block, planned, self._with_tags(made | actual, planned), self.type.alike)

    def read(self, state: Values) -> Values | None:
        """Return the state as the API tells it now, or None if the resource is gone."""
        try:
            actual = self.type.read(self.aws, state)
        except CallError as error:
            if error.gone:
                return None
            raise
        if actual is None:
            return None
        if "region" in self.schema.block.attributes and not state.get("region"):
            actual = actual | {"region": self.aws.region}
        return settle(self.schema.block, state, self._with_tags(actual, state), self.type.alike)

    def _with_tags(self, actual: Values, known: Values) -> Values:
        """Split all tags into the resource's own and those of the provider block."""
        if "tags_all" not in self.schema.block.attributes or actual.get("tags") is None:
            return actual
        tags = {key: value for key, value in actual["tags"].items() if not key.startswith("aws:")}
        own = known.get("tags") or {}
        default = self.aws.default_tags
        mine = {key: value for key, value in tags.items() if key in own or default.get(key) != value}
        return actual | {"tags": mine, "tags_all": tags}

    def delete(self, state: Values) -> None:
        """Delete the resource; one that is gone already is fine. Raises CallError."""
        if self.type.delete is None:
            return
        try:
            self.type.delete(self.aws, state)
        except CallError as error:
            if not error.gone:
                raise

    def import_state(self, identifier: str) -> Values:
        """Return a state from which `read` finds the resource."""
        return conform(self.schema.block, self.type.import_values(identifier))


def read_data_source(schema: Schema, source: DataSource, aws: Aws, config: Values) -> Values:
    """Return the state of a data source. Raises CallError."""
    actual: dict[str, Any] = source.read(aws, config)
    if "region" in schema.block.attributes and config.get("region") is None:
        actual = {"region": aws.region} | actual
    return settle(schema.block, config, actual, {})
