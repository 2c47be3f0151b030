"""`tsubo why FROM TO`: which line of the configuration lets a connection through, or stops it."""

import sys

import click

from tsubo.cli.output import json_option, print_json
from tsubo.engine.client import request
from tsubo.engine.home import home_path
from tsubo.engine.running import running_home

DENIED = 1
COLOURS = {"  DENIED": "red", "      ok": "green", "    note": "yellow"}


@click.command("why")
@click.argument("start", metavar="FROM")
@click.argument("destination", metavar="TO")
@click.option("--probe", is_flag=True, help="Send the packet, too, and compare.")
@click.option("--protocol", type=click.Choice(["tcp", "udp", "icmp"]), default="tcp", help="Default: tcp.")
@json_option
def why_command(start: str, destination: str, probe: bool, protocol: str, as_json: bool) -> None:
    """Explain why a connection comes to pass or does not.

    FROM is a SERVICE, a TASK, `internet` or an address; TO is a SERVICE, a TASK, a URL, NAME[:PORT] or ADDRESS[:PORT].
    Exit code: 0 allowed, 1 denied.
    """
    parameters = {"from": start, "to": destination, "probe": probe, "protocol": protocol}
    result = request(running_home(home_path()), "why", **parameters)
    if as_json:
        print_json({name: value for name, value in result.items() if name not in ("type", "text")})
    else:
        for line in result["text"].splitlines():
            mark = line[:8]
            click.echo(click.style(mark, fg=COLOURS[mark]) + line[8:] if mark in COLOURS else line)
        if "probe" in result:
            click.echo(f"\n{result['probe']['text']}")
    sys.exit(0 if result["allowed"] else DENIED)
