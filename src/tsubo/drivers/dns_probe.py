"""One DNS question asked from inside a network namespace."""

import socket

import dns.flags
import dns.message
import dns.rcode

from tsubo.drivers.netns import socket_in

TIMEOUT_SECONDS = 3.0
UDP_SIZE = 4096


def query(namespace: str, server: str, name: str, record_type: str) -> list[str]:
    """Return the values of a name's records of one type; none for a name that does not exist.

    Raises OSError without an answer, or for one that is neither of the two.
    """
    question = dns.message.make_query(name, record_type, use_edns=0, payload=UDP_SIZE)
    with socket_in(namespace, socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(TIMEOUT_SECONDS)
        client.connect((server, 53))
        client.send(question.to_wire())
        answer = dns.message.from_wire(client.recv(65535))
    if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise OSError(f"{server} answers {dns.rcode.to_text(answer.rcode())} for {name}")
    return [item.to_text() for rrset in answer.answer if rrset.rdtype == question.question[0].rdtype for item in rrset]
