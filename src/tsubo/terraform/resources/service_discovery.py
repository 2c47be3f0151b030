"""Cloud Map namespaces and services. Calls: aws/alb-vpc-terraform.md sections 6.2 and 6.6."""

from collections.abc import Callable
from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.resources.common import block, changed, given, retag_by, tag_list, tag_map, unique_name
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

_retag = retag_by(
    "servicediscovery", "tag_resource", "untag_resource", "ResourceARN", "Tags", "TagKeys", ("Key", "Value")
)


def _await_operation(aws: Aws, operation_id: str) -> Any:
    """Return an operation once it succeeded."""

    def done() -> Any:
        operation = aws.call("servicediscovery", "get_operation", OperationId=operation_id)["Operation"]
        if operation["Status"] == "FAIL":
            raise CallError(f"servicediscovery {operation['Type']}: {operation.get('ErrorMessage', 'it failed')}")
        return operation if operation["Status"] == "SUCCESS" else None

    return aws.wait(f"the Cloud Map operation {operation_id}", done)


def _creator(kind: str, more: Callable[[Values], dict[str, Any]]) -> Callable[[Aws, Values], Values]:
    def create(aws: Aws, values: Values) -> Values:
        answer = aws.call(
            "servicediscovery",
            f"create_{kind}_namespace",
            Name=values["name"],
            Description=values.get("description") or None,
            CreatorRequestId=unique_name(),
            Tags=tag_list(values),
            **more(values),
        )
        return {"id": _await_operation(aws, answer["OperationId"])["Targets"]["NAMESPACE"]}

    return create


def _read_namespace(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("servicediscovery", "get_namespace", Id=values["id"])
    if answer is None:
        return None
    namespace = answer["Namespace"]
    properties = namespace.get("Properties") or {}
    return {
        "arn": namespace["Arn"],
        "name": namespace["Name"],
        "description": namespace.get("Description", ""),
        "hosted_zone": (properties.get("DnsProperties") or {}).get("HostedZoneId", ""),
        "http_name": (properties.get("HttpProperties") or {}).get("HttpName", ""),
        "tags": _tags(aws, namespace["Arn"]),
    }


def _tags(aws: Aws, arn: str) -> dict[str, str]:
    return tag_map(aws.call("servicediscovery", "list_tags_for_resource", ResourceARN=arn).get("Tags"))


def _updater(kind: str) -> Callable[[Aws, Values, Values], None]:
    def update(aws: Aws, before: Values, values: Values) -> None:
        if changed(before, values, "description"):
            answer = aws.call(
                "servicediscovery",
                f"update_{kind}_namespace",
                Id=values["id"],
                UpdaterRequestId=unique_name(),
                Namespace={"Description": values.get("description") or ""},
            )
            _await_operation(aws, answer["OperationId"])

    return update


def _delete_namespace(aws: Aws, values: Values) -> None:
    _await_operation(aws, aws.call("servicediscovery", "delete_namespace", Id=values["id"])["OperationId"])


def _namespace(kind: str, more: Callable[[Values], dict[str, Any]]) -> ResourceType:
    return ResourceType(
        create=_creator(kind, more),
        read=_read_namespace,
        update=_updater(kind),
        delete=_delete_namespace,
        retag=_retag,
    )


def _create_service(aws: Aws, values: Values) -> Values:
    answer = aws.call(
        "servicediscovery",
        "create_service",
        Name=values["name"],
        NamespaceId=values.get("namespace_id"),
        Description=values.get("description") or None,
        Type=values.get("type"),
        DnsConfig=_dns_configuration(values),
        HealthCheckConfig=_health_check(values),
        HealthCheckCustomConfig=_custom_health_check(values),
        CreatorRequestId=unique_name(),
        Tags=tag_list(values),
    )
    return {"id": answer["Service"]["Id"]}


def _dns_configuration(values: Values) -> dict[str, Any] | None:
    configuration = block(values, "dns_config")
    if configuration is None:
        return None
    return given(
        NamespaceId=configuration["namespace_id"],
        RoutingPolicy=configuration.get("routing_policy"),
        DnsRecords=_dns_records(configuration),
    )


def _dns_records(configuration: Values) -> list[dict[str, Any]]:
    return [{"Type": record["type"], "TTL": record["ttl"]} for record in configuration["dns_records"]]


def _health_check(values: Values) -> dict[str, Any] | None:
    check = block(values, "health_check_config")
    if check is None:
        return None
    return given(
        Type=check.get("type"),
        ResourcePath=check.get("resource_path") or None,
        FailureThreshold=check.get("failure_threshold") or None,
    )


def _custom_health_check(values: Values) -> dict[str, Any] | None:
    check = block(values, "health_check_custom_config")
    return None if check is None else given(FailureThreshold=check.get("failure_threshold") or None)


def _read_service(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("servicediscovery", "get_service", Id=values["id"])
    if answer is None:
        return None
    service = answer["Service"]
    dns = service.get("DnsConfig")
    namespace_id = service.get("NamespaceId") or (dns or {}).get("NamespaceId", "")
    check = service.get("HealthCheckConfig")
    return {
        "arn": service["Arn"],
        "name": service["Name"],
        "description": service.get("Description", ""),
        "namespace_id": namespace_id,
        "type": service.get("Type", "DNS_HTTP" if dns else "HTTP"),
        "dns_config": [_dns_values(dns, namespace_id)] if dns else [],
        "health_check_config": [_health_values(check)] if check else [],
        # The threshold is always 1 whatever was asked for, so it stays as configured (section 6.8).
        "health_check_custom_config": [{}] if "HealthCheckCustomConfig" in service else [],
        "tags": _tags(aws, service["Arn"]),
    }


def _dns_values(dns: dict[str, Any], namespace_id: str) -> Values:
    return {
        "namespace_id": namespace_id,
        "routing_policy": dns.get("RoutingPolicy", "MULTIVALUE"),
        "dns_records": [{"type": record["Type"], "ttl": record["TTL"]} for record in dns["DnsRecords"]],
    }


def _health_values(check: dict[str, Any]) -> Values:
    return {
        "type": check.get("Type"),
        "resource_path": check.get("ResourcePath", ""),
        "failure_threshold": check.get("FailureThreshold", 1),
    }


def _update_service(aws: Aws, before: Values, values: Values) -> None:
    if not changed(before, values, "description", "dns_config", "health_check_config"):
        return
    dns = block(values, "dns_config")
    change = given(
        Description=values.get("description") or "",
        DnsConfig={"DnsRecords": _dns_records(dns)} if dns else None,
        HealthCheckConfig=_health_check(values),
    )
    answer = aws.call("servicediscovery", "update_service", Id=values["id"], Service=change)
    _await_operation(aws, answer["OperationId"])


def _delete_service(aws: Aws, values: Values) -> None:
    if values.get("force_destroy"):
        instances = aws.call("servicediscovery", "list_instances", ServiceId=values["id"])["Instances"]
        for instance in instances:
            answer = aws.call(
                "servicediscovery", "deregister_instance", ServiceId=values["id"], InstanceId=instance["Id"]
            )
            _await_operation(aws, answer["OperationId"])
    aws.call("servicediscovery", "delete_service", Id=values["id"])


RESOURCES = {
    "aws_service_discovery_private_dns_namespace": _namespace("private_dns", lambda values: {"Vpc": values["vpc"]}),
    "aws_service_discovery_public_dns_namespace": _namespace("public_dns", lambda values: {}),
    "aws_service_discovery_http_namespace": _namespace("http", lambda values: {}),
    "aws_service_discovery_service": ResourceType(
        create=_create_service,
        read=_read_service,
        update=_update_service,
        delete=_delete_service,
        retag=_retag,
    ),
}
