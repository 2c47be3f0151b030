"""Finding the zone a request names, errors that several operations share, and the record of a change."""

from datetime import UTC, datetime

from tsubo.aws.operations import AwsError, Call, Response
from tsubo.model.route53 import Change, HostedZone
from tsubo.model.supply import ALPHANUMERIC

ZONE_PREFIX = "/hostedzone/"
CHANGE_PREFIX = "/change/"
ID_LENGTH = 20


def invalid_input(message: str) -> AwsError:
    """Return Route 53's error for a request that makes no sense."""
    return AwsError("InvalidInput", message)


def bare_id(text: str) -> str:
    """Return an id without the prefix that callers may send or not: of `/hostedzone/Z123` and `Z123` alike `Z123`."""
    return text.rpartition("/")[2]


def find_zone(call: Call, text: str | None) -> HostedZone:
    """Return the zone that an id names. Raises NoSuchHostedZone."""
    zone_id = bare_id(text or "")
    zone = call.world.hosted_zones.get(zone_id)
    if zone is None:
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}")
    return zone


def refuse_linked(zone: HostedZone) -> None:
    """Raise AccessDenied for a zone that Cloud Map manages (aws/ecs-cloudmap-exec.md section 10)."""
    if zone.linked_service_principal is not None:
        raise AwsError(
            "AccessDenied",
            f"The resource hostedzone/{zone.zone_id} can only be managed through AWS Cloud Map "
            f"({zone.linked_service_description})",
            status=403,
        )


def new_id(call: Call, letter: str) -> str:
    """Return a new id of a zone (`Z`) or a change (`C`)."""
    return letter + call.supply.text(ID_LENGTH, ALPHANUMERIC.upper())


def record_change(call: Call, comment: str | None = None) -> Response:
    """Write a change and return its ChangeInfo, which the answers of changing calls carry: `PENDING` there."""
    change = Change(new_id(call, "C"), call.now, comment or "")
    call.put(change)
    return change_shape(change, "PENDING")


def change_shape(change: Change, status: str) -> Response:
    """Return a change in the form AWS answers."""
    shape: Response = {
        "Id": CHANGE_PREFIX + change.change_id,
        "Status": status,
        "SubmittedAt": datetime.fromtimestamp(change.submitted_at, UTC),
    }
    return shape | ({"Comment": change.comment} if change.comment else {})
