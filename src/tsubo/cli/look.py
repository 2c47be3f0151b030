"""Commands that look at services and change how many tasks they run: ps, scale, logs."""

import time
from typing import Any

import click

from tsubo.cli.output import json_option, print_json, table
from tsubo.engine.client import request, stream
from tsubo.engine.home import home_path
from tsubo.engine.running import running_home

COLUMNS = ("task", "service", "address", "lastStatus", "startedAt")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    started = row["startedAt"]
    return {
        **row,
        "task": row["taskArn"].rsplit("/", 1)[-1],
        "startedAt": time.strftime("%H:%M:%S", time.localtime(started)) if started else None,
    }


@click.command("ps")
@json_option
def ps_command(as_json: bool) -> None:
    """List the tasks that are not stopped."""
    rows = request(running_home(home_path()), "ps")["tasks"]
    if as_json:
        print_json(rows)
    else:
        click.echo(table(map(_shown, rows), COLUMNS) if rows else "No task runs.")


@click.command("scale")
@click.argument("service")
@click.argument("count", type=click.IntRange(min=0))
@click.option("--no-wait", is_flag=True, help="Do not wait until the service is steady.")
@json_option
def scale_command(service: str, count: int, no_wait: bool, as_json: bool) -> None:
    """Set how many tasks SERVICE runs, and wait until they do.

    SERVICE is an ECS service name, its Cloud Map name or its Terraform address.
    """
    for event in stream(running_home(home_path()), "scale", service=service, count=count, wait=not no_wait):
        if event["type"] == "progress" and not as_json:
            click.echo(event["text"])
        elif event["type"] == "result":
            if as_json:
                print_json({name: value for name, value in event.items() if name != "type"})
            else:
                click.echo(table(map(_shown, event["tasks"]), COLUMNS))


@click.command("logs")
@click.argument("service")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on.")
@json_option
def logs_command(service: str, follow: bool, as_json: bool) -> None:
    """Show what the containers of SERVICE wrote, from CloudWatch Logs."""
    try:
        for event in stream(running_home(home_path()), "logs", service=service, follow=follow):
            if event["type"] != "log":
                continue
            if as_json:
                print_json({name: value for name, value in event.items() if name != "type"})
            else:
                moment = time.strftime("%H:%M:%S", time.localtime(event["time"] / 1000))
                click.echo(f"{moment} {_short(event['stream'])} {event['message']}")
    except KeyboardInterrupt:
        return


def _short(stream_name: str) -> str:
    """Return a stream's name with the task id's first eight digits."""
    head, _, task_id = stream_name.rpartition("/")
    return f"{head}/{task_id[:8]}"
