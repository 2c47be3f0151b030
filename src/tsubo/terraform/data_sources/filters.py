"""EC2's filters from the arguments of data sources."""

from typing import Any

from tsubo.terraform.values import Values


def filters_of(values: Values, **names: str) -> list[dict[str, Any]] | None:
    """Return the filters of a data source: its `filter` blocks, its `tags`, and the arguments in `names`, each given
    with EC2's name for it."""
    filters = [{"Name": block["name"], "Values": block["values"]} for block in values.get("filter") or ()]
    filters += [{"Name": f"tag:{key}", "Values": [value]} for key, value in (values.get("tags") or {}).items()]
    for argument, name in names.items():
        value = values.get(argument)
        if value not in (None, ""):
            filters.append({"Name": name, "Values": [str(value).lower() if isinstance(value, bool) else value]})
    return filters or None
