"""ACM certificates and the wait for their validation. Source: aws/alb-vpc-terraform.md sections 4 and 6.2."""

from collections.abc import Mapping
from typing import Any

from tsubo.terraform.calls import Aws, CallError
from tsubo.terraform.resources.common import block, first, tag_items, tag_list, tag_map, without_dot
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import UNKNOWN, Values, is_known

ISSUE_SECONDS = 30.0
"""How long a certificate may take: the local authority issues as soon as the validation records stand."""


def _create(aws: Aws, values: Values) -> Values:
    if values.get("certificate_body"):
        answer = aws.call(
            "acm",
            "import_certificate",
            Certificate=values["certificate_body"].encode(),
            PrivateKey=(values.get("private_key") or "").encode(),
            CertificateChain=values["certificate_chain"].encode() if values.get("certificate_chain") else None,
            Tags=tag_list(values),
        )
    else:
        answer = aws.call(
            "acm",
            "request_certificate",
            DomainName=values["domain_name"],
            SubjectAlternativeNames=_other_names(values) or None,
            ValidationMethod=values.get("validation_method"),
            KeyAlgorithm=values.get("key_algorithm"),
            Options=_options(values),
            Tags=tag_list(values),
        )
    return {"id": answer["CertificateArn"], "arn": answer["CertificateArn"]}


def _other_names(values: Values) -> list[str]:
    return [name for name in values.get("subject_alternative_names") or () if name != values["domain_name"]]


def _options(values: Values) -> dict[str, str] | None:
    options = block(values, "options")
    preference = (options or {}).get("certificate_transparency_logging_preference")
    return {"CertificateTransparencyLoggingPreference": preference} if preference else None


def _find(aws: Aws, arn: str) -> Any:
    return (aws.find("acm", "describe_certificate", CertificateArn=arn) or {}).get("Certificate")


def _await_validation_options(aws: Aws, values: Values) -> None:
    """ACM tells the validation records a moment after the request."""
    if values.get("certificate_body") or values.get("validation_method") != "DNS":
        return

    def told() -> bool | None:
        options = (_find(aws, values["id"]) or {}).get("DomainValidationOptions") or ()
        return True if options and all("ResourceRecord" in option for option in options) else None

    aws.wait(f"the validation records of the certificate for {values['domain_name']}", told, ISSUE_SECONDS)


def _read(aws: Aws, values: Values) -> Values | None:
    certificate = _find(aws, values["id"])
    if certificate is None or certificate["Status"] == "VALIDATION_TIMED_OUT":
        return None
    options = certificate.get("DomainValidationOptions") or ()
    tags = aws.call("acm", "list_tags_for_certificate", CertificateArn=values["id"])
    preference = (certificate.get("Options") or {}).get("CertificateTransparencyLoggingPreference", "ENABLED")
    return {
        "arn": certificate["CertificateArn"],
        "domain_name": certificate["DomainName"],
        "subject_alternative_names": certificate.get("SubjectAlternativeNames") or [certificate["DomainName"]],
        "domain_validation_options": [_option_values(option) for option in options if "ResourceRecord" in option],
        "validation_method": first(option.get("ValidationMethod", "DNS") for option in options) or "NONE",
        "validation_emails": [],
        "key_algorithm": certificate.get("KeyAlgorithm", "RSA_2048").replace("-", "_"),
        "status": certificate["Status"],
        "type": certificate.get("Type", "AMAZON_ISSUED"),
        "not_before": _time(certificate.get("NotBefore")),
        "not_after": _time(certificate.get("NotAfter")),
        "pending_renewal": False,
        "renewal_eligibility": certificate.get("RenewalEligibility", "INELIGIBLE"),
        "renewal_summary": [],
        "options": [{"certificate_transparency_logging_preference": preference}],
        "tags": tag_map(tags.get("Tags")),
    }


def _time(moment: Any) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def _option_values(option: dict[str, Any]) -> Values:
    record = option["ResourceRecord"]
    return {
        "domain_name": option["DomainName"],
        "resource_record_name": record["Name"],
        "resource_record_type": record["Type"],
        "resource_record_value": record["Value"],
    }


def _refine(_aws: Aws, prior: Values | None, planned: Values) -> None:
    """Plan what is known of the names, as the real provider does, so that a `for_each` over the validation records
    can be evaluated before the certificate exists."""
    domain, others = planned.get("domain_name"), planned.get("subject_alternative_names")
    if planned.get("certificate_body") or not isinstance(domain, str):
        return
    others = [] if others is UNKNOWN or others is None else others
    if not is_known(others):
        return
    names = list(dict.fromkeys([without_dot(domain), *others]))
    if prior is not None and set(names) == set(prior.get("subject_alternative_names") or ()):
        planned["subject_alternative_names"] = prior["subject_alternative_names"]
        return
    planned["subject_alternative_names"] = names
    if planned.get("validation_method") == "DNS":
        unknown = dict.fromkeys(("resource_record_name", "resource_record_type", "resource_record_value"), UNKNOWN)
        planned["domain_validation_options"] = [{"domain_name": name} | unknown for name in names]


def _retag(aws: Aws, values: Values, changed: Mapping[str, str], removed: list[str]) -> None:
    arn = values["id"]
    if removed:
        tags = [{"Key": key} for key in removed]
        aws.call("acm", "remove_tags_from_certificate", CertificateArn=arn, Tags=tags)
    if changed:
        aws.call("acm", "add_tags_to_certificate", CertificateArn=arn, Tags=tag_items(changed))


def _delete(aws: Aws, values: Values) -> None:
    aws.call("acm", "delete_certificate", CertificateArn=values["id"])


def _create_validation(aws: Aws, values: Values) -> Values:
    arn = values["certificate_arn"]

    def issued() -> str | None:
        certificate = _find(aws, arn) or {}
        if certificate.get("Status") in ("FAILED", "REVOKED", "EXPIRED", "VALIDATION_TIMED_OUT"):
            raise CallError(f"the certificate {arn} is {certificate['Status']}")
        return _time(certificate.get("IssuedAt")) or "imported" if certificate.get("Status") == "ISSUED" else None

    what = f"the certificate {arn} to be issued"
    return {"id": aws.wait(what, issued, ISSUE_SECONDS, _missing_records(aws, arn))}


def _missing_records(aws: Aws, arn: str) -> str:
    """Return what a certificate that is not issued lacks."""
    options = (_find(aws, arn) or {}).get("DomainValidationOptions") or ()
    records = (option["ResourceRecord"] for option in options if "ResourceRecord" in option)
    wanted = sorted({f"{record['Name']} {record['Type']} {record['Value']}" for record in records})
    return "It is issued once these records stand in a zone that this configuration creates: " + "; ".join(wanted)


def _read_validation(aws: Aws, values: Values) -> Values | None:
    certificate = _find(aws, values["certificate_arn"]) or {}
    return {} if certificate.get("Status") == "ISSUED" else None


RESOURCES = {
    "aws_acm_certificate": ResourceType(
        create=_create,
        complete=_await_validation_options,
        read=_read,
        delete=_delete,
        refine=_refine,
        retag=_retag,
    ),
    "aws_acm_certificate_validation": ResourceType(create=_create_validation, read=_read_validation),
}
