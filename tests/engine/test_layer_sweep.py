"""Layers go after the last image that names them, and not before."""

import os
from pathlib import Path

from tests.aws.conftest import ENGINE
from tests.aws.ecr.conftest import digest_of
from tsubo.aws.store import Store
from tsubo.drivers.layer_store import UNUSED_SECONDS, LayerStore
from tsubo.engine.layer_sweep import sweep
from tsubo.model.ecr import Blob, Image

LAYER = b"a layer"
REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/web"


def test_a_layer_goes_with_the_last_image_that_names_it(tmp_path: Path) -> None:
    store, layers = Store(tmp_path / "store.sqlite", ENGINE), LayerStore(tmp_path / "registry")
    upload_id = layers.begin()
    layers.append(upload_id, LAYER)
    layers.finish(upload_id, digest_of(LAYER))
    layer = Blob(digest_of(LAYER), "", len(LAYER))
    images = [Image(REPOSITORY, name, "{}", "", 0.0, layers=(layer,)) for name in ("one", "two")]
    store.commit(images)
    path = layers.path(digest_of(LAYER))
    assert path is not None
    long_ago = path.stat().st_mtime - UNUSED_SECONDS - 1
    swept = []
    for deleted in images:
        store.commit([], [deleted])
        os.utime(path, (long_ago, long_ago))
        swept.append(sweep(store, layers))
    assert swept == [0, 1]
    assert not path.exists()
    store.close()
