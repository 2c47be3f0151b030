"""Layers that no image names any more, removed from time to time.

The store's writer lock is held meanwhile: an image whose layers were just found to be here is in the store before a
sweep, or looks for them after it.
"""

import logging
import threading
import time

from tsubo.aws.store import Store
from tsubo.drivers.layer_store import LayerStore

log = logging.getLogger("tsubo.registry")

SWEEP_SECONDS = 600.0


def sweep(store: Store, layers: LayerStore) -> int:
    """Remove the layers that no image names and nobody pushed lately. Return how many files went."""
    with store.transaction() as transaction:
        named = {blob.digest for image in transaction.world.images.values() for blob in image.blobs}
        return layers.sweep(named)


def start_sweeping(store: Store, layers: LayerStore) -> None:
    """Sweep now and then, in a thread of its own."""

    def run() -> None:
        while True:
            try:
                if swept := sweep(store, layers):
                    log.info("%d layers that no image names are removed", swept)
            except Exception:
                log.exception("the sweep of the registry failed and will be tried again")
            time.sleep(SWEEP_SECONDS)

    threading.Thread(target=run, name="layer-sweep", daemon=True).start()
