"""Task definitions on Fargate (aws/ecs-cloudmap-exec.md sections 3 and 5, aws/alb-vpc-terraform.md 5.3)."""

from typing import Any

import pytest

from tests.aws.direct import NOW, Direct
from tests.aws.ecs.conftest import ROLE, WEB
from tsubo.model.ecs import ContainerDependency, ContainerHealthCheck, PortMapping

ECR_IMAGE = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/web:1"
AWSLOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-region": "ap-northeast-1"}}
CHECK = {"command": ["CMD-SHELL", "true"]}


def definition(*containers: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a sound request with these containers (missing names and images filled in) and members."""
    filled = [{"name": f"c{i}", "image": "busybox", **c} for i, c in enumerate(containers)]
    return {**WEB, **({"containerDefinitions": filled} if filled else {}), **members}


def test_the_response_has_awss_defaults_and_integers(empty: Direct) -> None:
    request = definition({"portMappings": [{"containerPort": 80}], "healthCheck": CHECK}, cpu=".5 vCPU", memory="1 GB")
    registered = empty("RegisterTaskDefinition", request)["taskDefinition"]
    assert (registered["cpu"], registered["memory"]) == ("512", "1024")
    container = registered["containerDefinitions"][0]
    assert container["portMappings"] == [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]
    assert (container["cpu"], container["essential"]) == (0, True)
    for member in ("environment", "mountPoints", "volumesFrom", "systemControls"):
        assert container[member] == []
    assert container["healthCheck"] == {**CHECK, "interval": 30, "timeout": 5, "retries": 3}
    assert (registered["volumes"], registered["placementConstraints"]) == ([], [])
    assert (registered["status"], registered["revision"]) == ("ACTIVE", 1)
    assert registered["compatibilities"] == ["EC2", "FARGATE"]
    assert registered["registeredAt"] == NOW
    assert registered["taskDefinitionArn"].endswith(":task-definition/web:1")


def test_the_record_is_what_the_engine_runs(empty: Direct) -> None:
    web = {
        "name": "web",
        "command": ["serve", "--all"],
        "entryPoint": [],
        "environment": [{"name": "A", "value": "1"}],
        "secrets": [{"name": "S", "valueFrom": "arn:aws:ssm:::parameter/s"}],
        "portMappings": [{"containerPort": 80, "name": "http"}, {"containerPort": 53, "protocol": "udp"}],
        "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}],
        "healthCheck": {**CHECK, "startPeriod": 10},
        "logConfiguration": AWSLOGS,
        "ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}],
        "linuxParameters": {"initProcessEnabled": True},
        "user": None,
    }
    init = {"name": "init", "essential": False}
    arn = empty("RegisterTaskDefinition", definition(web, init))["taskDefinition"]["taskDefinitionArn"]
    record = empty.world.task_definitions[arn]
    first, second = record.containers
    assert (record.cpu, record.memory, record.task_role_arn) == (256, 512, ROLE)
    assert first.command == ("serve", "--all")
    assert first.entry_point is None
    assert first.environment == (("A", "1"),)
    assert first.secrets == (("S", "arn:aws:ssm:::parameter/s"),)
    assert first.port_mappings == (PortMapping(80, "tcp", "http"), PortMapping(53, "udp"))
    assert first.depends_on == (ContainerDependency("init", "SUCCESS"),)
    assert first.health_check == ContainerHealthCheck(("CMD-SHELL", "true"), start_period=10)
    assert (first.log_driver, first.log_options) == ("awslogs", AWSLOGS["options"])
    assert first.ulimits == (("nofile", 1, 2),)
    assert first.init_process_enabled
    assert "user" not in record.definition["containerDefinitions"][0]
    assert (second.essential, second.health_check) == (False, None)


def test_required_attributes(empty: Direct) -> None:
    request = definition({"image": ECR_IMAGE, "logConfiguration": AWSLOGS})
    attributes = empty("RegisterTaskDefinition", request)["taskDefinition"]["requiresAttributes"]
    names = {attribute["name"] for attribute in attributes}
    assert {
        "ecs.capability.task-eni",
        "com.amazonaws.ecs.capability.task-iam-role",
        "ecs.capability.execution-role-awslogs",
        "ecs.capability.execution-role-ecr-pull",
        "com.amazonaws.ecs.capability.ecr-auth",
    } <= names


@pytest.mark.parametrize(
    ("cpu", "memory", "legal"),
    [
        ("256", "512", True),
        ("256", "3072", False),
        ("512", "4096", True),
        ("512", "512", False),
        ("1 vCPU", "2GB", True),
        ("2048", "16384", True),
        ("4096", "30720", True),
        ("8192", "20480", True),
        ("8192", "17408", False),
        ("16384", "122880", True),
        ("300", "512", False),
    ],
)
def test_sizes(empty: Direct, cpu: str, memory: str, legal: bool) -> None:
    request = definition({}, cpu=cpu, memory=memory)
    if legal:
        assert empty("RegisterTaskDefinition", request)["taskDefinition"]["revision"] == 1
    else:
        refused = empty.refused("RegisterTaskDefinition", request)
        assert (refused.code, refused.message) == (
            "ClientException",
            "No Fargate configuration exists for given values.",
        )


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (definition({}, networkMode="bridge"), "Fargate only supports network mode \u2018awsvpc\u2019."),
        (definition({}, networkMode=None), "Fargate only supports network mode \u2018awsvpc\u2019."),
        (definition({}, cpu=None), "Fargate requires that 'cpu' be defined at the task level."),
        (definition({}, memory=None), "Fargate requires that 'memory' be defined at the task level."),
        (definition({}, cpu="much"), "Invalid 'cpu' setting for task."),
        (definition({}, family="a b"), "Family contains invalid characters."),
        (definition({}, containerDefinitions=[]), "Container list cannot be empty."),
        (definition(*[{}] * 11), "Too many containers."),
        (definition({"name": "a b"}), "Container.name contains invalid characters."),
        (definition({"name": None}), "Container.name should not be null or empty."),
        (definition({"image": ""}), "Container.image should not be null or empty."),
        (definition({"name": "x"}, {"name": "x"}), "Container names must be unique"),
        (definition({"essential": False}), "must be marked as essential"),
        (definition({"portMappings": [{"containerPort": 80, "hostPort": 8080}]}), "the host ports and container ports"),
        (definition({"cpu": 300}), "The sum of all container 'cpu' values cannot be greater"),
        (definition({"memory": 600}), "The sum of all container 'memory' values cannot be greater"),
        (definition({"memory": 64, "memoryReservation": 128}), "'memoryReservation' cannot be greater than 'memory'"),
        (definition({"mountPoints": [{"sourceVolume": "v"}]}), "Unknown volume 'v'."),
        (definition({"healthCheck": {"command": ["curl"]}}), "must start with CMD or CMD-SHELL"),
        (definition({"healthCheck": {**CHECK, "interval": 1}}), "interval must be between 5 and 300"),
        (definition({"dependsOn": [{"containerName": "no", "condition": "START"}]}), "does not exist"),
        (definition({"dependsOn": [{"containerName": "c1", "condition": "HEALTHY"}]}, {}), "has no health check"),
        (definition({"dependsOn": [{"containerName": "c1", "condition": "UP"}]}, {}), "Invalid dependency condition"),
        (definition({"dependsOn": [{"containerName": "c0", "condition": "START"}]}), "cannot form a cycle"),
        (
            definition({"dependsOn": [{"containerName": "c1", "condition": "COMPLETE"}]}, {}),
            "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
        ),
        (definition({"logConfiguration": {"logDriver": "awslogs"}}), "requires options: awslogs-region, awslogs-group"),
        (definition({"logConfiguration": {"logDriver": "syslog"}}), "do not support log driver syslog"),
        (definition({"privileged": True}), "Fargate compatible task definitions do not support privileged"),
        (definition({"links": ["a"]}), "Fargate compatible task definitions do not support links"),
        (definition({"linuxParameters": {"swappiness": 1}}), "do not support swappiness"),
        (definition({"linuxParameters": {"capabilities": {"add": ["NET_ADMIN"]}}}), "do not support capabilities add"),
        (definition({"stopTimeout": 121}), "cannot be greater than 120"),
        (definition({}, ipcMode="task"), "Tasks using the Fargate launch type do not support ipcMode."),
        (definition({}, pidMode="host"), "do not support pidMode 'host'"),
        (definition({}, placementConstraints=[{"type": "memberOf"}]), "do not support placementConstraints"),
        (definition({}, volumes=[{"name": "v", "host": {"sourcePath": "/"}}]), "do not support sourcePath"),
        (definition({}, ephemeralStorage={"sizeInGiB": 20}), "must be between 21 and 200"),
        (
            definition({"logConfiguration": AWSLOGS}, executionRoleArn=None),
            "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        ),
        (
            definition({"image": ECR_IMAGE}, executionRoleArn=None),
            "Fargate requires task definition to have execution role ARN to support ECR images.",
        ),
    ],
)
def test_what_registration_refuses(empty: Direct, request_: dict[str, Any], message: str) -> None:
    refused = empty.refused("RegisterTaskDefinition", request_)
    assert refused.code == "ClientException"
    assert message in refused.message


def test_what_fargate_takes_though_ec2s_limits_do_not(empty: Direct) -> None:
    container = {"linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}}}
    assert empty("RegisterTaskDefinition", definition(container, pidMode="task"))


def test_a_definition_for_ec2_is_kept_but_not_compatible_with_fargate(empty: Direct) -> None:
    request = {"family": "host", "containerDefinitions": [{"name": "a", "image": "b", "memory": 64}]}
    registered = empty("RegisterTaskDefinition", request)["taskDefinition"]
    assert (registered["compatibilities"], registered["networkMode"]) == (["EC2"], "bridge")
    request["containerDefinitions"] = [{"name": "a", "image": "b"}]
    assert "At least one of 'memory'" in empty.refused("RegisterTaskDefinition", request).message


def test_revisions_count_up_and_a_family_means_its_latest_active_one(ecs: Direct) -> None:
    ecs("RegisterTaskDefinition", WEB)
    arn = ecs("RegisterTaskDefinition", WEB)["taskDefinition"]["taskDefinitionArn"]
    assert ecs("DeregisterTaskDefinition", taskDefinition=arn)["taskDefinition"]["status"] == "INACTIVE"
    assert ecs("DescribeTaskDefinition", taskDefinition="web")["taskDefinition"]["revision"] == 2
    assert ecs("DescribeTaskDefinition", taskDefinition="web:1")["taskDefinition"]["revision"] == 1
    inactive = ecs("DescribeTaskDefinition", taskDefinition=arn)["taskDefinition"]
    assert (inactive["revision"], inactive["status"], inactive["deregisteredAt"]) == (3, "INACTIVE", NOW)
    assert ecs("RegisterTaskDefinition", WEB)["taskDefinition"]["revision"] == 4
    refused = ecs.refused("DescribeTaskDefinition", taskDefinition="none")
    assert (refused.code, refused.message) == ("ClientException", "Unable to describe task definition.")


def test_deleting_needs_an_inactive_revision_and_never_frees_its_number(ecs: Direct) -> None:
    answer = ecs("DeleteTaskDefinitions", taskDefinitions=["web:1", "web:9"])
    assert answer["taskDefinitions"] == []
    assert ["ACTIVE status" in f["reason"] or "does not exist" in f["reason"] for f in answer["failures"]] == [True] * 2
    ecs("DeregisterTaskDefinition", taskDefinition="web:1")
    deleted = ecs("DeleteTaskDefinitions", taskDefinitions=["web:1"])["taskDefinitions"]
    assert deleted[0]["status"] == "DELETE_IN_PROGRESS"
    assert ecs("RegisterTaskDefinition", WEB)["taskDefinition"]["revision"] == 2
    assert ecs.refused("DeregisterTaskDefinition", taskDefinition="web").code == "InvalidParameterException"


def test_lists(ecs: Direct) -> None:
    for family in ("web", "api"):
        ecs("RegisterTaskDefinition", {**WEB, "family": family})
    ecs("DeregisterTaskDefinition", taskDefinition="api:1")

    def listed(**members: Any) -> list[str]:
        return [arn.rsplit("/", 1)[1] for arn in ecs("ListTaskDefinitions", **members)["taskDefinitionArns"]]

    assert listed() == ["web:1", "web:2"]
    assert listed(sort="DESC") == ["web:2", "web:1"]
    assert listed(status="INACTIVE") == ["api:1"]
    assert listed(familyPrefix="we") == []
    assert ecs("ListTaskDefinitionFamilies")["families"] == ["api", "web"]
    assert ecs("ListTaskDefinitionFamilies", status="ACTIVE")["families"] == ["web"]
    assert ecs("ListTaskDefinitionFamilies", status="INACTIVE", familyPrefix="a")["families"] == ["api"]


def test_tags_are_shown_when_included(empty: Direct) -> None:
    tags = [{"key": "a", "value": "1"}]
    empty("RegisterTaskDefinition", WEB, tags=tags)
    assert "tags" not in empty("DescribeTaskDefinition", taskDefinition="web")
    assert empty("DescribeTaskDefinition", taskDefinition="web", include=["TAGS"])["tags"] == tags
