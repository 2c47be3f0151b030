"""Write docs/coverage.md: every operation of AWS's models of our services, and what stands behind it.

Usage: python tools/coverage.py
"""

import importlib
import inspect
import textwrap
from collections import defaultdict
from pathlib import Path

import botocore
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores

from tsubo.aws.coverage import Status, status
from tsubo.aws.registry import OPERATIONS, SHARED_SERVICES
from tsubo.aws.wire import service_model

PAGE = Path(__file__).parents[1] / "docs" / "coverage.md"
WIDTH = 120
STATUSES: tuple[Status, ...] = ("real", "stored", "not there")
INTRODUCTION = """\
# What answers

Made by `tools/coverage.py` from the registry of operations and the models of botocore {version}; a test fails when it
is stale.

- **real**: it does what it does on AWS: it changes what runs, or tells of what runs.
- **stored**: kept and answered as on AWS, and nothing runs differently for it. In services that are shared with moto
  (marked *), operations that are not ours are moto's, which knows nothing of our VPCs and services.
- **not there**: refused with a typed error (`InvalidAction`, `UnknownOperationException`) that names the operation.

IAM, CloudWatch Logs, Secrets Manager, S3, SQS, DynamoDB and every other service that is not listed is moto's.
"""


def page() -> str:
    """Return the page's text."""
    by_service = {service: _by_status(service) for service in sorted(OPERATIONS)}
    lines = [
        INTRODUCTION.format(version=botocore.__version__),
        "| service | operations | real | stored | not there |",
        "|---|---|---|---|---|",
    ]
    for service, groups in by_service.items():
        counts = [len(groups[one]) for one in STATUSES]
        lines.append(f"| {_name(service)} | {sum(counts)} | {' | '.join(map(str, counts))} |")
    for service, groups in by_service.items():
        lines.append(f"\n## {_name(service)}")
        lines += [f"\n{_paragraph(one, groups[one])}" for one in STATUSES if groups[one]]
    return "\n".join(lines) + "\n"


def _by_status(service: str) -> dict[Status, list[str]]:
    motos = _moto_operations(service) if service in SHARED_SERVICES else frozenset()
    groups: dict[Status, list[str]] = defaultdict(list)
    for operation in sorted(service_model(service).operation_names):
        groups[status(service, operation, operation in motos)].append(operation)
    return groups


def _moto_operations(service: str) -> frozenset[str]:
    """Return the operations of a service that moto answers: its methods that do more than say that they do not."""
    module = importlib.import_module(f"moto.{service}.responses")
    methods = {
        name: method
        for _, response in inspect.getmembers(module, inspect.isclass)
        if issubclass(response, BaseResponse) and response is not BaseResponse
        for name, method in inspect.getmembers(response, inspect.isfunction)
        if not hasattr(BaseResponse, name)
    }
    names = {name: camelcase_to_underscores(name) for name in service_model(service).operation_names}
    return frozenset(
        name
        for name, method in names.items()
        if method in methods and "NotImplementedError" not in _source(methods[method])
    )


def _source(method: object) -> str:
    return inspect.getsource(method)  # type: ignore[arg-type]


def _name(service: str) -> str:
    return f"{service} *" if service in SHARED_SERVICES else service


def _paragraph(kind: Status, operations: list[str]) -> str:
    return textwrap.fill(f"**{kind}**: {', '.join(operations)}", WIDTH, break_long_words=False)


if __name__ == "__main__":
    PAGE.write_text(page())
