"""What should change: the table of contents of the product. Read this first.

`decide` takes what the AWS API was told (`World`), what this machine is (`Observed`), the time, and returns a `Plan`:
the records that change, and the steps to carry out. It computes from state alone and remembers nothing, so any pass
may be the first one. The data plane (`dataplane`) is compiled from the world that the plan makes, and the engine
applies it before it commits the records and starts the steps: nothing is said before it is true, and no step uses
what the data plane does not contain yet.
"""

from tsubo.core import certificates, gateways, image_expiry, instances, load_balancer_nodes, services, targets, tasks
from tsubo.core.draft import Draft
from tsubo.model.observed import Observed
from tsubo.model.pace import Pace
from tsubo.model.plan import Plan
from tsubo.model.supply import Supply
from tsubo.model.world import World


def decide(world: World, observed: Observed, now: float, supply: Supply, pace: Pace) -> Plan:
    """Return what should change in this world on this machine at this time (seconds since the epoch)."""
    draft = Draft(world)
    load_balancer_nodes.decide(draft, now, supply)
    gateways.decide(draft, now, supply)
    certificates.decide(draft, observed)
    image_expiry.decide(draft, now)
    targets.decide(draft, observed, now, pace)
    tasks.decide(draft, observed, now, supply)
    instances.decide(draft, now, pace)
    services.decide(draft, now, supply, pace)
    return draft.plan()
