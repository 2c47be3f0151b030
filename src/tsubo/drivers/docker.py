"""The container engine: the containers of a task around the one that holds their network namespace.

A task is a pause container without a network, whose namespace is plugged from outside, and application containers
that join it. Every container carries the engine's id and the task's id as labels; nothing else is remembered, so a
new process takes over what it finds. All calls are safe to repeat.
"""

import contextlib
import resource
import threading
import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import docker
import docker.errors

from tsubo.drivers.pause_image import pause_image_archive
from tsubo.model.containers import ContainerSpec, TaskSpec
from tsubo.model.observed import ObservedContainer, ObservedTask

ENGINE_LABEL = "tsubo.engine"
TASK_LABEL = "tsubo.task"
CONTAINER_LABEL = "tsubo.container"
LOG_GROUP_LABEL = "tsubo.log-group"
LOG_STREAM_LABEL = "tsubo.log-stream"
REGION_LABEL = "tsubo.region"
IMAGE_LABEL = "tsubo.image"
"""The reference by which a container's image was found, and its digest if it is our registry's."""
IMAGE_DIGEST_LABEL = "tsubo.image-digest"
PAUSE_IMAGE = "tsubo-pause:1"
NANOSECONDS = 1_000_000_000
CALL_TIMEOUT_SECONDS = 120
LOOK_AGAIN_SECONDS = 2.0
"""The engine tells of every change; this is how long a lost message could matter."""
CAP_SYS_RESOURCE = 24


class ImageNotFoundError(Exception):
    """An image is not among the engine's, and was not to be had."""


class ContainerEngine:
    """Docker, as far as tasks need it. One object may be used by many threads."""

    def __init__(self, engine_id: str, region: str = "") -> None:
        self.engine_id = engine_id
        self.client = docker.APIClient(version="auto", timeout=CALL_TIMEOUT_SECONDS, num_pools=32)
        self._region = region
        self._known: dict[str, tuple[tuple[str, str], ObservedContainer]] = {}
        self._touched: deque[str] = deque()
        self._looked_at = 0.0
        self._tasks: dict[str, ObservedTask] = {}
        self._stale = threading.Event()
        self._stale.set()
        self._pause_image_lock = threading.Lock()

    # Images

    def find_image(self, references: Iterable[str]) -> tuple[str, str] | None:
        """Return the id and the reference of the first of these images that is here, or None."""
        for reference in references:
            with contextlib.suppress(docker.errors.ImageNotFound):
                return self.client.inspect_image(reference)["Id"], reference  # type: ignore[no-untyped-call]
        return None

    def image(self, spec: ContainerSpec) -> tuple[str, str]:
        """Return the id and the reference of a container's image, fetched if it may be.

        Raises ImageNotFoundError with the reason.
        """
        found = self.find_image(spec.images)
        if found is None and spec.pull is not None:
            try:
                self.client.pull(spec.pull)
            except docker.errors.APIError as error:
                raise ImageNotFoundError(error.explanation or str(error)) from error
            found = self.find_image([spec.pull])
        if found is None:
            raise ImageNotFoundError("not found")
        return found

    def _ensure_pause_image(self) -> None:
        with self._pause_image_lock:
            if self.find_image([PAUSE_IMAGE]) is None:
                name, tag = PAUSE_IMAGE.split(":")
                self.client.import_image_from_data(
                    pause_image_archive(), repository=name, tag=tag, changes=['ENTRYPOINT ["/pause"]']
                )

    # A task's life

    def create_task(self, spec: TaskSpec, environments: Mapping[str, Mapping[str, str]]) -> int:
        """Make a task's containers and start the pause. Return the pause's process id.

        `environments` are the containers' environments by name, secrets filled in. Raises ImageNotFoundError.
        """
        images = {container.name: self.image(container) for container in spec.containers}
        self._ensure_pause_image()
        pause = self._create(self._name(spec.task_id, None), self._pause_config(spec))
        with ThreadPoolExecutor(1 + len(spec.containers)) as pool:
            started = pool.submit(self.client.start, pause)
            created = [
                pool.submit(
                    self._create,
                    self._name(spec.task_id, container.name),
                    self._container_config(
                        spec, container, images[container.name], environments[container.name], pause
                    ),
                )
                for container in spec.containers
            ]
            started.result()
            for future in created:
                future.result()
        self.mark_stale()
        inspected = self.client.inspect_container(pause)
        # The engine's own file has IPv6 names besides, of which a task has none: localhost would be tried there first.
        Path(inspected["HostsPath"]).write_text(f"127.0.0.1 localhost\n{spec.address} {spec.hostname}\n")
        pid: int = inspected["State"]["Pid"]
        return pid

    def start(self, task_id: str, names: Iterable[str]) -> None:
        """Start containers of a task at the same time. One that has run already is left as it is."""
        names = list(names)
        with ThreadPoolExecutor(max(1, len(names))) as pool:
            for _ in pool.map(lambda name: self._start_once(self._name(task_id, name)), names):
                pass
        self.mark_stale()

    def _start_once(self, name: str) -> None:
        inspected = self.client.inspect_container(name)
        if inspected["State"]["Status"] == "created":
            self.client.start(name)
            self._touched.append(inspected["Id"])

    def stop(self, task_id: str, layers: Iterable[Iterable[str]]) -> None:
        """Stop a task's containers layer by layer: the stop signal, then SIGKILL after each one's stop timeout."""
        for layer in layers:
            names = list(layer)
            with ThreadPoolExecutor(max(1, len(names))) as pool:
                for _ in pool.map(lambda name: self._stop_one(self._name(task_id, name)), names):
                    pass
        self.mark_stale()

    def _stop_one(self, name: str) -> None:
        with contextlib.suppress(docker.errors.NotFound):
            timeout = self.client.inspect_container(name)["Config"].get("StopTimeout") or 30
            # The client waits for the answer, so its own limit lies beyond the container's.
            self.client.stop(name, timeout=timeout)

    def remove_task(self, task_id: str) -> None:
        """Remove all containers of a task, running or not."""
        self._remove({ENGINE_LABEL: self.engine_id, TASK_LABEL: task_id})

    def remove_all(self) -> int:
        """Remove all containers of this engine. Return how many there were."""
        return self._remove({ENGINE_LABEL: self.engine_id})

    def _remove(self, labels: Mapping[str, str]) -> int:
        containers = self._list(labels)
        # The pause goes last: the others are in its namespace.
        containers.sort(key=lambda container: CONTAINER_LABEL not in container["Labels"])
        with ThreadPoolExecutor(4) as pool:
            for _ in pool.map(lambda container: self._remove_one(container["Id"]), containers):
                pass
        self.mark_stale()
        return len(containers)

    def _remove_one(self, container_id: str) -> None:
        try:
            self.client.remove_container(container_id, force=True, v=True)
        except docker.errors.NotFound:
            pass
        except docker.errors.APIError as error:
            if error.status_code != 409:  # its removal is already in progress
                raise

    def _create(self, name: str, config: dict[str, Any]) -> str:
        try:
            made = self.client.create_container_from_config(config, name=name)  # type: ignore[no-untyped-call]
            container_id: str = made["Id"]
        except docker.errors.APIError as error:
            if error.status_code != 409:
                raise
            container_id = self.client.inspect_container(name)["Id"]
        return container_id

    # What containers are made from

    def _name(self, task_id: str, container: str | None) -> str:
        return f"tsubo-{self.engine_id}-{task_id}-{container or 'pause.'}"

    def _pause_config(self, spec: TaskSpec) -> dict[str, Any]:
        return {
            "Image": PAUSE_IMAGE,
            "Hostname": spec.hostname,
            "StopSignal": "SIGKILL",
            "Labels": {ENGINE_LABEL: self.engine_id, TASK_LABEL: spec.task_id},
            "HostConfig": {
                "NetworkMode": "none",
                "Dns": list(spec.nameservers),
                "DnsSearch": list(spec.search_domains),
                "Sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"},
            },
        }

    def _container_config(
        self,
        spec: TaskSpec,
        container: ContainerSpec,
        image: tuple[str, str],
        environment: Mapping[str, str],
        pause: str,
    ) -> dict[str, Any]:
        image_id, reference = image
        labels = {
            **container.labels,
            ENGINE_LABEL: self.engine_id,
            TASK_LABEL: spec.task_id,
            CONTAINER_LABEL: container.name,
            IMAGE_LABEL: reference,
        }
        if container.image_digest:
            labels[IMAGE_DIGEST_LABEL] = container.image_digest
        if container.log_group and container.log_stream:
            labels |= {LOG_GROUP_LABEL: container.log_group, LOG_STREAM_LABEL: container.log_stream}
            labels[REGION_LABEL] = environment.get("AWS_REGION", self._region)
        config: dict[str, Any] = {
            "Image": image_id,
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "Labels": labels,
            "StopTimeout": container.stop_timeout,
            "Tty": container.tty,
            "OpenStdin": container.stdin,
            # The image's own check is ignored on ECS; only the task definition's counts.
            "Healthcheck": _health_config(container),
            "HostConfig": {
                "NetworkMode": f"container:{pause}",
                "LogConfig": {"Type": "json-file", "Config": {"max-size": "20m", "max-file": "2"}},
                "ReadonlyRootfs": container.read_only,
                "Init": container.init,
                "Memory": container.memory_bytes or 0,
                "MemoryReservation": container.memory_reservation_bytes or 0,
                "Ulimits": [_permitted_limit(*limit) for limit in container.ulimits],
            },
        }
        if container.command is not None:
            config["Cmd"] = list(container.command)
        if container.entrypoint is not None:
            config["Entrypoint"] = list(container.entrypoint)
            config.setdefault("Cmd", [])
        if container.user is not None:
            config["User"] = container.user
        if container.working_directory is not None:
            config["WorkingDir"] = container.working_directory
        return config

    # What is there

    def mark_stale(self) -> None:
        """Say that the containers may have changed: the next `observe` looks again."""
        self._stale.set()

    def observe(self) -> Mapping[str, ObservedTask]:
        """Return the tasks of this engine whose containers are here, by task id."""
        if self._stale.is_set() or time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS:
            self._stale.clear()
            try:
                self._tasks = self._look()
            except Exception:
                self._stale.set()
                raise
            self._looked_at = time.monotonic()
        return self._tasks

    def _look(self) -> dict[str, ObservedTask]:
        touched = {self._touched.popleft() for _ in range(len(self._touched))}
        pauses: dict[str, bool] = {}
        containers: dict[str, dict[str, ObservedContainer]] = {}
        listing = self._list({ENGINE_LABEL: self.engine_id})
        for listed in listing:
            task_id = listed["Labels"].get(TASK_LABEL, "")
            name = listed["Labels"].get(CONTAINER_LABEL)
            own = containers.setdefault(task_id, {})
            observed = self._observe_container(name or "", listed, listed["Id"] in touched)
            if name is None:
                pauses[task_id] = observed is not None and observed.status == "running"
            elif observed is not None:
                own[name] = observed
        seen = {listed["Id"] for listed in listing}
        self._known = {key: value for key, value in self._known.items() if key in seen}
        return {task_id: ObservedTask(task_id, pauses.get(task_id, False), own) for task_id, own in containers.items()}

    def _observe_container(self, name: str, listed: Mapping[str, Any], touched: bool) -> ObservedContainer | None:
        """Return a container's state; None if it has gone. Only a change makes a closer look worth its while.

        The listing lags behind: the `die` event comes before it knows of it. A container of which there was an event
        is looked at itself.
        """
        container_id = listed["Id"]
        health = next((word for word in ("unhealthy", "healthy", "starting") if word in listed["Status"]), "")
        state = (listed["State"], health)
        known_state, known = self._known.get(container_id, (None, None))
        if touched or known_state != state or known is None:
            try:
                known = _observed(name, self.client.inspect_container(container_id))
            except docker.errors.NotFound:
                return None
            self._known[container_id] = (state, known)
        return known

    def _list(self, labels: Mapping[str, str]) -> list[Any]:
        filters = {"label": [f"{name}={value}" for name, value in labels.items()]}
        listed: list[Any] = self.client.containers(all=True, filters=filters)
        return listed

    def watch(self, changed: Callable[[], None]) -> None:
        """Follow the events of our containers, calling `changed` at each; return when the stream ends."""
        filters = {"type": "container", "label": f"{ENGINE_LABEL}={self.engine_id}"}
        for event in self.client.events(decode=True, filters=filters):
            if not event.get("Action", "").startswith("exec_"):
                self._touched.append(event["id"])
                self.mark_stale()
                changed()

    def containers_with_logs(self, known: Container[str] = ()) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Yield the id and labels of each container whose output goes to a log group, without those already known."""
        for listed in self._list({ENGINE_LABEL: self.engine_id}):
            if LOG_GROUP_LABEL in listed["Labels"] and listed["Id"] not in known:
                yield listed["Id"], listed["Labels"]

    def log_path(self, container_id: str) -> Path | None:
        """Return the file that a container's output is kept in; None before its start and after its end."""
        try:
            path = self.client.inspect_container(container_id)["LogPath"]
        except docker.errors.NotFound:
            return None
        return Path(path) if path else None

    def images_used(self) -> Mapping[tuple[str, str], str]:
        """Return the reference by which each container's image was found, by task id and the container's name."""
        listing = [listed["Labels"] for listed in self._list({ENGINE_LABEL: self.engine_id})]
        return {
            (labels[TASK_LABEL], labels[CONTAINER_LABEL]): labels[IMAGE_LABEL]
            for labels in listing
            if IMAGE_LABEL in labels
        }

    def container_name(self, task_id: str, name: str) -> str:
        """Return the container engine's name of a task's container."""
        return self._name(task_id, name)


def _health_config(container: ContainerSpec) -> dict[str, Any]:
    probe = container.health
    if probe is None:
        return {"Test": ["NONE"]}
    return {
        "Test": list(probe.test),
        "Interval": int(probe.interval * NANOSECONDS),
        "Timeout": int(probe.timeout * NANOSECONDS),
        "Retries": probe.retries,
        "StartPeriod": int(probe.start_period * NANOSECONDS),
    }


def _permitted_limit(name: str, soft: int, hard: int) -> dict[str, Any]:
    """Return a resource limit, lowered to this machine's own where nobody may raise it (no CAP_SYS_RESOURCE)."""
    number = getattr(resource, f"RLIMIT_{name.upper()}", None)
    if number is not None and not _may_raise_limits():
        own = resource.getrlimit(number)[1]
        if own != resource.RLIM_INFINITY:
            soft, hard = min(soft, own), min(hard, own)
    return {"Name": name, "Soft": soft, "Hard": hard}


def _may_raise_limits() -> bool:
    status = Path("/proc/self/status").read_text()
    bounding = int(status.split("CapBnd:")[1].split()[0], 16)
    return bool(bounding >> CAP_SYS_RESOURCE & 1)


def _observed(name: str, inspected: Mapping[str, Any]) -> ObservedContainer:
    state = inspected["State"]
    health = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}.get(state.get("Health", {}).get("Status", ""), "UNKNOWN")
    checks = state.get("Health", {}).get("Log") or ()
    status = _status(state["Status"])
    return ObservedContainer(
        name=name,
        container_id=inspected["Id"],
        status=status,
        exit_code=state["ExitCode"] if status == "exited" else None,
        out_of_memory=bool(state.get("OOMKilled")),
        started_at=_seconds(state["StartedAt"]),
        finished_at=_seconds(state["FinishedAt"]),
        health=health,  # type: ignore[arg-type]
        image_digest=inspected["Config"]["Labels"].get(IMAGE_DIGEST_LABEL) or inspected["Image"],
        created_at=_seconds(inspected["Created"]),
        health_since=_seconds(checks[-1]["End"]) if checks else None,
        health_output=checks[-1]["Output"] if checks else "",
    )


def _status(status: str) -> Literal["created", "running", "exited"]:
    if status == "created":
        return "created"
    return "running" if status in ("running", "paused", "restarting") else "exited"


def _seconds(timestamp: str) -> float | None:
    """Return an engine's timestamp as seconds since the epoch; None for its zero value."""
    if timestamp.startswith("0001-"):
        return None
    return datetime.fromisoformat(timestamp).timestamp()
