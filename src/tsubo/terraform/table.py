"""What a resource type or a data source of ours is: a small table of functions that make AWS calls.

Everything else (values, defaults, replacement, tags, plans) is the same for all types and lives in `lifecycle`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tsubo.terraform.calls import Aws
from tsubo.terraform.changes import Alike
from tsubo.terraform.values import Values

Create = Callable[[Aws, Values], Values]
Read = Callable[[Aws, Values], Values | None]
Update = Callable[[Aws, Values, Values], Values | None]
Act = Callable[[Aws, Values], None]
Refine = Callable[[Aws, Values | None, Values], None]
Retag = Callable[[Aws, Values, Mapping[str, str], list[str]], None]


def import_by_id(identifier: str) -> Values:
    """Return what `read` needs to find an imported resource: for most types its id."""
    return {"id": identifier}


@dataclass(frozen=True)
class ResourceType:
    """How a resource type is run. Values are those of the schema; unknown ones are None.

    `create` makes the thing with one call and returns at least its `id`; `complete` does all that follows, so that a
    failure there leaves a resource that Terraform knows of. `read` returns the attributes that the API tells (None:
    it is gone); an attribute that it leaves out stays as Terraform knows it. `update` gets the values before and
    after and may return attributes that it changed. `retag` gets the tags to set and the keys to remove; `read` then
    returns all tags as `tags`.
    """

    create: Create
    read: Read
    complete: Act | None = None
    update: Update | None = None
    delete: Act | None = None
    retag: Retag | None = None
    refine: Refine | None = None
    """Called with the values before (None for a new one) and the planned ones, which it may change."""
    alike: Alike = field(default_factory=dict)
    recomputed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By computed attribute: those whose change makes it unknown until apply."""
    import_values: Callable[[str], Values] = import_by_id
    runs: bool = True
    """False for a type that is accepted and kept but not run."""
    acts: bool = True
    """False for a type whose service keeps it, while nothing acts on it."""


@dataclass(frozen=True)
class DataSource:
    """How a data source is read: its arguments in, its attributes out."""

    read: Callable[[Aws, Values], Values]
