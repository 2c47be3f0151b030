"""Prefix lists that AWS manages: S3, DynamoDB, and CloudFront's origin-facing addresses.

Identifiers are AWS's own for the regions where they are known, and stable inventions elsewhere. The ranges are a few
of AWS's real ones, the same in every region: enough to be referenced by rules and routes, not a copy of the lists.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tsubo.aws.ec2.describe import chosen, listed, page
from tsubo.aws.ec2.errors import required
from tsubo.aws.operations import AwsError, Call, Operation, Request, Response

CLOUDFRONT = "com.amazonaws.global.cloudfront.origin-facing"
KNOWN_IDENTIFIERS: Mapping[tuple[str, str], str] = {
    ("ap-northeast-1", "com.amazonaws.ap-northeast-1.s3"): "pl-61a54008",
    ("ap-northeast-1", "com.amazonaws.ap-northeast-1.dynamodb"): "pl-78a54011",
    ("ap-northeast-1", CLOUDFRONT): "pl-58a04531",
    ("us-east-1", "com.amazonaws.us-east-1.s3"): "pl-63a5400a",
    ("us-east-1", "com.amazonaws.us-east-1.dynamodb"): "pl-02cd2c6b",
    ("us-east-1", CLOUDFRONT): "pl-3b927c52",
    ("us-west-2", "com.amazonaws.us-west-2.s3"): "pl-68a54001",
    ("us-west-2", "com.amazonaws.us-west-2.dynamodb"): "pl-00a54069",
    ("eu-west-1", "com.amazonaws.eu-west-1.s3"): "pl-6da54004",
    ("eu-west-1", "com.amazonaws.eu-west-1.dynamodb"): "pl-6fa54006",
}
FILTERS = {"prefix-list-id": "PrefixListId", "prefix-list-name": "PrefixListName", "owner-id": "OwnerId"}


@dataclass(frozen=True)
class PrefixList:
    prefix_list_id: str
    name: str
    cidrs: tuple[str, ...]


def prefix_lists(region: str) -> tuple[PrefixList, ...]:
    """Return the prefix lists of AWS in a region."""
    ranges = {
        f"com.amazonaws.{region}.s3": ("52.219.0.0/16", "3.5.152.0/21"),
        f"com.amazonaws.{region}.dynamodb": ("52.94.8.0/24", "52.119.208.0/23"),
        CLOUDFRONT: ("130.176.0.0/17", "64.252.64.0/18"),
    }
    return tuple(PrefixList(_identifier(region, name), name, cidrs) for name, cidrs in ranges.items())


def require_prefix_list(region: str, identifier: str) -> PrefixList:
    """Return a region's prefix list, or raise InvalidPrefixListID.NotFound."""
    for prefix_list in prefix_lists(region):
        if prefix_list.prefix_list_id == identifier:
            return prefix_list
    raise _not_found([identifier])


def describe_prefix_lists(call: Call, request: Request) -> Response:
    views = [
        {"PrefixListId": known.prefix_list_id, "PrefixListName": known.name, "Cidrs": list(known.cidrs)}
        for known in prefix_lists(call.region)
        if known.name != CLOUDFRONT
    ]
    views = chosen(views, "PrefixListId", request.get("PrefixListIds"), _not_found)
    return listed("PrefixLists", views, request, FILTERS, by="PrefixListId")


def describe_managed_prefix_lists(call: Call, request: Request) -> Response:
    views = [
        {
            "PrefixListId": known.prefix_list_id,
            "PrefixListName": known.name,
            "PrefixListArn": f"arn:aws:ec2:{call.region}:aws:prefix-list/{known.prefix_list_id}",
            "AddressFamily": "IPv4",
            "State": "create-complete",
            "OwnerId": "AWS",
            "Tags": [],
        }
        for known in prefix_lists(call.region)
    ]
    views = chosen(views, "PrefixListId", request.get("PrefixListIds"), _not_found)
    return listed("PrefixLists", views, request, FILTERS, by="PrefixListId")


def get_managed_prefix_list_entries(call: Call, request: Request) -> Response:
    known = require_prefix_list(call.region, required(request, "PrefixListId"))
    return page("Entries", [{"Cidr": cidr} for cidr in known.cidrs], request, lambda entry: str(entry["Cidr"]))


def _identifier(region: str, name: str) -> str:
    invented = "pl-" + hashlib.sha256(f"{region}/{name}".encode()).hexdigest()[:8]
    return KNOWN_IDENTIFIERS.get((region, name), invented)


def _not_found(identifiers: Sequence[str]) -> AwsError:
    return AwsError("InvalidPrefixListID.NotFound", f"The prefix list ID '{', '.join(identifiers)}' does not exist")


OPERATIONS: Mapping[str, Operation] = {
    "DescribePrefixLists": describe_prefix_lists,
    "DescribeManagedPrefixLists": describe_managed_prefix_lists,
    "GetManagedPrefixListEntries": get_managed_prefix_list_entries,
}
