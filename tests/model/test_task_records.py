"""Task records of a service (aws/ecs-cloudmap-exec.md section 4)."""

import itertools

from tsubo.model.ecs import AwsvpcConfiguration, ContainerDefinition, Deployment, Service, Task, TaskDefinition
from tsubo.model.task_records import deployment_id, heaviest_capacity_provider, new_task

CLUSTER = "arn:aws:ecs:us-east-1:1:cluster/navi"
NETWORK = AwsvpcConfiguration(("subnet-a",))
DEFINITION = TaskDefinition(
    arn="arn:aws:ecs:us-east-1:1:task-definition/web:1",
    family="web",
    revision=1,
    region="us-east-1",
    registered_at=0.0,
    containers=(ContainerDefinition("web", "nginx"), ContainerDefinition("log", "fluent")),
    definition={},
    cpu=256,
    memory=512,
    tags={"of": "definition"},
)
DEPLOYMENT = Deployment("ecs-svc/1234567890123456789", "PRIMARY", DEFINITION.arn, NETWORK, 0.0, 0.0)


class Counting:
    """A supply whose texts are counted in the alphabet it is given."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def text(self, length: int, alphabet: str = "0123456789abcdef") -> str:
        number, digits = next(self._count), ""
        for _ in range(length):
            number, digit = divmod(number, len(alphabet))
            digits = alphabet[digit] + digits
        return digits


def service(**fields: object) -> Service:
    values: dict[str, object] = {"propagate_tags": "SERVICE", "enable_ecs_managed_tags": True, **fields}
    return Service(
        arn="arn:aws:ecs:us-east-1:1:service/navi/web",
        name="web",
        cluster_arn=CLUSTER,
        region="us-east-1",
        created_at=0.0,
        task_definition_arn=DEFINITION.arn,
        desired_count=1,
        network=NETWORK,
        tags={"of": "service"},
        **values,  # type: ignore[arg-type]
    )


def task_of(owner: Service) -> Task:
    return new_task(DEFINITION, CLUSTER, NETWORK, 7.0, Counting(), service=owner, deployment=DEPLOYMENT)


def test_a_deployment_id_has_nineteen_digits_and_no_leading_zero() -> None:
    prefix, digits = deployment_id(Counting()).split("/")
    assert (prefix, len(digits), digits.isdigit(), digits[0] != "0") == ("ecs-svc", 19, True, True)


def test_a_task_of_a_service_says_so() -> None:
    task = task_of(service())
    assert (task.group, task.started_by, task.deployment_id) == ("service:web",) + (DEPLOYMENT.deployment_id,) * 2
    assert task.service_arn == "arn:aws:ecs:us-east-1:1:service/navi/web"
    assert task.arn == f"arn:aws:ecs:us-east-1:1:task/navi/{task.task_id}"
    assert [c.arn.rsplit("/", 1)[0] for c in task.containers] == [
        f"arn:aws:ecs:us-east-1:1:container/navi/{task.task_id}"
    ] * 2
    assert (task.cpu, task.memory, task.created_at, task.capacity_provider_name) == (256, 512, 7.0, None)


def test_tags_and_capacity_follow_from_the_service() -> None:
    managed = {"aws:ecs:clusterName": "navi", "aws:ecs:serviceName": "web"}
    assert task_of(service()).tags == {"of": "service", **managed}
    assert task_of(service(propagate_tags="TASK_DEFINITION")).tags == {"of": "definition", **managed}
    assert task_of(service(propagate_tags="NONE", enable_ecs_managed_tags=False)).tags == {}
    strategy = ({"capacityProvider": "FARGATE_SPOT", "weight": 1},)
    assert task_of(service(capacity_provider_strategy=strategy)).capacity_provider_name == "FARGATE_SPOT"


def test_the_heaviest_provider_wins() -> None:
    strategy = [{"capacityProvider": "FARGATE", "base": 1}, {"capacityProvider": "FARGATE_SPOT", "weight": 3}]
    assert heaviest_capacity_provider(strategy) == "FARGATE_SPOT"
    assert heaviest_capacity_provider([]) is None
