"""Services: what is written, what is refused, what starts a deployment (aws/ecs-cloudmap-exec.md section 6)."""

import dataclasses
from typing import Any

import pytest

from tests.aws.direct import ELB, LONE_TARGET_GROUP, NOW, REGION, TARGET_GROUP, Direct
from tests.aws.ecs.conftest import DISCOVERY, SERVICE, WEB
from tsubo.model.ecs import AwsvpcConfiguration, Service, ServiceEvent
from tsubo.model.identity import ACCOUNT_ID

BALANCED = {"targetGroupArn": TARGET_GROUP, "containerName": "nginx", "containerPort": 80}
REGISTERED = {"registryArn": f"{DISCOVERY}/srv-a"}
LATER = NOW + 60


def network(*subnets: str, groups: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"awsvpcConfiguration": {"subnets": list(subnets), "securityGroups": list(groups)}}


def only_service(ecs: Direct) -> Service:
    (service,) = ecs.world.services.values()
    return service


def described(ecs: Direct, **members: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ecs("DescribeServices", cluster="navi", services=["web"], **members)["services"][0]
    return answer


def test_a_new_service_has_one_primary_deployment(ecs: Direct) -> None:
    ecs("CreateService", SERVICE, loadBalancers=[BALANCED], serviceRegistries=[REGISTERED])
    service = only_service(ecs)
    (deployment,) = service.deployments
    assert deployment.deployment_id.startswith("ecs-svc/")
    assert len(deployment.deployment_id) == len("ecs-svc/") + 19
    assert (deployment.status, deployment.rollout_state, deployment.desired_count) == ("PRIMARY", "IN_PROGRESS", 2)
    assert deployment.rollout_state_reason == f"ECS deployment {deployment.deployment_id} in progress."
    assert deployment.network == AwsvpcConfiguration(("subnet-a", "subnet-c"), ("sg-web",))
    assert deployment.load_balancers == service.load_balancers
    assert deployment.registries[0].registry_arn == REGISTERED["registryArn"]


def test_everything_that_was_asked_for_or_defaulted_is_echoed(ecs: Direct) -> None:
    """The list is aws/alb-vpc-terraform.md 6.9."""
    ecs("CreateService", SERVICE, tags=[{"key": "a", "value": "1"}], loadBalancers=[BALANCED])
    service = described(ecs, include=["TAGS"])
    assert service["serviceArn"] == f"arn:aws:ecs:{REGION}:{ACCOUNT_ID}:service/navi/web"
    expected = {
        "status": "ACTIVE",
        "desiredCount": 2,
        "runningCount": 0,
        "pendingCount": 0,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "platformFamily": "Linux",
        "schedulingStrategy": "REPLICA",
        "healthCheckGracePeriodSeconds": 0,
        "enableExecuteCommand": False,
        "enableECSManagedTags": False,
        "propagateTags": "NONE",
        "availabilityZoneRebalancing": "ENABLED",
        "deploymentController": {"type": "ECS"},
        "loadBalancers": [BALANCED],
        "serviceRegistries": [],
        "placementConstraints": [],
        "placementStrategy": [],
        "events": [],
        "createdAt": NOW,
        "tags": [{"key": "a", "value": "1"}],
    }
    assert {member: service[member] for member in expected} == expected
    assert service["taskDefinition"].endswith(":task-definition/web:1")
    assert service["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"
    configuration = service["deploymentConfiguration"]
    assert (configuration["maximumPercent"], configuration["minimumHealthyPercent"]) == (200, 100)
    assert service["roleArn"].endswith("AWSServiceRoleForECS")
    assert "tags" not in described(ecs)


def test_counts_events_and_unrun_settings_are_shown(ecs: Direct) -> None:
    connect = {"enabled": True, "namespace": "navi.local"}
    ecs("CreateService", SERVICE, serviceConnectConfiguration=connect)
    service = only_service(ecs)
    deployment = dataclasses.replace(service.deployments[0], running_count=1, pending_count=1)
    events = tuple(ServiceEvent(str(i), NOW + i, f"event {i}") for i in reversed(range(120)))
    ecs.put(dataclasses.replace(service, deployments=(deployment,), events=events))
    shown = described(ecs)
    assert (shown["runningCount"], shown["pendingCount"]) == (1, 1)
    assert [len(shown["events"]), shown["events"][0]["message"]] == [100, "event 119"]
    assert shown["deployments"][0]["serviceConnectConfiguration"] == connect
    assert ecs("ListServicesByNamespace", namespace="navi.local")["serviceArns"] == [service.arn]
    assert ecs.refused("ListServicesByNamespace", namespace="no").code == "NamespaceNotFoundException"


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"cluster": "no"}, "ClusterNotFoundException", "Cluster not found."),
        ({"serviceName": "a b"}, "InvalidParameterException", "Your identifier is a b"),
        ({"taskDefinition": "no"}, "ClientException", "TaskDefinition not found."),
        ({"desiredCount": None}, "InvalidParameterException", "'desiredCount' is required"),
        ({"desiredCount": -1}, "InvalidParameterException", "cannot be negative"),
        ({"networkConfiguration": None}, "InvalidParameterException", "Network Configuration must be provided"),
        (
            {"networkConfiguration": network("subnet-0")},
            "InvalidParameterException",
            "Error retrieving subnet information for [subnet-0]: The subnet ID 'subnet-0' does not exist",
        ),
        (
            {"networkConfiguration": network("subnet-a", groups=("sg-0",))},
            "InvalidParameterException",
            "Error retrieving security group information for [sg-0]",
        ),
        ({"networkConfiguration": network("subnet-a", "subnet-other")}, "InvalidParameterException", "same VPC"),
        (
            {"networkConfiguration": network("subnet-a", groups=("sg-other",))},
            "InvalidParameterException",
            "does not belong to the VPC",
        ),
        (
            {"loadBalancers": [{**BALANCED, "targetGroupArn": LONE_TARGET_GROUP}]},
            "InvalidParameterException",
            f"The target group with targetGroupArn {LONE_TARGET_GROUP} does not have an associated load balancer.",
        ),
        (
            {"loadBalancers": [{**BALANCED, "targetGroupArn": f"{ELB}:targetgroup/no/9"}]},
            "InvalidParameterException",
            "The specified target group does not exist",
        ),
        (
            {"loadBalancers": [{**BALANCED, "targetGroupArn": f"{ELB}:targetgroup/hosts/5"}]},
            "InvalidParameterException",
            "has target type instance, which is incompatible with the awsvpc network mode",
        ),
        (
            {"loadBalancers": [{**BALANCED, "containerName": "no"}]},
            "InvalidParameterException",
            "The container no does not exist in the task definition.",
        ),
        (
            {"loadBalancers": [{**BALANCED, "containerPort": 81}]},
            "InvalidParameterException",
            "The container nginx did not have a container port 81 defined.",
        ),
        ({"serviceRegistries": [{"registryArn": "arn:x"}]}, "InvalidParameterException", "was not found"),
        (
            {"serviceRegistries": [{**REGISTERED, "containerName": "nginx", "containerPort": 80}]},
            "InvalidParameterException",
            "do not require a value for 'containerPort'",
        ),
        (
            {"serviceRegistries": [{"registryArn": f"{DISCOVERY}/srv-srv"}]},
            "InvalidParameterException",
            "which the SRV record",
        ),
        (
            {"serviceRegistries": [{"registryArn": f"{DISCOVERY}/srv-srv", "port": 80, "containerPort": 80}]},
            "InvalidParameterException",
            "but not both",
        ),
        ({"healthCheckGracePeriodSeconds": 5}, "InvalidParameterException", "Health check grace period is only valid"),
        ({"launchType": "EC2"}, "UnsupportedFeatureException", "Fargate only"),
        ({"launchType": None}, "UnsupportedFeatureException", "Fargate only"),
        ({"schedulingStrategy": "DAEMON"}, "InvalidParameterException", "DAEMON"),
        ({"deploymentController": {"type": "CODE_DEPLOY"}}, "UnsupportedFeatureException", "CODE_DEPLOY"),
        ({"platformVersion": "9.9.9"}, "PlatformUnknownException", "9.9.9"),
        ({"placementStrategy": [{"type": "spread"}]}, "InvalidParameterException", "strategies are not supported"),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
            "InvalidParameterException",
            "but not both",
        ),
    ],
)
def test_what_creation_refuses(ecs: Direct, members: dict[str, Any], code: str, message: str) -> None:
    refused = ecs.refused("CreateService", {**SERVICE, **members})
    assert refused.code == code
    assert message in refused.message


def test_definitions_that_a_service_cannot_use(ecs: Direct) -> None:
    ecs("RegisterTaskDefinition", {**WEB, "family": "norole", "taskRoleArn": None})
    refused = ecs.refused("CreateService", SERVICE, taskDefinition="norole", enableExecuteCommand=True)
    assert "a valid taskRoleArn is not being used" in refused.message
    host = {"family": "host", "containerDefinitions": [{"name": "a", "image": "b", "memory": 64}]}
    ecs("RegisterTaskDefinition", host)
    refused = ecs.refused("CreateService", SERVICE, taskDefinition="host")
    assert refused.message == "Task definition does not support launch_type FARGATE."
    ecs("DeregisterTaskDefinition", taskDefinition="web:1")
    assert ecs.refused("CreateService", SERVICE, taskDefinition="web:1").message == "TaskDefinition is inactive"


def test_a_name_that_is_taken(ecs: Direct) -> None:
    ecs("CreateService", SERVICE, clientToken="one")
    before = only_service(ecs)
    assert ecs("CreateService", SERVICE, clientToken="one")["service"]["serviceArn"] == before.arn
    assert only_service(ecs) is before
    for token in ("two", None):
        refused = ecs.refused("CreateService", SERVICE, clientToken=token)
        assert refused.message == "Creation of service was not idempotent."
    ecs.put(dataclasses.replace(before, status="DRAINING"))
    assert "still Draining" in ecs.refused("CreateService", SERVICE, clientToken="one").message
    ecs.put(dataclasses.replace(before, status="INACTIVE"))
    ecs("CreateService", SERVICE, clientToken="three")
    assert only_service(ecs).deployments[0].deployment_id != before.deployments[0].deployment_id


def test_the_clusters_default_strategy_takes_the_place_of_a_launch_type(ecs: Direct) -> None:
    strategy = [{"capacityProvider": "FARGATE", "weight": 1}]
    ecs(
        "PutClusterCapacityProviders",
        cluster="navi",
        capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategy=strategy,
    )
    service = ecs("CreateService", {**SERVICE, "launchType": None})["service"]
    assert service["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
    assert "launchType" not in service


@pytest.mark.parametrize(
    "change",
    [
        {"taskDefinition": "web:2"},
        {"networkConfiguration": network("subnet-c", groups=("sg-web",))},
        {"platformVersion": "1.4.0"},
        {"loadBalancers": [BALANCED]},
        {"serviceRegistries": [REGISTERED]},
        {"serviceConnectConfiguration": {"enabled": True}},
        {"forceNewDeployment": True},
    ],
)
def test_changes_that_start_a_deployment(ecs: Direct, change: dict[str, Any]) -> None:
    ecs("RegisterTaskDefinition", WEB)
    ecs("CreateService", SERVICE, taskDefinition="web:1")
    former = only_service(ecs).deployments[0]
    ecs.put(dataclasses.replace(only_service(ecs), steady=True, failed_starts=4, next_start_at=LATER))
    ecs.now = LATER
    ecs("UpdateService", {"cluster": "navi", "service": "web", **change})
    service = only_service(ecs)
    primary, old = service.deployments
    assert (primary.status, old.status) == ("PRIMARY", "ACTIVE")
    assert old == dataclasses.replace(former, status="ACTIVE")
    assert (primary.created_at, primary.desired_count, primary.rollout_state) == (LATER, 2, "IN_PROGRESS")
    assert primary.task_definition_arn == service.task_definition_arn
    assert (primary.network, primary.load_balancers, primary.registries) == (
        service.network,
        service.load_balancers,
        service.registries,
    )
    assert (service.steady, service.failed_starts, service.next_start_at) == (False, 0, 0.0)


@pytest.mark.parametrize(
    ("change", "member", "value"),
    [
        ({"enableExecuteCommand": True}, "enableExecuteCommand", True),
        ({"propagateTags": "SERVICE"}, "propagateTags", "SERVICE"),
        ({"availabilityZoneRebalancing": "DISABLED"}, "availabilityZoneRebalancing", "DISABLED"),
        ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}, "capacityProviderStrategy", None),
        ({"deploymentConfiguration": {"maximumPercent": 150}}, "deploymentConfiguration", None),
        ({"taskDefinition": "web"}, "status", "ACTIVE"),
        ({"networkConfiguration": SERVICE["networkConfiguration"]}, "status", "ACTIVE"),
    ],
)
def test_changes_that_do_not(ecs: Direct, change: dict[str, Any], member: str, value: Any) -> None:
    ecs("CreateService", SERVICE)
    before = only_service(ecs).deployments
    answer = ecs("UpdateService", {"cluster": "navi", "service": "web", **change})["service"]
    assert only_service(ecs).deployments == before
    assert value is None or answer[member] == value


def test_a_new_count_goes_to_the_service_and_the_primary(ecs: Direct) -> None:
    ecs("CreateService", SERVICE)
    ecs("UpdateService", cluster="navi", service="web", forceNewDeployment=True)
    ecs("UpdateService", cluster="navi", service="web", desiredCount=5)
    service = only_service(ecs)
    assert (service.desired_count, [d.desired_count for d in service.deployments]) == (5, [5, 2])


def test_deployment_configuration_changes_part_by_part(ecs: Direct) -> None:
    breaker = {"enable": True, "rollback": True}
    ecs("CreateService", SERVICE, deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    half = {"minimumHealthyPercent": 50, "alarms": {"alarmNames": ["a"], "enable": True, "rollback": False}}
    ecs("UpdateService", cluster="navi", service="web", deploymentConfiguration=half)
    configuration = described(ecs)["deploymentConfiguration"]
    assert configuration["deploymentCircuitBreaker"] == breaker
    assert (configuration["minimumHealthyPercent"], configuration["maximumPercent"]) == (50, 200)
    assert configuration["alarms"] == half["alarms"]


def test_what_an_update_refuses(ecs: Direct) -> None:
    assert ecs.refused("UpdateService", cluster="navi", service="web").code == "ServiceNotFoundException"
    ecs("CreateService", SERVICE)
    refused = ecs.refused("UpdateService", cluster="navi", service="web", healthCheckGracePeriodSeconds=5)
    assert "Health check grace period" in refused.message
    ecs.put(dataclasses.replace(only_service(ecs), status="DRAINING"))
    assert ecs.refused("UpdateService", cluster="navi", service="web").code == "ServiceNotActiveException"


def test_a_new_definition_must_have_the_balanced_container(ecs: Direct) -> None:
    ecs("CreateService", SERVICE, loadBalancers=[BALANCED])
    ecs("RegisterTaskDefinition", WEB, containerDefinitions=[{"name": "nginx", "image": "nginx:stable"}])
    refused = ecs.refused("UpdateService", cluster="navi", service="web", taskDefinition="web:2")
    assert refused.message == "The container nginx did not have a container port 80 defined."
    assert ecs("UpdateService", cluster="navi", service="web", taskDefinition="web:2", loadBalancers=[])


def test_deleting_drains_first(ecs: Direct) -> None:
    ecs("CreateService", SERVICE)
    refused = ecs.refused("DeleteService", cluster="navi", service="web")
    assert refused.message == "The service cannot be stopped while it is scaled above 0."
    ecs("UpdateService", cluster="navi", service="web", desiredCount=0)
    deleted = ecs("DeleteService", cluster="navi", service="web")["service"]
    assert (deleted["status"], deleted["desiredCount"]) == ("DRAINING", 0)
    assert ecs("ListServices", cluster="navi")["serviceArns"] == []
    assert described(ecs)["status"] == "DRAINING"
    ecs.put(dataclasses.replace(only_service(ecs), status="INACTIVE"))
    assert described(ecs)["status"] == "INACTIVE"
    assert ecs.refused("DeleteService", cluster="navi", service="web").code == "ServiceNotFoundException"


def test_a_forced_delete_wants_no_tasks_any_more(ecs: Direct) -> None:
    ecs("CreateService", SERVICE)
    ecs("DeleteService", cluster="navi", service="web", force=True)
    assert [d.desired_count for d in only_service(ecs).deployments] == [0]


def test_describing(ecs: Direct) -> None:
    arn = ecs("CreateService", SERVICE)["service"]["serviceArn"]
    ecs("CreateCluster", clusterName="other")
    answer = ecs("DescribeServices", cluster="navi", services=[arn, "no"])
    assert [s["serviceName"] for s in answer["services"]] == ["web"]
    assert answer["failures"] == [{"arn": arn.replace("/web", "/no"), "reason": "MISSING"}]
    assert ecs("DescribeServices", cluster="other", services=[arn])["failures"][0]["arn"] == arn
    assert ecs.refused("DescribeServices", cluster="navi", services=["x"] * 11).code == "InvalidParameterException"
    assert ecs.refused("DescribeServices", services=["x"]).message == "Cluster not found."


def test_listing_pages_by_ten(ecs: Direct) -> None:
    for number in range(12):
        ecs("CreateService", SERVICE, serviceName=f"s{number:02}")
    first = ecs("ListServices", cluster="navi")
    rest = ecs("ListServices", cluster="navi", nextToken=first["nextToken"])
    assert (len(first["serviceArns"]), len(rest["serviceArns"])) == (10, 2)
    assert ecs("ListServices", cluster="navi", launchType="EC2")["serviceArns"] == []


def test_deployments_and_revisions_follow_from_the_service(ecs: Direct) -> None:
    ecs("CreateService", SERVICE)
    first = only_service(ecs)
    done = dataclasses.replace(first.deployments[0], rollout_state="COMPLETED", running_count=2)
    ecs.put(dataclasses.replace(first, deployments=(done,)))
    ecs.now = LATER
    ecs("UpdateService", cluster="navi", service="web", forceNewDeployment=True)
    new, old = ecs("ListServiceDeployments", cluster="navi", service="web")["serviceDeployments"]
    assert (new["status"], old["status"]) == ("IN_PROGRESS", "SUCCESSFUL")
    assert described(ecs)["currentServiceDeployment"] == new["serviceDeploymentArn"]
    only = ecs("ListServiceDeployments", cluster="navi", service="web", status=["SUCCESSFUL"])["serviceDeployments"]
    assert only == [old]
    answer = ecs("DescribeServiceDeployments", serviceDeploymentArns=[new["serviceDeploymentArn"], "arn:no"])
    (deployment,) = answer["serviceDeployments"]
    assert deployment["sourceServiceRevisions"][0]["arn"] == old["targetServiceRevisionArn"]
    assert deployment["sourceServiceRevisions"][0]["runningTaskCount"] == 2
    assert answer["failures"] == [{"arn": "arn:no", "reason": "MISSING"}]
    revisions = ecs("DescribeServiceRevisions", serviceRevisionArns=[new["targetServiceRevisionArn"]])
    images = revisions["serviceRevisions"][0]["containerImages"]
    assert [image["image"] for image in images] == ["nginx:stable", "php:8.2-fpm"]
