"""Route 53: hosted zones, record sets, changes. Global: it has no region, and its ids carry prefixes in answers.

`OPERATIONS` are the operations by their names. Sources: aws/alb-vpc-terraform.md section 3, aws/ecs-cloudmap-exec.md
sections 10 and 11.
"""

from tsubo.aws.operations import Operations
from tsubo.aws.route53 import changes, health_checks, record_sets, tags, zone_vpcs, zones

OPERATIONS: Operations = {
    "CreateHostedZone": zones.create_hosted_zone,
    "GetHostedZone": zones.get_hosted_zone,
    "ListHostedZones": zones.list_hosted_zones,
    "ListHostedZonesByName": zones.list_hosted_zones_by_name,
    "GetHostedZoneCount": zones.get_hosted_zone_count,
    "UpdateHostedZoneComment": zones.update_hosted_zone_comment,
    "DeleteHostedZone": zones.delete_hosted_zone,
    "GetDNSSEC": zones.get_dnssec,
    "ListQueryLoggingConfigs": zones.list_query_logging_configs,
    "GetHostedZoneLimit": zones.get_hosted_zone_limit,
    "AssociateVPCWithHostedZone": zone_vpcs.associate_vpc_with_hosted_zone,
    "DisassociateVPCFromHostedZone": zone_vpcs.disassociate_vpc_from_hosted_zone,
    "ListHostedZonesByVPC": zone_vpcs.list_hosted_zones_by_vpc,
    "ListVPCAssociationAuthorizations": zone_vpcs.list_vpc_association_authorizations,
    "ChangeResourceRecordSets": changes.change_resource_record_sets,
    "GetChange": changes.get_change,
    "ListResourceRecordSets": record_sets.list_resource_record_sets,
    "ChangeTagsForResource": tags.change_tags_for_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
    "ListTagsForResources": tags.list_tags_for_resources,
    "CreateHealthCheck": health_checks.create_health_check,
    "GetHealthCheck": health_checks.refuse_health_check,
    "UpdateHealthCheck": health_checks.refuse_health_check,
    "DeleteHealthCheck": health_checks.refuse_health_check,
    "GetHealthCheckStatus": health_checks.refuse_health_check,
    "ListHealthChecks": health_checks.list_health_checks,
    "GetHealthCheckCount": health_checks.get_health_check_count,
}
