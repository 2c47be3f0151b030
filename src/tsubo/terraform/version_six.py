"""What version 6 of the AWS provider added to the types that Tsubo runs, laid over the schema of 5.100.0.

What 6 dropped stays accepted, since older configurations still write it (`aws_eip.vpc`). Sources:
aws/alb-vpc-terraform.md section 6.8, and the upgrade guide of version 6.
"""

from typing import Any, Final

CompactBlock = dict[str, Any]

GLOBAL_SERVICES: Final = (
    "aws_account_",
    "aws_budgets_",
    "aws_caller_identity",
    "aws_ce_",
    "aws_cloudfront_",
    "aws_cur_",
    "aws_globalaccelerator_",
    "aws_iam_",
    "aws_organizations_",
    "aws_partition",
    "aws_route53_record",
    "aws_route53_zone",
    "aws_shield_",
    "aws_waf_",
)
"""Prefixes of types that belong to no region and so have no `region` argument."""

_ATTRIBUTES: Final[dict[tuple[str, str], dict[str, list[Any]]]] = {
    ("resource", "aws_cloudwatch_log_group"): {"deletion_protection_enabled": ["bool", "oc"]},
    ("resource", "aws_ecs_service"): {"sigint_rollback": ["bool", "o"]},
    ("resource", "aws_nat_gateway"): {"availability_mode": ["string", "oc"], "vpc_id": ["string", "oc"]},
}

_REWRITE: Final[list[Any]] = [
    "list",
    0,
    1,
    "",
    {"b": {"rewrite": ["list", 0, 1, "", {"a": {"regex": ["string", "r"], "replace": ["string", "r"]}}]}},
]

_BLOCKS: Final[dict[tuple[str, str], dict[str, list[Any]]]] = {
    ("resource", "aws_ecr_repository"): {
        "image_tag_mutability_exclusion_filter": [
            "list",
            0,
            5,
            "",
            {"a": {"filter": ["string", "r"], "filter_type": ["string", "r"]}},
        ]
    },
    ("resource", "aws_ecs_service"): {
        "deployment_configuration": [
            "list",
            0,
            1,
            "k",
            {"a": {"strategy": ["string", "o"], "bake_time_in_minutes": ["string", "oc"]}},
        ]
    },
    ("resource", "aws_lb_listener_rule"): {
        "transform": [
            "set",
            0,
            2,
            "",
            {
                "a": {"type": ["string", "r"]},
                "b": {"host_header_rewrite_config": _REWRITE, "url_rewrite_config": _REWRITE},
            },
        ]
    },
}


def add_to(kind: str, name: str, block: CompactBlock) -> None:
    """Write version 6's attributes and blocks into a type's compact block."""
    attributes = block.setdefault("a", {})
    nested = block.setdefault("b", {})
    if not name.startswith(GLOBAL_SERVICES):
        attributes.setdefault("region", ["string", "ocf"])
    for added_name, added in _ATTRIBUTES.get((kind, name), {}).items():
        attributes.setdefault(added_name, added)
    for added_name, added in _BLOCKS.get((kind, name), {}).items():
        nested.setdefault(added_name, added)
    if name in ("aws_lb_listener_rule", "aws_alb_listener_rule"):
        _allow_regular_expressions(nested["condition"][4]["b"])


def _allow_regular_expressions(conditions: dict[str, list[Any]]) -> None:
    for field in ("host_header", "http_header", "path_pattern"):
        attributes = conditions[field][4]["a"]
        attributes["values"] = [["set", "string"], "o"]
        attributes["regex_values"] = [["set", "string"], "o"]
