"""Certificates are issued once their validation records stand in a public zone that is served here.

Source: aws/alb-vpc-terraform.md section 4.
"""

from tsubo.core.draft import Draft
from tsubo.model.acm import Certificate
from tsubo.model.observed import Observed
from tsubo.model.plan import IssueCertificate
from tsubo.model.world import World


def decide(draft: Draft, observed: Observed) -> None:
    """Ask for the issue of each pending certificate whose every validation record can be resolved publicly."""
    for certificate in draft.world.certificates.values():
        if certificate.status != "PENDING_VALIDATION" or not is_validated(draft.world, certificate):
            continue
        step = IssueCertificate(certificate.arn, f"the validation records of {certificate.domain_name} are there")
        if step.key not in observed.in_flight:
            draft.step(step)


def is_validated(world: World, certificate: Certificate) -> bool:
    """Return whether each validation record of a certificate stands in a public hosted zone."""
    public = {zone_id for zone_id, zone in world.hosted_zones.items() if not zone.private}
    standing = {
        (record.name.rstrip("."), record.type, value.rstrip("."))
        for record in world.record_sets.values()
        if record.zone_id in public
        for value in record.values
    }
    return bool(certificate.validation_options) and all(
        (option.record_name.lower().rstrip("."), option.record_type, option.record_value.rstrip(".")) in standing
        for option in certificate.validation_options
    )
