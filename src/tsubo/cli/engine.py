"""Commands about the engine itself: start, stop, status, doctor, env, ca."""

import sys
from typing import Any

import click

from tsubo.cli.output import json_option, print_json
from tsubo.engine.client_environment import UNSET, client_environment
from tsubo.engine.errors import BUSY, MACHINE, UserError
from tsubo.engine.home import HomeError, home_path, open_home
from tsubo.engine.running import running_home, supervisor_pid


@click.command("start")
@click.option("--port", type=int, help="The AWS endpoint's port on 127.0.0.1 (default 4566).")
@click.option("--region", help="The region of calls that name none (default ap-northeast-1).")
@click.option(
    "--auth", type=click.Choice(["signature", "none"]), help="Whether calls must be signed with the engine's key."
)
@click.option("--time-scale", type=click.Choice(["fast", "1"]), help="1: AWS's own waits throughout.")
@json_option
def start_command(
    port: int | None, region: str | None, auth: str | None, time_scale: str | None, as_json: bool
) -> None:
    """Start the engine, unless it runs. Tasks that run already are taken over."""
    from tsubo.engine.lifecycle import start  # noqa: PLC0415

    real_time = None if time_scale is None else time_scale == "1"
    home = start(home_path(), port=port, region=region, auth=auth, real_time=real_time)
    if as_json:
        print_json({"endpoint": home.endpoint, "home": str(home.path), "engine": home.settings.engine_id})
    else:
        click.echo(f"The engine runs: {home.endpoint} (state in {home.path}).")


@click.command("stop")
@json_option
def stop_command(as_json: bool) -> None:
    """Stop the engine's processes. Tasks go on running, and `tsubo start` takes them over."""
    from tsubo.engine.lifecycle import stop  # noqa: PLC0415

    stopped = stop(home_path())
    if as_json:
        print_json({"stopped": stopped})
    else:
        click.echo("The engine is stopped; tasks and state stay." if stopped else "No engine runs.")


@click.command("status")
@json_option
def status_command(as_json: bool) -> None:
    """Show whether the engine runs, where, and what is wrong, if anything."""
    status = _status()
    if as_json:
        print_json(status)
    elif status["controller"] is None:
        click.echo(f"The engine in {status['home']} does not run. Start it with `tsubo start`.")
    else:
        click.echo(f"endpoint   {status['endpoint']} (region {status['region']})")
        click.echo(f"engine     {status['engine']}, state in {status['home']}")
        click.echo(f"controller process {status['controller']['pid']}, supervisor {status['supervisor']['pid']}")
        click.echo(f"stack      {status['services']} services, {status['tasks']} tasks")
        for problem in status["problems"]:
            click.echo(f"problem    {problem}")
    if status["controller"] is None:
        sys.exit(BUSY)


def _status() -> dict[str, Any]:
    from tsubo.engine.client import request  # noqa: PLC0415

    path = home_path()
    try:
        home = open_home(path)
    except HomeError:
        return {"home": str(path), "controller": None, "endpoint": None, "supervisor": None, "problems": []}
    supervisor = supervisor_pid(path)
    try:
        answer = request(home, "status")
    except UserError as error:
        return {
            "home": str(path),
            "controller": None,
            "endpoint": home.endpoint,
            "supervisor": supervisor and {"pid": supervisor},
            "problems": [error.message] if supervisor else [],
        }
    del answer["type"]
    return {**answer, "supervisor": {"pid": supervisor}}


@click.command("doctor")
@json_option
def doctor_command(as_json: bool) -> None:
    """Say what is missing on this machine and how to get it, and which ports are taken and by whom."""
    from tsubo.engine.doctor import examine  # noqa: PLC0415

    findings = examine()
    if as_json:
        print_json([{"name": f.name, "ok": f.ok, "detail": f.detail, "remedy": f.remedy} for f in findings])
    else:
        for finding in findings:
            click.echo(f"{'ok     ' if finding.ok else 'MISSING'}  {finding.name}: {finding.detail}")
            if not finding.ok and finding.remedy:
                click.echo(f"         -> {finding.remedy}")
    if not all(finding.ok for finding in findings):
        sys.exit(MACHINE)


@click.command("env")
@json_option
def env_command(as_json: bool) -> None:
    """Print the environment that makes AWS clients talk to this engine: `eval "$(tsubo env)"`."""
    home = running_home(home_path())
    variables = client_environment(home)
    if as_json:
        print_json(variables)
    else:
        for name, value in variables.items():
            click.echo(f"export {name}={value}")
        click.echo(f"unset {' '.join(UNSET)}")


@click.command("ca")
@json_option
def ca_command(as_json: bool) -> None:
    """Print where the local certificate authority's certificate is."""
    path = home_path() / "ca" / "ca.pem"
    if not path.exists():
        raise UserError(
            f"There is no certificate authority in {home_path()} yet.", "Start the engine: tsubo start", BUSY
        )
    if as_json:
        print_json({"certificate": str(path)})
    else:
        click.echo(path)
