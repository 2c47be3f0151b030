"""The command line's request for flows: what passed and what was dropped, who calls addresses that left their names."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from tsubo.core.flow_format import line
from tsubo.core.flow_log import REASONS
from tsubo.core.stale_names import describe, remedy, standing
from tsubo.drivers.reload import request_reload
from tsubo.engine.context import EngineContext
from tsubo.engine.flow_store import FlowStore, read_stale
from tsubo.model.flows import Action, FlowRecord, StaleConnection

Event = dict[str, Any]

FOLLOW_SECONDS = 0.3
PAGE = 1_000
DEFAULT_LAST = 200


def flows(context: EngineContext, parameters: Mapping[str, Any]) -> Iterator[Event]:
    """Yield the last records, oldest first, and with `follow` those to come; or, with `stale`, the stale clients."""
    if parameters.get("stale"):
        known = read_stale(context.home.path)
        yield {"type": "result", "stale": [_stale_event(stale) for stale in known]}
        return
    request_reload(context.home.socket("flows-flush"))
    action: Action | None = "REJECT" if parameters.get("denied") else None
    shown = 0
    with closing(FlowStore(context.home.path)) as store:
        number = store.number_before_last(int(parameters.get("last") or DEFAULT_LAST), action)
        while True:
            rows = store.records_after(number, PAGE, action)
            for row in rows:
                number, record = row
                yield _flow_event(context, record)
            shown += len(rows)
            if len(rows) == PAGE:
                continue
            if not parameters.get("follow"):
                yield {"type": "result", "records": shown}
                return
            # An event that says nothing lets the server notice a client that has gone.
            yield {"type": "alive"}
            time.sleep(FOLLOW_SECONDS)


def stale_problems(context: EngineContext) -> list[str]:
    """Return, in one sentence each, who calls addresses that have left their names, at present."""
    known = read_stale(context.home.path)
    return [describe(stale) for stale in standing(context.store.world, known, time.time())]


def _flow_event(context: EngineContext, record: FlowRecord) -> Event:
    flow = record.flow
    return {
        "type": "flow",
        "line": line(context.home.identity.account_id, record),
        "interface": record.interface_id,
        "vpc": record.vpc_id,
        "source": flow.source,
        "sourcePort": flow.source_port,
        "destination": flow.destination,
        "destinationPort": flow.destination_port,
        "protocol": flow.protocol,
        "packets": record.packets,
        "bytes": record.bytes,
        "start": record.start,
        "end": record.end,
        "action": record.action,
        "status": record.status,
        "sourceName": record.source_name,
        "destinationName": record.destination_name,
        "reason": REASONS.get(record.reason, ""),
    }


def _stale_event(stale: StaleConnection) -> Event:
    departure = stale.departure
    return {
        "text": describe(stale),
        "remedy": remedy(stale),
        "client": stale.client,
        "clientAddress": stale.client_address,
        "name": departure.name,
        "address": departure.address,
        "port": stale.port,
        "task": departure.task_id,
        "service": departure.service,
        "leftAt": departure.left_at,
        "ttl": departure.ttl_seconds,
        "now": departure.successors,
        "connections": stale.connections,
        "firstAt": stale.first_at,
        "lastAt": stale.last_at,
        "overdueSeconds": stale.overdue_seconds,
    }
