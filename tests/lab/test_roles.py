"""The execution role decides what a task is started with, the task role what it may call: alb-vpc-terraform.md 5."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.lab.engine_lab import engine_lab, wait_until
from tests.lab.fargate_lab import CLUSTER, REGION, FargateLab

pytestmark = pytest.mark.lab

LOGS = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "/garden", "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"},
}
ECR_IMAGE = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/tsubo-test:latest"
ECR_READ = ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


@pytest.fixture(scope="module")
def fargate() -> Iterator[FargateLab]:
    with engine_lab() as lab:
        lab.client("logs").create_log_group(logGroupName="/garden")
        yield FargateLab(lab)


def allow(*actions: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def failure(fargate: FargateLab, name: str, container: Mapping[str, Any], *statements: Mapping[str, Any]) -> str:
    """Run a task whose execution role has these statements; return why it stopped."""
    role = fargate.role(name, *statements)
    task = fargate.stopped(fargate.launch(fargate.definition(name, container, executionRoleArn=role)))
    assert task["stopCode"] == "TaskFailedToStart"
    user = f"User: arn:aws:sts::123456789012:assumed-role/{name}/{task['taskArn'].rsplit('/', 1)[-1]} "
    return str(task["stoppedReason"]).replace(user, "USER ")


def denied(action: str, resource: str) -> str:
    return (
        f"USER is not authorized to perform: {action} on resource: {resource} because no identity-based policy allows "
        f"the {action} action"
    )


def test_a_log_stream_needs_the_execution_roles_permission(fargate: FargateLab) -> None:
    reason = failure(fargate, "no-streams", {"logConfiguration": LOGS}, allow("logs:PutLogEvents"))
    assert reason.startswith(
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed "
        "to create Cloudwatch log stream: AccessDeniedException: USER is not authorized to perform: "
        f"logs:CreateLogStream on resource: arn:aws:logs:{REGION}:123456789012:log-group:/garden:log-stream:ecs/app/"
    )
    assert "because no identity-based policy allows the logs:CreateLogStream action status code: 400" in reason
    assert reason.endswith(" : exit status 1")


def test_a_log_group_that_is_to_be_made_needs_another(fargate: FargateLab) -> None:
    options = {**LOGS["options"], "awslogs-group": "/new", "awslogs-create-group": "true"}  # type: ignore[dict-item]
    container = {"logConfiguration": {**LOGS, "options": options}}
    reason = failure(fargate, "no-groups", container, allow("logs:CreateLogStream"))
    arn = f"arn:aws:logs:{REGION}:123456789012:log-group:/new:log-stream:"
    assert (
        f"failed to create Cloudwatch log group: AccessDeniedException: {denied('logs:CreateLogGroup', arn)}" in reason
    )
    assert fargate.lab.client("logs").describe_log_groups(logGroupNamePrefix="/new")["logGroups"] == []


def test_ecr_needs_a_password_and_then_the_image(fargate: FargateLab) -> None:
    reason = failure(fargate, "no-password", {"image": ECR_IMAGE})
    assert reason.startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve ecr registry auth: service call has been retried 1 time(s): "
    )
    assert reason.endswith(f"api error AccessDeniedException: {denied('ecr:GetAuthorizationToken', '*')}")
    reason = failure(fargate, "no-image", {"image": ECR_IMAGE}, allow("ecr:GetAuthorizationToken"))
    host = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"
    assert reason == (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
        f"{ECR_IMAGE}: pulling from host {host} failed with status code [manifests latest]: 403 Forbidden"
    )


def test_secrets_need_the_execution_roles_permission(fargate: FargateLab) -> None:
    secret = fargate.lab.client("secretsmanager").create_secret(Name="db", SecretString="hidden")["ARN"]
    fargate.lab.client("ssm").put_parameter(Name="/app/key", Value="also hidden", Type="SecureString")
    from_asm = {"secrets": [{"name": "DB", "valueFrom": secret}]}
    reason = failure(fargate, "no-secrets", from_asm)
    assert reason.startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
        f"{secret} from secrets manager: operation error Secrets Manager: GetSecretValue, https response error "
        "StatusCode: 400, RequestID: "
    )
    assert reason.endswith(f"AccessDeniedException: {denied('secretsmanager:GetSecretValue', secret)}")
    parameter = f"arn:aws:ssm:{REGION}:123456789012:parameter/app/key"
    from_ssm = {"secrets": [{"name": "KEY", "valueFrom": "/app/key"}]}
    assert failure(fargate, "no-parameters", from_ssm).endswith(denied("ssm:GetParameters", parameter))
    role = fargate.role(
        "secrets",
        allow("secretsmanager:GetSecretValue", resource=secret),
        allow("ssm:GetParameters", resource=parameter),
    )
    both = {"secrets": [*from_asm["secrets"], *from_ssm["secrets"]]}
    own = fargate.run(fargate.definition("secrets", both, executionRoleArn=role)).environment()
    assert (own["DB"], own["KEY"]) == ("hidden", "also hidden")


def test_with_its_permissions_a_task_runs_and_its_output_is_there(fargate: FargateLab) -> None:
    role = fargate.role("complete", allow(*ECR_READ, "logs:CreateLogStream", "logs:PutLogEvents"))
    container = {"image": ECR_IMAGE, "logConfiguration": LOGS, "entryPoint": ["sh", "-c", "echo hello; sleep 1000"]}
    task = fargate.run(fargate.definition("complete", container, executionRoleArn=role))
    logs = fargate.lab.client("logs")

    def messages() -> list[str]:
        stream = f"ecs/app/{task.task_id}"
        events = logs.get_log_events(logGroupName="/garden", logStreamName=stream)["events"]
        return [event["message"] for event in events]

    assert wait_until(messages) == ["hello"]


@pytest.mark.parametrize("member", ["taskRoleArn", "executionRoleArn"])
def test_a_role_that_ecs_cannot_assume_stops_the_task(fargate: FargateLab, member: str) -> None:
    """A role that is not there, and one that trusts somebody else; a service says it in its events."""
    missing = "arn:aws:iam::123456789012:role/missing"
    words = (
        f"ECS was unable to assume the role '{missing}' that was provided for this task. Please verify that the role "
        "being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass "
        "this role."
    )
    definition = fargate.definition(f"missing-{member}", **{member: missing})
    assert fargate.stopped(fargate.launch(definition))["stoppedReason"] == words
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    distrusting = fargate.role(f"distrusting-{member}", trust=trust)
    other = fargate.definition(f"distrusting-{member}", **{member: distrusting})
    assert distrusting in fargate.stopped(fargate.launch(other))["stoppedReason"]
    ecs = fargate.lab.client("ecs")
    ecs.create_service(
        cluster=CLUSTER,
        serviceName=member,
        taskDefinition=definition,
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=fargate.network,
    )

    def events() -> list[str]:
        (service,) = ecs.describe_services(cluster=CLUSTER, services=[member])["services"]
        return [event["message"] for event in service["events"]]

    expected = f"(service {member}) failed to launch a task with (error {words})."
    wait_until(lambda: expected in events(), what="the event")
    ecs.delete_service(cluster=CLUSTER, service=member, force=True)


def test_the_task_role_decides_what_a_task_may_call(fargate: FargateLab) -> None:
    role = fargate.role(
        "orders",
        allow("sqs:SendMessage", "sqs:GetQueueUrl", resource=f"arn:aws:sqs:{REGION}:123456789012:orders"),
        allow("ecs:ListClusters"),
    )
    for queue in ("orders", "other"):
        fargate.lab.client("sqs").create_queue(QueueName=queue)
    task = fargate.run(fargate.definition("orders", taskRoleArn=role))
    script = """
import boto3
def attempt(service, operation, **members):
    try:
        getattr(boto3.client(service), operation)(**members)
        print("done")
    except Exception as error:
        print(error.response["Error"]["Code"], error.response["Error"]["Message"])
sqs = boto3.client("sqs")
url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
attempt("sqs", "send_message", QueueUrl=url, MessageBody="x")
attempt("sqs", "send_message", QueueUrl=url.replace("orders", "other"), MessageBody="x")
attempt("ecs", "list_clusters")
attempt("ecs", "list_task_definitions")
attempt("ec2", "describe_vpcs")
attempt("s3", "list_buckets")
"""
    sent, other_queue, clusters, definitions, vpcs, buckets = task.python(script).splitlines()
    assert (sent, clusters) == ("done", "done")
    user = f"User: arn:aws:sts::123456789012:assumed-role/orders/{task.task_id} "

    def words(action: str, resource: str) -> str:
        return denied(action, resource).replace("USER ", user)

    assert other_queue == f"AccessDenied {words('sqs:SendMessage', f'arn:aws:sqs:{REGION}:123456789012:other')}"
    assert definitions == f"AccessDeniedException {words('ecs:ListTaskDefinitions', '*')}"
    assert vpcs.startswith("UnauthorizedOperation You are not authorized to perform this operation. User: ")
    assert buckets == f"AccessDenied {words('s3:ListAllMyBuckets', '*')}"
