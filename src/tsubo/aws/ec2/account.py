"""DescribeAccountAttributes: what this account may do in EC2, and its default VPC. No quota is enforced here."""

from collections.abc import Mapping

from tsubo.aws.ec2.errors import invalid_value
from tsubo.aws.ec2.lookup import default_vpc
from tsubo.aws.operations import Call, Operation, Request, Response


def describe_account_attributes(call: Call, request: Request) -> Response:
    standing = default_vpc(call)
    values = {
        "supported-platforms": "VPC",
        "default-vpc": standing.vpc_id if standing else "none",
        "vpc-max-security-groups-per-interface": "5",
        "max-elastic-ips": "5",
        "vpc-max-elastic-ips": "5",
        "max-instances": "20",
    }
    names = request.get("AttributeNames") or list(values)
    for name in names:
        if name not in values:
            raise invalid_value(f"The attribute name '{name}' is invalid")
    return {
        "AccountAttributes": [
            {"AttributeName": name, "AttributeValues": [{"AttributeValue": values[name]}]} for name in names
        ]
    }


OPERATIONS: Mapping[str, Operation] = {"DescribeAccountAttributes": describe_account_attributes}
