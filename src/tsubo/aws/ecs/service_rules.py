"""What CreateService, UpdateService and RunTask check besides the network: launch type, counts, roles, controllers.

Source: aws/ecs-cloudmap-exec.md sections 2 and 6.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tsubo.aws.ecs.clusters import checked_strategy
from tsubo.aws.ecs.lookup import invalid_parameter, unsupported
from tsubo.aws.operations import AwsError, Request
from tsubo.model.ecs import Cluster, JsonObject, TaskDefinition

PLATFORM_VERSIONS = ("LATEST", "1.4.0")
MAXIMUM_REGISTRIES = 1
ACCEPTED = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
"""What a service may ask for that is kept and echoed but not run."""
ACCEPTED_DEPLOYMENT = ("alarms", "bakeTimeInMinutes", "lifecycleHooks", "strategy", "earlySuccessCriteria")


def capacity(cluster: Cluster, request: Request) -> tuple[str | None, tuple[JsonObject, ...]]:
    """Return the launch type, or the capacity provider strategy, that a request and its cluster's default mean."""
    launch_type = request.get("launchType")
    strategy = checked_strategy(request.get("capacityProviderStrategy"))
    if launch_type and strategy:
        raise invalid_parameter("Specify either a launch type or a capacity provider strategy, but not both.")
    if not launch_type and not strategy:
        strategy = cluster.default_capacity_provider_strategy
    return (None, strategy) if strategy else (launch_type or "EC2", ())


def check_fargate(task_definition: TaskDefinition, launch_type: str | None) -> None:
    """Raise unless the task definition can run on Fargate, the only capacity there is."""
    if launch_type not in (None, "FARGATE"):
        raise unsupported(
            f"Tsubo runs tasks on Fargate only, and the launch type is {launch_type} (EC2 is what AWS takes when none "
            "is given). Specify launchType FARGATE or a Fargate capacity provider strategy."
        )
    if "FARGATE" not in task_definition.definition["compatibilities"]:
        raise invalid_parameter("Task definition does not support launch_type FARGATE.")


def check_platform_version(request: Request) -> str:
    """Return the platform version of a request. Raises PlatformUnknownException."""
    version: str = request.get("platformVersion") or "LATEST"
    if version not in PLATFORM_VERSIONS:
        raise AwsError("PlatformUnknownException", f"The platform version {version} does not exist here.")
    return version


def check_execute_command(enabled: bool, task_definition: TaskDefinition, verb: str) -> None:
    """Raise InvalidParameterException when ECS Exec is wanted without a task role. `verb` is created or updated."""
    if enabled and task_definition.task_role_arn is None:
        raise invalid_parameter(
            f"The service couldn't be {verb} because a valid taskRoleArn is not being used. Specify a valid task role "
            "in your task definition and try again."
        )


def check_placement(request: Request) -> None:
    """Raise InvalidParameterException for placement parameters, which Fargate does not take."""
    for member, what in (("placementConstraints", "constraints"), ("placementStrategy", "strategies")):
        if request.get(member):
            raise invalid_parameter(f"Placement {what} are not supported with FARGATE launch type.")


def check_service(request: Request) -> None:
    """Check what does not depend on the world: counts, the scheduling strategy, the controller."""
    check_placement(request)
    controller = (request.get("deploymentController") or {}).get("type") or "ECS"
    if controller != "ECS":
        raise unsupported(f"Tsubo runs the ECS deployment controller only, not {controller}.")
    if (request.get("schedulingStrategy") or "REPLICA") != "REPLICA":
        raise invalid_parameter("The DAEMON scheduling strategy is not supported with FARGATE launch type.")
    check_count(request.get("desiredCount"))
    if request.get("healthCheckGracePeriodSeconds") and not request.get("loadBalancers"):
        raise invalid_parameter("Health check grace period is only valid for services configured to use load balancers")
    if len(request.get("serviceRegistries") or ()) > MAXIMUM_REGISTRIES:
        raise invalid_parameter(f"serviceRegistries can have at most {MAXIMUM_REGISTRIES} items.")


def check_count(count: int | None) -> None:
    """Raise InvalidParameterException for a negative count."""
    if count is not None and count < 0:
        raise invalid_parameter("desiredCount cannot be negative.")


def deployment_fields(configuration: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the service fields that a deployment configuration sets; what it leaves out is left out."""
    given = configuration or {}
    fields: dict[str, Any] = {}
    if given.get("maximumPercent") is not None:
        fields["maximum_percent"] = given["maximumPercent"]
    if given.get("minimumHealthyPercent") is not None:
        fields["minimum_healthy_percent"] = given["minimumHealthyPercent"]
    breaker = given.get("deploymentCircuitBreaker")
    if breaker is not None:
        fields["circuit_breaker_enable"] = breaker["enable"]
        fields["circuit_breaker_rollback"] = breaker["rollback"]
    if fields.get("maximum_percent") == 0:
        raise invalid_parameter("maximumPercent must be greater than 0.")
    return fields


def accepted_fields(request: Request, accepted: JsonObject) -> JsonObject:
    """Return what a service has accepted but does not run, after a request that may change it."""
    changed = dict(accepted)
    for member in ACCEPTED:
        if member in request:
            changed[member] = request[member]
    deployment = _chosen(request.get("deploymentConfiguration") or {}, ACCEPTED_DEPLOYMENT)
    if deployment:
        changed["deploymentConfiguration"] = {**changed.get("deploymentConfiguration", {}), **deployment}
    return changed


def _chosen(values: Mapping[str, Any], members: Iterable[str]) -> dict[str, Any]:
    return {member: values[member] for member in members if member in values}
