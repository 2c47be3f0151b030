"""Start a program in a private mount namespace where a directory has a layer of ours over it.

Only the program sees the layer; the directory itself stays as it is, and paths out of it (`../modules`) work. The
program runs as the user who invoked Tsubo, and is interrupted when the engine dies. Needs root.
"""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

SCRIPT = """\
mount --bind "$1" lower &&
mount -t overlay tsubo -o lowerdir=lower,upperdir=upper,workdir=work "$1" &&
cd "$2" && shift 2 && exec "$@"
"""
MOUNT_FAILED = 32
"""mount's own exit status for a mount that the kernel refused."""


def start(
    command: Sequence[str],
    directory: Path,
    layers: Path,
    environment: Mapping[str, str],
    user_id: int | None = None,
    group_id: int | None = None,
) -> subprocess.Popen[str]:
    """Start a command in `directory`, with `layers` holding the folders lower, upper and work.

    Its standard error goes into its output. The process's pid is the program's own.
    """
    return subprocess.Popen(
        layered(command, directory, directory, user_id, group_id),
        cwd=layers,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def layered(
    command: Sequence[str], directory: Path, start_in: Path, user_id: int | None = None, group_id: int | None = None
) -> list[str]:
    """Return the command line that runs a command in `start_in` with the layer over `directory`.

    It must be started in the folder that holds lower, upper and work.
    """
    as_user = ["setpriv", "--pdeathsig", "INT", *identity_options(user_id, group_id)]
    return ["unshare", "--mount", "sh", "-c", SCRIPT, "sh", str(directory), str(start_in), *as_user, *command]


def identity_options(user_id: int | None, group_id: int | None) -> list[str]:
    """Return setpriv's options that make a program run as a user; none for the user that runs this process."""
    return ["--reuid", str(user_id), "--regid", str(group_id), "--init-groups"] if user_id else []
