"""Builds the images of the example and of the tests with the local container engine (`make images`).

The example's Dockerfiles start from `nginx:stable-alpine` and `php:8.2-fpm`. Where the engine has these they are used;
otherwise stand-ins are made from Debian packages, so that no image registry is needed. NGINX_BASE and PHP_BASE in the
environment name other base images. What is there already, made of the same inputs, is not made again.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors

PROJECT = Path(__file__).resolve().parent.parent
STAND_INS = PROJECT / "tools" / "stand_ins"
EXAMPLE = PROJECT / "examples" / "ecs-navi" / "images"
SUITE = "bookworm"
INPUTS_LABEL = "tsubo.inputs"
SYSTEM_PACKAGES = ("base-files", "base-passwd", "busybox-static", "ca-certificates", "libc-bin")
# Depended on by packages, needed by none of the programs that run: left out of the images.
SYSTEM_MANAGER_STAND_IN = "systemd-standalone-tmpfiles"
LEFT_OUT = ("dev/", "usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/perl", "usr/lib/perl")
LEFT_OUT_PARTS = ("/perl/", "/libperl.so", "/perl-base/")


class BuildError(Exception):
    """An image could not be made; the message says why."""


@dataclass(frozen=True)
class Root:
    """The files of Debian packages as an image, without configuration."""

    tag: str
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Base:
    """An image that the example starts from: `upstream` where it is had, else the stand-in."""

    upstream: str
    variable: str
    stand_in: str
    directory: Path
    root: Root


NGINX_ROOT = Root("tsubo-nginx-packages:latest", (*SYSTEM_PACKAGES, SYSTEM_MANAGER_STAND_IN, "nginx", "openssl"))
PHP_ROOT = Root(
    "tsubo-php-packages:latest",
    (
        *(*SYSTEM_PACKAGES, SYSTEM_MANAGER_STAND_IN),
        *("php8.2-cli", "php8.2-curl", "php8.2-fpm", "php8.2-mbstring", "php8.2-sqlite3", "php8.2-xml"),
    ),
)
NGINX = Base("nginx:stable-alpine", "NGINX_BASE", "tsubo-nginx-stand-in:latest", STAND_INS / "nginx", NGINX_ROOT)
PHP = Base("php:8.2-fpm", "PHP_BASE", "tsubo-php-stand-in:latest", STAND_INS / "php", PHP_ROOT)
EXAMPLE_IMAGES = (("nginx", NGINX), ("api", PHP), ("nginx-proxy", NGINX))
TEST_IMAGE, TEST_IMAGE_DIRECTORY = "tsubo-test:latest", PROJECT / "tools" / "test_image"


class Images:
    """The engine's images, and how one is made where it is missing or out of date."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client
        self._looked_at: set[str] = set()

    def base(self, base: Base) -> str:
        """Return the image that stands for a base: the one named in the environment, upstream's, or the stand-in."""
        named = os.environ.get(base.variable)
        if named or self._id(base.upstream):
            return named or base.upstream
        self.build(base.stand_in, base.directory, ROOT_IMAGE=self.root(base.root))
        return base.stand_in

    def root(self, root: Root) -> str:
        """Return the image of the packages' files; fetch and unpack them where it is not there."""
        inputs = _digest(SUITE, *sorted(root.packages), *LEFT_OUT, *LEFT_OUT_PARTS)
        if not self._is_current(root.tag, inputs):
            started = time.monotonic()
            with tempfile.TemporaryDirectory() as directory:
                archive = Path(directory) / "root.tar"
                _unpack_packages(root.packages, archive)
                repository, tag = root.tag.split(":")
                self._client.api.import_image_from_file(
                    str(archive), repository, tag, changes=[f"LABEL {INPUTS_LABEL}={inputs}"]
                )
            self._say(root.tag, "made from Debian packages", started)
        return root.tag

    def build(self, tag: str, directory: Path, **arguments: str) -> None:
        """Build a directory's Dockerfile, without a network, where the inputs are not those of the image there is."""
        sources = sorted(path for path in directory.rglob("*") if path.is_file())
        contents = (f"{path.relative_to(directory)}\0{path.read_bytes().hex()}" for path in sources)
        bases = (f"{name}={self._id(image)}" for name, image in sorted(arguments.items()))
        inputs = _digest(*contents, *bases)
        if self._is_current(tag, inputs):
            return
        started = time.monotonic()
        try:
            self._client.images.build(
                path=str(directory), tag=tag, buildargs=arguments, labels={INPUTS_LABEL: inputs},
                network_mode="none", rm=True, forcerm=True,
            )  # fmt: skip
        except docker.errors.BuildError as error:
            log = "".join(line.get("stream", line.get("error", "")) for line in error.build_log)
            raise BuildError(f"{tag}: {error}\n{log}") from error
        self._say(tag, f"built from {directory.relative_to(PROJECT)}", started)

    def _id(self, reference: str) -> str | None:
        try:
            return str(self._client.images.get(reference).id)
        except docker.errors.ImageNotFound:
            return None

    def _is_current(self, tag: str, inputs: str) -> bool:
        """Say whether there is an image of these inputs; tell the user so, once."""
        try:
            current = bool(self._client.images.get(tag).labels.get(INPUTS_LABEL) == inputs)
        except docker.errors.ImageNotFound:
            return False
        if current and tag not in self._looked_at:
            print(f"{tag}: up to date")
        self._looked_at.add(tag)
        return current

    def _say(self, tag: str, what: str, started: float) -> None:
        megabytes = self._client.images.get(tag).attrs["Size"] / 1e6
        print(f"{tag}: {what} in {time.monotonic() - started:.1f} s, {megabytes:.0f} MB")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _unpack_packages(packages: tuple[str, ...], archive: Path) -> None:
    """Write the files of packages and of what they depend on to an archive. Their maintainer scripts do not run:
    that takes a quarter of the time, and a stand-in's Dockerfile does by hand what matters of them."""
    command = ["mmdebstrap", "--quiet", "--variant=extract", f"--include={','.join(packages)}", SUITE, "-"]
    command += filter(None, [os.environ.get("DEBIAN_MIRROR")])
    with tempfile.TemporaryFile() as messages:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages) as process:
            assert process.stdout is not None
            try:
                _copy_archive(process.stdout, archive)
            except tarfile.ReadError:
                process.stdout.close()
        if process.returncode != 0:
            messages.seek(0)
            raise BuildError(f"{' '.join(command)}: {messages.read().decode(errors='replace')}")


def _copy_archive(source: object, archive: Path) -> None:
    with (
        tarfile.open(fileobj=source, mode="r|") as unpacked,  # type: ignore[call-overload]
        tarfile.open(archive, "w") as written,
    ):
        for member in unpacked:
            name = member.name.removeprefix("./")
            if not name.startswith(LEFT_OUT) and not any(part in f"/{name}" for part in LEFT_OUT_PARTS):
                written.addfile(member, unpacked.extractfile(member) if member.isreg() else None)


def main() -> None:
    """Make what is missing, and say what was done."""
    try:
        images = Images(docker.from_env(timeout=600))
        for name, base in EXAMPLE_IMAGES:
            images.build(f"ecs-navi-{name}:latest", EXAMPLE / name, BASE_IMAGE=images.base(base))
        images.build(TEST_IMAGE, TEST_IMAGE_DIRECTORY, ROOT_IMAGE=images.root(NGINX_ROOT))
    except (BuildError, docker.errors.DockerException) as error:
        sys.exit(f"images: {error}")


if __name__ == "__main__":
    main()
