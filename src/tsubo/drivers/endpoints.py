"""The endpoints of a proxy's cluster as a file of the discovery service (EDS): written by the health checker alone."""

import json
from collections.abc import Iterable
from typing import Literal

EndpointHealth = Literal["HEALTHY", "UNHEALTHY", "DRAINING"]
Endpoint = tuple[str, int, EndpointHealth]
"""Address, port, and whether it gets requests: HEALTHY new ones, DRAINING only those under way, UNHEALTHY none."""


def endpoints_document(cluster: str, endpoints: Iterable[Endpoint]) -> bytes:
    """Return the file's content. One cluster each: Envoy takes no second one from such a file."""
    listed = [
        {
            "endpoint": {"address": {"socket_address": {"address": address, "port_value": port}}},
            "health_status": health,
        }
        for address, port, health in endpoints
    ]
    assignment = {
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": cluster,
        "endpoints": [{"lb_endpoints": listed}],
    }
    return json.dumps({"resources": [assignment]}).encode()
