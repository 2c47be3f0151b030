"""Load balancers. Source of the behaviour: aws/alb-vpc-terraform.md sections 1.1 and 6."""

import dataclasses
from typing import Any

import pytest

from tests.aws.direct import NOW
from tests.aws.elbv2.conftest import LoadBalancing
from tsubo.aws.elbv2 import OPERATIONS
from tsubo.aws.operations import AwsError, Call
from tsubo.model.vpc import InternetGateway, NetworkInterface


def test_a_new_load_balancer_is_as_aws_answers_it(elb: LoadBalancing) -> None:
    made = elb.load_balancer(SecurityGroups=["sg-web"], Tags=[{"Key": "Name", "Value": "web"}])
    assert made["LoadBalancerArn"].startswith(
        "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:loadbalancer/app/web/"
    )
    assert len(made["LoadBalancerArn"].rpartition("/")[2]) == 16
    name, digits = made["DNSName"].removesuffix(".ap-northeast-1.elb.amazonaws.com").rsplit("-", 1)
    assert (name, len(digits), digits.isdecimal()) == ("web", 10, True)
    assert made["CanonicalHostedZoneId"] == "Z14GRHDCWA56QT"
    assert made["State"] == {"Code": "provisioning"}
    assert made["Scheme"] == "internet-facing"
    assert made["VpcId"] == "vpc-1"
    assert made["SecurityGroups"] == ["sg-web"]
    assert [(zone["ZoneName"], zone["SubnetId"]) for zone in made["AvailabilityZones"]] == [
        ("ap-northeast-1a", "subnet-a"),
        ("ap-northeast-1c", "subnet-c"),
    ]


def test_internal_load_balancers_need_no_gateway_and_say_so_in_their_name(elb: LoadBalancing) -> None:
    made = elb.load_balancer(Scheme="internal", Subnets=["subnet-other-a", "subnet-other-c"])
    assert made["DNSName"].startswith("internal-web-")
    attributes = elb("DescribeLoadBalancerAttributes", LoadBalancerArn=made["LoadBalancerArn"])["Attributes"]
    assert {"Key": "ipv6.deny_all_igw_traffic", "Value": "true"} in attributes


def test_without_a_group_it_has_the_vpcs_default_one(elb: LoadBalancing) -> None:
    assert elb.load_balancer()["SecurityGroups"] == ["sg-default"]


@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        (
            {"Subnets": ["subnet-a"]},
            "ValidationError",
            "At least two subnets in two different Availability Zones must be specified",
        ),
        (
            {"Subnets": []},
            "ValidationError",
            "At least two subnets in two different Availability Zones must be specified",
        ),
        ({"Subnets": ["subnet-a", "subnet-a2"]}, "InvalidConfigurationRequest", "in the same Availability Zone"),
        ({"Subnets": ["subnet-a", "subnet-x"]}, "SubnetNotFound", "'subnet-x' does not exist"),
        ({"Subnets": ["subnet-a", "subnet-us"]}, "SubnetNotFound", "'subnet-us' does not exist"),
        ({"Subnets": ["subnet-a", "subnet-other-c"]}, "InvalidConfigurationRequest", "the same VPC"),
        ({"Subnets": ["subnet-a", "subnet-small"]}, "InvalidSubnet", "Not enough IP space available in subnet-small"),
        ({"Subnets": ["subnet-other-a", "subnet-other-c"]}, "InvalidSubnet", "VPC vpc-2 has no internet gateway"),
        ({"SecurityGroups": ["sg-other"]}, "InvalidConfigurationRequest", "One or more security groups are invalid"),
        ({"Type": "network"}, "OperationNotPermitted", "not supported by Tsubo"),
        ({"IpAddressType": "dualstack"}, "InvalidConfigurationRequest", "not supported by Tsubo"),
        ({"Scheme": "public"}, "InvalidScheme", "'public'"),
        ({"Name": "a" * 33}, "ValidationError", "cannot be longer than '32' characters"),
        ({"Name": "a_b"}, "ValidationError", "alphanumeric characters and hyphens"),
        ({"Name": "-a"}, "ValidationError", "cannot begin or end with '-'"),
        ({"Name": "internal-a"}, "ValidationError", "cannot begin with 'internal-'"),
        (
            {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]},
            "DuplicateTagKeys",
            "more than once: 'a'",
        ),
    ],
)
def test_what_is_refused(elb: LoadBalancing, members: dict[str, Any], code: str, text: str) -> None:
    request = {"Name": "web", "Subnets": ["subnet-a", "subnet-c"], **members}
    error = elb.refused("CreateLoadBalancer", request)
    assert (error.code, text in error.message) == (code, True), error.message
    assert not elb.world.load_balancers


def test_subnets_may_come_as_mappings(elb: LoadBalancing) -> None:
    mappings = [{"SubnetId": "subnet-a"}, {"SubnetId": "subnet-c"}]
    made = elb("CreateLoadBalancer", Name="web", SubnetMappings=mappings)["LoadBalancers"][0]
    assert {zone["SubnetId"] for zone in made["AvailabilityZones"]} == {"subnet-a", "subnet-c"}


def test_the_same_request_again_is_the_same_load_balancer(elb: LoadBalancing) -> None:
    first = elb.load_balancer()
    again = elb.load_balancer(Subnets=["subnet-c", "subnet-a"])
    assert again["LoadBalancerArn"] == first["LoadBalancerArn"]
    error = elb.refused("CreateLoadBalancer", Name="web", Subnets=["subnet-a", "subnet-c"], Scheme="internal")
    assert error.code == "DuplicateLoadBalancerName"
    assert error.message == "A load balancer with the same name 'web' exists, but with different settings"


def test_a_subnet_without_room_is_refused_but_not_to_those_who_stand_in_it(elb: LoadBalancing) -> None:
    load_balancer = elb.load_balancer()["LoadBalancerArn"]
    subnet = dataclasses.replace(elb.world.subnets["subnet-c"], cidr="10.0.2.0/27")
    elb.put(subnet, *(_interface(f"eni-{number}", "subnet-c", f"10.0.2.{number}") for number in range(4, 24)))
    refused = elb.refused("CreateLoadBalancer", Name="more", Subnets=["subnet-a", "subnet-c"])
    assert refused.code == "InvalidSubnet"
    moved = elb("SetSubnets", LoadBalancerArn=load_balancer, Subnets=["subnet-c", "subnet-d"])
    assert [zone["SubnetId"] for zone in moved["AvailabilityZones"]] == ["subnet-c", "subnet-d"]


def test_describing_by_name_by_arn_and_page_by_page(elb: LoadBalancing) -> None:
    arns = [elb.load_balancer(name)["LoadBalancerArn"] for name in ("b", "a", "c")]
    by_name = elb("DescribeLoadBalancers", Names=["b"])["LoadBalancers"]
    assert [each["LoadBalancerArn"] for each in by_name] == [arns[0]]
    by_arn = elb("DescribeLoadBalancers", LoadBalancerArns=[arns[2]])["LoadBalancers"]
    assert [each["LoadBalancerName"] for each in by_arn] == ["c"]
    first = elb("DescribeLoadBalancers", PageSize=2)
    second = elb("DescribeLoadBalancers", PageSize=2, Marker=first["NextMarker"])
    assert [each["LoadBalancerName"] for each in first["LoadBalancers"] + second["LoadBalancers"]] == ["a", "b", "c"]
    assert "NextMarker" not in second


def test_describing_one_that_is_not_there(elb: LoadBalancing) -> None:
    error = elb.refused("DescribeLoadBalancers", Names=["web"])
    assert (error.code, error.message) == ("LoadBalancerNotFound", "Load balancers '[web]' not found")
    assert elb.refused("DescribeLoadBalancers", LoadBalancerArns=["arn:x"]).code == "LoadBalancerNotFound"
    assert elb("DescribeLoadBalancers")["LoadBalancers"] == []


def test_a_bad_marker_and_a_bad_page_size_are_errors(elb: LoadBalancing) -> None:
    assert elb.refused("DescribeLoadBalancers", Marker="x").code == "ValidationError"
    assert elb.refused("DescribeTargetGroups", PageSize=401).code == "ValidationError"


def test_deleting_takes_listeners_and_rules_along(elb: LoadBalancing) -> None:
    load_balancer = elb.load_balancer()["LoadBalancerArn"]
    group = elb.target_group()
    listener = elb.listener(load_balancer, group)
    elb(
        "CreateRule",
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/a"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    elb("DeleteLoadBalancer", LoadBalancerArn=load_balancer)
    world = elb.world
    assert (world.load_balancers, world.listeners, world.rules) == ({}, {}, {})
    assert list(world.target_groups) == [group]
    elb("DeleteLoadBalancer", LoadBalancerArn=load_balancer)


def test_deletion_protection(elb: LoadBalancing) -> None:
    arn = elb.load_balancer()["LoadBalancerArn"]
    protection = {"Key": "deletion_protection.enabled", "Value": "true"}
    elb("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=[protection])
    error = elb.refused("DeleteLoadBalancer", LoadBalancerArn=arn)
    assert error.code == "OperationNotPermitted"
    assert "deletion protection is enabled" in error.message


def test_groups_subnets_and_address_type_can_be_set(elb: LoadBalancing) -> None:
    arn = elb.load_balancer()["LoadBalancerArn"]
    groups = elb("SetSecurityGroups", LoadBalancerArn=arn, SecurityGroups=["sg-web"])
    assert groups["SecurityGroupIds"] == ["sg-web"]
    assert elb.world.load_balancers[arn].security_group_ids == ("sg-web",)
    elb("SetSubnets", LoadBalancerArn=arn, Subnets=["subnet-a", "subnet-d"])
    assert elb.world.load_balancers[arn].subnet_ids == ("subnet-a", "subnet-d")
    assert elb("SetIpAddressType", LoadBalancerArn=arn, IpAddressType="ipv4") == {"IpAddressType": "ipv4"}
    assert elb.refused("SetSecurityGroups", LoadBalancerArn=arn, SecurityGroups=[]).code == "ValidationError"
    other = elb.refused("SetSubnets", LoadBalancerArn=arn, Subnets=["subnet-other-a", "subnet-other-c"])
    assert other.code == "InvalidConfigurationRequest"
    refused = elb.refused("SetIpAddressType", LoadBalancerArn=arn, IpAddressType="dualstack")
    assert refused.code == "InvalidConfigurationRequest"


def test_another_region_sees_nothing(elb: LoadBalancing) -> None:
    arn = elb.load_balancer()["LoadBalancerArn"]
    there = Call(elb.world, NOW, elb.supply, "us-east-1")
    describe = OPERATIONS["DescribeLoadBalancers"]
    assert describe(there, {}) == {"LoadBalancers": []}
    with pytest.raises(AwsError, match="LoadBalancerNotFound"):
        describe(there, {"LoadBalancerArns": [arn]})


def test_an_internet_gateway_of_another_vpc_is_none(elb: LoadBalancing) -> None:
    elb.put(InternetGateway("igw-1", "ap-northeast-1", None))
    error = elb.refused("CreateLoadBalancer", Name="web", Subnets=["subnet-a", "subnet-c"])
    assert error.message == "VPC vpc-1 has no internet gateway"


def test_capacity_limits_and_policies_can_be_read(elb: LoadBalancing) -> None:
    arn = elb.load_balancer()["LoadBalancerArn"]
    assert elb("DescribeCapacityReservation", LoadBalancerArn=arn)["CapacityReservationState"] == []
    assert {"Name": "listeners-per-application-load-balancer", "Max": "50"} in elb("DescribeAccountLimits")["Limits"]
    policies = {policy["Name"]: policy for policy in elb("DescribeSSLPolicies")["SslPolicies"]}
    assert policies["ELBSecurityPolicy-2016-08"]["SslProtocols"] == ["TLSv1.2", "TLSv1.1", "TLSv1"]
    ciphers = [cipher["Name"] for cipher in policies["ELBSecurityPolicy-2016-08"]["Ciphers"]]
    assert ciphers == [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-RSA-AES128-SHA256",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES256-SHA384",
        "ECDHE-RSA-AES256-SHA384",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-RSA-AES256-SHA",
        "AES128-GCM-SHA256",
        "AES128-SHA256",
        "AES128-SHA",
        "AES256-GCM-SHA384",
        "AES256-SHA256",
        "AES256-SHA",
    ]
    assert len(policies["ELBSecurityPolicy-TLS13-1-2-2021-06"]["Ciphers"]) == 11
    assert elb.refused("DescribeSSLPolicies", Names=["x"]).code == "SSLPolicyNotFound"


def _interface(interface_id: str, subnet_id: str, address: str) -> NetworkInterface:
    return NetworkInterface(
        interface_id, subnet_id, "vpc-1", "ap-northeast-1", "z", address, "02:", "task", "arn", "attachment", 0.0
    )
