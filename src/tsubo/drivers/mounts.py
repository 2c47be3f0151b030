"""Mounts below a directory: found in the kernel's table, unmounted deepest first."""

import subprocess
from pathlib import Path


def unmount_below(directory: Path) -> int:
    """Unmount everything mounted below a directory. Return how many mounts there were."""
    table = Path("/proc/self/mounts").read_text().splitlines()
    points = [line.split()[1].encode().decode("unicode_escape") for line in table]
    below = [point for point in points if point.startswith(f"{directory}/")]
    for point in sorted(below, key=len, reverse=True):
        subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)
    return len(below)
