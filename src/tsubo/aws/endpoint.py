"""The AWS endpoint: a request in, the response out, and in between one transaction of the store.

`Endpoint.handle` knows no socket and no event loop; `asgi.py` puts it behind a server. An operation that reads gets
the latest committed world and holds no lock; any other runs in a transaction, which is on disk before the answer
(design rule 5). What is not ours goes to moto.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol as Interface

from tsubo.aws import registry
from tsubo.aws.caller import ENGINE_USER, Caller
from tsubo.aws.dispatch import Target, identify, is_read
from tsubo.aws.faults import error_response, internal_error, unknown_operation
from tsubo.aws.guard import refuse_foreign
from tsubo.aws.image_registry import ImageRegistry
from tsubo.aws.message import HttpRequest, HttpResponse
from tsubo.aws.operations import AwsError, Call, Operation, Operations, Request, Response
from tsubo.aws.reset import forget_all, is_reset
from tsubo.aws.signature import Verifier
from tsubo.aws.store import Store
from tsubo.aws.wire import operation_model, parse_request, serialize_result
from tsubo.model.supply import Supply, uuid_text
from tsubo.model.world import World

log = logging.getLogger(__name__)


Authorize = Callable[[Caller, HttpRequest, Target], None]
"""Raises AwsError where a caller may not make a call."""


class Forwarder(Interface):
    """What answers the calls that are not ours (`breadth.Breadth`)."""

    def forward(self, request: HttpRequest, target: Target) -> HttpResponse:
        """Return moto's response."""
        ...


class Endpoint:
    """Answers AWS calls. Safe to call from several threads at once."""

    def __init__(
        self,
        *,
        store: Store,
        supply: Supply,
        verifier: Verifier,
        breadth: Forwarder,
        authorize: Authorize = lambda caller, request, target: None,
        image_registry: ImageRegistry | None = None,
        operations: Mapping[str, Operations] = registry.OPERATIONS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._supply = supply
        self._verifier = verifier
        self._breadth = breadth
        self._authorize = authorize
        self._image_registry = image_registry
        self._operations = operations
        self._clock = clock

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Return the response to a request; every failure is an error in the protocol of its service."""
        request_id = uuid_text(self._supply)
        target = Target("", None, "rest-xml")
        try:
            target = identify_or_refuse(request)
            refuse_foreign(request)
            caller = self._verifier.verify(request, target.service, target.protocol)
            if is_reset(request) and caller == ENGINE_USER:
                forget_all(self._store)
                return self._breadth.forward(request, target)
            self._authorize(caller, request, target)
            return self._answer(request, target, request_id, caller)
        except AwsError as error:
            return error_response(error, target.service, target.protocol, request_id)
        except Exception:
            log.exception("%s:%s failed (request %s)", target.service, target.operation, request_id)
            return error_response(internal_error(target.service), target.service, target.protocol, request_id)

    def _answer(self, request: HttpRequest, target: Target, request_id: str, caller: Caller) -> HttpResponse:
        """Run an operation of ours, or hand the call on to moto."""
        operations = self._operations.get(target.service)
        if operations is None:
            return self._breadth.forward(request, target)
        operation = operations.get(target.operation or "")
        if operation is None or target.operation is None:
            if target.service in registry.SHARED_SERVICES and target.operation is not None:
                return self._breadth.forward(request, target)
            known = target.operation is not None and operation_model(target.service, target.operation) is not None
            raise unknown_operation(target.service, target.operation, target.protocol, known)
        parameters = parse_request(target.service, target.operation, request, target.uri_parameters)
        run = self._read if is_read(target.operation) else self._write
        result = run(operation, parameters, target, request_id, caller)
        return serialize_result(target.service, target.operation, result, request_id)

    def _read(
        self, operation: Operation, parameters: Request, target: Target, request_id: str, caller: Caller
    ) -> Response | None:
        call = self._call(self._store.world, target, request_id, caller)
        result = operation(call, parameters)
        if call.written or call.deleted:
            raise RuntimeError(f"{target.service}:{target.operation} reads, and must not write")
        return result

    def _write(
        self, operation: Operation, parameters: Request, target: Target, request_id: str, caller: Caller
    ) -> Response | None:
        with self._store.transaction() as transaction:
            call = self._call(transaction.world, target, request_id, caller)
            result = operation(call, parameters)
            transaction.adopt(call.world, [*call.written, *call.deleted])
        return result

    def _call(self, world: World, target: Target, request_id: str, caller: Caller) -> Call:
        region = target.region or world.engine.default_region
        return Call(world, self._clock(), self._supply, region, request_id, caller, self._image_registry)


def identify_or_refuse(request: HttpRequest) -> Target:
    """Return what a request means; raise AwsError for a form that cannot be decoded."""
    try:
        return identify(request)
    except ValueError as error:
        raise AwsError("MalformedQueryString", f"The query string is malformed: {error}") from error
