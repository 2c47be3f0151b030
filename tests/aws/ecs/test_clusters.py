"""Clusters (aws/ecs-cloudmap-exec.md section 2)."""

import dataclasses

from tests.aws.direct import Direct
from tests.aws.ecs.conftest import RUN, SERVICE
from tsubo.model.identity import ACCOUNT_ID

ARN = f"arn:aws:ecs:ap-northeast-1:{ACCOUNT_ID}:cluster/navi"


def statistics(cluster: dict) -> dict[str, str]:
    return {item["name"]: item["value"] for item in cluster["statistics"] if item["value"] != "0"}


def test_a_cluster_is_described_by_name_and_arn_with_what_is_included(empty: Direct) -> None:
    created = empty(
        "CreateCluster",
        clusterName="navi",
        tags=[{"key": "a", "value": "1"}],
        settings=[{"name": "containerInsights", "value": "enabled"}],
        configuration={"executeCommandConfiguration": {"logging": "DEFAULT"}},
        capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}],
    )["cluster"]
    assert created["clusterArn"] == ARN
    assert created["tags"] == [{"key": "a", "value": "1"}]
    plain, again = empty("DescribeClusters", clusters=["navi", ARN])["clusters"]
    assert plain == again
    assert (plain["tags"], plain["settings"], "configuration" in plain) == ([], [], False)
    whole = empty("DescribeClusters", clusters=["navi"], include=["TAGS", "SETTINGS", "CONFIGURATIONS"])["clusters"][0]
    assert whole == created
    assert whole["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert whole["defaultCapacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]


def test_what_is_not_there_is_missing_and_the_default_cluster_has_its_name(empty: Direct) -> None:
    described = empty("DescribeClusters")
    assert described["failures"] == [{"arn": ARN.replace("navi", "default"), "reason": "MISSING"}]
    empty("CreateCluster")
    assert empty("DescribeClusters")["clusters"][0]["clusterName"] == "default"


def test_counts_come_from_services_and_tasks(ecs: Direct) -> None:
    ecs("CreateService", SERVICE)
    running, _ = ecs("RunTask", RUN, count=2)["tasks"]
    ecs.put(dataclasses.replace(ecs.world.tasks[running["taskArn"]], last_status="RUNNING"))
    cluster = ecs("DescribeClusters", clusters=["navi"], include=["STATISTICS"])["clusters"][0]
    assert (cluster["runningTasksCount"], cluster["pendingTasksCount"], cluster["activeServicesCount"]) == (1, 1, 1)
    assert statistics(cluster) == {
        "runningFargateTasksCount": "1",
        "pendingFargateTasksCount": "1",
        "activeFargateServiceCount": "1",
    }


def test_update_changes_what_is_given(ecs: Direct) -> None:
    settings = [{"name": "containerInsights", "value": "enabled"}]
    assert ecs("UpdateClusterSettings", cluster="navi", settings=settings)["cluster"]["settings"] == settings
    updated = ecs("UpdateCluster", cluster="navi", serviceConnectDefaults={"namespace": "arn:ns"})["cluster"]
    assert updated["settings"] == settings
    assert updated["serviceConnectDefaults"] == {"namespace": "arn:ns"}


def test_capacity_providers_are_fargates(ecs: Direct) -> None:
    strategy = [{"capacityProvider": "FARGATE_SPOT"}]
    refused = ecs.refused(
        "PutClusterCapacityProviders",
        cluster="navi",
        capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategy=strategy,
    )
    assert "FARGATE_SPOT" in refused.message
    put = ecs(
        "PutClusterCapacityProviders",
        cluster="navi",
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=strategy,
    )["cluster"]
    assert put["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert ecs.refused("CreateCluster", clusterName="x", capacityProviders=["asg"]).code == "InvalidParameterException"
    described = ecs("DescribeCapacityProviders", capacityProviders=["FARGATE", "asg"])
    assert [p["name"] for p in described["capacityProviders"]] == ["FARGATE"]
    assert [f["reason"] for f in described["failures"]] == ["MISSING"]
    assert [p["status"] for p in ecs("DescribeCapacityProviders")["capacityProviders"]] == ["ACTIVE", "ACTIVE"]


def test_a_cluster_with_services_or_tasks_stays(ecs: Direct) -> None:
    ecs("CreateService", SERVICE)
    assert ecs.refused("DeleteCluster", cluster="navi").code == "ClusterContainsServicesException"
    service = next(iter(ecs.world.services.values()))
    ecs.put(dataclasses.replace(service, status="INACTIVE"))
    task = ecs("RunTask", RUN)["tasks"][0]
    assert ecs.refused("DeleteCluster", cluster="navi").code == "ClusterContainsTasksException"
    ecs.put(dataclasses.replace(ecs.world.tasks[task["taskArn"]], last_status="STOPPED"))
    assert ecs("DeleteCluster", cluster="navi")["cluster"]["status"] == "INACTIVE"


def test_a_deleted_cluster_is_inactive_until_it_is_created_again(ecs: Direct) -> None:
    ecs("DeleteCluster", cluster="navi")
    assert ecs("ListClusters")["clusterArns"] == []
    assert ecs("DescribeClusters", clusters=["navi"])["clusters"][0]["status"] == "INACTIVE"
    assert ecs.refused("ListServices", cluster="navi").code == "ClusterNotFoundException"
    assert ecs.refused("RunTask", RUN).message == "The referenced cluster was inactive."
    assert ecs("CreateCluster", clusterName="navi")["cluster"]["status"] == "ACTIVE"
    assert ecs("ListClusters")["clusterArns"] == [ARN]


def test_creating_an_active_cluster_again_returns_it_unchanged(ecs: Direct) -> None:
    before = ecs.world
    again = ecs("CreateCluster", clusterName="navi", tags=[{"key": "a", "value": "1"}])["cluster"]
    assert (again["status"], again["tags"]) == ("ACTIVE", [])
    assert ecs.world is before


def test_pages(empty: Direct) -> None:
    for name in "abcde":
        empty("CreateCluster", clusterName=name)
    first = empty("ListClusters", maxResults=3)
    second = empty("ListClusters", maxResults=3, nextToken=first["nextToken"])
    assert [arn[-1] for arn in first["clusterArns"] + second["clusterArns"]] == list("abcde")
    assert "nextToken" not in second
    assert empty.refused("ListClusters", nextToken="made up").code == "InvalidParameterException"
    assert empty.refused("ListClusters", maxResults=101).code == "InvalidParameterException"
