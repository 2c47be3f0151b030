"""`tsubo why FROM TO`: the explanation of a connection, from the store and what this machine shows; and its proof.

With `probe` the packet is sent from where it would start, and what came of it is compared with the explanation.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from tsubo.core.dns import resolver_addresses
from tsubo.core.why import explain
from tsubo.core.why_text import conclusion, render
from tsubo.drivers import dns_probe
from tsubo.drivers.http_probe import probe as http_probe
from tsubo.drivers.listening_sockets import listening_in
from tsubo.drivers.netns import NamespaceError, run_in
from tsubo.drivers.tcp_probe import attempt
from tsubo.engine.context import EngineContext
from tsubo.engine.errors import USAGE, UserError
from tsubo.engine.why_places import INTERNET, find_destination, find_start
from tsubo.engine.why_sources import sources
from tsubo.model.elbv2 import Listener
from tsubo.model.explanation import Explanation, ListeningSocket, Observations, Protocol
from tsubo.model.world import World

Event = dict[str, Any]
SERVER_ERROR = 500


def why(context: EngineContext, parameters: Mapping[str, Any]) -> Iterator[Event]:
    """Explain the connection from `from` to `to`; with `probe` send it and compare. Raises UserError."""
    world = context.store.world
    protocol = cast(Protocol, parameters.get("protocol") or "tcp")
    if parameters.get("probe") and protocol != "tcp":
        raise UserError("Only TCP connections are probed.", "Leave --probe or --protocol out.", USAGE)
    known = sources(context.home.path)
    addresses = {key: source.address for key, source in known.items()}
    start = find_start(world, parameters["from"], addresses)
    destination = find_destination(world, start, parameters["to"], addresses, protocol)
    explanation = explain(world, start, destination, Observations(_listening(world), known))
    result = {
        "type": "result",
        "allowed": explanation.allowed,
        "conclusion": conclusion(explanation),
        "text": render(explanation),
        **dataclasses.asdict(explanation),
    }
    if parameters.get("probe"):
        result["probe"] = Probe(world, explanation, context.home.path / "ca" / "ca.pem").run()
    yield result


def _listening(world: World) -> dict[str, tuple[ListeningSocket, ...]]:
    """Return what listens in the namespaces of tasks and of the internet; what is not plugged is left out."""
    tasks = [i.network_interface_id for i in world.network_interfaces.values() if i.owner == "task"]
    found = {}
    for resource in (*tasks, INTERNET):
        try:
            found[resource] = listening_in(world.engine.namespace(resource))
        except NamespaceError:
            continue
    return found


class Probe:
    """Sends what an explanation is about, and says whether it comes out as explained."""

    def __init__(self, world: World, explanation: Explanation, authority: Path) -> None:
        self._world = world
        self._explanation = explanation
        self._authority = authority
        start = explanation.start
        self._namespace = world.engine.namespace(start.network_interface_id or INTERNET)
        self._source = start.address if start.network_interface_id is None else None

    def run(self) -> dict[str, Any]:
        """Return what was expected, what was seen, and whether they agree."""
        expected, seen = self._expected(), self._seen()
        agrees = seen == expected or (expected == "answered" and seen.startswith("answered"))
        text = f"The probe agrees: {seen}." if agrees else f"The probe differs: {seen}, and {expected} was explained."
        if not agrees and self._explanation.hops[-1].step.startswith("security group"):
            text += " A connection that was open before a rule was taken away lives on, a load balancer's too."
        return {"agrees": agrees, "expected": expected, "seen": seen, "text": text}

    def _expected(self) -> str:
        ending = self._explanation.ending
        if ending.status is not None:
            return f"status {ending.status}"
        return "answered" if self._listener() and ending.symptom == "connected" else ending.symptom

    def _seen(self) -> str:
        address = self._explanation.address
        if not self._resolves() or address is None:
            return "unresolved"
        port = self._explanation.destination.port
        try:
            outcome = attempt(self._namespace, address, port, self._source)
            listener = self._listener()
            if outcome != "connected" or listener is None:
                return outcome
            return self._ask(address, listener)
        except (NamespaceError, OSError) as error:
            return f"failed: {error}"

    def _resolves(self) -> bool:
        """Ask the sender's resolver for the name, if there is one to ask: the internet's own is not on the wire."""
        name = self._explanation.destination.name
        interface = self._world.network_interfaces.get(self._explanation.start.network_interface_id or "")
        if name is None or interface is None:
            return True
        resolver = resolver_addresses(self._world.vpcs[interface.vpc_id])[0]
        try:
            return bool(dns_probe.query(self._namespace, resolver, name, "A"))
        except OSError:
            return False

    def _listener(self) -> Listener | None:
        """Return the load balancer's listener that the connection ends at, if it does."""
        ids = (i for hop in self._explanation.hops if hop.step == "listener" for i in hop.ids)
        return next((self._world.listeners[i] for i in ids if i in self._world.listeners), None)

    def _ask(self, address: str, listener: Listener) -> str:
        """Send the request, too. What a target answers is its own affair, but for a load balancer's own errors."""
        destination = self._explanation.destination
        request = destination.request
        host = request.host if request else destination.name or address
        path = request.path + (f"?{request.query}" if request.query else "") if request else "/"
        tls_name = self._tls_name(listener, host) if listener.protocol == "HTTPS" else None
        answer = run_in(
            self._namespace, lambda: http_probe(address, listener.port, host, path, tls_name, self._authority)
        )
        own = answer.server.startswith("awselb/") and (answer.status >= SERVER_ERROR or self._explanation.ending.status)
        return f"status {answer.status}" if own else f"answered with status {answer.status}"

    def _tls_name(self, listener: Listener, host: str) -> str:
        """Return the name to verify: the host, or, where the certificate is not for it, the certificate's own. That
        the two differ is a hop's business; the probe wants the answer behind it."""
        ids = {i for hop in self._explanation.hops if hop.step == "certificate" for i in hop.ids}
        certificate = next((self._world.certificates[i] for i in listener.certificate_arns if i in ids), None)
        return host if certificate is None else certificate.domain_name.replace("*", "probe")
