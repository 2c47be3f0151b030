"""The VPCs of private zones: what may be associated, and the operations that associate.

Source: aws/ecs-cloudmap-exec.md section 11.
"""

import dataclasses
from collections.abc import Mapping

from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.aws.route53.lookup import find_zone, invalid_input, record_change
from tsubo.aws.route53.pages import page_from, page_size
from tsubo.model.route53 import HostedZone, ZoneVpc

PAGE_SIZE = 100


def associate_vpc_with_hosted_zone(call: Call, request: Request) -> Response:
    """AssociateVPCWithHostedZone: a VPC that sees no other zone of that name."""
    zone = find_zone(call, request.get("HostedZoneId"))
    if not zone.private:
        raise AwsError(
            "PublicZoneVPCAssociation",
            "You're trying to associate a VPC with a public hosted zone. Amazon Route 53 doesn't support associating a "
            "VPC with a public hosted zone.",
        )
    vpc = requested_vpc(call, request.get("VPC") or {})
    check_no_conflict(call, zone.name, vpc)
    call.put(dataclasses.replace(zone, vpcs=(*zone.vpcs, vpc)))
    return {"ChangeInfo": record_change(call, request.get("Comment"))}


def disassociate_vpc_from_hosted_zone(call: Call, request: Request) -> Response:
    """DisassociateVPCFromHostedZone: any but the last, without which nothing could ask the zone."""
    zone = find_zone(call, request.get("HostedZoneId"))
    vpc_id = (request.get("VPC") or {}).get("VPCId")
    kept = tuple(vpc for vpc in zone.vpcs if vpc.vpc_id != vpc_id)
    if len(kept) == len(zone.vpcs):
        raise AwsError("VPCAssociationNotFound", f"The VPC: {vpc_id} is not associated with the hosted zone.")
    if not kept:
        raise AwsError(
            "LastVPCAssociation",
            "The VPC that you're trying to disassociate from the private hosted zone is the last VPC that is "
            "associated with the hosted zone. Amazon Route 53 doesn't support disassociating the last VPC from a "
            "hosted zone.",
        )
    call.put(dataclasses.replace(zone, vpcs=kept))
    return {"ChangeInfo": record_change(call, request.get("Comment"))}


def list_hosted_zones_by_vpc(call: Call, request: Request) -> Response:
    """ListHostedZonesByVPC: the private zones that a VPC sees, and who owns them."""
    vpc_id = request.get("VPCId")
    chosen = [zone for zone in call.world.hosted_zones.values() if any(vpc.vpc_id == vpc_id for vpc in zone.vpcs)]
    size = page_size(request.get("MaxItems"), PAGE_SIZE)
    shown, following = page_from(chosen, lambda zone: zone.zone_id, size, request.get("NextToken"))
    summaries = [{"HostedZoneId": zone.zone_id, "Name": zone.name, "Owner": _owner(call, zone)} for zone in shown]
    more = {"NextToken": following.zone_id} if following else {}
    return {"HostedZoneSummaries": summaries, "MaxItems": str(size), **more}


def list_vpc_association_authorizations(call: Call, request: Request) -> Response:
    """ListVPCAssociationAuthorizations: none, as there is one account."""
    return {"HostedZoneId": find_zone(call, request.get("HostedZoneId")).zone_id, "VPCs": []}


def requested_vpc(call: Call, vpc: Mapping[str, str]) -> ZoneVpc:
    """Return the VPC that a request names by id and region. Raises InvalidVPCId."""
    if not vpc.get("VPCId"):
        raise invalid_input("A VPC ID must be specified")
    standing = call.world.vpcs.get(vpc["VPCId"])
    region = vpc.get("VPCRegion") or call.region
    if standing is None or standing.region != region:
        raise AwsError("InvalidVPCId", f"The VPC ID is invalid: there is no VPC {vpc['VPCId']} in region {region}.")
    return ZoneVpc(standing.vpc_id, standing.region)


def check_no_conflict(call: Call, name: str, vpc: ZoneVpc) -> None:
    """Raise ConflictingDomainExists if the VPC sees a zone of that very name already."""
    for zone in call.world.hosted_zones.values():
        if zone.name == name and any(each.vpc_id == vpc.vpc_id for each in zone.vpcs):
            raise AwsError(
                "ConflictingDomainExists",
                f"The VPC {vpc.vpc_id} in region {vpc.region} has already been associated with the hosted zone "
                f"{zone.zone_id} with the same domain name.",
            )


def vpc_shape(vpc: ZoneVpc) -> Response:
    """Return a VPC of a zone in the form AWS answers."""
    return {"VPCRegion": vpc.region, "VPCId": vpc.vpc_id}


def _owner(call: Call, zone: HostedZone) -> Response:
    if zone.linked_service_principal is not None:
        return {"OwningService": zone.linked_service_principal}
    return {"OwningAccount": call.account_id}
