"""The front of the reference stack through boto3: zone, certificate, load balancer, listener, rules, aliases.

The operations are the real ones, behind a real server: what is shown is that their answers and errors survive the
wire. Sources: aws/alb-vpc-terraform.md sections 1, 3, 4 and 6.2.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import ENGINE, ENGINE_KEY, CountingSupply, Served, engine_routes, serve, task_keys
from tests.aws.direct import NOW, REGION
from tsubo.aws.asgi import application
from tsubo.aws.breadth import Breadth
from tsubo.aws.endpoint import Endpoint
from tsubo.aws.signature import Verifier
from tsubo.aws.store import Store
from tsubo.model.vpc import InternetGateway, SecurityGroup, Subnet, Vpc

NETWORK = (
    Vpc("vpc-1", REGION, "10.0.0.0/16"),
    Subnet("subnet-a", "vpc-1", REGION, f"{REGION}a", "10.0.1.0/24"),
    Subnet("subnet-c", "vpc-1", REGION, f"{REGION}c", "10.0.2.0/24"),
    SecurityGroup("sg-default", "vpc-1", REGION, "default", ""),
    InternetGateway("igw-1", REGION, "vpc-1"),
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    """An endpoint with all of our operations, and a VPC."""
    store, breadth = Store(tmp_path / "store.sqlite", ENGINE), Breadth(tmp_path)
    store.commit(NETWORK)
    endpoint = Endpoint(store=store, supply=CountingSupply(), verifier=Verifier(ENGINE_KEY, task_keys), breadth=breadth)
    port, end = serve(application(endpoint, engine_routes))
    yield Served(port, store, breadth, tmp_path)
    end()
    breadth.close()
    store.close()


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str, int]:
    response: Any = error.value.response
    said = response["Error"]
    return said["Code"], said["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_front_of_the_reference_stack(site: Served) -> None:
    route53, acm, elb = site.client("route53"), site.client("acm"), site.client("elbv2")
    zone_id = route53.create_hosted_zone(Name="ecs-navi.site", CallerReference="1")["HostedZone"]["Id"]
    certificate = _validated_certificate(site, route53, acm, zone_id)
    load_balancer = elb.create_load_balancer(Name="navi", Subnets=["subnet-a", "subnet-c"])["LoadBalancers"][0]
    group = elb.create_target_group(
        Name="backend", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip", Matcher={"HttpCode": "200"}
    )["TargetGroups"][0]["TargetGroupArn"]
    not_found = {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "404 Not Found"},
    }
    listener = elb.create_listener(
        LoadBalancerArn=load_balancer["LoadBalancerArn"],
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[not_found],
    )["Listeners"][0]
    assert listener["DefaultActions"] == [not_found]
    elb.create_rule(
        ListenerArn=listener["ListenerArn"],
        Priority=200,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["api.ecs-navi.site"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    rule, default = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    assert (rule["Priority"], rule["IsDefault"], default["Priority"]) == ("200", False, "default")
    assert rule["Actions"][0]["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": group, "Weight": 1}]
    _alias(route53, zone_id, "api.ecs-navi.site", load_balancer)
    records = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    aliased = [record for record in records if "AliasTarget" in record]
    assert [record["AliasTarget"]["DNSName"] for record in aliased] == [f"{load_balancer['DNSName']}."]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.1.9", "Port": 80}])
    [health] = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert (health["HealthCheckPort"], health["TargetHealth"]["State"]) == ("80", "initial")
    in_use = acm.describe_certificate(CertificateArn=certificate)["Certificate"]["InUseBy"]
    assert in_use == [load_balancer["LoadBalancerArn"]]


def test_errors_keep_their_code_text_and_status(site: Served) -> None:
    route53, acm, elb = site.client("route53"), site.client("acm"), site.client("elbv2")
    with pytest.raises(ClientError) as one_zone:
        elb.create_load_balancer(Name="navi", Subnets=["subnet-a"])
    assert refusal(one_zone) == (
        "ValidationError",
        "At least two subnets in two different Availability Zones must be specified",
        400,
    )
    with pytest.raises(elb.exceptions.LoadBalancerNotFoundException):
        elb.describe_load_balancers(Names=["navi"])
    with pytest.raises(route53.exceptions.NoSuchHostedZone) as no_zone:
        route53.get_hosted_zone(Id="Z0")
    assert refusal(no_zone)[2] == 404
    zone_id = route53.create_hosted_zone(Name="ecs-navi.site", CallerReference="1")["HostedZone"]["Id"]
    missing = {"Name": "x.ecs-navi.site", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    with pytest.raises(route53.exceptions.InvalidChangeBatch) as not_there:
        route53.change_resource_record_sets(
            HostedZoneId=zone_id, ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": missing}]}
        )
    assert refusal(not_there) == (
        "InvalidChangeBatch",
        "[Tried to delete resource record set [name='x.ecs-navi.site.', type='A'] but it was not found]",
        400,
    )
    with pytest.raises(acm.exceptions.ResourceNotFoundException):
        acm.describe_certificate(CertificateArn=f"arn:aws:acm:{REGION}:123456789012:certificate/x")


def test_waiters_and_paginators_work(site: Served) -> None:
    route53, elb = site.client("route53"), site.client("elbv2")
    zone = route53.create_hosted_zone(Name="ecs-navi.site", CallerReference="1")
    zone_id = zone["HostedZone"]["Id"]
    route53.get_waiter("resource_record_sets_changed").wait(Id=zone["ChangeInfo"]["Id"], WaiterConfig={"Delay": 1})
    changes = [
        {
            "Action": "CREATE",
            "ResourceRecordSet": {
                "Name": f"{number}.ecs-navi.site",
                "Type": "A",
                "SetIdentifier": "only",
                "Weight": 0,
                "TTL": 60,
                "ResourceRecords": [{"Value": "192.0.2.1"}],
            },
        }
        for number in range(5)
    ]
    route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
    pages = route53.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone_id, PaginationConfig={"PageSize": 3}
    )
    assert sum(len(page["ResourceRecordSets"]) for page in pages) == 7
    for name in ("a", "b", "c"):
        elb.create_load_balancer(Name=name, Subnets=["subnet-a", "subnet-c"])
    found = elb.get_paginator("describe_load_balancers").paginate(PaginationConfig={"PageSize": 2})
    assert [each["LoadBalancerName"] for page in found for each in page["LoadBalancers"]] == ["a", "b", "c"]


def _validated_certificate(site: Served, route53: Any, acm: Any, zone_id: str) -> str:
    """Request a certificate, write its record as the provider would, and issue it as the loop would."""
    arn = str(acm.request_certificate(DomainName="ecs-navi.site", ValidationMethod="DNS")["CertificateArn"])
    [option] = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    wanted = option["ResourceRecord"]
    values = [{"Value": wanted["Value"]}]
    record = {"Name": wanted["Name"], "Type": wanted["Type"], "TTL": 60, "ResourceRecords": values}
    route53.change_resource_record_sets(
        HostedZoneId=zone_id, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )
    certificate = site.store.world.certificates[arn]
    site.store.commit([dataclasses.replace(certificate, status="ISSUED", issued_at=NOW)])
    return arn


def _alias(route53: Any, zone_id: str, name: str, load_balancer: Any) -> None:
    target = {
        "HostedZoneId": load_balancer["CanonicalHostedZoneId"],
        "DNSName": load_balancer["DNSName"],
        "EvaluateTargetHealth": False,
    }
    record = {"Name": name, "Type": "A", "AliasTarget": target}
    route53.change_resource_record_sets(
        HostedZoneId=zone_id, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    )
