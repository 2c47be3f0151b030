"""An explanation as text for a terminal: a line a hop, what decides below it, the ending, the smallest change."""

import textwrap
from collections.abc import Iterator

from tsubo.core.why_terraform import place
from tsubo.model.explanation import Endpoint, Explanation, Hop, Verdict

WIDTH = 116
STEP_WIDTH = 22
INDENT = 8 + 2 + STEP_WIDTH + 2
MARKS: dict[Verdict, str] = {"allowed": "ok", "denied": "DENIED", "note": "note"}


def render(explanation: Explanation) -> str:
    """Return the text of an explanation, without a final line break."""
    lines = [f"{_start(explanation.start)} -> {_destination(explanation)}", ""]
    lines += [line for hop in explanation.hops for line in _hop(hop)]
    lines += ["", conclusion(explanation)]
    remedy = explanation.remedy
    if remedy is not None:
        lines += ["", "The smallest change that would allow it:", "", *_wrapped(remedy.text, "  ", "  ")]
        if remedy.terraform:
            lines += ["", textwrap.indent(remedy.terraform, "    ")]
    return "\n".join(lines)


def conclusion(explanation: Explanation) -> str:
    """Return in one sentence what the client sees."""
    ending = explanation.ending
    if ending.status is not None:
        allowed = "Allowed" if explanation.allowed else "Denied"
        return f"{allowed}: the load balancer itself answers {ending.status}."
    if explanation.allowed:
        return "Allowed."
    sees = {
        "timeout": "the connection times out",
        "refused": "the connection is refused",
        "unresolved": "the name does not resolve",
    }
    return f"Denied: {sees[ending.symptom]}."


def _start(start: Endpoint) -> str:
    return start.label if start.address in start.label else f"{start.label} ({start.address})"


def _destination(explanation: Explanation) -> str:
    destination = explanation.destination
    target = f"{destination.name or destination.address}"
    if destination.protocol == "icmp":
        return f"{destination.label} ({target}, icmp)"
    text = f"{target}:{destination.port}" + ("" if destination.protocol == "tcp" else f"/{destination.protocol}")
    return text if destination.label == target else f"{destination.label} ({text})"


def _hop(hop: Hop) -> Iterator[str]:
    yield from _wrapped(hop.text, f"{MARKS[hop.verdict]:>8}  {hop.step:{STEP_WIDTH}}  ", " " * INDENT)
    for detail in hop.details:
        yield from _wrapped(detail, " " * INDENT + "- ", " " * (INDENT + 2))
    if hop.source is not None:
        yield f"{' ' * INDENT}[{place(hop.source)}]"


def _wrapped(text: str, first: str, further: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )
