"""Why a connection comes to pass or not: what is asked, what was observed for it, and the explanation hop by hop.

`core/why.py` makes an `Explanation` from the world; the engine finds the names, the observations and the sources.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["allowed", "denied", "note"]
Protocol = Literal["tcp", "udp", "icmp"]


@dataclass(frozen=True)
class Source:
    """Where the configuration says something: a Terraform address, and the place of its block if it was found."""

    address: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class ListeningSocket:
    """A socket that awaits connections or datagrams. `address` is `0.0.0.0` where it takes those to any address."""

    protocol: Literal["tcp", "udp"]
    address: str
    port: int


@dataclass(frozen=True)
class Observations:
    """What the world does not say. `listening` is by network interface id; an interface that is not in it was not
    looked at. `sources` are by resource id and by ARN, whichever the resource goes by."""

    listening: Mapping[str, tuple[ListeningSocket, ...]] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """Where a connection starts: at a network interface, or (None) at a client's address on the internet."""

    label: str
    address: str
    network_interface_id: str | None = None


@dataclass(frozen=True)
class Request:
    """What an HTTP client asks for, as far as rules of a load balancer look at it."""

    host: str
    path: str = "/"
    query: str = ""
    method: str = "GET"


@dataclass(frozen=True)
class Destination:
    """Where a connection goes: a name, to be resolved as the sender sees it, or an address. For `icmp` (an echo
    request) the port means nothing. Without a `request`, a load balancer is asked for `/` under the name given."""

    label: str
    port: int
    name: str | None = None
    address: str | None = None
    protocol: Protocol = "tcp"
    request: Request | None = None


@dataclass(frozen=True)
class Hop:
    """One thing that a connection passes or fails at, in one sentence.

    `details` are what else there is to know: of a denial, what each rule would have needed.
    """

    step: str
    verdict: Verdict
    text: str
    ids: tuple[str, ...] = ()
    source: Source | None = None
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remedy:
    """The smallest change that would allow what was denied: in words, and as Terraform text where Terraform can."""

    text: str
    terraform: str = ""


Symptom = Literal["connected", "timeout", "refused", "unresolved"]


@dataclass(frozen=True)
class Ending:
    """What the client sees: of the connection, and, where a load balancer answers by itself, its HTTP status."""

    symptom: Symptom
    status: int | None = None


@dataclass(frozen=True)
class Explanation:
    """The way of a connection. It is allowed if no hop denied it; the first denial is the last hop.

    `address` is what the connection is made to: the name's answer, or the address given (None: there is none).
    """

    start: Endpoint
    destination: Destination
    hops: tuple[Hop, ...]
    ending: Ending
    address: str | None = None
    remedy: Remedy | None = None

    @property
    def allowed(self) -> bool:
        return all(hop.verdict != "denied" for hop in self.hops)
