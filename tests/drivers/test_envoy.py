"""The files of a proxy: what is written, what is left alone, what goes. tests/lab/test_alb.py has Envoy take them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.core import alb_world as sample
from tsubo.core import alb
from tsubo.drivers.envoy import EnvoyDriver
from tsubo.model.proxy import LoadBalancerPlan
from tsubo.model.world import World

LISTENER = sample.listener(443, "HTTPS", sample.forward("one"), certificates=(sample.CERTIFICATE_ARN,))
WORLD = sample.empty_world().with_records(
    sample.node(1, "10.0.1.20"), LISTENER, sample.certificate(), sample.target_group("one"), sample.target_group("two")
)


@pytest.fixture
def driver(tmp_path: Path) -> EnvoyDriver:
    return EnvoyDriver(tmp_path)


def plan(driver: EnvoyDriver, world: World = WORLD) -> LoadBalancerPlan:
    return alb.load_balancers(world, str(driver.home))[sample.ARN]


def files(driver: EnvoyDriver) -> dict[str, Path]:
    return {path.name: path for path in (driver.home / "envoy" / "web-50dc6c495c0c9188").iterdir()}


def resources(path: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(path.read_text())["resources"]
    return listed


def test_apply_writes_everything_that_the_bootstrap_and_the_resources_refer_to(driver: EnvoyDriver) -> None:
    driver.apply(plan(driver))
    written = files(driver)
    referred = [part for path in written.values() for part in path.read_text().split('"') if str(driver.home) in part]
    assert [path for path in referred if not path.endswith(".sock") and not Path(path).exists()] == []
    assert resources(written["cds.json"])[0]["name"] == "one-6f6e650000000000@10.0.1.20"
    assert resources(written["eds-one-6f6e650000000000@10.0.1.20.json"])[0]["endpoints"] == [{"lb_endpoints": []}]
    assert resources(written["rds-https-443@10.0.1.20.json"])[0]["name"] == "https-443@10.0.1.20"


def test_keys_are_readable_by_their_owner_only(driver: EnvoyDriver) -> None:
    driver.apply(plan(driver))
    (certificate,) = (driver.home / "certificates").iterdir()
    assert certificate.read_text() == "KEY\nCERTIFICATE\n"
    assert certificate.stat().st_mode & 0o777 == 0o600


def test_a_second_apply_of_the_same_plan_writes_nothing(driver: EnvoyDriver) -> None:
    driver.apply(plan(driver))
    before = {name: path.stat().st_ino for name, path in files(driver).items()}
    driver.apply(plan(driver))
    assert {name: path.stat().st_ino for name, path in files(driver).items()} == before


def test_endpoints_are_the_health_checkers_and_stay(driver: EnvoyDriver) -> None:
    driver.apply(plan(driver))
    endpoints = files(driver)["eds-one-6f6e650000000000@10.0.1.20.json"]
    endpoints.write_text("the health checker's")
    driver.apply(plan(driver))
    assert endpoints.read_text() == "the health checker's"


def test_what_is_no_longer_used_goes(driver: EnvoyDriver) -> None:
    driver.apply(plan(driver))
    other = sample.listener(80, "HTTP", sample.forward("two"))
    driver.apply(plan(driver, WORLD.without(LISTENER).with_records(other)))
    assert sorted(files(driver)) == [
        "arn",
        "bootstrap.json",
        "cds.json",
        "eds-two-74776f0000000000@10.0.1.20.json",
        "lds.json",
        "rds-http-80@10.0.1.20.json",
    ]
    assert [cluster["name"] for cluster in resources(files(driver)["cds.json"])] == ["two-74776f0000000000@10.0.1.20"]


def test_names_and_remove(driver: EnvoyDriver) -> None:
    assert driver.names() == frozenset()
    driver.apply(plan(driver))
    assert driver.names() == {sample.ARN}
    driver.remove(sample.ARN)
    assert driver.names() == frozenset()
    assert list((driver.home / "envoy").iterdir()) == []


def test_the_process_is_named_after_the_load_balancer_and_runs_the_bundled_envoy(driver: EnvoyDriver) -> None:
    name, argv = driver.process_spec(sample.ARN)
    assert name == "envoy-web-50dc6c495c0c9188"
    assert Path(argv[0]).is_file()
    assert argv[argv.index("--config-path") + 1] == f"{driver.home}/envoy/web-50dc6c495c0c9188/bootstrap.json"


def test_a_proxy_that_does_not_run_is_not_ready_and_rejects_nothing(driver: EnvoyDriver) -> None:
    driver.apply(plan(driver))
    assert not driver.ready(sample.ARN)
    assert driver.read_rejections(sample.ARN) == ()
