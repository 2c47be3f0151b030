"""The registry's files."""

import hashlib
import os
from pathlib import Path

import pytest

from tsubo.drivers.layer_store import UNUSED_SECONDS, LayerError, LayerStore

CONTENT = b"a layer"
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
OTHER = f"sha256:{'0' * 64}"


@pytest.fixture
def layers(tmp_path: Path) -> LayerStore:
    return LayerStore(tmp_path / "registry")


def upload(layers: LayerStore, content: bytes) -> str:
    upload_id = layers.begin()
    layers.append(upload_id, content[:3])
    assert layers.append(upload_id, content[3:]) == len(content)
    return upload_id


def test_what_was_uploaded_in_parts_is_a_layer(layers: LayerStore) -> None:
    assert layers.size(DIGEST) is None
    assert layers.finish(upload(layers, CONTENT), DIGEST) == len(CONTENT)
    path = layers.path(DIGEST)
    assert path is not None
    assert path.read_bytes() == CONTENT
    assert layers.size(DIGEST) == len(CONTENT)


def test_another_process_sees_the_same_files(layers: LayerStore, tmp_path: Path) -> None:
    upload_id = upload(layers, CONTENT)
    assert LayerStore(tmp_path / "registry").finish(upload_id, DIGEST) == len(CONTENT)
    assert layers.size(DIGEST) == len(CONTENT)


def test_content_of_another_digest_is_refused_and_the_upload_stays(layers: LayerStore) -> None:
    upload_id = upload(layers, CONTENT)
    with pytest.raises(LayerError, match=DIGEST):
        layers.finish(upload_id, OTHER)
    assert layers.size(OTHER) is None
    assert layers.received(upload_id) == len(CONTENT)


@pytest.mark.parametrize("upload_id", ["", "..", "../blobs", "00000000-0000-0000-0000-000000000000"])
def test_an_upload_that_is_not_known_takes_nothing(layers: LayerStore, upload_id: str) -> None:
    layers.finish(upload(layers, CONTENT), DIGEST)
    assert layers.received(upload_id) is None
    with pytest.raises(LayerError):
        layers.append(upload_id, b"x")


@pytest.mark.parametrize("digest", ["", "sha256:..", "sha256:" + "A" * 64, "sha512:" + "a" * 64, "../../engine.json"])
def test_what_is_no_digest_is_no_layer(layers: LayerStore, digest: str) -> None:
    assert layers.path(digest) is None


def test_a_cancelled_upload_is_gone(layers: LayerStore) -> None:
    upload_id = layers.begin()
    assert layers.cancel(upload_id)
    assert not layers.cancel(upload_id)


def test_a_sweep_takes_what_nobody_names_and_nobody_looked_at(layers: LayerStore) -> None:
    layers.finish(upload(layers, CONTENT), DIGEST)
    kept = f"sha256:{hashlib.sha256(b'named').hexdigest()}"
    layers.finish(upload(layers, b"named"), kept)
    resting = layers.upload_path(layers.begin())
    blob = layers.path(DIGEST)
    assert blob is not None
    assert resting is not None
    later = blob.stat().st_mtime + UNUSED_SECONDS + 1
    assert layers.sweep({kept}, blob.stat().st_mtime + UNUSED_SECONDS - 1) == 0
    os.utime(blob, (later, later))
    assert layers.sweep({kept}, later) == 1
    assert (blob.exists(), resting.exists(), layers.size(kept)) == (True, False, 5)
    assert layers.sweep({kept}, later + UNUSED_SECONDS + 1) == 1
    assert not blob.exists()
