"""An engine's state directory: where everything of it lies, and who the engine is.

engine.json      id, keys, port (0600)          store.sqlite     the control plane
run/             sockets, process ids           processes/       what the supervisor shall run besides
registry/        layers of images, and where the registry listens
resolver/ relay/ health/ metadata/ flows/       tables that the data plane's processes read
envoy/ certificates/                            the load balancers' files
ca/              the local certificate authority (0600)
terraform/       one directory per stack        log/             one file per process
"""

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from tsubo.drivers.reload import replace_file
from tsubo.model.identity import EngineIdentity

DEFAULT_HOME = "/var/lib/tsubo"
DEFAULT_PORT = 4566
DEFAULT_REGION = "ap-northeast-1"
SOCKET_PATH_LIMIT = 80
"""A unix socket's path must fit in 108 bytes, the socket's own name included."""
DIRECTORIES = (
    "run", "log", "processes", "resolver", "relay", "health", "metadata", "envoy", "certificates", "ca", "terraform",
    "logs", "moto", "registry", "flows",
)  # fmt: skip


class HomeError(Exception):
    """A state directory cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Settings:
    """What an engine keeps about itself. `internet` and `time_scale` are choices of `tsubo start`."""

    engine_id: str
    access_key_id: str
    secret_access_key: str
    port: int = DEFAULT_PORT
    region: str = DEFAULT_REGION
    auth: str = "signature"
    real_time: bool = False


@dataclass(frozen=True)
class Home:
    """A state directory and the settings in it."""

    path: Path
    settings: Settings

    @property
    def identity(self) -> EngineIdentity:
        return EngineIdentity(
            engine_id=self.settings.engine_id,
            default_region=self.settings.region,
            endpoint_port=self.settings.port,
        )

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def store(self) -> Path:
        return self.path / "store.sqlite"

    def socket(self, name: str) -> Path:
        """Return the path of a process's unix socket."""
        return self.path / "run" / f"{name}.sock"


def home_path(given: str | None = None) -> Path:
    """Return the state directory: the one given, or TSUBO_HOME, or the default."""
    return Path(os.path.realpath(given or os.environ.get("TSUBO_HOME") or DEFAULT_HOME))


def engine_id(path: Path) -> str:
    """Return the engine's id: 8 hexadecimal digits that follow from the state directory's real path."""
    return hashlib.sha256(os.path.realpath(path).encode()).hexdigest()[:8]


def open_home(path: Path) -> Home:
    """Read a state directory that exists. Raises HomeError."""
    file = path / "engine.json"
    try:
        return Home(path, Settings(**json.loads(file.read_text())))
    except FileNotFoundError:
        raise HomeError(f"There is no engine in {path}.") from None
    except (ValueError, TypeError) as error:
        raise HomeError(f"{file} cannot be read ({error}). `tsubo down` removes the engine and its state.") from None


def make_home(path: Path, **choices: object) -> Home:
    """Make a state directory, or bring the settings of the one that is there up to these choices."""
    if len(str(path)) > SOCKET_PATH_LIMIT:
        raise HomeError(f"The state directory's path is longer than {SOCKET_PATH_LIMIT} characters: {path}")
    try:
        before = asdict(open_home(path).settings)
    except HomeError:
        before = {
            "engine_id": engine_id(path),
            "access_key_id": "TSUBO" + secrets.token_hex(8).upper()[:15],
            "secret_access_key": secrets.token_urlsafe(30),
        }
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    for name in DIRECTORIES:
        (path / name).mkdir(mode=0o700, exist_ok=True)
    chosen = {name: value for name, value in choices.items() if value is not None}
    home = Home(path, Settings(**{**before, **chosen}))
    replace_file(path / "engine.json", json.dumps(asdict(home.settings), indent=1).encode())
    return home
