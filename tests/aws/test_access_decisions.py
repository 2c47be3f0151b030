"""What roles may do, by the policies that IAM keeps (moto's), and AWS's words where they may not."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.aws.test_access_actions import PLACE, sent
from tsubo.aws.access.decisions import Decisions
from tsubo.aws.access.roles import Roles
from tsubo.aws.breadth import Breadth
from tsubo.aws.caller import ENGINE_USER, Caller, assumed_role
from tsubo.aws.dispatch import identify
from tsubo.aws.operations import AwsError

REGION = "eu-west-1"
ECS_TRUST = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
TASK_ARN = "arn:aws:ecs:eu-west-1:123456789012:task/c/0123"

Iam = Callable[..., Any]


@pytest.fixture(scope="module")
def breadth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Breadth]:
    started = Breadth(tmp_path_factory.mktemp("iam"))
    yield started
    started.close()


@pytest.fixture
def iam(breadth: Breadth) -> Iam:
    return lambda operation, **members: breadth.call("iam", operation, members, "us-east-1")


@pytest.fixture
def decisions(breadth: Breadth) -> Decisions:
    return Decisions(breadth, Roles(breadth))


def role(iam: Iam, name: str, *statements: Mapping[str, Any], trust: Mapping[str, Any] = ECS_TRUST) -> Caller:
    """Make a role with an inline policy; return who a task with it is."""
    made = iam("create_role", RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    if statements:
        iam("put_role_policy", RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))
    return assumed_role(made["Arn"], made["RoleId"], "0123")


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def refusal(decisions: Decisions, caller: Caller, service: str, operation: str, **members: Any) -> AwsError | None:
    request = sent(service, operation, members)
    try:
        decisions.check(caller, request, identify(request), PLACE)
    except AwsError as error:
        return error
    return None


def test_a_call_needs_a_policy_that_allows_it(iam: Iam, decisions: Decisions) -> None:
    caller = role(iam, "reader", allow("s3:GetObject", "arn:aws:s3:::bucket/*"))
    assert refusal(decisions, caller, "s3", "get_object", Bucket="bucket", Key="k") is None
    error = refusal(decisions, caller, "s3", "put_object", Bucket="bucket", Key="k")
    assert error is not None
    assert (error.code, error.status) == ("AccessDenied", 403)
    assert error.message == (
        "User: arn:aws:sts::123456789012:assumed-role/reader/0123 is not authorized to perform: s3:PutObject on "
        "resource: arn:aws:s3:::bucket/k because no identity-based policy allows the s3:PutObject action"
    )


def test_an_explicit_denial_says_so(iam: Iam, decisions: Decisions) -> None:
    caller = role(iam, "denied", allow("*"), {"Effect": "Deny", "Action": "ecs:*", "Resource": "*"})
    error = refusal(decisions, caller, "ecs", "list_clusters")
    assert error is not None
    assert (error.code, error.status) == ("AccessDeniedException", 400)
    assert error.message.endswith("with an explicit deny in an identity-based policy")


@pytest.mark.parametrize(
    ("service", "operation", "members", "expected"),
    [
        ("ecs", "list_clusters", {}, ("AccessDeniedException", 400)),
        ("servicediscovery", "list_services", {}, ("AccessDeniedException", 400)),
        ("ec2", "describe_vpcs", {}, ("UnauthorizedOperation", 403)),
        ("elbv2", "describe_load_balancers", {}, ("AccessDenied", 403)),
        ("route53", "list_hosted_zones", {}, ("AccessDenied", 403)),
        ("sns", "list_topics", {}, ("AuthorizationError", 403)),
        ("sqs", "list_queues", {}, ("AccessDenied", 403)),
        ("lambda", "list_functions", {}, ("AccessDeniedException", 403)),
        ("s3", "list_buckets", {}, ("AccessDenied", 403)),
    ],
)
def test_each_service_denies_in_its_own_way(
    iam: Iam, decisions: Decisions, service: str, operation: str, members: Any, expected: tuple[str, int]
) -> None:
    caller = role(iam, f"nothing-{service}")
    error = refusal(decisions, caller, service, operation, **members)
    assert error is not None
    assert (error.code, error.status) == expected


def test_a_change_of_policies_counts_at_once(iam: Iam, decisions: Decisions) -> None:
    caller = role(iam, "changing")
    assert refusal(decisions, caller, "ecs", "list_clusters") is not None
    made = iam("create_policy", PolicyName="clusters", PolicyDocument=policy(allow("ecs:List*")))["Policy"]["Arn"]
    iam("attach_role_policy", RoleName="changing", PolicyArn=made)
    assert refusal(decisions, caller, "ecs", "list_clusters") is None
    iam("create_policy_version", PolicyArn=made, PolicyDocument=policy(allow("s3:*")), SetAsDefault=True)
    assert refusal(decisions, caller, "ecs", "list_clusters") is not None
    iam("create_policy_version", PolicyArn=made, PolicyDocument=policy(allow("ecs:*")), SetAsDefault=True)
    assert refusal(decisions, caller, "ecs", "list_clusters") is None
    iam("detach_role_policy", RoleName="changing", PolicyArn=made)
    assert refusal(decisions, caller, "ecs", "list_clusters") is not None


def test_a_boundary_limits(iam: Iam, decisions: Decisions) -> None:
    boundary = iam("create_policy", PolicyName="boundary", PolicyDocument=policy(allow("s3:*")))["Policy"]["Arn"]
    caller = role(iam, "bounded", allow("*"))
    iam("put_role_permissions_boundary", RoleName="bounded", PermissionsBoundary=boundary)
    assert refusal(decisions, caller, "s3", "list_buckets") is None
    error = refusal(decisions, caller, "ecs", "list_clusters")
    assert error is not None
    assert error.message.endswith("because no permissions boundary allows the ecs:ListClusters action")


def test_who_one_is_may_always_be_asked(iam: Iam, decisions: Decisions) -> None:
    assert refusal(decisions, role(iam, "nobody"), "sts", "get_caller_identity") is None


def test_the_engines_user_may_everything(decisions: Decisions) -> None:
    assert refusal(decisions, ENGINE_USER, "iam", "list_roles") is None


def test_a_role_that_is_gone_may_nothing(iam: Iam, decisions: Decisions) -> None:
    caller = role(iam, "gone")
    iam("delete_role", RoleName="gone")
    assert refusal(decisions, caller, "ecs", "list_clusters") is not None


def test_a_secret_by_name_is_the_secret_by_arn(iam: Iam, breadth: Breadth, decisions: Decisions) -> None:
    members = {"Name": "database", "SecretString": "x"}
    arn = breadth.call("secretsmanager", "create_secret", members, REGION)["ARN"]
    caller = role(iam, "secrets", allow("secretsmanager:GetSecretValue", arn))
    assert refusal(decisions, caller, "secretsmanager", "get_secret_value", SecretId="database") is None
    assert refusal(decisions, caller, "secretsmanager", "get_secret_value", SecretId="other") is not None


def test_aws_execution_policy_permits_images_and_logs(iam: Iam, decisions: Decisions) -> None:
    """aws/alb-vpc-terraform.md section 5.1: AmazonECSTaskExecutionRolePolicy is the 4 ECR and 2 logs actions on *."""
    caller = role(iam, "execution")
    iam("attach_role_policy", RoleName="execution", PolicyArn=EXECUTION_POLICY)
    for action in ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "logs:CreateLogStream", "logs:PutLogEvents"):
        assert decisions.refusal(caller, action, "*", REGION) is None
    for action in ("logs:CreateLogGroup", "secretsmanager:GetSecretValue"):
        assert decisions.refusal(caller, action, "*", REGION) is not None


def test_ecs_assumes_only_roles_that_trust_its_tasks(iam: Iam, decisions: Decisions) -> None:
    trusting = role(iam, "trusting")
    other = role(iam, "other", trust={**ECS_TRUST, "Principal": {"Service": "ec2.amazonaws.com"}})
    assert decisions.role_for_tasks(str(trusting.role_arn), TASK_ARN) is not None
    assert decisions.role_for_tasks(str(other.role_arn), TASK_ARN) is None
    assert decisions.role_for_tasks("arn:aws:iam::123456789012:role/missing", TASK_ARN) is None
    assert decisions.role_for_tasks("arn:aws:iam::123456789012:role/path/trusting", TASK_ARN) is None
