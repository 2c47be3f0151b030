"""A certificate is issued when all its validation records can be resolved publicly, and not before."""

import dataclasses

from tests.core.machine import ENGINE, Machine
from tsubo.model.acm import Certificate, ValidationOption
from tsubo.model.route53 import HostedZone, RecordSet
from tsubo.model.world import World

CERTIFICATE = Certificate(
    arn="arn:aws:acm:ap-northeast-1:123456789012:certificate/1",
    region="ap-northeast-1",
    domain_name="example.test",
    created_at=0.0,
    subject_alternative_names=("api.example.test",),
    validation_options=(
        ValidationOption("example.test", "_a.example.test.", "_x.acm-validations.aws."),
        ValidationOption("api.example.test", "_b.api.example.test.", "_y.acm-validations.aws."),
    ),
)
ZONE = HostedZone("Z1", "example.test.", False, "ref", 0.0, ("ns-1.awsdns-1.org.",))
RECORDS = (
    RecordSet("Z1", "_a.example.test.", "CNAME", 60, ("_x.acm-validations.aws.",)),
    RecordSet("Z1", "_b.api.example.test.", "CNAME", 60, ("_y.acm-validations.aws",)),
)


def status(world: World) -> str:
    machine = Machine(world)
    machine.settle()
    return machine.world.certificates[CERTIFICATE.arn].status


def test_it_is_issued_when_every_record_stands() -> None:
    assert status(World(ENGINE).with_records(CERTIFICATE, ZONE, *RECORDS)) == "ISSUED"


def test_one_missing_record_keeps_it_pending() -> None:
    assert status(World(ENGINE).with_records(CERTIFICATE, ZONE, RECORDS[0])) == "PENDING_VALIDATION"


def test_a_record_in_a_private_zone_does_not_count() -> None:
    private = dataclasses.replace(ZONE, private=True)
    assert status(World(ENGINE).with_records(CERTIFICATE, private, *RECORDS)) == "PENDING_VALIDATION"


def test_a_record_with_another_value_does_not_count() -> None:
    wrong = dataclasses.replace(RECORDS[0], values=("_z.acm-validations.aws.",))
    assert status(World(ENGINE).with_records(CERTIFICATE, ZONE, wrong, RECORDS[1])) == "PENDING_VALIDATION"
