"""A target group as one node sees it: the proxy's cluster, and what the health checker checks for it.

The proxy checks nothing itself. The health checker writes the cluster's endpoints with their state, so that what
DescribeTargetHealth says and what the proxy routes to are one thing. Sources: aws/alb-vpc-terraform.md sections 1.3,
1.6, 1.7 and 1.9; dataplane.md section 4.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tsubo.core.alb_listeners import namespace_path, preserve_case
from tsubo.model.elbv2 import Target, TargetGroup
from tsubo.model.proxy import CheckedTarget, ProxyNode, TargetPool

CONNECT_TIMEOUT_SECONDS = 10
_NO_LIMIT = 1_000_000
_ALGORITHMS = {"least_outstanding_requests": "LEAST_REQUEST", "weighted_random": "RANDOM"}


def cluster_name(target_group_arn: str, node: ProxyNode) -> str:
    """Return the cluster's name: the target group's name and id, and the node's address."""
    name, identifier = target_group_arn.split("/")[-2:]
    return f"{name}-{identifier}@{node.address}"


def target_pool(
    group: TargetGroup, node: ProxyNode, targets: Iterable[Target], endpoints_directory: str, admin_path: str
) -> TargetPool:
    """Return what is checked from a node for a target group."""
    name = cluster_name(group.arn, node)
    port = group.health_check.port
    checked = [
        CheckedTarget(
            address=target.address,
            port=target.port,
            check_port=target.port if port == "traffic-port" else int(port),
            registered_at=target.registered_at,
            draining=target.draining_since is not None,
        )
        for target in targets
    ]
    return TargetPool(
        name=name,
        target_group_arn=group.arn,
        namespace=node.namespace,
        node_address=node.address,
        health_check=group.health_check,
        endpoints_path=f"{endpoints_directory}/eds-{name}.json",
        admin_path=admin_path,
        targets=tuple(sorted(checked, key=lambda target: target.key)),
    )


def cluster_resource(group: TargetGroup, pool: TargetPool, attributes: Mapping[str, str]) -> dict[str, Any]:
    """Return the proxy's cluster of a pool. `attributes` are the load balancer's."""
    resource: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": pool.name,
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": {"resource_api_version": "V3", "path_config_source": {"path": pool.endpoints_path}}
        },
        "connect_timeout": f"{CONNECT_TIMEOUT_SECONDS}s",
        "lb_policy": _ALGORITHMS.get(group.attributes.get("load_balancing.algorithm.type", ""), "ROUND_ROBIN"),
        # Which targets get traffic when none is healthy is the health checker's decision.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "circuit_breakers": {"thresholds": [_no_limits()]},
        "upstream_bind_config": {
            "source_address": {
                "address": pool.node_address,
                "port_value": 0,
                "network_namespace_filepath": namespace_path(pool.namespace),
            }
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": _protocol(group, attributes)
        },
    }
    if group.protocol == "HTTPS":
        # Without a certificate authority to check against: a load balancer verifies no target.
        tls = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
        resource["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": {"@type": tls}}
    return resource


def _protocol(group: TargetGroup, attributes: Mapping[str, str]) -> dict[str, Any]:
    if group.protocol_version == "HTTP1":
        explicit: dict[str, Any] = {"http_protocol_options": {"header_key_format": preserve_case()}}
    else:
        explicit = {"http2_protocol_options": {}}
    idle_timeout = float(attributes.get("idle_timeout.timeout_seconds", "60"))
    return {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "common_http_protocol_options": {"idle_timeout": f"{idle_timeout:g}s"},
        "explicit_http_config": explicit,
    }


def _no_limits() -> dict[str, int]:
    kinds = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    return dict.fromkeys(kinds, _NO_LIMIT)
