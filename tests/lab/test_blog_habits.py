"""A stack in the habits of a blog post works as well as the example: groups without names, resources that do not say
what they wait for. Taken down by its directory it leaves an engine with nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.engine_lab import PROJECT, EngineLab, engine_lab, machine_state, wait_until
from tests.lab.reference_stack import API, BACKEND_NAME, SITE

pytestmark = pytest.mark.lab

DIRECTORY = PROJECT / "tests" / "stacks" / "blog-habits"


@pytest.fixture(scope="module")
def lab() -> Iterator[EngineLab]:
    """An engine with the stack up."""
    before = machine_state()
    with engine_lab() as engine:
        engine.tsubo("up", str(DIRECTORY))
        yield engine
    assert machine_state() == before


def test_both_urls_answer_and_every_promise_holds(lab: EngineLab) -> None:
    for url in (API, SITE):
        reply = lab.curl(url)
        assert (reply.status, "phpinfo()" in reply.body) == (200, True)
    checks = lab.json("verify")["checks"]
    assert {"service blog-backend", "service blog-proxy", f"name {BACKEND_NAME}"} <= {c["name"] for c in checks}


def test_the_group_rules_that_stand_alone_decide(lab: EngineLab) -> None:
    address = lab.tsubo("dig", BACKEND_NAME, "--from", "blog-proxy", "--short").strip()
    assert lab.curl(f"http://{BACKEND_NAME}/", source="blog-proxy").status == 200
    denied = lab.curl(f"http://{BACKEND_NAME}:9000/", source="blog-proxy", seconds=2)
    assert denied.exit_code == 28
    assert address.startswith(("10.0.10.", "10.0.11."))


def test_the_directory_stays_as_it_was(lab: EngineLab) -> None:
    assert [path.name for path in DIRECTORY.iterdir()] == ["main.tf"]
    assert lab.json("up", str(DIRECTORY))["changes"] == {"added": 0, "changed": 0, "destroyed": 0}


def test_down_with_its_directory_destroys_what_up_made(lab: EngineLab) -> None:
    destroyed = lab.json("down", str(DIRECTORY))["destroyed"]
    assert destroyed > 40
    assert lab.json("ps") == []
    wait_until(lambda: set(lab.left_over()) <= {"processes", "files", "namespaces", "mounts"}, what="no container")
    ec2 = lab.client("ec2")
    assert [vpc["IsDefault"] for vpc in ec2.describe_vpcs()["Vpcs"]] in ([], [True])
    wait_until(lambda: not _namespaces(lab, "vpc-") and not _namespaces(lab, "eni-"), what="no VPC and no ENI")
    assert lab.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert lab.client("route53").list_hosted_zones()["HostedZones"] == []
    # Once more there is nothing to destroy; and the stack comes back.
    assert lab.json("down", str(DIRECTORY))["destroyed"] == 0
    assert lab.json("up", str(DIRECTORY))["changes"]["added"] == destroyed
    assert lab.curl(SITE).status == 200


def _namespaces(lab: EngineLab, kind: str) -> list[str]:
    return [path.name for path in Path("/run/netns").glob(f"{lab.namespace(kind)}*")]
