"""Flow logs as records of the API (aws/alb-vpc-terraform.md section 2.10)."""

from typing import Any

import pytest

from tests.aws.ec2.conftest import Ec2

ROLE = "arn:aws:iam::123456789012:role/flows"
GROUP_ARN = "arn:aws:logs:ap-northeast-1:123456789012:log-group:/vpc/flows"


def request(resource_id: str, kind: str = "VPC", **members: Any) -> dict[str, Any]:
    asked = {
        "ResourceType": kind,
        "ResourceIds": [resource_id],
        "TrafficType": "ALL",
        "LogGroupName": "/vpc/flows",
        "DeliverLogsPermissionArn": ROLE,
        **members,
    }
    return {name: value for name, value in asked.items() if value is not None}


def test_a_flow_log_is_described_with_its_defaults_and_deleted(ec2: Ec2) -> None:
    vpc_id = ec2.vpc()
    tags = [{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "Name", "Value": "flows"}]}]
    [identifier] = ec2("CreateFlowLogs", **request(vpc_id, TagSpecifications=tags))["FlowLogIds"]
    [log] = ec2("DescribeFlowLogs", FlowLogIds=[identifier])["FlowLogs"]
    assert (log["ResourceId"], log["TrafficType"], log["FlowLogStatus"]) == (vpc_id, "ALL", "ACTIVE")
    assert (log["LogDestinationType"], log["LogDestination"]) == ("cloud-watch-logs", GROUP_ARN)
    assert (log["MaxAggregationInterval"], log["DeliverLogsStatus"]) == (600, "SUCCESS")
    assert log["LogFormat"].startswith("${version} ${account-id}")
    assert log["Tags"] == [{"Key": "Name", "Value": "flows"}]
    assert ec2("DeleteFlowLogs", FlowLogIds=[identifier]) == {"Unsuccessful": []}
    assert ec2("DescribeFlowLogs") == {"FlowLogs": []}
    assert ec2.error("DeleteFlowLogs", FlowLogIds=[identifier]) == "InvalidFlowLogId.NotFound"
    assert ec2.error("DescribeFlowLogs", FlowLogIds=[identifier]) == "InvalidFlowLogId.NotFound"


def test_a_log_group_is_named_or_given_by_its_arn(ec2: Ec2) -> None:
    asked = request(ec2.vpc(), LogGroupName=None, LogDestination=f"{GROUP_ARN}:*", MaxAggregationInterval=60)
    ec2("CreateFlowLogs", **asked)
    [log] = ec2("DescribeFlowLogs")["FlowLogs"]
    assert (log["LogGroupName"], log["LogDestination"], log["MaxAggregationInterval"]) == ("/vpc/flows", GROUP_ARN, 60)


def test_subnets_and_interfaces_have_flow_logs_of_their_own(ec2: Ec2) -> None:
    subnet_id = ec2.subnet(ec2.vpc())
    interface_id = ec2.interface(subnet_id, "10.0.1.5").network_interface_id
    ec2("CreateFlowLogs", **request(subnet_id, "Subnet"))
    ec2("CreateFlowLogs", **request(interface_id, "NetworkInterface"))
    by_resource = [{"Name": "resource-id", "Values": [subnet_id]}]
    assert len(ec2("DescribeFlowLogs")["FlowLogs"]) == 2
    [log] = ec2("DescribeFlowLogs", Filter=by_resource)["FlowLogs"]
    assert log["ResourceId"] == subnet_id


def test_a_destination_that_is_not_run_says_so(ec2: Ec2) -> None:
    asked = request(
        ec2.vpc(),
        LogGroupName=None,
        DeliverLogsPermissionArn=None,
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::flows",
    )
    ec2("CreateFlowLogs", **asked)
    [log] = ec2("DescribeFlowLogs")["FlowLogs"]
    assert log["DeliverLogsStatus"] == "FAILED"
    assert "s3" in log["DeliverLogsErrorMessage"]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"DeliverLogsPermissionArn": None}, "InvalidParameter"),
        ({"LogGroupName": None}, "InvalidParameter"),
        ({"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::flows"}, "InvalidParameter"),
        ({"LogDestinationType": "paper"}, "InvalidParameterValue"),
        ({"MaxAggregationInterval": 61}, "InvalidParameter"),
        ({"TrafficType": None}, "MissingParameter"),
        ({"TrafficType": "SOME"}, "InvalidParameterValue"),
        ({"ResourceType": "TransitGateway"}, "InvalidParameterValue"),
        ({"ResourceIds": ["vpc-00000000000000000"]}, "InvalidVpcID.NotFound"),
    ],
)
def test_bad_input_is_refused(ec2: Ec2, members: dict[str, Any], code: str) -> None:
    assert ec2.error("CreateFlowLogs", **request(ec2.vpc(), **members)) == code


def test_the_same_twice_is_refused_unless_it_is_the_same_request(ec2: Ec2) -> None:
    vpc_id = ec2.vpc()
    made = ec2("CreateFlowLogs", **request(vpc_id, ClientToken="once"))
    assert ec2.error("CreateFlowLogs", **request(vpc_id)) == "FlowLogAlreadyExists"
    assert ec2("CreateFlowLogs", **request(vpc_id, ClientToken="once")) == made
    assert len(ec2("DescribeFlowLogs")["FlowLogs"]) == 1


def test_tags_of_a_flow_log_change_by_its_id(ec2: Ec2) -> None:
    [identifier] = ec2("CreateFlowLogs", **request(ec2.vpc()))["FlowLogIds"]
    ec2("CreateTags", Resources=[identifier], Tags=[{"Key": "team", "Value": "garden"}])
    [tag] = ec2("DescribeTags", Filters=[{"Name": "resource-type", "Values": ["vpc-flow-log"]}])["Tags"]
    assert (tag["ResourceId"], tag["Key"]) == (identifier, "team")
