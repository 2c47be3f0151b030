"""Application load balancers. Calls and defaults: aws/alb-vpc-terraform.md sections 1.1, 6.2 and 6.8."""

from collections.abc import Mapping
from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.resources.common import block, first, name_of, tag_items, tag_list, tag_map
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

LONGEST_NAME = 32
DEFAULT_PREFIX = "tf-lb-"

_ATTRIBUTES = {
    "client_keep_alive": "client_keep_alive.seconds",
    "desync_mitigation_mode": "routing.http.desync_mitigation_mode",
    "drop_invalid_header_fields": "routing.http.drop_invalid_header_fields.enabled",
    "enable_deletion_protection": "deletion_protection.enabled",
    "enable_http2": "routing.http2.enabled",
    "enable_tls_version_and_cipher_suite_headers": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "enable_waf_fail_open": "waf.fail_open.enabled",
    "enable_xff_client_port": "routing.http.xff_client_port.enabled",
    "enable_zonal_shift": "zonal_shift.config.enabled",
    "idle_timeout": "idle_timeout.timeout_seconds",
    "preserve_host_header": "routing.http.preserve_host_header.enabled",
    "xff_header_processing_mode": "routing.http.xff_header_processing.mode",
}
_LOGS = {"access_logs": "access_logs.s3", "connection_logs": "connection_logs.s3"}


def retag_elbv2(aws: Aws, values: Values, changed: Mapping[str, str], removed: list[str]) -> None:
    """Set and remove the tags of a load balancer, target group, listener or rule."""
    if removed:
        aws.call("elbv2", "remove_tags", ResourceArns=[values["id"]], TagKeys=removed)
    if changed:
        aws.call("elbv2", "add_tags", ResourceArns=[values["id"]], Tags=tag_items(changed))


def attribute_text(value: Any) -> str:
    """Return a value as ELB writes attributes: text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def attribute_list(attributes: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(attributes.items())]


def tags_of(aws: Aws, arn: str) -> dict[str, str]:
    """Return the tags of a load balancer, target group, listener or rule."""
    descriptions = aws.call("elbv2", "describe_tags", ResourceArns=[arn])["TagDescriptions"]
    return tag_map((first(descriptions) or {}).get("Tags"))


def _wanted_attributes(values: Values) -> dict[str, str]:
    wanted = {
        attribute: attribute_text(values[name])
        for name, attribute in _ATTRIBUTES.items()
        if values.get(name) is not None
    }
    for name, prefix in _LOGS.items():
        logs = block(values, name)
        wanted[f"{prefix}.enabled"] = attribute_text(bool(logs and logs.get("enabled")))
        if logs is not None and logs.get("enabled"):
            wanted |= {f"{prefix}.bucket": logs["bucket"], f"{prefix}.prefix": logs.get("prefix") or ""}
    return wanted


def _create(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "elbv2",
        "create_load_balancer",
        Name=name_of(values, LONGEST_NAME, DEFAULT_PREFIX),
        Type=values["load_balancer_type"],
        Scheme="internal" if values.get("internal") else None,
        Subnets=values.get("subnets") or None,
        SubnetMappings=_mappings(values),
        SecurityGroups=values.get("security_groups") or None,
        IpAddressType=values.get("ip_address_type"),
        Tags=tag_list(values),
    )
    return {"id": answer["LoadBalancers"][0]["LoadBalancerArn"]}


def _mappings(values: Values) -> list[dict[str, str]] | None:
    members = {"subnet_id": "SubnetId", "allocation_id": "AllocationId", "private_ipv4_address": "PrivateIPv4Address"}
    mappings = values.get("subnet_mapping") or ()
    return [{member: m[name] for name, member in members.items() if m.get(name)} for m in mappings] or None


def _complete(aws: Aws, values: Values) -> None:
    _set_attributes(aws, {}, values)
    _await_active(aws, values)


def _set_attributes(aws: Aws, before: dict[str, str], values: Values) -> None:
    wanted = {key: value for key, value in _wanted_attributes(values).items() if before.get(key) != value}
    if wanted:
        attributes = attribute_list(wanted)
        aws.call("elbv2", "modify_load_balancer_attributes", LoadBalancerArn=values["id"], Attributes=attributes)


def _find(aws: Aws, values: Values) -> Any:
    answer = aws.find("elbv2", "describe_load_balancers", LoadBalancerArns=[values["id"]]) or {}
    return first(answer.get("LoadBalancers"))


def _await_active(aws: Aws, values: Values) -> None:
    def active() -> bool | None:
        balancer = _find(aws, values)
        state = balancer["State"] if balancer else {"Code": "failed", "Reason": "it is gone"}
        if state["Code"] == "failed":
            raise CallError(f"the load balancer {values['id']} failed: {state.get('Reason', '')}")
        return True if state["Code"] == "active" else None

    aws.wait(f"the load balancer {values['id']} to become active", active)


def _read(aws: Aws, values: Values) -> Values | None:
    balancer = _find(aws, values)
    if balancer is None:
        return None
    arn = balancer["LoadBalancerArn"]
    zones = balancer["AvailabilityZones"]
    answer = aws.call("elbv2", "describe_load_balancer_attributes", LoadBalancerArn=arn)
    attributes = {attribute["Key"]: attribute["Value"] for attribute in answer["Attributes"]}
    actual: Values = {name: attributes[key] for name, key in _ATTRIBUTES.items() if key in attributes}
    return actual | {
        "arn": arn,
        "arn_suffix": arn.partition(":loadbalancer/")[2],
        "name": balancer["LoadBalancerName"],
        "name_prefix": values.get("name_prefix") or "",
        "dns_name": balancer["DNSName"],
        "zone_id": balancer["CanonicalHostedZoneId"],
        "vpc_id": balancer["VpcId"],
        "internal": balancer["Scheme"] == "internal",
        "ip_address_type": balancer.get("IpAddressType", "ipv4"),
        "load_balancer_type": balancer["Type"],
        "security_groups": balancer.get("SecurityGroups") or [],
        "subnets": [zone["SubnetId"] for zone in zones],
        "subnet_mapping": [{"subnet_id": zone["SubnetId"]} for zone in zones],
        **{name: _log_blocks(attributes, prefix) for name, prefix in _LOGS.items()},
        "tags": tags_of(aws, arn),
    }


def _log_blocks(attributes: dict[str, str], prefix: str) -> list[Values]:
    if attributes.get(f"{prefix}.enabled") != "true":
        return []
    names = ("enabled", "bucket", "prefix")
    return [{name: attributes.get(f"{prefix}.{name}", "") for name in names}]


def _update(aws: Aws, before: Values, values: Values) -> None:
    arn = values["id"]
    if set(before.get("subnets") or ()) != set(values.get("subnets") or ()):
        aws.call("elbv2", "set_subnets", LoadBalancerArn=arn, Subnets=values["subnets"])
    if set(before.get("security_groups") or ()) != set(values.get("security_groups") or ()):
        aws.call("elbv2", "set_security_groups", LoadBalancerArn=arn, SecurityGroups=values["security_groups"])
    if before.get("ip_address_type") != values.get("ip_address_type"):
        aws.call("elbv2", "set_ip_address_type", LoadBalancerArn=arn, IpAddressType=values["ip_address_type"])
    _set_attributes(aws, _wanted_attributes(before), values)


def _delete(aws: Aws, values: Values) -> None:
    aws.call("elbv2", "delete_load_balancer", LoadBalancerArn=values["id"])
    aws.wait(f"the load balancer {values['id']} to be deleted", lambda: True if _find(aws, values) is None else None)


_TYPE = ResourceType(create=_create, complete=_complete, read=_read, update=_update, delete=_delete, retag=retag_elbv2)
RESOURCES = {"aws_lb": _TYPE, "aws_alb": _TYPE}
