"""The text of flow records. Source: aws/alb-vpc-terraform.md section 2.10."""

import dataclasses

from tests.core.test_flow_log import VPC
from tsubo.core.flow_format import concerns, formatted, line
from tsubo.model.flows import Flow, FlowRecord, LogTarget

RECORD = FlowRecord(
    "eni-web", "vpc-a", Flow(6, "10.0.10.11", 40000, "10.0.10.10", 80), 5, 268, 1_700_000_000, 1_700_000_010, "ACCEPT"
)
SKIPPED = dataclasses.replace(RECORD, status="SKIPDATA")


def test_a_record_in_version_2() -> None:
    assert line("123456789012", RECORD) == (
        "2 123456789012 eni-web 10.0.10.11 10.0.10.10 40000 80 6 5 268 1700000000 1700000010 ACCEPT OK"
    )


def test_skipped_data_has_no_flow() -> None:
    assert line("123456789012", SKIPPED) == ("2 123456789012 eni-web - - - - - - - 1700000000 1700000010 - SKIPDATA")


def test_a_format_of_ones_own_has_the_version_of_its_newest_field() -> None:
    asked = "${version} ${vpc-id} ${subnet-id} ${type} ${srcaddr} ${tcp-flags} ${region}"
    assert formatted("123456789012", RECORD, VPC, asked) == (
        "4 vpc-a subnet-private-a IPv4 10.0.10.11 - ap-northeast-1"
    )


def target(resource_id: str, traffic_type: str) -> LogTarget:
    return LogTarget("fl-1", resource_id, traffic_type, 60, "")  # type: ignore[arg-type]


def test_a_flow_log_holds_what_its_resource_and_its_traffic_type_say() -> None:
    for resource in ("vpc-a", "subnet-private-a", "eni-web"):
        assert concerns(target(resource, "ALL"), VPC, RECORD)
        assert concerns(target(resource, "ACCEPT"), VPC, RECORD)
        assert not concerns(target(resource, "REJECT"), VPC, RECORD)
        assert concerns(target(resource, "REJECT"), VPC, SKIPPED)
    for other in ("vpc-b", "subnet-public-a", "eni-client"):
        assert not concerns(target(other, "ALL"), VPC, RECORD)
