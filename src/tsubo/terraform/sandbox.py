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
cd "$1" && shift && exec "$@"
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
    identity = ["--reuid", str(user_id), "--regid", str(group_id), "--init-groups"] if user_id else []
    as_user = ["setpriv", "--pdeathsig", "INT", *identity]
    return subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", SCRIPT, "sh", str(directory), *as_user, *command],
        cwd=layers,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
