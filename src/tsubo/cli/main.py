"""The `tsubo` command: its commands and the choices they share.

Commands are loaded when they are called, so that `tsubo --help` is quick.
"""

import importlib
import os
import sys
from typing import Any

import click

from tsubo.engine.errors import UserError

COMMANDS = {
    "up": ("stack", "Bring up what a Terraform directory describes."),
    "down": ("stack", "Destroy a directory's stack, or remove the engine and everything of it."),
    "terraform": ("terraform", "Run your own Terraform with the real AWS provider against the engine."),
    "verify": ("stack", "Prove that the running stack is what it promises."),
    "status": ("engine", "Show the engine: processes, endpoint, problems."),
    "start": ("engine", "Start the engine; tasks that run are taken over."),
    "stop": ("engine", "Stop the engine alone; tasks and state stay."),
    "doctor": ("engine", "Say what this machine lacks and how to get it."),
    "env": ("engine", "Print the environment for AWS clients."),
    "ca": ("engine", "Print where the local certificate authority's certificate is."),
    "ps": ("look", "List the tasks."),
    "scale": ("look", "Set how many tasks a service runs."),
    "push": ("images", "Push a local image into Tsubo's ECR."),
    "registry": ("images", "Show Tsubo's ECR; let docker find it under AWS's names."),
    "logs": ("look", "Show what a service's containers wrote."),
    "exec": ("network", "Run a command in a container."),
    "dig": ("network", "Look a name up as a task, or the internet, sees it."),
    "curl": ("network", "Run curl with the stack's names and certificate authority."),
    "why": ("why", "Explain why a connection comes to pass or does not."),
    "flows": ("flows", "Show what passed and what was dropped, as flow-log lines."),
}


class Lazy(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the commands in the order of their table."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command, imported."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"tsubo.cli.{COMMANDS[name][0]}")
        command: click.Command = getattr(module, f"{name}_command")
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", metavar="DIR", help="The engine's state directory (TSUBO_HOME; default /var/lib/tsubo).")
@click.version_option(package_name="tsubo", prog_name="tsubo")
def cli(home: str | None) -> None:
    """Run the Amazon ECS system that your Terraform describes, for real, on this machine."""
    if home is not None:
        os.environ["TSUBO_HOME"] = home


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line. A UserError is shown as message and remedy, and gives the exit code."""
    try:
        return cli.main(args=arguments, prog_name="tsubo")
    except UserError as error:
        click.secho(f"Error: {error.message}", err=True, fg="red")
        if error.remedy:
            click.echo(f"  {error.remedy}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
