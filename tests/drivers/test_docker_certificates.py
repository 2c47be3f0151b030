"""What docker trusts for a registry, and for how long."""

from pathlib import Path

from tsubo.drivers.docker_certificates import DockerCertificates

NAMES = ["a.dkr.ecr.eu-west-1.amazonaws.com", "a.dkr.ecr.us-east-1.amazonaws.com"]


def test_certificates_are_put_and_removed_and_others_stay(tmp_path: Path) -> None:
    directory = tmp_path / "certs.d"
    certificates = DockerCertificates(directory)
    certificates.put("0011aabb", NAMES, b"authority")
    (directory / NAMES[0] / "mine.crt").write_bytes(b"mine")
    certificates.put("0011aabb", NAMES[:1], b"another")
    assert not (directory / NAMES[1]).exists()
    assert (directory / NAMES[0] / "tsubo-0011aabb.crt").read_bytes() == b"another"
    assert not certificates.remove("ffffffff")
    assert certificates.remove("0011aabb")
    assert [str(path.relative_to(directory)) for path in directory.rglob("*.crt")] == [f"{NAMES[0]}/mine.crt"]


def test_no_directory_is_left_behind(tmp_path: Path) -> None:
    directory = tmp_path / "certs.d"
    certificates = DockerCertificates(directory)
    certificates.put("0011aabb", NAMES, b"authority")
    assert certificates.remove("0011aabb")
    assert not directory.exists()
