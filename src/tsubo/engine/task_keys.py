"""Which credentials are good at the endpoint besides the engine's: those of tasks that exist and have not stopped."""

import time
from collections.abc import Callable

from tsubo.aws.access.roles import Roles
from tsubo.aws.caller import TaskKey, assumed_role
from tsubo.aws.store import Store
from tsubo.core import credentials
from tsubo.core.task_identity import task_role_arn


class TaskKeys:
    """Looks credentials up: nothing is stored of them, all follows from the engine's secret and the tasks there are."""

    def __init__(self, store: Store, engine_secret: str, roles: Roles, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._engine_secret = engine_secret
        self._roles = roles
        self._clock = clock

    def __call__(self, access_key_id: str, session_token: str | None) -> TaskKey | None:
        """Return what a task was given as these credentials, or None."""
        given = credentials.given_out(self._engine_secret, access_key_id, session_token or "")
        world = self._store.world
        task = next((t for t in world.tasks.values() if given is not None and t.task_id == given.task_id), None)
        if given is None or task is None or task.last_status == "STOPPED":
            return None
        role_arn = task_role_arn(task, world.task_definitions[task.task_definition_arn])
        role = self._roles.get(role_arn) if role_arn is not None else None
        if role is None:
            return None
        return TaskKey(
            given.secret_access_key,
            assumed_role(role.arn, role.role_id, task.task_id),
            expired=self._clock() > given.expires_at,
        )
