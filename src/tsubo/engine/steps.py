"""Carrying out steps: each in a thread of its own, keyed, safe to repeat, never twice at once.

A step translates AWS nouns to the drivers' and reports back through what can be observed; only why a task could not
be started is kept here until the task is gone.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from docker.errors import APIError

from tsubo.aws.access.decisions import Decisions
from tsubo.aws.breadth import Breadth
from tsubo.aws.store import Store
from tsubo.core import router
from tsubo.core.containers import task_spec
from tsubo.drivers.certificate_authority import CertificateAuthority
from tsubo.drivers.container_logs import LogShipper
from tsubo.drivers.docker import ContainerEngine, ImageNotFoundError
from tsubo.drivers.network import NetworkDriver
from tsubo.engine.execution_role import ExecutionRole
from tsubo.engine.task_images import TaskImages
from tsubo.engine.task_resources import StartError, ensure_log_streams, resolve_environments
from tsubo.model.containers import TaskSpec
from tsubo.model.observed import StartFailure
from tsubo.model.plan import IssueCertificate, RemoveTask, StartContainers, StartTask, Step, StopTask

log = logging.getLogger("tsubo.steps")

PARALLEL_STEPS = 32
PARALLEL_STARTS = 6
"""Thirty starts at once would take both cores from resolver and load balancers (dataplane.md section 5)."""
RETRY_SECONDS = 1.0


class StepRunner:
    """Runs steps; says which are in flight and which tasks could not be started."""

    def __init__(
        self,
        store: Store,
        containers: ContainerEngine,
        network: NetworkDriver,
        breadth: Breadth,
        decisions: Decisions,
        images: TaskImages,
        authority: CertificateAuthority,
        shipper: LogShipper,
        finished: Callable[[], None],
    ) -> None:
        self._store = store
        self._containers = containers
        self._network = network
        self._breadth = breadth
        self._decisions = decisions
        self._images = images
        self._authority = authority
        self._shipper = shipper
        self._finished = finished
        self._pool = ThreadPoolExecutor(PARALLEL_STEPS, thread_name_prefix="step")
        self._starts = threading.BoundedSemaphore(PARALLEL_STARTS)
        self._lock = threading.Lock()
        self._in_flight: set[str] = set()
        self._start_failures: dict[str, StartFailure] = {}

    def in_flight(self) -> frozenset[str]:
        """Return the keys of the steps that are being carried out."""
        with self._lock:
            return frozenset(self._in_flight)

    def start_failures(self) -> Mapping[str, StartFailure]:
        """Return why tasks could not be started, by task id."""
        with self._lock:
            return dict(self._start_failures)

    def submit(self, step: Step) -> None:
        """Carry out a step, unless it is in flight."""
        with self._lock:
            if step.key in self._in_flight:
                return
            self._in_flight.add(step.key)
        log.info("%s: %s", step.key, step.reason)
        self._pool.submit(self._run, step)

    def close(self) -> None:
        """Wait for the steps in flight and take no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, step: Step) -> None:
        try:
            self._carry_out(step)
        except Exception:
            # What failed is seen again by the next observation, and decided again.
            log.exception("%s failed", step.key)
            time.sleep(RETRY_SECONDS)
        finally:
            self._containers.mark_stale()
            with self._lock:
                self._in_flight.discard(step.key)
            self._finished()

    def _carry_out(self, step: Step) -> None:
        match step:
            case StartTask():
                self._start_task(step)
            case StartContainers():
                self._start_containers(step)
            case StopTask():
                self._stop_task(step)
            case RemoveTask():
                self._remove_task(step)
            case IssueCertificate():
                self._issue_certificate(step)

    def _start_task(self, step: StartTask) -> None:
        world = self._store.world
        task = world.tasks[step.task_arn]
        spec = task_spec(world, task)
        interface = next(i for i in router.network(world).interfaces if i.interface_id == spec.network_interface_id)
        role = ExecutionRole(self._decisions, task, world.task_definitions[task.task_definition_arn])
        with self._starts:
            try:
                role.require_assumable_roles()
                role.require_secrets(spec)
                environments = resolve_environments(self._breadth, task.region, spec)
                self._images.require_road(spec)
                role.require_registry_access(spec)
                role.require_log_streams(spec)
                ensure_log_streams(self._breadth, task.region, spec)
                role.require_images(spec)
                spec = self._images.fetch(spec)
                pid = self._create(spec, environments)
                self._network.plug(interface, pid)
                self._start_some(spec.task_id, step.containers)
            except StartError as error:
                self._note_failure(step.task_id, error.failure)
        self._shipper.follow_all()

    def _create(self, spec: TaskSpec, environments: Mapping[str, Mapping[str, str]]) -> int:
        try:
            return self._containers.create_task(spec, environments)
        except ImageNotFoundError as error:
            names = [c for c in spec.containers if self._containers.find_image(c.images) is None]
            missing = names[0] if names else spec.containers[0]
            reason = (
                "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
                f"failed to resolve ref {missing.images[0]}: {error}"
            )
            raise StartError(StartFailure(reason, missing.name, reason)) from error
        except APIError as error:
            reason = f"CannotCreateContainerError: {error.explanation or error}"
            raise StartError(StartFailure(reason)) from error

    def _start_some(self, task_id: str, names: tuple[str, ...]) -> None:
        try:
            self._containers.start(task_id, names)
        except APIError as error:
            reason = f"CannotStartContainerError: {error.explanation or error}"
            raise StartError(StartFailure("Task failed to start", names[0], reason)) from error

    def _start_containers(self, step: StartContainers) -> None:
        try:
            self._start_some(step.task_id, step.containers)
        except StartError as error:
            self._note_failure(step.task_id, error.failure)
        self._shipper.follow_all()

    def _stop_task(self, step: StopTask) -> None:
        task = self._store.world.tasks[step.task_arn]
        self._containers.stop(step.task_id, task_spec(self._store.world, task).stop_layers)

    def _remove_task(self, step: RemoveTask) -> None:
        self._shipper.finish(step.task_id)
        self._containers.remove_task(step.task_id)
        if step.network_interface_id is not None and step.vpc_id is not None:
            router_namespace = self._store.world.engine.namespace(step.vpc_id)
            self._network.unplug(step.network_interface_id, router_namespace)
        with self._lock:
            self._start_failures.pop(step.task_id, None)

    def _issue_certificate(self, step: IssueCertificate) -> None:
        certificate = self._store.world.certificates[step.certificate_arn]
        issued = self._authority.issue([certificate.domain_name, *certificate.subject_alternative_names])
        with self._store.transaction() as transaction:
            current = transaction.world.certificates.get(step.certificate_arn)
            if current is not None and current.status == "PENDING_VALIDATION":
                transaction.put(
                    replace(
                        current,
                        status="ISSUED",
                        issued_at=time.time(),
                        not_before=issued.not_before,
                        not_after=issued.not_after,
                        serial=issued.serial,
                        certificate_pem=issued.certificate_pem,
                        chain_pem=issued.chain_pem,
                        private_key_pem=issued.private_key_pem,
                    )
                )

    def _note_failure(self, task_id: str, failure: StartFailure) -> None:
        log.warning("task %s: %s", task_id, failure.reason)
        with self._lock:
            self._start_failures[task_id] = failure
