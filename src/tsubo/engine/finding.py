"""Finding what a user means: a service by its ECS name, its Cloud Map name or its Terraform address; a task by id."""

from collections.abc import Mapping
from dataclasses import dataclass

from tsubo.engine.errors import NOT_FOUND, UserError
from tsubo.model.ecs import Service, Task
from tsubo.model.world import World


@dataclass(frozen=True)
class Names:
    """Every name a service goes by."""

    service: Service
    names: tuple[str, ...]


def service_names(world: World, terraform_addresses: Mapping[str, str]) -> list[Names]:
    """Return every service that is not gone, with the names it can be called by. Addresses are by ARN."""
    discovery = {s.arn: s for s in world.discovery_services.values()}
    found = []
    for service in world.services.values():
        if service.status == "INACTIVE":
            continue
        names = [service.name, service.arn]
        for registry in service.registries:
            registered = discovery.get(registry.registry_arn)
            if registered is not None:
                namespace = world.namespaces[registered.namespace_id]
                names += [registered.name, f"{registered.name}.{namespace.name}"]
        if service.arn in terraform_addresses:
            names.append(terraform_addresses[service.arn])
        found.append(Names(service, tuple(names)))
    return found


def find_service(world: World, name: str, terraform_addresses: Mapping[str, str]) -> Service:
    """Return the service that goes by a name. Raises UserError if there is none, or more than one."""
    known = service_names(world, terraform_addresses)
    matches = [entry.service for entry in known if name in entry.names]
    if len(matches) == 1:
        return matches[0]
    if matches:
        choices = ", ".join(sorted(f"{s.name} in {s.cluster_arn.rsplit('/', 1)[-1]} ({s.arn})" for s in matches))
        raise UserError(f"{name} means more than one service: {choices}.", "Use the ARN.", NOT_FOUND)
    choices = ", ".join(sorted(entry.service.name for entry in known)) or "none"
    raise UserError(f"There is no service {name}. Services here: {choices}.", "See `tsubo ps`.", NOT_FOUND)


def find_task(world: World, name: str, terraform_addresses: Mapping[str, str]) -> Task:
    """Return the running task of an id (or its beginning) or ARN, or the oldest running task of a service."""
    running = [task for task in world.tasks.values() if task.last_status == "RUNNING"]
    matches = [task for task in running if task.arn == name or (len(name) >= 6 and task.task_id.startswith(name))]
    if len(matches) == 1:
        return matches[0]
    if matches:
        choices = ", ".join(sorted(task.task_id for task in matches))
        raise UserError(f"{name} means more than one task: {choices}.", "Use the whole id.", NOT_FOUND)
    service = find_service(world, name, terraform_addresses)
    own = sorted((task for task in running if task.service_arn == service.arn), key=lambda task: task.created_at)
    if not own:
        raise UserError(
            f"Service {service.name} has no running task.", "See `tsubo ps` and the service's events.", NOT_FOUND
        )
    return own[0]
