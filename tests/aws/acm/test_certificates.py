"""Requested certificates. Source of the behaviour: aws/alb-vpc-terraform.md section 4."""

import dataclasses
import re
from typing import Any

import pytest

from tests.aws.checked import Checked
from tests.aws.direct import NOW, REGION
from tsubo.aws.acm import OPERATIONS
from tsubo.model.elbv2 import Action, FixedResponse, Listener


def request(acm: Checked, *names: str, **members: Any) -> str:
    first, *others = names
    asked: dict[str, Any] = {"DomainName": first, "ValidationMethod": "DNS", **members}
    if others:
        asked["SubjectAlternativeNames"] = others
    return str(acm("RequestCertificate", asked)["CertificateArn"])


def described(acm: Checked, arn: str) -> Any:
    return acm("DescribeCertificate", CertificateArn=arn)["Certificate"]


def issue(acm: Checked, arn: str) -> None:
    """Do what the loop does once the records stand."""
    certificate = acm.world.certificates[arn]
    acm.put(
        dataclasses.replace(
            certificate, status="ISSUED", issued_at=NOW, serial="01", certificate_pem="pem", chain_pem="chain"
        )
    )


def test_a_new_certificate_waits_for_one_record_a_domain(acm: Checked) -> None:
    arn = request(acm, "ecs-navi.site", "*.ecs-navi.site", "api.ecs-navi.site")
    assert re.fullmatch(r"arn:aws:acm:ap-northeast-1:123456789012:certificate/[0-9a-f-]{36}", arn)
    certificate = described(acm, arn)
    assert certificate["Status"] == "PENDING_VALIDATION"
    assert certificate["SubjectAlternativeNames"] == ["ecs-navi.site", "*.ecs-navi.site", "api.ecs-navi.site"]
    apex, wildcard, api = certificate["DomainValidationOptions"]
    assert apex["ResourceRecord"] == wildcard["ResourceRecord"]
    assert apex["ResourceRecord"]["Type"] == "CNAME"
    assert re.fullmatch(r"_[0-9a-f]{32}\.ecs-navi\.site\.", apex["ResourceRecord"]["Name"])
    assert re.fullmatch(r"_[0-9a-f]{32}\.[a-z]{10}\.acm-validations\.aws\.", apex["ResourceRecord"]["Value"])
    assert re.fullmatch(r"_[0-9a-f]{32}\.api\.ecs-navi\.site\.", api["ResourceRecord"]["Name"])
    assert {each["ValidationStatus"] for each in (apex, wildcard, api)} == {"PENDING_VALIDATION"}


def test_the_record_of_a_domain_is_the_same_on_every_request_and_another_for_another_domain(acm: Checked) -> None:
    first, second, other = (
        described(acm, request(acm, name))["DomainValidationOptions"][0]["ResourceRecord"]
        for name in ("a.example", "A.example", "b.example")
    )
    assert first == second
    assert first["Value"] != other["Value"]


def test_an_issued_certificate(acm: Checked) -> None:
    arn = request(acm, "a.example")
    error = acm.refused("GetCertificate", CertificateArn=arn)
    assert error.code == "RequestInProgressException"
    issue(acm, arn)
    certificate = described(acm, arn)
    assert certificate["Status"] == "ISSUED"
    assert certificate["DomainValidationOptions"][0]["ValidationStatus"] == "SUCCESS"
    assert acm("GetCertificate", CertificateArn=arn) == {"Certificate": "pem", "CertificateChain": "chain"}


def test_validation_by_mail_has_no_record(acm: Checked) -> None:
    arn = request(acm, "*.a.example", ValidationMethod="EMAIL")
    [option] = described(acm, arn)["DomainValidationOptions"]
    assert "ResourceRecord" not in option
    assert "admin@a.example" in option["ValidationEmails"]
    assert acm.world.certificates[arn].validation_options == ()


def test_the_same_token_and_names_are_the_same_certificate_for_an_hour(acm: Checked) -> None:
    first = request(acm, "a.example", IdempotencyToken="t")
    assert request(acm, "a.example", IdempotencyToken="t") == first
    assert request(acm, "b.example", IdempotencyToken="t") != first
    assert request(acm, "a.example") != first
    acm.now += 3600
    assert request(acm, "a.example", IdempotencyToken="t") != first


def test_a_certificate_in_use_names_its_load_balancers_and_stays(acm: Checked) -> None:
    arn = request(acm, "a.example")
    default = (Action("fixed-response", fixed_response=FixedResponse("404")),)
    listener = Listener("arn:listener", "arn:lb", REGION, 443, "HTTPS", default, None, ("arn:other", arn))
    acm.put(listener)
    assert described(acm, arn)["InUseBy"] == ["arn:lb"]
    error = acm.refused("DeleteCertificate", CertificateArn=arn)
    assert error.code == "ResourceInUseException"
    acm.world = acm.world.without(listener)
    acm("DeleteCertificate", CertificateArn=arn)
    assert acm.refused("DescribeCertificate", CertificateArn=arn).code == "ResourceNotFoundException"


def test_listing_by_status_key_type_and_page(acm: Checked) -> None:
    arns = []
    for name in ("a.example", "b.example", "c.example"):
        arns.append(request(acm, name))
        acm.now += 1
    elliptic = request(acm, "d.example", KeyAlgorithm="EC_prime256v1")
    issue(acm, arns[1])

    def listed(**members: Any) -> list[str]:
        summaries = acm("ListCertificates", members)["CertificateSummaryList"]
        return [summary["CertificateArn"] for summary in summaries]

    assert listed() == arns
    assert listed(CertificateStatuses=["ISSUED"]) == [arns[1]]
    assert listed(Includes={"keyTypes": ["EC_prime256v1"]}) == [elliptic]
    first = acm("ListCertificates", MaxItems=2)
    assert listed(MaxItems=2, NextToken=first["NextToken"]) == [arns[2]]
    assert acm.refused("ListCertificates", NextToken="x").code == "ValidationException"


def test_options_and_tags(acm: Checked) -> None:
    arn = request(acm, "a.example", Tags=[{"Key": "Name", "Value": "a"}])
    assert described(acm, arn)["Options"] == {
        "CertificateTransparencyLoggingPreference": "ENABLED",
        "Export": "DISABLED",
    }
    acm(
        "UpdateCertificateOptions",
        CertificateArn=arn,
        Options={"CertificateTransparencyLoggingPreference": "DISABLED"},
    )
    assert described(acm, arn)["Options"]["CertificateTransparencyLoggingPreference"] == "DISABLED"
    tags = [{"Key": "b", "Value": "1"}, {"Key": "c", "Value": "2"}]
    acm("AddTagsToCertificate", CertificateArn=arn, Tags=tags)
    acm("RemoveTagsFromCertificate", CertificateArn=arn, Tags=[{"Key": "Name"}, {"Key": "b", "Value": "other"}])
    assert acm("ListTagsForCertificate", CertificateArn=arn)["Tags"] == tags
    acm("TagResource", ResourceArn=arn, Tags=[{"Key": "d", "Value": "3"}])
    acm("UntagResource", ResourceArn=arn, TagKeys=["b", "c"])
    assert acm("ListTagsForResource", ResourceArn=arn)["Tags"] == [{"Key": "d", "Value": "3"}]


@pytest.mark.parametrize(
    "members",
    [
        {"DomainName": "localhost"},
        {"DomainName": "a..example"},
        {"DomainName": "a.*.example"},
        {"DomainName": "-a.example"},
        {"DomainName": "a.example", "SubjectAlternativeNames": ["a b.example"]},
        {"DomainName": "a.example", "ValidationMethod": "HTTP"},
        {"DomainName": "a.example", "KeyAlgorithm": "RSA_4096"},
        {"DomainName": "a.example", "CertificateAuthorityArn": "arn:aws:acm-pca:r:1:certificate-authority/1"},
    ],
)
def test_what_is_refused(members: dict[str, Any]) -> None:
    acm = Checked("acm", OPERATIONS)
    assert acm.refused("RequestCertificate", members).code == "ValidationException"
    assert not acm.world.certificates


def test_certificates_that_are_not_there(acm: Checked) -> None:
    missing = "arn:aws:acm:ap-northeast-1:123456789012:certificate/x"
    for operation in ("DescribeCertificate", "GetCertificate", "DeleteCertificate", "ListTagsForCertificate"):
        assert acm.refused(operation, CertificateArn=missing).code == "ResourceNotFoundException"
    assert (
        acm.refused("DescribeCertificate", CertificateArn="certificate/not-an-arn-at-all").code == "ValidationException"
    )
