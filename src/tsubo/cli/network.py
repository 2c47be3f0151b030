"""Commands that use the stack's network: exec, dig, curl. dig and curl read tables from disk and need no controller."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from tsubo.cli.output import json_option, print_json
from tsubo.engine.client import request
from tsubo.engine.errors import BUSY, FAILED, NOT_FOUND, USAGE, UserError
from tsubo.engine.home import Home, HomeError, home_path, open_home
from tsubo.engine.lookup import TableError, UnknownView, lookup
from tsubo.engine.published import published
from tsubo.engine.running import running_home
from tsubo.model.nameserver import Answer

INTERNET = "internet"
STANDARD_PORTS = {"http": 80, "https": 443}
from_option = click.option("--from", "source", default=INTERNET, help="TASK, SERVICE or `internet` (default).")


def _home() -> Home:
    try:
        return open_home(home_path())
    except HomeError as error:
        raise UserError(str(error), "Start one: tsubo start", BUSY) from error


def _look_up(home: Home, view: str, name: str, record_type: str) -> Answer:
    try:
        return lookup(home.path, view, name, record_type)
    except (TableError, UnknownView) as error:
        raise UserError(str(error), "Bring a stack up first: tsubo up DIR", NOT_FOUND) from error


@click.command("exec", context_settings={"ignore_unknown_options": True})
@click.argument("name", metavar="SERVICE|TASK")
@click.option("-c", "--container", help="The container (default: the first).")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(name: str, container: str | None, command: tuple[str, ...]) -> None:
    """Run COMMAND in a container of a task, by ECS Exec: tsubo exec backend -- sh

    At a terminal the command gets one; otherwise it gets pipes. Its exit code is that of tsubo.
    """
    from tsubo.engine import exec_client  # noqa: PLC0415

    terminal = exec_client.is_at_terminal()
    session = request(
        running_home(home_path()), "exec", name=name, container=container, words=list(command), terminal=terminal
    )
    sys.exit(exec_client.run(session["stream_url"], session["token"], terminal))


@click.command("dig")
@click.argument("name")
@click.argument("record_type", metavar="[TYPE]", default="A")
@from_option
@click.option("--short", is_flag=True, help="Print the values alone.")
@json_option
def dig_command(name: str, record_type: str, source: str, short: bool, as_json: bool) -> None:
    """Look NAME up as a task, or the internet, sees it."""
    view = INTERNET if source == INTERNET else request(running_home(home_path()), "locate", name=source)["vpc"]
    answer = _look_up(_home(), view, name, record_type)
    if as_json:
        records = [{"name": r.name, "type": r.type, "ttl": r.ttl, "value": r.value} for r in answer.records]
        print_json({"status": answer.code, "records": records})
        return
    if not short:
        click.echo(f";; {name} {record_type.upper()} from {source}: {answer.code}, {len(answer.records)} records")
    for record in answer.records:
        click.echo(record.value if short else f"{record.name}\t{record.ttl}\tIN\t{record.type}\t{record.value}")
    if answer.authority is not None and not short:
        soa = answer.authority
        click.echo(f";; authority: {soa.name}\t{soa.ttl}\tIN\t{soa.type}\t{soa.value}")


@click.command("curl", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--from", "source", default=INTERNET, help="TASK, SERVICE or `internet` (default).")
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED)
def curl_command(source: str, arguments: tuple[str, ...]) -> None:
    """Run curl with the stack's names resolved and its certificate authority trusted.

    ARGUMENTS are curl's own: tsubo curl [--from backend] -s https://example.com/
    """
    given = list(arguments)
    if "--from" in given[:-1]:
        at = given.index("--from")
        source = given[at + 1]
        del given[at : at + 2]
    urls = [argument for argument in given if argument.startswith(("http://", "https://"))]
    if not urls:
        raise UserError("curl needs a URL that begins with http:// or https://.", "tsubo curl https://NAME/", USAGE)
    home = _home()
    trusted = ["--cacert", str(home.path / "ca" / "ca.pem")]
    command = ["curl", *trusted, *(_from_host(home, urls) if source == INTERNET else []), *given]
    if source != INTERNET:
        place = request(running_home(home_path()), "locate", name=source)
        inside = [option for url in urls for option in _resolve(_look_up(home, place["vpc"], _host(url), "A"), url)]
        command = ["nsenter", f"--net=/run/netns/{place['namespace']}", "--", "curl", *trusted, *inside, *given]
    os.execvp(command[0], command)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or STANDARD_PORTS[parts.scheme]


def _is_address(host: str) -> bool:
    return all(part.isdigit() for part in host.split("."))


def _resolve(answer: Answer, url: str) -> list[str]:
    """Return curl's options that give a URL's name the addresses of an answer."""
    addresses = [record.value for record in answer.records if record.type == "A"]
    if _is_address(_host(url)):
        return []
    if not addresses:
        raise UserError(f"{_host(url)} does not resolve here ({answer.code}).", f"tsubo dig {_host(url)}", FAILED)
    return ["--resolve", f"{_host(url)}:{_port(url)}:{','.join(addresses)}"]


def _from_host(home: Home, urls: list[str]) -> list[str]:
    """Return curl's options that lead the URLs' names to where their public addresses are published."""
    options = []
    for url in urls:
        host, port = _host(url), _port(url)
        if _is_address(host):
            addresses = [host]
        else:
            answer = _look_up(home, INTERNET, host, "A")
            addresses = [record.value for record in answer.records if record.type == "A"]
            if not addresses:
                remedy = "Its record in Route 53 decides; `tsubo dig` shows what is there."
                raise UserError(f"{host} does not resolve publicly ({answer.code}).", remedy, FAILED)
        options += _connect_to(home.path, host, port, addresses)
    return options


def _connect_to(home: Path, host: str, port: int, addresses: list[str]) -> list[str]:
    places = [place for address in addresses if (place := published(home, address, port)) is not None]
    if not places:
        message = f"{host} is {', '.join(addresses)}, and nothing listens on port {port} there."
        raise UserError(
            message, "A listener of the load balancer on that port is missing; `tsubo status` may say why.", FAILED
        )
    return ["--connect-to", f"{host}:{port}:{places[0][0]}:{places[0][1]}"]
