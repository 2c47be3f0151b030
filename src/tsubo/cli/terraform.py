"""The command `terraform`: the user's own Terraform, with the real AWS provider led to the engine."""

import os
import sys
from pathlib import Path

import click

from tsubo.engine.home import home_path


@click.command(
    "terraform",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def terraform_command(arguments: tuple[str, ...]) -> None:
    """Run terraform (or tofu) here, with the real AWS provider talking to the engine: tsubo terraform apply

    ARGUMENTS are Terraform's own, and so is the exit code.
    """
    from tsubo.engine.lifecycle import start  # noqa: PLC0415
    from tsubo.engine.real_terraform import run_terraform  # noqa: PLC0415

    home = start(home_path())
    sys.exit(run_terraform(home, arguments, dict(os.environ), Path.cwd()))
