"""Service events: ECS's own words about what happens to a service. Source: aws/ecs-cloudmap-exec.md section 6."""

from tsubo.core.draft import Draft
from tsubo.model.ecs import Service, ServiceEvent
from tsubo.model.supply import Supply, uuid_text

EVENTS_KEPT = 100


def add_event(draft: Draft, service_arn: str, text: str, now: float, supply: Supply) -> Service:
    """Put an event in front of a service's events, unless the newest says the same. `text` follows its name."""
    service = draft.world.services[service_arn]
    message = f"(service {service.name}) {text}"
    if service.events and service.events[0].message == message:
        return service
    event = ServiceEvent(uuid_text(supply), now, message)
    return draft.update(service, events=(event, *service.events[: EVENTS_KEPT - 1]))
