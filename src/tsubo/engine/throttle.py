"""How often one may ask: a bucket of permissions for each, which refills steadily."""

from collections.abc import Callable, Hashable

REQUESTS_PER_SECOND = 40.0
BURST = 60.0
"""The agent's defaults (aws/ecs-cloudmap-exec.md section 17)."""
MOST_BUCKETS = 10_000


class Throttle:
    """Buckets by who asks. One that is full again is forgotten when there are too many."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def admits(self, who: Hashable) -> bool:
        """Take one permission from the bucket of whoever asks; return False if there is none."""
        now = self._clock()
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if _level(bucket, now) < BURST}
        level = _level(self._buckets.get(who, (BURST, now)), now)
        if level < 1.0:
            return False
        self._buckets[who] = (level - 1.0, now)
        return True


def _level(bucket: tuple[float, float], now: float) -> float:
    level, at = bucket
    return min(BURST, level + max(0.0, now - at) * REQUESTS_PER_SECOND)
