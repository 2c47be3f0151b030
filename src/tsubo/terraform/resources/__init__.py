"""The resource types that are run, by name; one module a family."""

from collections.abc import Mapping

from tsubo.terraform.resources import (
    acm,
    addresses,
    ecr,
    ecs_clusters,
    ecs_services,
    group_rules,
    iam,
    listeners,
    load_balancers,
    logs,
    parameters,
    route53,
    route_tables,
    secrets,
    security_groups,
    service_discovery,
    target_groups,
    task_definitions,
    vpc,
)
from tsubo.terraform.table import ResourceType

RESOURCES: Mapping[str, ResourceType] = {
    name: resource_type
    for module in (
        acm,
        addresses,
        ecr,
        ecs_clusters,
        ecs_services,
        group_rules,
        iam,
        listeners,
        load_balancers,
        logs,
        parameters,
        route53,
        route_tables,
        secrets,
        security_groups,
        service_discovery,
        target_groups,
        task_definitions,
        vpc,
    )
    for name, resource_type in module.RESOURCES.items()
}
"""Every other type of the provider is accepted and kept; see `accepted`."""
