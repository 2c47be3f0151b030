"""Which services are ours, and their operations.

A service that is not listed here is moto's, whole (see `breadth.py`); so are the operations that EC2, SSM and STS have
beyond ours.
"""

from collections.abc import Mapping

from tsubo.aws import acm, applicationautoscaling, ec2, ecr, ecs, elbv2, route53, servicediscovery, ssm, sts
from tsubo.aws.operations import Operations

OPERATIONS: Mapping[str, Operations] = {
    "acm": acm.OPERATIONS,
    "application-autoscaling": applicationautoscaling.OPERATIONS,
    "ec2": ec2.OPERATIONS,
    "ecr": ecr.OPERATIONS,
    "ecs": ecs.OPERATIONS,
    "elbv2": elbv2.OPERATIONS,
    "route53": route53.OPERATIONS,
    "servicediscovery": servicediscovery.OPERATIONS,
    "ssm": ssm.OPERATIONS,
    "sts": sts.OPERATIONS,
}

SHARED_SERVICES = frozenset({"ec2", "ssm", "sts"})
"""Services of which moto answers the operations that we do not have."""
