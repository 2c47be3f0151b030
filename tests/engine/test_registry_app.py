"""The registry's HTTP API, over ECR's real operations: what docker does, and what it must not be able to do."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.aws.conftest import ENGINE, ENGINE_KEY, CountingSupply
from tsubo.aws.breadth import Breadth
from tsubo.aws.endpoint import Endpoint
from tsubo.aws.image_registry import ImageRegistry, make_password, signing_key
from tsubo.aws.inner_client import make_client
from tsubo.aws.signature import Verifier
from tsubo.aws.store import Store
from tsubo.drivers.layer_store import LayerStore
from tsubo.engine.registry_app import RegistryApp
from tsubo.engine.registry_catalog import Catalog

KEY = signing_key("secret")
REGION = ENGINE.default_region
HOST = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = bytes(range(256)) * 9000
"""More than a web server hands over at once."""


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Client:
    """A registry and a client that has its password."""

    def __init__(self, directory: Path) -> None:
        self.store = Store(directory / "store.sqlite", ENGINE)
        layers = LayerStore(directory / "registry")
        endpoint = Endpoint(
            store=self.store,
            supply=CountingSupply(),
            verifier=Verifier(ENGINE_KEY, auth="none"),
            breadth=Breadth(directory),
            image_registry=ImageRegistry(layers, KEY, lambda: "127.16.17.1:5000"),
        )
        clients: dict[str, Any] = {}
        self.ecr: Callable[[str], Any] = lambda region: clients.setdefault(
            region, make_client("ecr", region, endpoint.handle)
        )
        self.app = RegistryApp(layers, Catalog(self.ecr), KEY, ENGINE)
        self.password = make_password(KEY, time.time() + 60)

    def ask(self, method: str, url: str, *, host: str = HOST, user: str = "AWS", **given: Any) -> httpx.Response:
        """Return the registry's answer. `headers` and `content` are httpx's."""
        credentials = base64.b64encode(f"{user}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", **given.pop("headers", {})}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
                return await client.request(method, url, headers=headers, **given)

        return asyncio.run(ask())

    def push_layer(self, content: bytes, name: str = "web") -> str:
        """Push a layer in two requests, as docker does; return its digest."""
        begun = self.ask("POST", f"/v2/{name}/blobs/uploads/")
        assert begun.status_code == 202, begun.text
        sent = self.ask("PATCH", begun.headers["location"], content=content)
        assert sent.headers["range"] == f"0-{max(len(content) - 1, 0)}"
        done = self.ask("PUT", f"{sent.headers['location']}?digest={digest_of(content)}")
        assert (done.status_code, done.headers["docker-content-digest"]) == (201, digest_of(content))
        return digest_of(content)

    def push(self, tag: str, layer: bytes = LAYER, name: str = "web") -> httpx.Response:
        """Push an image of one layer."""
        config = self.push_layer(b'{"architecture": "amd64"}', name)
        return self.ask(
            "PUT",
            f"/v2/{name}/manifests/{tag}",
            headers={"Content-Type": MANIFEST},
            content=manifest_of(config, self.push_layer(layer, name)),
        )


def manifest_of(config: str, *layers: str) -> bytes:
    content = {
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 25, "digest": config},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "size": 1, "digest": d} for d in layers],
    }
    return json.dumps(content).encode()


def code_of(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["code"])


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    made = Client(tmp_path)
    made.ecr(REGION).create_repository(repositoryName="web")
    yield made
    made.store.close()


def test_what_was_pushed_is_pulled_and_ecr_shows_it(client: Client) -> None:
    pushed = client.push("1.0")
    assert pushed.status_code == 201
    digest = pushed.headers["docker-content-digest"]
    by_tag, by_digest = (client.ask("GET", f"/v2/web/manifests/{reference}") for reference in ("1.0", digest))
    assert by_tag.content == by_digest.content
    assert by_tag.headers["content-type"] == MANIFEST
    assert by_tag.headers["docker-content-digest"] == digest == digest_of(by_tag.content)
    layer = by_tag.json()["layers"][0]["digest"]
    assert client.ask("GET", f"/v2/web/blobs/{layer}").content == LAYER
    (details,) = client.ecr(REGION).describe_images(repositoryName="web")["imageDetails"]
    assert (details["imageDigest"], details["imageTags"]) == (digest, ["1.0"])


def test_a_head_says_what_a_get_would_bring(client: Client) -> None:
    digest = client.push("1.0").headers["docker-content-digest"]
    head = client.ask("HEAD", f"/v2/web/manifests/{digest}")
    content = client.ask("GET", f"/v2/web/manifests/{digest}").content
    assert (head.content, int(head.headers["content-length"])) == (b"", len(content))
    blob = client.ask("HEAD", f"/v2/web/blobs/{digest_of(LAYER)}")
    assert (blob.content, int(blob.headers["content-length"])) == (b"", len(LAYER))


def test_the_base_asks_for_a_password(client: Client) -> None:
    assert client.ask("GET", "/v2/").status_code == 200
    client.password = make_password(signing_key("of another engine"), time.time() + 60)
    refused = client.ask("GET", "/v2/")
    assert (refused.status_code, code_of(refused)) == (401, "UNAUTHORIZED")
    assert refused.headers["www-authenticate"] == f'Basic realm="https://{HOST}/",service="ecr.amazonaws.com"'


@pytest.mark.parametrize(
    "headers", [{"Authorization": ""}, {"Authorization": "Basic !"}, {"Authorization": "Bearer x"}]
)
def test_without_a_password_nothing_is_answered(client: Client, headers: dict[str, str]) -> None:
    for path in ("/v2/", "/v2/web/tags/list", f"/v2/web/blobs/{digest_of(LAYER)}", "/elsewhere"):
        assert client.ask("GET", path, headers=headers).status_code == 401
    assert client.ask("POST", "/v2/web/blobs/uploads/", headers=headers).status_code == 401


def test_the_user_is_aws(client: Client) -> None:
    assert client.ask("GET", "/v2/", user="root").status_code == 401


def test_an_expired_password_is_told_so_in_ecrs_words(client: Client) -> None:
    client.password = make_password(KEY, time.time() - 1)
    refused = client.ask("GET", "/v2/")
    assert (refused.status_code, code_of(refused)) == (403, "DENIED")
    assert refused.json()["errors"][0]["message"] == (
        "Your authorization token has expired. Reauthenticate and try again."
    )


def test_a_repository_is_not_made_by_pushing(client: Client) -> None:
    refused = client.ask("POST", "/v2/nope/blobs/uploads/")
    assert (refused.status_code, code_of(refused)) == (404, "NAME_UNKNOWN")
    assert refused.json()["errors"][0]["message"] == (
        "The repository with name 'nope' does not exist in the registry with id '123456789012'"
    )
    config = client.push_layer(b"{}")
    pushed = client.ask("PUT", "/v2/nope/manifests/1", headers={"Content-Type": MANIFEST}, content=manifest_of(config))
    assert (pushed.status_code, code_of(pushed)) == (404, "NAME_UNKNOWN")
    assert client.ask("GET", "/v2/nope/manifests/1").status_code == 404


def test_an_immutable_tag_is_refused_in_ecrs_words(client: Client) -> None:
    client.push("1.0")
    client.ecr(REGION).put_image_tag_mutability(repositoryName="web", imageTagMutability="IMMUTABLE")
    refused = client.push("1.0", b"another layer")
    assert (refused.status_code, code_of(refused)) == (400, "TAG_INVALID")
    assert "cannot be overwritten because the tag is immutable" in refused.text
    assert client.push("1.1", b"another layer").status_code == 201


def test_pushing_the_same_again_is_no_error(client: Client) -> None:
    assert [client.push(tag).status_code for tag in ("1.0", "1.0", "1.1")] == [201, 201, 201]
    digest = client.push("1.0").headers["docker-content-digest"]
    content = client.ask("GET", "/v2/web/manifests/1.0").content
    again = client.ask("PUT", f"/v2/web/manifests/{digest}", headers={"Content-Type": MANIFEST}, content=content)
    assert again.status_code == 201


def test_a_manifest_needs_its_layers_and_an_index_its_manifests(client: Client) -> None:
    manifest = manifest_of(client.push_layer(b"{}"), digest_of(b"never pushed"))
    index = json.dumps(
        {"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, "size": 1, "digest": digest_of(manifest)}]}
    ).encode()
    for content, media_type in ((manifest, MANIFEST), (index, INDEX)):
        refused = client.ask("PUT", "/v2/web/manifests/a", headers={"Content-Type": media_type}, content=content)
        assert (refused.status_code, code_of(refused)) == (400, "MANIFEST_BLOB_UNKNOWN")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"layers": 1}', b"\xff\xff", b'{"layers": [{}]}'])
def test_what_is_no_manifest_is_refused(client: Client, content: bytes) -> None:
    refused = client.ask("PUT", "/v2/web/manifests/a", headers={"Content-Type": MANIFEST}, content=content)
    assert (refused.status_code, code_of(refused)) == (400, "MANIFEST_INVALID")


def test_a_manifest_has_a_size_and_a_name(client: Client) -> None:
    large = client.ask("PUT", "/v2/web/manifests/a", content=b" " * (4 * 1024 * 1024 + 1))
    assert (large.status_code, code_of(large)) == (413, "SIZE_INVALID")
    unnamed = client.ask("PUT", "/v2/web/manifests/-a", content=b"{}")
    assert (unnamed.status_code, code_of(unnamed)) == (400, "TAG_INVALID")
    config = client.push_layer(b"{}")
    wrong = client.ask(
        "PUT",
        f"/v2/web/manifests/{digest_of(b'other')}",
        headers={"Content-Type": MANIFEST},
        content=manifest_of(config),
    )
    assert (wrong.status_code, code_of(wrong)) == (400, "DIGEST_INVALID")


def test_a_layer_may_come_in_one_request_or_resume(client: Client) -> None:
    content = b"in one request"
    done = client.ask("POST", f"/v2/web/blobs/uploads/?digest={digest_of(content)}", content=content)
    assert (done.status_code, done.headers["location"]) == (201, f"/v2/web/blobs/{digest_of(content)}")
    location = client.ask("POST", "/v2/web/blobs/uploads/").headers["location"]
    client.ask("PATCH", location, headers={"Content-Range": "0-4"}, content=b"01234")
    lost = client.ask("PATCH", location, headers={"Content-Range": "9-9"}, content=b"9")
    assert (lost.status_code, lost.headers["range"]) == (416, "0-4")
    assert client.ask("GET", location).headers["range"] == "0-4"
    rest = client.ask("PUT", f"{location}?digest={digest_of(b'0123456789')}", content=b"56789")
    assert rest.status_code == 201
    assert client.ask("GET", f"/v2/web/blobs/{digest_of(b'0123456789')}").content == b"0123456789"


def test_a_layer_of_another_digest_is_refused(client: Client) -> None:
    location = client.ask("POST", "/v2/web/blobs/uploads/").headers["location"]
    refused = client.ask("PUT", f"{location}?digest={digest_of(b'other')}", content=b"this")
    assert (refused.status_code, code_of(refused)) == (400, "DIGEST_INVALID")
    assert client.ask("HEAD", f"/v2/web/blobs/{digest_of(b'this')}").status_code == 404


def test_an_upload_ends_when_it_is_cancelled(client: Client) -> None:
    location = client.ask("POST", "/v2/web/blobs/uploads/").headers["location"]
    assert client.ask("DELETE", location).status_code == 204
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        assert code_of(client.ask(method, location)) == "BLOB_UPLOAD_UNKNOWN"


def test_a_layer_that_is_there_need_not_be_pushed_again(client: Client) -> None:
    digest = client.push_layer(LAYER)
    client.ecr(REGION).create_repository(repositoryName="other")
    mounted = client.ask("POST", f"/v2/other/blobs/uploads/?mount={digest}&from=web")
    assert (mounted.status_code, mounted.headers["location"]) == (201, f"/v2/other/blobs/{digest}")


def test_a_part_of_a_layer(client: Client) -> None:
    url = f"/v2/web/blobs/{client.push_layer(LAYER)}"
    middle = client.ask("GET", url, headers={"Range": "bytes=10-19"})
    assert (middle.status_code, middle.content) == (206, LAYER[10:20])
    assert middle.headers["content-range"] == f"bytes 10-19/{len(LAYER)}"
    assert client.ask("GET", url, headers={"Range": "bytes=2000000-"}).content == LAYER[2_000_000:]
    assert client.ask("GET", url, headers={"Range": f"bytes={len(LAYER)}-"}).status_code == 416


def test_tags_come_in_pages(client: Client) -> None:
    for tag in ("b", "a", "c"):
        client.push(tag)
    assert client.ask("GET", "/v2/web/tags/list").json() == {"name": "web", "tags": ["a", "b", "c"]}
    page = client.ask("GET", "/v2/web/tags/list?n=2")
    assert page.json()["tags"] == ["a", "b"]
    following = page.headers["link"].partition(">")[0].removeprefix("<")
    assert client.ask("GET", following).json()["tags"] == ["c"]
    assert client.ask("GET", "/v2/web/tags/list?n=0").json()["tags"] == []


def test_a_tag_is_deleted_and_an_image_by_its_digest(client: Client) -> None:
    digest = client.push("a").headers["docker-content-digest"]
    client.push("b")
    assert client.ask("DELETE", "/v2/web/manifests/a").status_code == 202
    assert client.ask("GET", "/v2/web/manifests/a").status_code == 404
    assert client.ask("GET", "/v2/web/manifests/b").status_code == 200
    assert client.ask("DELETE", f"/v2/web/manifests/{digest}").status_code == 202
    assert code_of(client.ask("DELETE", f"/v2/web/manifests/{digest}")) == "MANIFEST_UNKNOWN"


def test_a_region_has_its_own_repositories_by_host_or_by_name(client: Client) -> None:
    other = HOST.replace(REGION, "us-east-1")
    assert client.ask("POST", "/v2/web/blobs/uploads/", host=other).status_code == 404
    client.ecr("us-east-1").create_repository(repositoryName="web")
    assert client.ask("POST", "/v2/web/blobs/uploads/", host=other).status_code == 202
    pushed = client.push("1.0", name=f"{other}/web")
    assert pushed.headers["location"].startswith(f"/v2/{other}/web/manifests/sha256:")
    assert client.ask("GET", "/v2/web/manifests/1.0", host=other).status_code == 200
    assert client.ask("GET", "/v2/web/manifests/1.0", host="127.16.17.1:5000").status_code == 404


def test_a_download_url_needs_no_other_password(client: Client) -> None:
    digest = client.push_layer(LAYER)
    url = client.ecr(REGION).get_download_url_for_layer(repositoryName="web", layerDigest=digest)["downloadUrl"]
    client.password = "none"
    assert client.ask("GET", url).content == LAYER


def test_what_the_registry_does_not_do(client: Client) -> None:
    digest = client.push_layer(LAYER)
    assert client.ask("DELETE", f"/v2/web/blobs/{digest}").status_code == 405
    assert client.ask("GET", "/v2/web/referrers/x").status_code == 404
