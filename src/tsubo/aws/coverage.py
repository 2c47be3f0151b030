"""What stands behind each operation of AWS's models: it runs, it is kept, or it is not there.

The registry says which operations there are. This table names those of them that keep and answer as AWS does while
nothing runs differently for it; `docs/coverage.md` is made of both (`tools/coverage.py`).
"""

from collections.abc import Mapping
from typing import Literal

from tsubo.aws.registry import OPERATIONS

Status = Literal["real", "stored", "not there"]

_SCALING = frozenset(OPERATIONS["application-autoscaling"])

STORED: Mapping[str, frozenset[str]] = {
    "acm": frozenset({"UpdateCertificateOptions"}),
    "application-autoscaling": _SCALING,
    "ec2": frozenset(
        {
            "AssociateDhcpOptions",
            "CreateDhcpOptions",
            "CreateVpcEndpoint",
            "DeleteDhcpOptions",
            "DeleteVpcEndpoints",
            "DescribeDhcpOptions",
            "DescribeVpcEndpoints",
            "ModifyVpcEndpoint",
        }
    ),
    "ecr": frozenset(
        {
            "BatchGetRepositoryScanningConfiguration",
            "DeleteRegistryPolicy",
            "DeleteRepositoryPolicy",
            "DescribeImageScanFindings",
            "DescribeRegistry",
            "GetRegistryPolicy",
            "GetRegistryScanningConfiguration",
            "GetRepositoryPolicy",
            "PutImageScanningConfiguration",
            "PutRegistryPolicy",
            "PutRegistryScanningConfiguration",
            "PutReplicationConfiguration",
            "SetRepositoryPolicy",
            "StartImageScan",
        }
    ),
    "ecs": frozenset(
        {
            "DescribeCapacityProviders",
            "ListAccountSettings",
            "PutAccountSetting",
            "PutAccountSettingDefault",
            "PutClusterCapacityProviders",
            "UpdateCluster",
            "UpdateClusterSettings",
        }
    ),
    "elbv2": frozenset({"DescribeListenerAttributes", "ModifyListenerAttributes"}),
}
REFUSED: Mapping[str, frozenset[str]] = {
    "ecs": frozenset({"StartTask"}),
    "route53": frozenset(
        {"CreateHealthCheck", "DeleteHealthCheck", "GetHealthCheck", "GetHealthCheckStatus", "UpdateHealthCheck"}
    ),
}
"""Operations that are there to say, in the service's own errors, why they are not."""


def status(service: str, operation: str, moto_has: bool = False) -> Status:
    """Return what stands behind an operation; `moto_has` says that moto answers it where we do not."""
    if operation not in OPERATIONS[service]:
        return "stored" if moto_has else "not there"
    if operation in REFUSED.get(service, frozenset()):
        return "not there"
    return "stored" if operation in STORED.get(service, frozenset()) else "real"
