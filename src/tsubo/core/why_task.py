"""The last step: whether anything in the task takes the connection.

Port mappings decide nothing in `awsvpc` mode: what listens is reachable if the groups say so. They are noted, because
what is not mapped is usually a mistake. Source: aws/alb-vpc-terraform.md section 2.10.
"""

from tsubo.core.why_match import Flow
from tsubo.core.why_trail import Trail, owner_name
from tsubo.model.ecs import Task, TaskDefinition
from tsubo.model.explanation import Ending, ListeningSocket, Remedy
from tsubo.model.vpc import NetworkInterface
from tsubo.model.world import World

STEP = "container port"
ANY_ADDRESS = "0.0.0.0"
INTERNET = "internet"
"""Under what the observations know the sockets of the closed internet's hosts."""


def first_port(world: World, task: Task) -> int | None:
    """Return the first container port that a task's definition maps, if it maps any."""
    definition = world.task_definitions.get(task.task_definition_arn)
    containers = definition.containers if definition else ()
    return next((m.container_port for c in containers for m in c.port_mappings), None)


def arrive(trail: Trail, interface: NetworkInterface, flow: Flow, refused: Ending) -> None:
    """Say whether the connection is taken. `refused` is what the client sees if it is not."""
    if flow.protocol == "icmp":
        trail.allow(STEP, f"{interface.private_ip} answers echo requests: the kernel does, no container needs to.")
        return
    port = flow.ports[0]
    task = trail.world.tasks.get(interface.owner_id)
    definition = trail.world.task_definitions.get(task.task_definition_arn) if task else None
    if task is not None and definition is not None:
        _note_unmapped(trail, task, definition, flow)
    sockets = trail.observations.listening.get(interface.network_interface_id)
    if sockets is None:
        trail.note(STEP, f"Whether anything listens on {flow.text} of {interface.private_ip} was not looked at.")
        return
    fitting = [s for s in sockets if (s.protocol, s.port) == (flow.protocol, port)]
    if any(s.address in (ANY_ADDRESS, interface.private_ip) for s in fitting):
        trail.allow(
            STEP, f"{owner_name(trail.world, interface)} listens on {flow.text}.".replace("a task", "A task", 1)
        )
        return
    ids = () if definition is None else (definition.arn,)
    trail.deny(STEP, _why_deaf(interface, flow, fitting, sockets), *ids, ending=refused, remedy=_remedy(fitting, flow))


def arrive_on_internet(trail: Trail, flow: Flow) -> None:
    """Say whether a host of the closed internet takes the connection."""
    sockets = trail.observations.listening.get(INTERNET)
    if sockets is None or flow.protocol == "icmp":
        return
    addresses = {s.address for s in sockets if (s.protocol, s.port) == (flow.protocol, flow.ports[0])}
    if not addresses & {ANY_ADDRESS, flow.destination}:
        trail.deny("internet", f"Nothing listens on {flow.text} of {flow.destination}.", ending="refused")


def _note_unmapped(trail: Trail, task: Task, definition: TaskDefinition, flow: Flow) -> None:
    mapped = {
        m.container_port: c.name for c in definition.containers for m in c.port_mappings if m.protocol == flow.protocol
    }
    port = flow.ports[0]
    family = f"{definition.family}:{definition.revision}"
    if port in mapped:
        trail.allow(STEP, f"Container {mapped[port]} of {family} maps {flow.text}.", definition.arn)
    else:
        known = ", ".join(f"{number} ({name})" for number, name in sorted(mapped.items())) or "none"
        text = f"No container of {family} maps {flow.text}; mapped are: {known}. The network lets it through anyway."
        trail.note(STEP, text, definition.arn)


def _why_deaf(
    interface: NetworkInterface, flow: Flow, fitting: list[ListeningSocket], sockets: tuple[ListeningSocket, ...]
) -> str:
    if fitting:
        addresses = ", ".join(sorted({s.address for s in fitting}))
        return (
            f"{flow.text} listens on {addresses} alone, which other tasks and load balancers cannot reach: connections "
            f"to {interface.private_ip} are refused."
        )
    open_ports = sorted({s.port for s in sockets if s.protocol == flow.protocol and s.address == ANY_ADDRESS})
    others = f"listening are {', '.join(map(str, open_ports))}" if open_ports else "nothing listens at all"
    return f"Nothing listens on {flow.text} of {interface.private_ip}, so it is refused at once; {others}."


def _remedy(fitting: list[ListeningSocket], flow: Flow) -> Remedy:
    if fitting:
        return Remedy(f"Let the program listen on {ANY_ADDRESS}:{flow.ports[0]}. No Terraform change helps.")
    return Remedy(f"Let a container listen on {flow.ports[0]}, or call a port on which one does.")
