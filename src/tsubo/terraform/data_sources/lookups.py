"""Things of other services that exist already: zones, task definitions, clusters, parameters, roles, repositories."""

from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.resources.common import without_dot
from tsubo.terraform.resources.ecr import RESOURCES as ECR_RESOURCES
from tsubo.terraform.resources.ecs_clusters import RESOURCES as CLUSTER_RESOURCES
from tsubo.terraform.resources.iam import RESOURCES as IAM_RESOURCES
from tsubo.terraform.resources.route53 import RESOURCES as ZONE_RESOURCES
from tsubo.terraform.resources.task_definitions import RESOURCES as TASK_RESOURCES
from tsubo.terraform.table import DataSource, ResourceType
from tsubo.terraform.values import Values


def _as_resource(resource_type: ResourceType, argument: str, what: str) -> DataSource:
    """Return a data source that reads as a resource type does, found by one argument."""

    def read(aws: Aws, values: Values) -> Values:
        name = values[argument]
        actual = resource_type.read(aws, {"id": name, argument: name})
        if actual is None:
            raise CallError(f"no {what} named {name} was found")
        return {"id": name} | actual

    return DataSource(read)


def _zone(aws: Aws, values: Values) -> Values:
    zone_id = values.get("zone_id") or _zone_id(aws, values)
    actual = ZONE_RESOURCES["aws_route53_zone"].read(aws, {"id": zone_id})
    if actual is None:
        raise CallError(f"no hosted zone {zone_id} was found")
    zone = aws.call("route53", "get_hosted_zone", Id=zone_id)["HostedZone"]
    linked = zone.get("LinkedService") or {}
    return actual | {
        "id": zone_id,
        "caller_reference": zone["CallerReference"],
        "resource_record_set_count": zone.get("ResourceRecordSetCount", 0),
        "linked_service_principal": linked.get("ServicePrincipal", ""),
        "linked_service_description": linked.get("Description", ""),
    }


def _zone_id(aws: Aws, values: Values) -> str:
    name, private = without_dot(values.get("name") or ""), bool(values.get("private_zone"))
    zones = aws.call("route53", "list_hosted_zones")["HostedZones"]
    found = [z for z in zones if without_dot(z["Name"]) == name and z["Config"].get("PrivateZone", False) == private]
    if len(found) != 1:
        raise CallError(f"{len(found)} hosted zones match the name {name!r} (private: {private})")
    return str(found[0]["Id"]).rpartition("/")[2]


def _task_definition(aws: Aws, values: Values) -> Values:
    name = values["task_definition"]
    definition = aws.call("ecs", "describe_task_definition", taskDefinition=name)["taskDefinition"]
    read = TASK_RESOURCES["aws_ecs_task_definition"].read
    actual = read(aws, {"id": definition["family"], "arn": definition["taskDefinitionArn"]}) or {}
    return actual | {"id": definition["taskDefinitionArn"], "status": definition.get("status", "ACTIVE")}


def _cluster(aws: Aws, values: Values) -> Values:
    actual = CLUSTER_RESOURCES["aws_ecs_cluster"].read(aws, {"id": values["cluster_name"]})
    if actual is None:
        raise CallError(f"no ECS cluster named {values['cluster_name']} was found")
    return actual | {"id": actual["arn"], "cluster_name": actual["name"], "status": "ACTIVE"}


def _parameter(aws: Aws, values: Values) -> Values:
    decrypt = values.get("with_decryption") is not False
    parameter: dict[str, Any] = aws.call("ssm", "get_parameter", Name=values["name"], WithDecryption=decrypt)[
        "Parameter"
    ]
    secret = parameter["Type"] == "SecureString"
    return {
        "id": values["name"],
        "arn": parameter.get("ARN", ""),
        "type": parameter["Type"],
        "value": parameter["Value"],
        "insecure_value": None if secret else parameter["Value"],
        "version": parameter["Version"],
    }


DATA_SOURCES = {
    "aws_ecr_repository": _as_resource(ECR_RESOURCES["aws_ecr_repository"], "name", "ECR repository"),
    "aws_ecs_cluster": DataSource(_cluster),
    "aws_ecs_task_definition": DataSource(_task_definition),
    "aws_iam_role": _as_resource(IAM_RESOURCES["aws_iam_role"], "name", "IAM role"),
    "aws_route53_zone": DataSource(_zone),
    "aws_ssm_parameter": DataSource(_parameter),
}
