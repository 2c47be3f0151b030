"""The resource types that are run, by name; one module a family."""

from collections.abc import Mapping

from tsubo.terraform.resources import (
    acm,
    addresses,
    alarms,
    autoscaling,
    ecr,
    ecs_clusters,
    ecs_services,
    flow_logs,
    group_rules,
    iam,
    listeners,
    load_balancers,
    logs,
    network_acls,
    parameters,
    route53,
    route_tables,
    secrets,
    security_groups,
    service_discovery,
    target_groups,
    task_definitions,
    vpc,
    vpc_endpoints,
)
from tsubo.terraform.table import ResourceType

RESOURCES: Mapping[str, ResourceType] = {
    name: resource_type
    for module in (
        acm,
        addresses,
        alarms,
        autoscaling,
        ecr,
        ecs_clusters,
        ecs_services,
        flow_logs,
        group_rules,
        iam,
        listeners,
        load_balancers,
        logs,
        network_acls,
        parameters,
        route53,
        route_tables,
        secrets,
        security_groups,
        service_discovery,
        target_groups,
        task_definitions,
        vpc,
        vpc_endpoints,
    )
    for name, resource_type in module.RESOURCES.items()
}
"""Every other type of the provider is accepted and kept; see `accepted`."""
