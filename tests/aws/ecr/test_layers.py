"""Layers by ECR's own API, and the registry's passwords."""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.aws.direct import NOW
from tests.aws.ecr.conftest import LAYER, Ecr, digest_of
from tsubo.aws.image_registry import PASSWORD_SECONDS, check_password, make_password, signing_key

CONTENT = b"a layer in two parts"
KEY = signing_key("secret")


def upload(ecr: Ecr, *parts: bytes) -> str:
    upload_id = str(ecr("InitiateLayerUpload", repositoryName="web")["uploadId"])
    first = 0
    for part in parts:
        answer = ecr(
            "UploadLayerPart",
            repositoryName="web",
            uploadId=upload_id,
            partFirstByte=first,
            partLastByte=first + len(part) - 1,
            layerPartBlob=part,
        )
        first += len(part)
        assert answer["lastByteReceived"] == first - 1
    return upload_id


def complete(upload_id: str, content: bytes) -> dict[str, object]:
    return {"repositoryName": "web", "uploadId": upload_id, "layerDigests": [digest_of(content)]}


def test_a_layer_comes_in_parts(ecr: Ecr) -> None:
    done = ecr("CompleteLayerUpload", complete(upload(ecr, CONTENT[:5], CONTENT[5:]), CONTENT))
    assert done["layerDigest"] == digest_of(CONTENT)
    answer = ecr("BatchCheckLayerAvailability", repositoryName="web", layerDigests=[digest_of(CONTENT)])
    assert answer == {
        "layers": [
            {
                "layerDigest": digest_of(CONTENT),
                "layerAvailability": "AVAILABLE",
                "layerSize": len(CONTENT),
                "mediaType": LAYER,
            }
        ],
        "failures": [],
    }


def test_a_gap_between_parts_is_refused_with_what_was_received(ecr: Ecr) -> None:
    upload_id = upload(ecr, b"AAAA")
    error = ecr.refused(
        "UploadLayerPart",
        repositoryName="web",
        uploadId=upload_id,
        partFirstByte=8,
        partLastByte=11,
        layerPartBlob=b"BBBB",
    )
    assert (error.code, error.members["lastValidByteReceived"]) == ("InvalidLayerPartException", 3)


def test_an_upload_must_be_known_have_content_and_be_what_its_digest_says(ecr: Ecr) -> None:
    unknown = complete("00000000-0000-0000-0000-000000000000", CONTENT)
    assert ecr.refused("CompleteLayerUpload", unknown).code == "UploadNotFoundException"
    assert ecr.refused("CompleteLayerUpload", complete(upload(ecr), CONTENT)).code == "EmptyUploadException"
    wrong = complete(upload(ecr, b"something else"), CONTENT)
    assert ecr.refused("CompleteLayerUpload", wrong).code == "InvalidLayerException"


def test_a_layer_of_an_image_that_is_there_exists_already(ecr: Ecr) -> None:
    ecr.put("one", "a")
    again = complete(upload(ecr, b"one layer"), b"one layer")
    assert ecr.refused("CompleteLayerUpload", again).code == "LayerAlreadyExistsException"


def test_layers_that_are_not_there(ecr: Ecr) -> None:
    missing = digest_of("missing")
    answer = ecr("BatchCheckLayerAvailability", repositoryName="web", layerDigests=[missing, "latest"])
    assert [each["failureCode"] for each in answer["failures"]] == ["MissingLayerDigest", "InvalidLayerDigest"]
    error = ecr.refused("GetDownloadUrlForLayer", repositoryName="web", layerDigest=missing)
    assert error.code == "LayersNotFoundException"


def test_a_download_url_leads_to_the_registry_and_carries_its_password(ecr: Ecr) -> None:
    digest = ecr.upload(CONTENT)
    url = urlsplit(ecr("GetDownloadUrlForLayer", repositoryName="web", layerDigest=digest)["downloadUrl"])
    assert url.netloc == "127.16.17.1:5000"
    assert url.path == f"/v2/123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/web/blobs/{digest}"
    assert check_password(KEY, parse_qs(url.query)["password"][0], NOW) == "good"


def test_the_token_is_aws_and_a_password_for_twelve_hours(ecr: Ecr) -> None:
    (data,) = ecr("GetAuthorizationToken")["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    assert user == "AWS"
    assert data["proxyEndpoint"] == "https://123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"
    assert data["expiresAt"].timestamp() == NOW + 12 * 3600
    assert check_password(KEY, password, NOW + PASSWORD_SECONDS - 1) == "good"
    assert check_password(KEY, password, NOW + PASSWORD_SECONDS) == "expired"


def test_a_token_for_each_registry_asked_for(ecr: Ecr) -> None:
    asked = ["123456789012", "999999999999"]
    data = ecr("GetAuthorizationToken", registryIds=asked)["authorizationData"]
    assert [each["proxyEndpoint"].split(".")[0].removeprefix("https://") for each in data] == asked


@pytest.mark.parametrize("password", ["", "secret", "e30=", make_password(signing_key("other engine"), NOW + 9)])
def test_another_password_is_bad(password: str) -> None:
    assert check_password(KEY, password, NOW) == "bad"


def test_a_password_cannot_be_made_to_last_longer() -> None:
    content = base64.b64decode(make_password(KEY, NOW + 1)).decode()
    longer = base64.b64encode(content.replace(str(int(NOW) + 1), str(int(NOW) + 99)).encode()).decode()
    assert check_password(KEY, longer, NOW) == "bad"
