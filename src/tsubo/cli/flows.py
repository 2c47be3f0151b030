"""`tsubo flows`: what passed and what was dropped, as lines of a VPC flow log, with names beside them."""

import json
import time
from typing import Any

import click

from tsubo.cli.output import json_option, print_json
from tsubo.engine.client import request, stream
from tsubo.engine.home import home_path
from tsubo.engine.running import running_home

COLOURS = {"REJECT": "red", "ACCEPT": "green"}


@click.command("flows")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes from now on.")
@click.option("--denied", is_flag=True, help="Only what was denied (REJECT).")
@click.option("--stale", is_flag=True, help="Who calls addresses that have left their names.")
@click.option("-n", "--last", type=click.IntRange(min=1), help="How many records to begin with (default: 200).")
@json_option
def flows_command(follow: bool, denied: bool, stale: bool, last: int | None, as_json: bool) -> None:
    """Show what passed and what was dropped: flow-log lines (version 2), who is who, and why it was dropped.

    A line is of one direction of one flow at one network interface, and of ten seconds at most.
    """
    home = running_home(home_path())
    if stale:
        _show_stale(request(home, "flows", stale=True)["stale"], as_json)
        return
    try:
        for event in stream(home, "flows", follow=follow, denied=denied, last=last):
            if event["type"] == "flow":
                _show_flow(event, as_json)
    except KeyboardInterrupt:
        return


def _show_flow(event: dict[str, Any], as_json: bool) -> None:
    if as_json:
        # One object a line: with --follow there is no end at which a list could be closed.
        click.echo(json.dumps({name: value for name, value in event.items() if name != "type"}))
        return
    names = f"{event['sourceName']} -> {event['destinationName']}" if event["sourceName"] else ""
    reason = f", {event['reason']}" if event["reason"] else ""
    head, action, tail = event["line"].rpartition(f" {event['action']} ")
    coloured = head + click.style(action, fg=COLOURS[event["action"]]) + tail if action else event["line"]
    click.echo(f"{coloured}  {names}{reason}".rstrip())


def _show_stale(known: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(known)
        return
    for stale in known:
        click.echo(f"{time.strftime('%H:%M:%S', time.localtime(stale['lastAt']))} {stale['text']}")
        for line in stale["remedy"]:
            click.echo(f"         {line}")
    if not known:
        click.echo("Nobody calls an address that has left its name.")
