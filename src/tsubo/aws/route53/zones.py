"""Hosted zones: their operations but those on record sets and VPCs.

Sources: aws/alb-vpc-terraform.md section 3, aws/ecs-cloudmap-exec.md sections 10 and 11.
"""

import dataclasses

from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.aws.route53.lookup import (
    ZONE_PREFIX,
    bare_id,
    find_zone,
    invalid_input,
    new_id,
    record_change,
    refuse_linked,
)
from tsubo.aws.route53.name_servers import PRIVATE_NAME_SERVERS, public_name_servers
from tsubo.aws.route53.names import BadName, normalized, sort_key
from tsubo.aws.route53.pages import page_from, page_size
from tsubo.aws.route53.record_sets import record_sets_of
from tsubo.aws.route53.zone_vpcs import check_no_conflict, requested_vpc, vpc_shape
from tsubo.model.route53 import HostedZone

PAGE_SIZE = 100
APEX_RECORD_SETS = 2
LIMITS = {"MAX_RRSETS_BY_ZONE": 10_000, "MAX_VPCS_ASSOCIATED_BY_ZONE": 300}
ADDRESS = "https://route53.amazonaws.com/2013-04-01"


def create_hosted_zone(call: Call, request: Request) -> Response:
    """CreateHostedZone: private with a VPC, public without."""
    name = _zone_name(request.get("Name") or "")
    reference = request.get("CallerReference") or ""
    if any(zone.caller_reference == reference for zone in call.world.hosted_zones.values()):
        raise AwsError(
            "HostedZoneAlreadyExists",
            f"A hosted zone has already been created with the specified caller reference: {reference}",
        )
    if request.get("DelegationSetId"):
        raise AwsError("NoSuchDelegationSet", f"There is no reusable delegation set {request['DelegationSetId']}")
    config = request.get("HostedZoneConfig") or {}
    if config.get("PrivateZone") and not request.get("VPC"):
        raise invalid_input("A private hosted zone must be created with a VPC ID and a VPC region")
    vpcs = (requested_vpc(call, request["VPC"]),) if request.get("VPC") else ()
    for vpc in vpcs:
        check_no_conflict(call, name, vpc)
    zone = HostedZone(
        zone_id=new_id(call, "Z"),
        name=name,
        private=bool(vpcs),
        caller_reference=reference,
        created_at=call.now,
        name_servers=PRIVATE_NAME_SERVERS if vpcs else public_name_servers(call),
        vpcs=vpcs,
        comment=config.get("Comment") or "",
    )
    call.put(zone)
    return {
        "HostedZone": zone_shape(call, zone),
        "ChangeInfo": record_change(call),
        "Location": f"{ADDRESS}{ZONE_PREFIX}{zone.zone_id}",
        **({"VPC": vpc_shape(vpcs[0])} if vpcs else {"DelegationSet": _delegation_set(zone)}),
    }


def get_hosted_zone(call: Call, request: Request) -> Response:
    """GetHostedZone: with its name servers or, if private, its VPCs."""
    zone = find_zone(call, request.get("Id"))
    if zone.private:
        return {"HostedZone": zone_shape(call, zone), "VPCs": [vpc_shape(vpc) for vpc in zone.vpcs]}
    return {"HostedZone": zone_shape(call, zone), "DelegationSet": _delegation_set(zone)}


def list_hosted_zones(call: Call, request: Request) -> Response:
    """ListHostedZones: by id."""
    if request.get("DelegationSetId"):
        raise AwsError("NoSuchDelegationSet", f"There is no reusable delegation set {request['DelegationSetId']}")
    only_private = request.get("HostedZoneType") == "PrivateHostedZone"
    zones = [zone for zone in call.world.hosted_zones.values() if zone.private or not only_private]
    size, marker = page_size(request.get("MaxItems"), PAGE_SIZE), request.get("Marker")
    shown, following = page_from(zones, lambda zone: zone.zone_id, size, marker)
    return {
        "HostedZones": [zone_shape(call, zone) for zone in shown],
        **({"Marker": marker} if marker else {}),
        "MaxItems": str(size),
        "IsTruncated": following is not None,
        **({"NextMarker": following.zone_id} if following else {}),
    }


def list_hosted_zones_by_name(call: Call, request: Request) -> Response:
    """ListHostedZonesByName: in the order of reversed labels, from a name (and an id) on."""
    name, zone_id = request.get("DNSName"), bare_id(request.get("HostedZoneId") or "")
    if zone_id and not name:
        raise invalid_input("DNSName must be specified with HostedZoneId")
    start = (sort_key(_zone_name(name)), zone_id) if name else None
    size = page_size(request.get("MaxItems"), PAGE_SIZE)
    zones = call.world.hosted_zones.values()
    shown, following = page_from(zones, lambda zone: (sort_key(zone.name), zone.zone_id), size, start)
    return {
        "HostedZones": [zone_shape(call, zone) for zone in shown],
        "MaxItems": str(size),
        "IsTruncated": following is not None,
        **({"DNSName": name} if name else {}),
        **({"HostedZoneId": zone_id} if zone_id else {}),
        **({"NextDNSName": following.name, "NextHostedZoneId": following.zone_id} if following else {}),
    }


def get_hosted_zone_count(call: Call, _: Request) -> Response:
    """GetHostedZoneCount."""
    return {"HostedZoneCount": len(call.world.hosted_zones)}


def update_hosted_zone_comment(call: Call, request: Request) -> Response:
    """UpdateHostedZoneComment: to what is given, or to none."""
    zone = dataclasses.replace(find_zone(call, request.get("Id")), comment=request.get("Comment") or "")
    call.put(zone)
    return {"HostedZone": zone_shape(call, zone)}


def delete_hosted_zone(call: Call, request: Request) -> Response:
    """DeleteHostedZone: one with nothing but its NS and SOA."""
    zone = find_zone(call, request.get("Id"))
    refuse_linked(zone)
    if len(record_sets_of(call.world, zone)) > APEX_RECORD_SETS:
        raise AwsError(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
        )
    call.delete(zone)
    return {"ChangeInfo": record_change(call)}


def get_dnssec(call: Call, request: Request) -> Response:
    """GetDNSSEC: no zone is signed."""
    find_zone(call, request.get("HostedZoneId"))
    return {"Status": {"ServeSignature": "NOT_SIGNING"}, "KeySigningKeys": []}


def list_query_logging_configs(call: Call, request: Request) -> Response:
    """ListQueryLoggingConfigs: there are none."""
    if request.get("HostedZoneId"):
        find_zone(call, request["HostedZoneId"])
    return {"QueryLoggingConfigs": []}


def get_hosted_zone_limit(call: Call, request: Request) -> Response:
    """GetHostedZoneLimit: a quota, and how much of it the zone uses."""
    zone, kind = find_zone(call, request.get("HostedZoneId")), request.get("Type") or ""
    if kind not in LIMITS:
        raise invalid_input(f"The limit type '{kind}' must be one of {', '.join(LIMITS)}")
    if kind == "MAX_VPCS_ASSOCIATED_BY_ZONE" and not zone.private:
        raise AwsError("HostedZoneNotPrivate", f"The hosted zone {zone.zone_id} is a public hosted zone.")
    count = len(zone.vpcs) if kind == "MAX_VPCS_ASSOCIATED_BY_ZONE" else len(record_sets_of(call.world, zone))
    return {"Limit": {"Type": kind, "Value": LIMITS[kind]}, "Count": count}


def zone_shape(call: Call, zone: HostedZone) -> Response:
    """Return a zone in the form AWS answers."""
    shape: Response = {
        "Id": ZONE_PREFIX + zone.zone_id,
        "Name": zone.name,
        "CallerReference": zone.caller_reference,
        "Config": {"Comment": zone.comment, "PrivateZone": zone.private},
        "ResourceRecordSetCount": len(record_sets_of(call.world, zone)),
    }
    if zone.linked_service_principal is not None:
        shape["LinkedService"] = {
            "ServicePrincipal": zone.linked_service_principal,
            "Description": zone.linked_service_description or "",
        }
    return shape


def _delegation_set(zone: HostedZone) -> Response:
    return {"NameServers": [name.removesuffix(".") for name in zone.name_servers]}


def _zone_name(text: str) -> str:
    try:
        return normalized(text)
    except BadName as error:
        raise AwsError("InvalidDomainName", str(error)) from error
