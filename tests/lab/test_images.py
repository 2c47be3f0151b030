"""The example's images as containers, on whatever bases `make images` found; and the stand-ins as drop-ins."""

import subprocess
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

pytestmark = pytest.mark.lab

STAND_INS = ("tsubo-nginx-stand-in:latest", "tsubo-php-stand-in:latest")


class Lab:
    """Containers without a network, removed at the end."""

    def __init__(self, name: str) -> None:
        self.client = docker.from_env()
        self.name = name
        self.containers: list[Container] = []

    def run(self, image: str, beside: Container | None = None, command: str | None = None) -> Container:
        if image in STAND_INS and not self.client.images.list(image):
            pytest.skip(f"{image} is not there: the engine has the original")
        mode = "none" if beside is None else f"container:{beside.id}"
        name = f"{self.name}-{len(self.containers)}"
        self.containers.append(self.client.containers.run(image, command, detach=True, network_mode=mode, name=name))
        return self.containers[-1]

    def fetch(self, container: Container, path: str = "/", attempts: int = 100) -> str:
        """Fetch a page from inside a container, as soon as it answers."""
        for _ in range(attempts):
            code, output = container.exec_run(["wget", "-q", "-O-", f"http://127.0.0.1{path}"])
            if code == 0:
                return str(output.decode())
            time.sleep(0.05)
        raise AssertionError(f"no answer: {output.decode()}\n{container.logs().decode()}")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab("tsubo-images-" + sha256(str(tmp_path).encode()).hexdigest()[:8])
    yield made
    for container in reversed(made.containers):
        container.remove(force=True, v=True)


def test_nginx_hands_every_path_to_php_beside_it(lab: Lab) -> None:
    php = lab.run("ecs-navi-api:latest")
    nginx = lab.run("ecs-navi-nginx:latest", beside=php)
    for path in ("/", "/any/path?x=1"):
        page = lab.fetch(nginx, path)
        assert "PHP Version 8.2" in page
        assert '<tr><td class="e">memory_limit</td><td class="v">256M</td>' in page
        assert "Asia/Tokyo" in page
    assert '"GET / HTTP/1.1" 200' in nginx.logs(stdout=True, stderr=False).decode()
    assert '"GET /index.php" 200' in php.logs(stdout=False, stderr=True).decode()


def test_both_end_in_order_when_they_are_stopped(lab: Lab) -> None:
    php = lab.run("ecs-navi-api:latest")
    nginx = lab.run("ecs-navi-nginx:latest", beside=php)
    lab.fetch(nginx)
    for container in (nginx, php):
        container.stop(timeout=20)
        container.reload()
        assert container.attrs["State"]["ExitCode"] == 0


def test_the_proxy_does_not_start_while_the_name_of_the_backend_does_not_resolve(lab: Lab) -> None:
    proxy = lab.run("ecs-navi-nginx-proxy:latest")
    assert proxy.wait(timeout=30)["StatusCode"] == 1
    assert 'host not found in upstream "backend.ecs-navi.local"' in proxy.logs().decode()


@pytest.mark.parametrize(
    "image", ["ecs-navi-nginx:latest", "ecs-navi-nginx-proxy:latest", "tsubo-test:latest", *STAND_INS]
)
def test_nslookup_is_there(lab: Lab, image: str) -> None:
    container = lab.run(image, command="sleep 60")
    assert container.exec_run(["sh", "-c", "command -v nslookup"]).exit_code == 0


def test_the_test_image_has_the_tools_of_the_tests(lab: Lab) -> None:
    container = lab.run("tsubo-test:latest", command="sleep 60")
    assert container.exec_run(["which", "nc", "httpd", "wget", "sleep", "nslookup"]).exit_code == 0


def test_the_nginx_stand_in_has_no_default_site_and_the_user_of_the_original(lab: Lab) -> None:
    nginx = lab.run(STAND_INS[0])
    assert nginx.exec_run(["ls", "/etc/nginx/conf.d"]).output == b""
    assert nginx.exec_run(["id", "-u", "nginx"]).output == b"101\n"


@pytest.mark.parametrize(
    ("image", "command", "directory", "port"),
    [
        (STAND_INS[0], ["nginx", "-g", "daemon off;"], "", "80/tcp"),
        (STAND_INS[1], ["php-fpm"], "/var/www/html", "9000/tcp"),
    ],
)
def test_a_stand_in_says_of_itself_what_the_original_says(
    lab: Lab, image: str, command: list[str], directory: str, port: str
) -> None:
    config = lab.run(image).image.attrs["Config"]
    assert (config["Cmd"], config["WorkingDir"], config["StopSignal"]) == (command, directory, "SIGQUIT")
    assert port in config["ExposedPorts"]


def test_building_again_builds_nothing() -> None:
    project = Path(__file__).parents[2]
    command = [project / ".venv/bin/python", project / "tools/images.py"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert {line.rpartition(": ")[2] for line in output.splitlines()} == {"up to date"}
