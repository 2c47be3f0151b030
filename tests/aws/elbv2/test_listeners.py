"""Listeners and their certificates. Source: aws/alb-vpc-terraform.md section 1.2."""

from typing import Any

import pytest

from tests.aws.elbv2.conftest import CERTIFICATE, OTHER_CERTIFICATE, PENDING_CERTIFICATE, LoadBalancing

HTTPS: dict[str, Any] = {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": CERTIFICATE}]}
NOT_FOUND: dict[str, Any] = {
    "Type": "fixed-response",
    "Order": 1,
    "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "404 Not Found"},
}


@pytest.fixture
def load_balancer(elb: LoadBalancing) -> str:
    return str(elb.load_balancer()["LoadBalancerArn"])


@pytest.fixture
def group(elb: LoadBalancing) -> str:
    return elb.target_group()


def test_an_http_listener_is_as_aws_answers_it(elb: LoadBalancing, load_balancer: str, group: str) -> None:
    arn = elb.listener(load_balancer, group)
    assert arn.startswith(load_balancer.replace(":loadbalancer/", ":listener/") + "/")
    assert elb("DescribeListeners", LoadBalancerArn=load_balancer)["Listeners"] == [
        {
            "ListenerArn": arn,
            "LoadBalancerArn": load_balancer,
            "Port": 80,
            "Protocol": "HTTP",
            "DefaultActions": [
                {
                    "Type": "forward",
                    "TargetGroupArn": group,
                    "ForwardConfig": {
                        "TargetGroups": [{"TargetGroupArn": group, "Weight": 1}],
                        "TargetGroupStickinessConfig": {"Enabled": False},
                    },
                }
            ],
        }
    ]


def test_an_https_listener_with_a_fixed_response(elb: LoadBalancing, load_balancer: str, group: str) -> None:
    arn = elb.listener(load_balancer, group, 443, **HTTPS, DefaultActions=[NOT_FOUND])
    [listener] = elb("DescribeListeners", ListenerArns=[arn])["Listeners"]
    assert listener["DefaultActions"] == [NOT_FOUND]
    assert listener["SslPolicy"] == "ELBSecurityPolicy-2016-08"
    assert listener["Certificates"] == [{"CertificateArn": CERTIFICATE}]
    assert listener["MutualAuthentication"] == {"Mode": "off"}


@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        ({"Port": 80}, "DuplicateListener", "A listener already exists on this port for this load balancer 'arn:"),
        ({"Protocol": "HTTPS"}, "ValidationError", "A certificate must be specified for HTTPS listeners"),
        (
            {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": PENDING_CERTIFICATE}]},
            "UnsupportedCertificate",
            f"The certificate '{PENDING_CERTIFICATE}' must have a fully-qualified domain name, a supported signature, "
            "and a supported key size.",
        ),
        (
            {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": "arn:x"}]},
            "CertificateNotFound",
            "Certificate 'arn:x' not found",
        ),
        ({**HTTPS, "SslPolicy": "x"}, "SSLPolicyNotFound", "'x'"),
        ({"Certificates": HTTPS["Certificates"]}, "ValidationError", "cannot be specified for HTTP listeners"),
        ({"Protocol": "TCP"}, "ValidationError", "must be one of 'HTTP, HTTPS'"),
        ({"Port": 65536}, "ValidationError", "'65536'"),
        ({"LoadBalancerArn": "arn:x"}, "LoadBalancerNotFound", "'arn:x'"),
        (
            {"DefaultActions": [{"Type": "forward", "TargetGroupArn": "arn:x"}]},
            "TargetGroupNotFound",
            "Target groups '[arn:x]' not found",
        ),
        ({"MutualAuthentication": {"Mode": "verify"}}, "InvalidConfigurationRequest", "not supported by Tsubo"),
    ],
)
def test_what_is_refused(
    elb: LoadBalancing, load_balancer: str, group: str, members: dict[str, Any], code: str, text: str
) -> None:
    elb.listener(load_balancer, group)
    request = {
        "LoadBalancerArn": load_balancer,
        "Protocol": "HTTP",
        "Port": 81,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}],
        **members,
    }
    error = elb.refused("CreateListener", request)
    assert (error.code, text in error.message) == (code, True), error.message


def test_a_target_group_belongs_to_one_load_balancer(elb: LoadBalancing, load_balancer: str, group: str) -> None:
    elb.listener(load_balancer, group)
    elb.listener(load_balancer, group, 81)
    other = elb.load_balancer("other")["LoadBalancerArn"]
    actions = [{"Type": "forward", "TargetGroupArn": group}]
    request = {"LoadBalancerArn": other, "Protocol": "HTTP", "Port": 80, "DefaultActions": actions}
    error = elb.refused("CreateListener", request)
    assert error.code == "TargetGroupAssociationLimit"
    assert group in error.message


def test_a_target_group_of_another_vpc_or_of_grpc_does_not_fit(elb: LoadBalancing, load_balancer: str) -> None:
    elsewhere, grpc = elb.target_group("elsewhere", VpcId="vpc-2"), elb.target_group("grpc", ProtocolVersion="GRPC")
    for arn in (elsewhere, grpc):
        actions = [{"Type": "forward", "TargetGroupArn": arn}]
        request = {"LoadBalancerArn": load_balancer, "Protocol": "HTTP", "Port": 80, "DefaultActions": actions}
        assert elb.refused("CreateListener", request).code == "InvalidConfigurationRequest"
    assert elb.listener(load_balancer, grpc, 443, **HTTPS)


def test_modifying(elb: LoadBalancing, load_balancer: str, group: str) -> None:
    arn = elb.listener(load_balancer, group)
    elb.listener(load_balancer, group, 81)
    assert elb.refused("ModifyListener", ListenerArn=arn, Port=81).code == "DuplicateListener"
    assert elb.refused("ModifyListener", ListenerArn=arn, Protocol="HTTPS").code == "ValidationError"
    [secure] = elb("ModifyListener", ListenerArn=arn, Port=443, **HTTPS)["Listeners"]
    assert (secure["Port"], secure["SslPolicy"]) == (443, "ELBSecurityPolicy-2016-08")
    [kept] = elb("ModifyListener", ListenerArn=arn, DefaultActions=[NOT_FOUND])["Listeners"]
    assert (kept["Certificates"], kept["DefaultActions"]) == (HTTPS["Certificates"], [NOT_FOUND])
    policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    [changed] = elb("ModifyListener", ListenerArn=arn, SslPolicy=policy)["Listeners"]
    assert changed["SslPolicy"] == policy
    [plain] = elb("ModifyListener", ListenerArn=arn, Protocol="HTTP")["Listeners"]
    assert "SslPolicy" not in plain
    assert elb.world.listeners[arn].certificate_arns == ()


def test_certificates_for_other_names(elb: LoadBalancing, load_balancer: str, group: str) -> None:
    arn = elb.listener(load_balancer, group, 443, **HTTPS)
    added = [{"CertificateArn": OTHER_CERTIFICATE}]
    elb("AddListenerCertificates", ListenerArn=arn, Certificates=added)
    elb("AddListenerCertificates", ListenerArn=arn, Certificates=added)
    assert elb("DescribeListenerCertificates", ListenerArn=arn)["Certificates"] == [
        {"CertificateArn": CERTIFICATE, "IsDefault": True},
        {"CertificateArn": OTHER_CERTIFICATE, "IsDefault": False},
    ]
    elb("ModifyListener", ListenerArn=arn, Certificates=added)
    assert elb.world.listeners[arn].certificate_arns == (OTHER_CERTIFICATE,)
    elb("AddListenerCertificates", ListenerArn=arn, Certificates=HTTPS["Certificates"])
    default = elb.refused("RemoveListenerCertificates", ListenerArn=arn, Certificates=added)
    assert default.code == "OperationNotPermitted"
    elb("RemoveListenerCertificates", ListenerArn=arn, Certificates=HTTPS["Certificates"])
    assert elb.world.listeners[arn].certificate_arns == (OTHER_CERTIFICATE,)
    pending = [{"CertificateArn": PENDING_CERTIFICATE}]
    assert (
        elb.refused("AddListenerCertificates", ListenerArn=arn, Certificates=pending).code == "UnsupportedCertificate"
    )


def test_listeners_that_are_not_there(elb: LoadBalancing) -> None:
    assert elb.refused("DeleteListener", ListenerArn="arn:x").code == "ListenerNotFound"
    assert elb.refused("DescribeListeners", ListenerArns=["arn:x"]).code == "ListenerNotFound"
    neither = elb.refused("DescribeListeners")
    assert neither.message == "You must specify either listener ARNs or a load balancer ARN"
