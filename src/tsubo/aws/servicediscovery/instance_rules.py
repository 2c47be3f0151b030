"""What an instance's attributes must be for the records of its service.

`check` raises InvalidInput. Source: aws/ecs-cloudmap-exec.md section 8.
"""

import ipaddress
import re
from collections.abc import Mapping

from tsubo.aws.servicediscovery.lookup import invalid_input
from tsubo.model.cloudmap import DiscoveryService

INSTANCE_ID_PATTERN = re.compile(r"[0-9a-zA-Z_/:.@-]{1,64}")
MAXIMUM_ATTRIBUTES = 30
MAXIMUM_KEY = 255
MAXIMUM_VALUE = 1024
MAXIMUM_TOTAL = 5000
HEALTH_STATES = ("HEALTHY", "UNHEALTHY")


def check(service: DiscoveryService, instance_id: str, attributes: Mapping[str, str]) -> None:
    """Check an instance that is to be registered."""
    if not INSTANCE_ID_PATTERN.fullmatch(instance_id):
        raise invalid_input(f"The instance id {instance_id!r} is not valid.")
    _check_sizes(attributes)
    _check_addresses(attributes)
    _check_health(service, attributes)
    if "AWS_ALIAS_DNS_NAME" in attributes:
        raise invalid_input("Tsubo does not make alias records for instances: AWS_ALIAS_DNS_NAME is not supported.")
    required = {"A": "AWS_INSTANCE_IPV4", "AAAA": "AWS_INSTANCE_IPV6", "SRV": "AWS_INSTANCE_PORT"}
    required["CNAME"] = "AWS_INSTANCE_CNAME"
    for record in service.dns_records:
        if required[record.type] not in attributes:
            raise invalid_input(f"{required[record.type]} is required for the {record.type} record of the service.")


def _check_sizes(attributes: Mapping[str, str]) -> None:
    custom = {key: value for key, value in attributes.items() if not key.startswith("AWS_")}
    if len(custom) > MAXIMUM_ATTRIBUTES:
        raise invalid_input(f"An instance can have at most {MAXIMUM_ATTRIBUTES} custom attributes.")
    if any(len(key) > MAXIMUM_KEY or len(value) > MAXIMUM_VALUE for key, value in custom.items()):
        raise invalid_input(f"An attribute's key has at most {MAXIMUM_KEY}, its value {MAXIMUM_VALUE} characters.")
    if sum(len(key) + len(value) for key, value in custom.items()) > MAXIMUM_TOTAL:
        raise invalid_input(f"The attributes of an instance have at most {MAXIMUM_TOTAL} characters in total.")


def _check_addresses(attributes: Mapping[str, str]) -> None:
    try:
        if "AWS_INSTANCE_IPV4" in attributes:
            ipaddress.IPv4Address(attributes["AWS_INSTANCE_IPV4"])
        if "AWS_INSTANCE_IPV6" in attributes:
            ipaddress.IPv6Address(attributes["AWS_INSTANCE_IPV6"])
    except ValueError as error:
        raise invalid_input(f"Invalid address: {error}.") from error
    port = attributes.get("AWS_INSTANCE_PORT")
    if port is not None and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise invalid_input(f"Invalid AWS_INSTANCE_PORT {port!r}.")


def _check_health(service: DiscoveryService, attributes: Mapping[str, str]) -> None:
    status = attributes.get("AWS_INIT_HEALTH_STATUS")
    if status is None:
        return
    if not service.custom_health_check:
        raise invalid_input("AWS_INIT_HEALTH_STATUS is for services with a HealthCheckCustomConfig only.")
    if status not in HEALTH_STATES:
        raise invalid_input("AWS_INIT_HEALTH_STATUS must be HEALTHY or UNHEALTHY.")
