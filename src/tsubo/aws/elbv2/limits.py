"""DescribeAccountLimits: AWS's default quotas for application load balancers.

Source: aws/alb-vpc-terraform.md section 1.14.
"""

from tsubo.aws.operations import Call, Request, Response

LIMITS = {
    "application-load-balancers": 50,
    "target-groups": 3000,
    "target-groups-per-application-load-balancer": 100,
    "target-groups-per-action-on-application-load-balancer": 5,
    "target-id-registrations-per-application-load-balancer": 1000,
    "targets-per-application-load-balancer": 1000,
    "targets-per-target-group": 1000,
    "listeners-per-application-load-balancer": 50,
    "rules-per-application-load-balancer": 100,
    "certificates-per-application-load-balancer": 25,
    "condition-values-per-alb-rule": 5,
    "condition-wildcards-per-alb-rule": 5,
}


def describe_account_limits(_: Call, __: Request) -> Response:
    """DescribeAccountLimits."""
    return {"Limits": [{"Name": name, "Max": str(most)} for name, most in LIMITS.items()]}
