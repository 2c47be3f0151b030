"""Commands about a stack: up, down, verify."""

import os
import sys
from typing import Any

import click

from tsubo.cli.output import json_option, print_json
from tsubo.engine.client import stream
from tsubo.engine.errors import FAILED, UserError
from tsubo.engine.home import home_path
from tsubo.engine.running import running_home

variable_options = (
    click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="A Terraform variable."),
    click.option(
        "--var-file", "variable_files", multiple=True, type=click.Path(), help="A file of Terraform variables."
    ),
)


def _with_variables(command: Any) -> Any:
    for option in reversed(variable_options):
        command = option(command)
    return command


@click.command("up")
@click.argument("directory", type=click.Path())
@_with_variables
@click.option("--no-wait", is_flag=True, help="Do not wait until the services are steady.")
@json_option
def up_command(
    directory: str, variables: tuple[str, ...], variable_files: tuple[str, ...], no_wait: bool, as_json: bool
) -> None:
    """Bring up what the Terraform files in DIRECTORY describe; change what changed since the last time."""
    from tsubo.engine.lifecycle import start  # noqa: PLC0415

    home = start(home_path())
    result = _follow(
        home,
        "up",
        as_json,
        directory=_absolute(directory),
        variables=list(variables),
        variable_files=[_absolute(file) for file in variable_files],
        wait=not no_wait,
    )
    if not as_json:
        _print_summary(result)


@click.command("down")
@click.argument("directory", type=click.Path(), required=False)
@_with_variables
@json_option
def down_command(
    directory: str | None, variables: tuple[str, ...], variable_files: tuple[str, ...], as_json: bool
) -> None:
    """Destroy what DIRECTORY's state holds; without DIRECTORY remove the engine and everything of it at once."""
    if directory is None:
        from tsubo.engine.lifecycle import remove  # noqa: PLC0415

        removed = remove(home_path())
        if as_json:
            print_json(removed)
        else:
            click.echo("Removed: " + ", ".join(f"{count} {name}" for name, count in removed.items()) + ".")
        return
    result = _follow(
        running_home(home_path()),
        "destroy",
        as_json,
        directory=_absolute(directory),
        variables=list(variables),
        variable_files=[_absolute(file) for file in variable_files],
    )
    if not as_json:
        click.echo(f"Destroyed {result['destroyed']} resources in {result['seconds']:.1f} s.")


@click.command("verify")
@json_option
def verify_command(as_json: bool) -> None:
    """Prove with real traffic that the running stack is what its configuration promises."""
    checks, failure = [], None
    try:
        for event in stream(running_home(home_path()), "verify"):
            if event["type"] == "check":
                checks.append({name: value for name, value in event.items() if name != "type"})
                if not as_json:
                    click.echo(f"{'ok    ' if event['ok'] else 'FAILED'}  {event['name']}: {event['detail']}")
    except UserError as error:
        failure = error
    if as_json:
        print_json({"checks": checks, "ok": failure is None})
    if failure is not None and not as_json:
        raise failure
    if failure is not None:
        sys.exit(failure.exit_code)


def _absolute(path: str) -> str:
    """Return a path as the engine, which runs elsewhere, can open it."""
    return os.path.abspath(path)


def _follow(home: Any, command: str, as_json: bool, **parameters: Any) -> dict[str, Any]:
    """Show a command's progress and return its result. Ctrl-C ends the request, and with it the work."""
    live = sys.stderr.isatty()
    try:
        for event in stream(home, command, environment=dict(os.environ), **parameters):
            if event["type"] == "result":
                if as_json:
                    print_json({name: value for name, value in event.items() if name != "type"})
                if live:
                    click.echo("\r\033[K", nl=False, err=True)
                return event
            if event["type"] == "progress":
                click.echo(("\r\033[K" if live else "") + event["text"], err=True)
            elif event["type"] == "waiting" and live:
                click.echo(f"\r\033[K{event['text'][:100]}", nl=False, err=True)
    except KeyboardInterrupt:
        message = "Interrupted. What was made so far stays."
        raise UserError(message, "Run it again, or take it down: tsubo down", FAILED) from None
    raise AssertionError("a stream ends in a result or an error")


def _print_summary(result: dict[str, Any]) -> None:
    changes = result["changes"]
    click.echo(
        f"Up in {result['seconds']:.1f} s: {changes['added']} added, {changes['changed']} changed, "
        f"{changes['destroyed']} destroyed."
    )
    for url in result["urls"]:
        click.echo(f"  url    {url}    (tsubo curl {url})")
    for row in result["names"]:
        click.echo(f"  name   {row['name']} -> {', '.join(row['answers']) or 'no address'}")
    for row in result["tasks"]:
        click.echo(f"  task   {row['service'] or '-'}  {row['address']}  {row['lastStatus']}")
    for row in result["images"]:
        source = "Tsubo's ECR" if row["source"] == "ecr" else "the local image"
        click.echo(f"  image  {row['image']} from {source} {row['used']}")
    for place in result.get("published", []):
        click.echo(f"  port   {place}")
    for address in result["accepted"]:
        click.echo(f"  accepted, not run: {address}")
    for name, value in result["outputs"].items():
        click.echo(f"  output {name} = {value}")
