"""Which listener and rule of a load balancer take a request. Written apart from the code that configures the proxy.

Source: aws/alb-vpc-terraform.md sections 1.2, 1.4 and 1.5.
"""

import re
from urllib.parse import parse_qsl

from tsubo.core.why_match import in_range
from tsubo.model.elbv2 import Action, Condition, Listener, Rule
from tsubo.model.explanation import Request
from tsubo.model.world import World


def listeners_of(world: World, load_balancer_arn: str) -> list[Listener]:
    """Return a load balancer's listeners by port."""
    own = (entry for entry in world.listeners.values() if entry.load_balancer_arn == load_balancer_arn)
    return sorted(own, key=lambda entry: entry.port)


def rules_of(world: World, listener: Listener) -> list[Rule]:
    """Return a listener's rules in the order in which they are asked."""
    return sorted((r for r in world.rules.values() if r.listener_arn == listener.arn), key=lambda r: r.priority)


def first_failing(rule: Rule, request: Request, client: str) -> Condition | None:
    """Return the first condition of a rule that a request from a client's address does not meet; None if all hold."""
    return next((c for c in rule.conditions if not _holds(c, request, client)), None)


def condition_text(condition: Condition) -> str:
    """Return a condition in words: `host-header api.example.com`."""
    values = " or ".join(condition.values)
    if condition.field == "query-string":
        values = " or ".join(value if key is None else f"{key}={value}" for key, value in condition.query)
    name = f" {condition.header_name}" if condition.header_name else ""
    return f"{condition.field}{name} {values}"


def last_action(actions: tuple[Action, ...]) -> Action:
    """Return the action that answers; those before it only authenticate."""
    return max(actions, key=lambda action: action.order or 0)


def _holds(condition: Condition, request: Request, client: str) -> bool:
    values = condition.values
    if condition.field == "host-header":
        host = request.host.rpartition(":")[0] if re.search(r":\d+$", request.host) else request.host
        return any(_fits(value, host, ignore_case=True) for value in values)
    if condition.field == "path-pattern":
        return any(_fits(value, request.path) for value in values)
    if condition.field == "http-request-method":
        return request.method in values
    if condition.field == "source-ip":
        return any(in_range(client, value) for value in values)
    if condition.field == "query-string":
        pairs = parse_qsl(request.query, keep_blank_values=True)
        return any(_fits_query(wanted, pair) for wanted in condition.query for pair in pairs)
    # Of a request's headers only its host is known here.
    return False


def _fits_query(wanted: tuple[str | None, str], given: tuple[str, str]) -> bool:
    key, value = wanted
    return (key is None or _fits(key, given[0], ignore_case=True, escapes=True)) and _fits(
        value, given[1], ignore_case=True, escapes=True
    )


def _fits(pattern: str, text: str, *, ignore_case: bool = False, escapes: bool = False) -> bool:
    """Say whether a text fits a pattern in which `*` is any text, `?` any character, and, with `escapes`, a backslash
    takes the meaning from the character after it."""
    tokens = re.findall(r"\\.|.", pattern, re.DOTALL) if escapes else list(pattern)
    meanings = {"*": ".*", "?": "."}
    expression = "".join(meanings.get(token, re.escape(token[-1])) for token in tokens)
    return re.fullmatch(expression, text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None
