"""What a request of the command line has at hand in the controller."""

from dataclasses import dataclass

from tsubo.aws.store import Store
from tsubo.drivers.docker import ContainerEngine
from tsubo.engine.data_plane import DataPlane
from tsubo.engine.exec_sessions import ExecSessions
from tsubo.engine.home import Home
from tsubo.engine.loop import Loop
from tsubo.engine.task_images import TaskImages
from tsubo.terraform.calls import Clients
from tsubo.terraform.provider import Provider


@dataclass(frozen=True)
class EngineContext:
    """The controller's parts. Requests read the store; what they change, they change by AWS calls (`clients`)."""

    home: Home
    store: Store
    loop: Loop
    containers: ContainerEngine
    data_plane: DataPlane
    clients: Clients
    provider: Provider
    exec_sessions: ExecSessions
    images: TaskImages
    started_at: float
