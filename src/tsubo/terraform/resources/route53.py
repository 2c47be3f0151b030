"""Route 53 zones, zone associations, record sets. Calls and forms: aws/alb-vpc-terraform.md sections 3 and 6.2."""

from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.resources.common import (
    block,
    changed,
    given,
    same_domain,
    tag_items,
    tag_map,
    unique_name,
    without_dot,
)
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

QUOTED_TYPES = ("TXT", "SPF")
APEX_TYPES = ("NS", "SOA")


def _vpc(aws: Aws, values: Values) -> dict[str, str]:
    return {"VPCId": values["vpc_id"], "VPCRegion": values.get("vpc_region") or aws.region}


def _create_zone(aws: Aws, values: Values) -> Values:
    vpcs = values.get("vpc") or []
    answer = aws.call(
        "route53",
        "create_hosted_zone",
        Name=values["name"],
        CallerReference=unique_name(),
        VPC=_vpc(aws, vpcs[0]) if vpcs else None,
        HostedZoneConfig={"Comment": values.get("comment") or "", "PrivateZone": bool(vpcs)},
        DelegationSetId=values.get("delegation_set_id"),
    )
    zone_id = answer["HostedZone"]["Id"].rpartition("/")[2]
    return {"id": zone_id, "zone_id": zone_id}


def _complete_zone(aws: Aws, values: Values) -> None:
    for vpc in (values.get("vpc") or ())[1:]:
        aws.call("route53", "associate_vpc_with_hosted_zone", HostedZoneId=values["id"], VPC=_vpc(aws, vpc))
    if values.get("tags_all"):
        _retag_zone(aws, values, values["tags_all"], [])


def _retag_zone(aws: Aws, values: Values, changed_tags: Any, removed: list[str]) -> None:
    aws.call(
        "route53",
        "change_tags_for_resource",
        ResourceType="hostedzone",
        ResourceId=values["id"],
        AddTags=tag_items(changed_tags) or None,
        RemoveTagKeys=removed or None,
    )


def _named_servers(aws: Aws, zone_id: str, name: str) -> list[str]:
    """Return the name servers of a private zone, which only its own record tells."""
    for record in _records(aws, zone_id, StartRecordName=name, StartRecordType="NS"):
        if record["Type"] == "NS" and record["Name"] == name:
            return [entry["Value"] for entry in record["ResourceRecords"]]
    return []


def _read_zone(aws: Aws, values: Values) -> Values | None:
    answer = aws.find("route53", "get_hosted_zone", Id=values["id"])
    if answer is None:
        return None
    zone = answer["HostedZone"]
    servers = (answer.get("DelegationSet") or {}).get("NameServers") or _named_servers(aws, values["id"], zone["Name"])
    tags = aws.call("route53", "list_tags_for_resource", ResourceType="hostedzone", ResourceId=values["id"])
    return {
        "arn": f"arn:aws:route53:::hostedzone/{values['id']}",
        "zone_id": values["id"],
        "name": without_dot(zone["Name"]),
        "comment": (zone.get("Config") or {}).get("Comment", ""),
        "name_servers": [without_dot(server) for server in servers],
        "primary_name_server": without_dot(servers[0]) if servers else "",
        "vpc": [{"vpc_id": vpc["VPCId"], "vpc_region": vpc["VPCRegion"]} for vpc in answer.get("VPCs") or ()],
        "tags": tag_map(tags["ResourceTagSet"].get("Tags")),
    }


def _update_zone(aws: Aws, before: Values, values: Values) -> None:
    zone_id = values["id"]
    if changed(before, values, "comment"):
        aws.call("route53", "update_hosted_zone_comment", Id=zone_id, Comment=values.get("comment") or "")
    old, new = ({vpc["vpc_id"]: vpc for vpc in state.get("vpc") or ()} for state in (before, values))
    for vpc_id in new.keys() - old.keys():
        aws.call("route53", "associate_vpc_with_hosted_zone", HostedZoneId=zone_id, VPC=_vpc(aws, new[vpc_id]))
    for vpc_id in old.keys() - new.keys():
        aws.call("route53", "disassociate_vpc_from_hosted_zone", HostedZoneId=zone_id, VPC=_vpc(aws, old[vpc_id]))


def _delete_zone(aws: Aws, values: Values) -> None:
    if values.get("force_destroy"):
        for record in _records(aws, values["id"]):
            if record["Type"] not in APEX_TYPES or not same_domain(record["Name"], values["name"]):
                _change(aws, values["id"], "DELETE", record)
    aws.call("route53", "delete_hosted_zone", Id=values["id"])


def _create_zone_association(aws: Aws, values: Values) -> Values:
    aws.call("route53", "associate_vpc_with_hosted_zone", HostedZoneId=values["zone_id"], VPC=_vpc(aws, values))
    return {"id": f"{values['zone_id']}:{values['vpc_id']}"}


def _read_zone_association(aws: Aws, values: Values) -> Values | None:
    zone_id, vpc_id = values["id"].split(":")[:2]
    answer = aws.find("route53", "get_hosted_zone", Id=zone_id) or {}
    for vpc in answer.get("VPCs") or ():
        if vpc["VPCId"] == vpc_id:
            owner = {"zone_id": zone_id, "vpc_id": vpc_id, "owning_account": aws.account_id}
            return owner | {"vpc_region": vpc["VPCRegion"]}
    return None


def _delete_zone_association(aws: Aws, values: Values) -> None:
    vpc = _vpc(aws, values)
    aws.call("route53", "disassociate_vpc_from_hosted_zone", HostedZoneId=values["zone_id"], VPC=vpc)


def _records(aws: Aws, zone_id: str, **start: Any) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = aws.call("route53", "list_resource_record_sets", HostedZoneId=zone_id, **start)[
        "ResourceRecordSets"
    ]
    return records


def _change(aws: Aws, zone_id: str, action: str, record: dict[str, Any]) -> None:
    batch = {"Comment": "Managed by Terraform", "Changes": [{"Action": action, "ResourceRecordSet": record}]}
    aws.call("route53", "change_resource_record_sets", HostedZoneId=zone_id, ChangeBatch=batch)


def _full_name(aws: Aws, values: Values) -> str:
    """Return a record's name with its zone: a configuration may leave the zone out."""
    zone = without_dot(aws.call("route53", "get_hosted_zone", Id=values["zone_id"])["HostedZone"]["Name"])
    name = without_dot(values["name"])
    if not name:
        return zone
    return name if name == zone or name.endswith(f".{zone}") else f"{name}.{zone}"


def _record(values: Values, name: str) -> dict[str, Any]:
    quoted = values["type"] in QUOTED_TYPES
    record = given(
        Name=name,
        Type=values["type"],
        SetIdentifier=values.get("set_identifier") or None,
        HealthCheckId=values.get("health_check_id") or None,
        MultiValueAnswer=values.get("multivalue_answer_routing_policy") or None,
    )
    alias = block(values, "alias")
    if alias is not None:
        record["AliasTarget"] = {
            "DNSName": alias["name"],
            "HostedZoneId": alias["zone_id"],
            "EvaluateTargetHealth": bool(alias["evaluate_target_health"]),
        }
    else:
        texts = [f'"{text}"' if quoted else text for text in values.get("records") or ()]
        record |= {"TTL": values.get("ttl") or 0, "ResourceRecords": [{"Value": text} for text in texts]}
    return record | _routing(values)


def _routing(values: Values) -> dict[str, Any]:
    """Return the members of the routing policy that the record has."""
    weighted, failover = block(values, "weighted_routing_policy"), block(values, "failover_routing_policy")
    latency, location = block(values, "latency_routing_policy"), block(values, "geolocation_routing_policy")
    members: dict[str, Any] = {}
    if weighted is not None:
        members["Weight"] = weighted["weight"]
    if failover is not None:
        members["Failover"] = failover["type"]
    if latency is not None:
        members["Region"] = latency["region"]
    if location is not None:
        members["GeoLocation"] = given(
            ContinentCode=location.get("continent"),
            CountryCode=location.get("country"),
            SubdivisionCode=location.get("subdivision"),
        )
    return members


def _create_record(aws: Aws, values: Values) -> Values:
    name = _full_name(aws, values)
    _change(aws, values["zone_id"], "UPSERT" if values.get("allow_overwrite") else "CREATE", _record(values, name))
    parts = [values["zone_id"], (values.get("name") or "").lower(), values["type"]]
    if values.get("set_identifier"):
        parts.append(values["set_identifier"])
    return {"id": "_".join(parts), "fqdn": name}


def _find_record(aws: Aws, values: Values) -> dict[str, Any] | None:
    name = values.get("fqdn") or _full_name(aws, values)
    identifier = values.get("set_identifier") or ""
    try:
        records = _records(aws, values["zone_id"], StartRecordName=name, StartRecordType=values["type"])
    except CallError as error:
        if error.gone:
            return None
        raise
    for record in records:
        same_name = same_domain(record["Name"].replace("\\052", "*"), name)
        if same_name and record["Type"] == values["type"] and record.get("SetIdentifier", "") == identifier:
            return record
    return None


def _read_record(aws: Aws, values: Values) -> Values | None:
    record = _find_record(aws, values)
    if record is None:
        return None
    quoted = values["type"] in QUOTED_TYPES
    texts = [entry["Value"] for entry in record.get("ResourceRecords") or ()]
    alias = record.get("AliasTarget")
    actual: Values = {
        "fqdn": without_dot(record["Name"].replace("\\052", "*")),
        "ttl": record.get("TTL", 0),
        "records": [text.strip('"') if quoted else text for text in texts],
        "alias": [_alias_values(alias)] if alias else [],
        "health_check_id": record.get("HealthCheckId", ""),
        "multivalue_answer_routing_policy": record.get("MultiValueAnswer", False),
    }
    if "Weight" in record:
        actual["weighted_routing_policy"] = [{"weight": record["Weight"]}]
    return actual


def _alias_values(alias: dict[str, Any]) -> Values:
    return {
        "name": without_dot(alias["DNSName"]),
        "zone_id": alias["HostedZoneId"],
        "evaluate_target_health": alias["EvaluateTargetHealth"],
    }


def _update_record(aws: Aws, before: Values, values: Values) -> Values:
    if changed(before, values, "type", "set_identifier"):
        _delete_record(aws, before)
        return _create_record(aws, values)
    _change(aws, values["zone_id"], "UPSERT", _record(values, _full_name(aws, values)))
    return {}


def _delete_record(aws: Aws, values: Values) -> None:
    record = _find_record(aws, values)
    if record is not None:
        _change(aws, values["zone_id"], "DELETE", record)


def _import_record(identifier: str) -> Values:
    zone_id, _, rest = identifier.partition("_")
    *name, record_type = rest.split("_")
    return {"id": identifier, "zone_id": zone_id, "name": "_".join(name), "type": record_type}


def _same_alias_name(one: str, other: str) -> bool:
    """The console writes `dualstack.` before a load balancer's name; the real provider leaves it out of account."""
    return without_dot(one).removeprefix("dualstack.") == without_dot(other).removeprefix("dualstack.")


RESOURCES = {
    "aws_route53_zone": ResourceType(
        create=_create_zone,
        complete=_complete_zone,
        read=_read_zone,
        update=_update_zone,
        delete=_delete_zone,
        retag=_retag_zone,
        alike={"name": same_domain},
    ),
    "aws_route53_zone_association": ResourceType(
        create=_create_zone_association, read=_read_zone_association, delete=_delete_zone_association
    ),
    "aws_route53_record": ResourceType(
        create=_create_record,
        read=_read_record,
        update=_update_record,
        delete=_delete_record,
        import_values=_import_record,
        alike={"name": same_domain, "alias.name": _same_alias_name},
    ),
}
