"""The registry's HTTP API, which docker speaks: the OCI distribution specification over ECR's records and rules.

Layers are files (`drivers/layer_store.py`) and go in and out here; manifests and tags are ECR's
(`registry_catalog.py`).
Only `AWS` with a password of this engine's GetAuthorizationToken may ask.
"""

import asyncio
import base64
import binascii
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from tsubo.aws.image_registry import USER_NAME, check_password
from tsubo.core.registry_names import RegistryPath, parse_path
from tsubo.drivers.layer_store import LayerError, LayerStore
from tsubo.engine.registry_catalog import Catalog, RegistryError
from tsubo.engine.registry_http import (
    ClientGoneError,
    Receive,
    RegistryRequest,
    Scope,
    Send,
    respond,
    respond_error,
    respond_file,
)
from tsubo.model.identity import EngineIdentity

log = logging.getLogger(__name__)

MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class RegistryApp:
    """The ASGI application of one engine's registry."""

    def __init__(
        self,
        layers: LayerStore,
        catalog: Catalog,
        key: bytes,
        engine: EngineIdentity,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._layers = layers
        self._catalog = catalog
        self._key = key
        self._engine = engine
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = RegistryRequest(scope, receive)
        try:
            await self._answer(request, send)
        except RegistryError as error:
            challenge = {"WWW-Authenticate": f'Basic realm="https://{request.host}/",service="ecr.amazonaws.com"'}
            await respond_error(send, error, challenge if error.status == 401 else None)
        except ClientGoneError:
            log.info("%s %s: the client went away", request.method, request.path)

    async def _answer(self, request: RegistryRequest, send: Send) -> None:
        path = parse_path(request.path, request.host, self._engine)
        self._require_password(request)
        if path is None:
            raise RegistryError(404, "UNSUPPORTED", f"The registry has no {request.path}.")
        handler = getattr(self, f"_{request.method.lower()}_{path.kind}", None)
        if handler is None:
            raise RegistryError(405, "UNSUPPORTED", f"The registry has no {request.method} of {path.kind}.")
        await handler(request, path, send)

    def _require_password(self, request: RegistryRequest) -> None:
        """Raise RegistryError unless the request carries a good password, in its header or (a download) its URL."""
        password = request.query.get("password") or _basic_password(request.headers.get("authorization", ""))
        if password is None:
            raise RegistryError(401, "UNAUTHORIZED", "Not Authorized")
        state = check_password(self._key, password, self._clock())
        if state == "expired":
            raise RegistryError(403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
        if state == "bad":
            raise RegistryError(401, "UNAUTHORIZED", "Not Authorized")

    async def _get_base(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        await respond(send, 200, {"Content-Type": "application/json; charset=utf-8"}, b"{}")

    # Layers

    async def _head_blobs(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        size = self._layers.size(path.reference)
        if size is None:
            raise RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry")
        await respond(send, 200, _blob_headers(path.reference, size))

    async def _get_blobs(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        file, size = self._layers.path(path.reference), self._layers.size(path.reference)
        if file is None or size is None:
            raise RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry")
        part = _requested_part(request.headers.get("range"), size)
        headers = _blob_headers(path.reference, len(part))
        if len(part) < size:
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
        await respond_file(send, file, 206 if len(part) < size else 200, headers, part)

    async def _post_uploads(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        upload_id = await asyncio.to_thread(self._catalog.begin_upload, path)
        mounted = request.query.get("mount", "")
        if self._layers.size(mounted) is not None:
            self._layers.cancel(upload_id)
            await self._respond_created(send, path, mounted)
        elif "digest" in request.query:
            await self._receive_layer(request, upload_id)
            await self._finish(request, path, upload_id, send)
        else:
            await self._respond_upload(send, 202, path, upload_id)

    async def _patch_uploads(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        begins = re.match(r"(\d+)-", request.headers.get("content-range", ""))
        if begins and int(begins[1]) != self._received(path.reference):
            await self._respond_upload(send, 416, path, path.reference)
            return
        await self._receive_layer(request, path.reference)
        await self._respond_upload(send, 202, path, path.reference)

    async def _put_uploads(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        await self._receive_layer(request, path.reference)
        await self._finish(request, path, path.reference, send)

    async def _get_uploads(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        await self._respond_upload(send, 204, path, path.reference)

    async def _delete_uploads(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        self._received(path.reference)
        self._layers.cancel(path.reference)
        await respond(send, 204)

    def _received(self, upload_id: str) -> int:
        received = self._layers.received(upload_id)
        if received is None:
            raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        return received

    async def _receive_layer(self, request: RegistryRequest, upload_id: str) -> None:
        self._received(upload_id)
        with self._layers.open_upload(upload_id) as file:
            async for piece in request.pieces():
                file.write(piece)

    async def _finish(self, request: RegistryRequest, path: RegistryPath, upload_id: str, send: Send) -> None:
        digest = request.query.get("digest", "")
        try:
            await asyncio.to_thread(self._layers.finish, upload_id, digest)
        except LayerError as error:
            raise RegistryError(400, "DIGEST_INVALID", f"provided digest {digest}: {error}") from error
        await self._respond_created(send, path, digest)

    async def _respond_created(self, send: Send, path: RegistryPath, digest: str) -> None:
        await respond(send, 201, {"Location": f"{path.prefix}/blobs/{digest}", "Docker-Content-Digest": digest})

    async def _respond_upload(self, send: Send, status: int, path: RegistryPath, upload_id: str) -> None:
        received = self._received(upload_id)
        headers = {
            "Location": f"{path.prefix}/blobs/uploads/{upload_id}",
            "Range": f"0-{max(received - 1, 0)}",
            "Docker-Upload-UUID": upload_id,
        }
        await respond(send, status, headers)

    # Manifests and tags

    async def _get_manifests(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        manifest = await asyncio.to_thread(self._catalog.get, path)
        headers = {
            "Content-Type": manifest.media_type,
            "Content-Length": str(len(manifest.content)),
            "Docker-Content-Digest": manifest.digest,
        }
        await respond(send, 200, headers, b"" if request.method == "HEAD" else manifest.content)

    _head_manifests = _get_manifests

    async def _put_manifests(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        if not TAG.fullmatch(path.reference) and not DIGEST.fullmatch(path.reference):
            raise RegistryError(400, "TAG_INVALID", f"{path.reference} is neither a tag nor a digest")
        content = await request.content(MANIFEST_LIMIT_BYTES)
        await asyncio.to_thread(self._require_parts, path, content)
        media_type = request.headers.get("content-type", "").partition(";")[0]
        digest = await asyncio.to_thread(self._catalog.put, path, content, media_type)
        await respond(send, 201, {"Location": f"{path.prefix}/manifests/{digest}", "Docker-Content-Digest": digest})

    def _require_parts(self, path: RegistryPath, content: bytes) -> None:
        """Raise RegistryError unless all that a manifest names has been pushed."""
        needed, children = _parts(content)
        missing = [digest for digest in needed if self._layers.size(digest) is None]
        missing += self._catalog.missing(path, children)
        if missing:
            raise RegistryError(400, "MANIFEST_BLOB_UNKNOWN", f"blob unknown to registry: {', '.join(missing)}")

    async def _delete_manifests(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        await asyncio.to_thread(self._catalog.delete, path)
        await respond(send, 202)

    async def _get_tags(self, request: RegistryRequest, path: RegistryPath, send: Send) -> None:
        tags = await asyncio.to_thread(self._catalog.tags, path)
        last, count = request.query.get("last"), request.query.get("n", "")
        shown = [tag for tag in tags if last is None or tag > last]
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if count.isdecimal() and int(count) < len(shown):
            shown = shown[: int(count)]
            if shown:
                headers["Link"] = f'<{path.prefix}/tags/list?n={count}&last={shown[-1]}>; rel="next"'
        await respond(send, 200, headers, json.dumps({"name": path.name, "tags": shown}).encode())


def _basic_password(authorization: str) -> str | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password if user == USER_NAME else None


def _blob_headers(digest: str, length: int) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(length),
        "Docker-Content-Digest": digest,
        "Accept-Ranges": "bytes",
        "ETag": f'"{digest}"',
    }


def _requested_part(header: str | None, size: int) -> range:
    """Return which bytes a Range header asks for; all of them without one. Raises RegistryError."""
    if header is None:
        return range(size)
    found = RANGE.fullmatch(header)
    if found is None or int(found[1]) >= size:
        raise RegistryError(416, "RANGE_INVALID", f"{header} is not a part of {size} bytes")
    return range(int(found[1]), min(int(found[2]) + 1, size) if found[2] else size)


def _parts(content: bytes) -> tuple[list[str], list[str]]:
    """Return the digests of the layers and of the manifests that a manifest names. Raises RegistryError."""
    try:
        manifest: Mapping[str, Any] = json.loads(content)
        config = [manifest["config"]] if manifest.get("config") else []
        layers = [str(each["digest"]) for each in [*config, *(manifest.get("layers") or ())] if not each.get("urls")]
        return layers, [str(each["digest"]) for each in manifest.get("manifests") or ()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RegistryError(400, "MANIFEST_INVALID", f"manifest invalid: {error}") from error
