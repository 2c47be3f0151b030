"""Commands about images: push, registry."""

from typing import Any

import click

from tsubo.cli.output import json_option, print_json
from tsubo.engine.client import request, stream
from tsubo.engine.home import home_path
from tsubo.engine.running import running_home


@click.command("push")
@click.argument("image", metavar="IMAGE[:TAG]")
@click.argument("repository", required=False)
@json_option
def push_command(image: str, repository: str | None, as_json: bool) -> None:
    """Push a local IMAGE into Tsubo's ECR: to REPOSITORY (a name or a repository URL), or the one of its own name."""
    result: dict[str, Any] = {}
    for event in stream(running_home(home_path()), "push", image=image, repository=repository):
        if event["type"] == "progress":
            click.echo(event["text"], err=True)
        else:
            result = {name: value for name, value in event.items() if name != "type"}
    if as_json:
        print_json(result)
    else:
        click.echo(f"{result['image']}: {result['digest']}")


@click.command("registry")
@click.argument("action", type=click.Choice(["status", "enable", "disable"]), default="status")
@click.option("--region", "regions", multiple=True, help="A region to enable besides those with repositories.")
@json_option
def registry_command(action: str, regions: tuple[str, ...], as_json: bool) -> None:
    """Show where the registry is. `enable` lets this machine's docker find it under AWS's names (needs root: a marked
    block in /etc/hosts, a certificate in /etc/docker/certs.d); `disable` and `tsubo down` undo that."""
    result = request(running_home(home_path()), "registry", action=action, regions=list(regions))
    if as_json:
        print_json({name: value for name, value in result.items() if name != "type"})
        return
    click.echo(f"registry   {result['address'] or 'does not listen yet'}")
    for host in result["hosts"]:
        click.echo(f"enabled    {host}")
    if result["hosts"]:
        click.echo(f"log in     aws ecr get-login-password | docker login -u AWS --password-stdin {result['hosts'][0]}")
    else:
        click.echo(
            f"push       tsubo push IMAGE, or docker push {result['address']}/{result['known_hosts'][0]}/NAME:TAG"
        )
        click.echo("           tsubo registry enable lets docker use AWS's names alone")
