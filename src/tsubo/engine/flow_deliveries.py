"""Flow logs on their way to CloudWatch Logs: the lines that the flows process wrote are put into their log groups.

A log group that is not there is made, as AWS does; each interface has a stream of its own, `eni-...-all`. A line is
taken out once it was put, or once its flow log is gone; what cannot be put now is tried again.
"""

import logging
import threading
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from botocore.exceptions import ClientError

from tsubo.aws.breadth import Breadth
from tsubo.aws.store import Store
from tsubo.engine.flow_store import Delivery, FlowStore, store_path
from tsubo.engine.home import Home
from tsubo.model.vpc import FlowLog

log = logging.getLogger("tsubo.flow-logs")

PAUSE_SECONDS = 1.0
BATCH_LINES = 5_000
"""PutLogEvents takes 10,000 events at most."""


class FlowLogDelivery:
    """Delivers in a thread of its own."""

    def __init__(self, home: Home, store: Store, breadth: Breadth) -> None:
        self._home = home
        self._store = store
        self._breadth = breadth
        self._last_error = ""

    def start(self) -> None:
        """Begin to deliver, for as long as the process lives."""
        threading.Thread(target=self._run, name="flow-logs", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(PAUSE_SECONDS):
            try:
                if self._store.world.flow_logs and store_path(self._home.path).exists():
                    self.deliver()
                self._last_error = ""
            except Exception as error:
                if self._last_error != repr(error):
                    log.warning("flow logs wait: %s", error)
                self._last_error = repr(error)

    def deliver(self) -> None:
        """Put all lines that wait into their log groups. Raises what the call raises; what was put is taken out."""
        with closing(FlowStore(self._home.path)) as waiting:
            while rows := waiting.deliveries(BATCH_LINES):
                for (flow_log_id, interface_id), group in _by_stream(rows).items():
                    flow_log = self._store.world.flow_logs.get(flow_log_id)
                    if flow_log is not None and flow_log.log_group_name is not None:
                        self._put(flow_log, interface_id, [delivery for _, delivery in group])
                    waiting.delivered(number for number, _ in group)

    def _put(self, flow_log: FlowLog, interface_id: str, lines: list[Delivery]) -> None:
        events = sorted((line.time_ms, line.line) for line in lines)
        place = {
            "logGroupName": flow_log.log_group_name,
            "logStreamName": f"{interface_id}-{flow_log.traffic_type.lower()}",
        }
        request = {**place, "logEvents": [{"timestamp": time_ms, "message": text} for time_ms, text in events]}
        try:
            self._call(flow_log, "put_log_events", request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            self._make(flow_log, place)
            self._call(flow_log, "put_log_events", request)

    def _make(self, flow_log: FlowLog, place: dict[str, Any]) -> None:
        """Make a log stream, and its group, where they are missing."""
        for operation, request in (
            ("create_log_group", {"logGroupName": place["logGroupName"]}),
            ("create_log_stream", place),
        ):
            try:
                self._call(flow_log, operation, request)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                    raise

    def _call(self, flow_log: FlowLog, operation: str, request: dict[str, Any]) -> None:
        self._breadth.call("logs", operation, request, flow_log.region)


def _by_stream(rows: Iterable[tuple[int, Delivery]]) -> dict[tuple[str, str], list[tuple[int, Delivery]]]:
    found: dict[tuple[str, str], list[tuple[int, Delivery]]] = {}
    for number, delivery in rows:
        found.setdefault((delivery.flow_log_id, delivery.interface_id), []).append((number, delivery))
    return found
