"""Instances: register (an upsert), deregister, read, and the custom health status.

A status that is reported takes effect after Cloud Map's delay: the call writes the request, the loop applies it.
Source: aws/ecs-cloudmap-exec.md sections 8 and 9.
"""

import dataclasses
from typing import Literal, cast

from tsubo.aws.operations import AwsError, Call, Operation, Request, Response
from tsubo.aws.servicediscovery import instance_rules
from tsubo.aws.servicediscovery.journal import finish
from tsubo.aws.servicediscovery.lookup import (
    existing_instance,
    existing_service,
    instances_of,
    invalid_input,
    listed,
)
from tsubo.model.cloudmap import DiscoveryService, Instance

Health = Literal["HEALTHY", "UNHEALTHY"]


def register_instance(call: Call, request: Request) -> Response:
    """Register an instance, or replace the one of that id."""
    service = existing_service(call, request["ServiceId"])
    attributes: dict[str, str] = dict(request["Attributes"])
    instance_rules.check(service, request["InstanceId"], attributes)
    instance = Instance(
        service_id=service.service_id,
        instance_id=request["InstanceId"],
        registered_at=call.now,
        attributes=attributes,
        health=cast(Health, attributes.get("AWS_INIT_HEALTH_STATUS", "HEALTHY")),
        creator_request_id=request.get("CreatorRequestId"),
    )
    call.put(instance, _next_revision(service))
    return finish(call, "REGISTER_INSTANCE", _targets(instance))


def deregister_instance(call: Call, request: Request) -> Response:
    """Deregister an instance; its records go with it."""
    service = existing_service(call, request["ServiceId"])
    instance = existing_instance(call, service, request["InstanceId"])
    call.delete(instance)
    call.put(_next_revision(service))
    return finish(call, "DEREGISTER_INSTANCE", _targets(instance))


def _targets(instance: Instance) -> dict[str, str]:
    return {"INSTANCE": instance.instance_id, "SERVICE": instance.service_id}


def _next_revision(service: DiscoveryService) -> DiscoveryService:
    """Registering and deregistering count as a revision; health changes do not."""
    return dataclasses.replace(service, instances_revision=service.instances_revision + 1)


def get_instance(call: Call, request: Request) -> Response:
    """Return one instance as it was registered."""
    service = existing_service(call, request["ServiceId"])
    instance = existing_instance(call, service, request["InstanceId"])
    view = _view(call, instance)
    if instance.creator_request_id is not None:
        view["CreatorRequestId"] = instance.creator_request_id
    return {"ResourceOwner": call.account_id, "Instance": view}


def list_instances(call: Call, request: Request) -> Response:
    """List a service's instances as they were registered."""
    service = existing_service(call, request["ServiceId"])
    views = [_view(call, instance) for instance in instances_of(call, service)]
    return {"ResourceOwner": call.account_id, **listed("Instances", views, request)}


def _view(call: Call, instance: Instance) -> Response:
    return {
        "Id": instance.instance_id,
        "Attributes": dict(instance.attributes),
        "CreatedByAccount": call.account_id,
    }


def get_instances_health_status(call: Call, request: Request) -> Response:
    """Return the live health of a service's instances, or of those that are named."""
    service = existing_service(call, request["ServiceId"])
    if request.get("Instances"):
        chosen = [existing_instance(call, service, instance_id) for instance_id in request["Instances"]]
    else:
        chosen = instances_of(call, service)
    result = listed("Status", [(i.instance_id, health_status(service, i)) for i in chosen], request)
    return {**result, "Status": dict(result["Status"])}


def health_status(service: DiscoveryService, instance: Instance) -> str:
    """Return an instance's health as the API says it: UNKNOWN where the service has no custom check."""
    return instance.health if service.custom_health_check else "UNKNOWN"


def update_instance_custom_health_status(call: Call, request: Request) -> None:
    """Report an instance's health. The same report again changes nothing; going back in time takes it back."""
    service = existing_service(call, request["ServiceId"])
    instance = existing_instance(call, service, request["InstanceId"])
    status = request["Status"]
    if not service.custom_health_check:
        raise AwsError("CustomHealthNotFound", f"The service {service.service_id} has no HealthCheckCustomConfig.", 404)
    if status not in instance_rules.HEALTH_STATES:
        raise invalid_input("Status must be HEALTHY or UNHEALTHY.")
    if status == instance.health:
        call.put(dataclasses.replace(instance, requested_health=None, requested_at=None))
    elif status != instance.requested_health:
        call.put(dataclasses.replace(instance, requested_health=status, requested_at=call.now))


OPERATIONS: dict[str, Operation] = {
    "RegisterInstance": register_instance,
    "DeregisterInstance": deregister_instance,
    "GetInstance": get_instance,
    "ListInstances": list_instances,
    "GetInstancesHealthStatus": get_instances_health_status,
    "UpdateInstanceCustomHealthStatus": update_instance_custom_health_status,
}
