"""Load balancers: CreateLoadBalancer, DescribeLoadBalancers, DeleteLoadBalancer.

CreateLoadBalancer writes the record `provisioning`; the engine's loop makes its nodes and says `active`, and removes
them once the record is gone. Source: aws/alb-vpc-terraform.md section 1.1.
"""

import dataclasses
import re
from typing import Literal, cast, get_args

from tsubo.aws.elbv2.arns import load_balancer_arn
from tsubo.aws.elbv2.attributes import LOAD_BALANCER_ATTRIBUTES, defaults
from tsubo.aws.elbv2.listeners import delete_with_rules
from tsubo.aws.elbv2.lookup import find_load_balancer, invalid, moment, of_region, paged, required
from tsubo.aws.elbv2.networks import (
    check_internet_gateway,
    check_security_groups,
    check_subnets,
    requested_subnet_ids,
)
from tsubo.aws.elbv2.regions import canonical_hosted_zone_id
from tsubo.aws.elbv2.tags import parse_tags
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.elbv2 import LoadBalancer

LONGEST_NAME = 32
Scheme = Literal["internet-facing", "internal"]
IP_ADDRESS_TYPES = ("ipv4",)
"""IPv6 is not run: a dualstack load balancer would promise addresses that nothing answers on."""


def create_load_balancer(call: Call, request: Request) -> Response:
    """CreateLoadBalancer: of type application. The same name with the same settings is the same load balancer."""
    new = _requested(call, request)
    standing = [each for each in of_region(call, LoadBalancer) if each.name == new.name]
    if standing:
        if _settings(standing[0]) != _settings(new):
            raise AwsError(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{new.name}' exists, but with different settings",
            )
        return {"LoadBalancers": [load_balancer_shape(call, standing[0])]}
    call.put(new)
    return {"LoadBalancers": [load_balancer_shape(call, new)]}


def describe_load_balancers(call: Call, request: Request) -> Response:
    """DescribeLoadBalancers: all, or those named by Names or LoadBalancerArns."""
    names, arns = request.get("Names"), request.get("LoadBalancerArns")
    if names and arns:
        raise invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
    by_name = {each.name: each for each in sorted(of_region(call, LoadBalancer), key=lambda each: each.name)}
    if arns:
        chosen = [find_load_balancer(call, arn) for arn in arns]
    elif names:
        missing = [name for name in names if name not in by_name]
        if missing:
            raise AwsError("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
        chosen = [by_name[name] for name in names]
    else:
        chosen = list(by_name.values())
    shown, more = paged(request, chosen)
    return {"LoadBalancers": [load_balancer_shape(call, each) for each in shown], **more}


def delete_load_balancer(call: Call, request: Request) -> Response:
    """DeleteLoadBalancer: with its listeners and their rules. One that does not exist is deleted already."""
    arn = required(request, "LoadBalancerArn", "A load balancer ARN")
    load_balancer = call.world.load_balancers.get(arn)
    if load_balancer is None:
        return {}
    if load_balancer.attributes.get("deletion_protection.enabled") == "true":
        raise AwsError(
            "OperationNotPermitted",
            f"Load balancer '{load_balancer.arn}' cannot be deleted because deletion protection is enabled",
        )
    for listener in list(call.world.listeners.values()):
        if listener.load_balancer_arn == load_balancer.arn:
            delete_with_rules(call, listener)
    call.delete(load_balancer)
    return {}


def load_balancer_shape(call: Call, load_balancer: LoadBalancer) -> Response:
    """Return a load balancer in the form AWS answers."""
    state = {"Code": load_balancer.state}
    return {
        "LoadBalancerArn": load_balancer.arn,
        "DNSName": load_balancer.dns_name,
        "CanonicalHostedZoneId": load_balancer.canonical_hosted_zone_id,
        "CreatedTime": moment(load_balancer.created_at),
        "LoadBalancerName": load_balancer.name,
        "Scheme": load_balancer.scheme,
        "VpcId": load_balancer.vpc_id,
        "State": state | ({"Reason": load_balancer.state_reason} if load_balancer.state_reason else {}),
        "Type": load_balancer.type,
        "AvailabilityZones": availability_zones(call, load_balancer),
        "SecurityGroups": list(load_balancer.security_group_ids),
        "IpAddressType": load_balancer.ip_address_type,
    }


def availability_zones(call: Call, load_balancer: LoadBalancer) -> list[Response]:
    """Return a load balancer's zones in the form AWS answers (only other types list addresses)."""
    subnets = [call.world.subnets[each] for each in load_balancer.subnet_ids if each in call.world.subnets]
    return [
        {"ZoneName": subnet.availability_zone, "SubnetId": subnet.subnet_id, "LoadBalancerAddresses": []}
        for subnet in sorted(subnets, key=lambda subnet: subnet.availability_zone)
    ]


def check_ip_address_type(kind: str) -> str:
    """Return an address type that Tsubo runs; raise ValidationError or InvalidConfigurationRequest otherwise."""
    if kind.startswith("dualstack"):
        raise AwsError("InvalidConfigurationRequest", f"The IP address type '{kind}' is not supported by Tsubo")
    if kind not in IP_ADDRESS_TYPES:
        raise invalid(f"IP address type '{kind}' must be one of '[{', '.join(IP_ADDRESS_TYPES)}]'")
    return kind


def _requested(call: Call, request: Request) -> LoadBalancer:
    name = _check_name(required(request, "Name", "A load balancer name"))
    kind = request.get("Type") or "application"
    if kind != "application":
        raise AwsError("OperationNotPermitted", f"Load balancers of type '{kind}' are not supported by Tsubo")
    scheme = _check_scheme(request.get("Scheme") or "internet-facing")
    ip_address_type = check_ip_address_type(request.get("IpAddressType") or "ipv4")
    subnets = check_subnets(call, requested_subnet_ids(request))
    vpc_id = subnets[0].vpc_id
    if scheme == "internet-facing":
        check_internet_gateway(call, vpc_id)
    return LoadBalancer(
        arn=load_balancer_arn(call, name),
        name=name,
        region=call.region,
        dns_name=_dns_name(call, name, scheme),
        canonical_hosted_zone_id=canonical_hosted_zone_id(call.region),
        scheme=scheme,
        vpc_id=vpc_id,
        subnet_ids=tuple(subnet.subnet_id for subnet in subnets),
        security_group_ids=check_security_groups(call, vpc_id, request.get("SecurityGroups") or ()),
        created_at=call.now,
        ip_address_type=ip_address_type,
        attributes=_attributes(scheme),
        tags=parse_tags(request.get("Tags")),
    )


def _attributes(scheme: Scheme) -> dict[str, str]:
    internal = "true" if scheme == "internal" else "false"
    return defaults(LOAD_BALANCER_ATTRIBUTES) | {"ipv6.deny_all_igw_traffic": internal}


def _dns_name(call: Call, name: str, scheme: Scheme) -> str:
    prefix = "internal-" if scheme == "internal" else ""
    return f"{prefix}{name}-{call.supply.text(10, '0123456789')}.{call.region}.elb.amazonaws.com"


def _check_name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise invalid(f"Load balancer name '{name}' cannot be longer than '{LONGEST_NAME}' characters")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise invalid(
            f"Load balancer name '{name}' can only contain characters that are alphanumeric characters and hyphens(-)"
        )
    if name.startswith("-") or name.endswith("-"):
        raise invalid(f"Load balancer name '{name}' cannot begin or end with '-'")
    if name.startswith("internal-"):
        raise invalid(f"Load balancer name '{name}' cannot begin with 'internal-'")
    return name


def _check_scheme(scheme: str) -> Scheme:
    if scheme not in get_args(Scheme):
        raise AwsError("InvalidScheme", f"Scheme '{scheme}' must be one of '[{', '.join(get_args(Scheme))}]'")
    return cast(Scheme, scheme)


def _settings(load_balancer: LoadBalancer) -> tuple[object, ...]:
    """Return what two requests of one name must agree in to mean one load balancer."""
    return dataclasses.astuple(
        dataclasses.replace(
            load_balancer,
            arn="",
            dns_name="",
            created_at=0.0,
            state="active",
            state_reason=None,
            subnet_ids=tuple(sorted(load_balancer.subnet_ids)),
            security_group_ids=tuple(sorted(load_balancer.security_group_ids)),
            attributes={},
        )
    )
