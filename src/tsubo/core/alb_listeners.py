"""One listener on one node becomes one listener of the proxy: address, TLS, HTTP behaviour.

Sources: aws/alb-vpc-terraform.md sections 1.2, 1.3, 1.8 and 1.9; dataplane.md section 4.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tsubo.core import alb_replies, alb_requests, alb_routes
from tsubo.model.elbv2 import Listener
from tsubo.model.proxy import CertificateFile, ProxyNode

_TYPES = "type.googleapis.com/envoy.extensions"
_CONCURRENT_STREAMS = 128
_REQUEST_HEADERS_KIB = 64
_OLDEST_TLS_OF_POLICY = (
    ("ELBSecurityPolicy-TLS13-1-3", "TLSv1_3"),
    ("ELBSecurityPolicy-TLS13-1-2", "TLSv1_2"),
    ("ELBSecurityPolicy-TLS13-1-1", "TLSv1_1"),
    ("ELBSecurityPolicy-TLS-1-2", "TLSv1_2"),
    ("ELBSecurityPolicy-TLS-1-1", "TLSv1_1"),
    ("ELBSecurityPolicy-FS-1-2", "TLSv1_2"),
    ("ELBSecurityPolicy-FS-1-1", "TLSv1_1"),
)


def namespace_path(namespace: str) -> str:
    """Return the file by which a network namespace is entered."""
    return f"/run/netns/{namespace}"


def route_configuration_name(listener: Listener, node: ProxyNode) -> str:
    """Return the name of a listener on a node, also of its route configuration: `https-443@10.0.1.20`."""
    return f"{listener.protocol.lower()}-{listener.port}@{node.address}"


def listener_resource(
    listener: Listener,
    node: ProxyNode,
    attributes: Mapping[str, str],
    *,
    certificates: Sequence[CertificateFile],
    routes_path: str,
    by_source_address: bool,
) -> dict[str, Any]:
    """Return the proxy's listener. `attributes` are the load balancer's, `routes_path` the file of its routes."""
    chain: dict[str, Any] = {
        "filters": [
            {
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": _connection_manager(listener, node, attributes, routes_path, by_source_address),
            }
        ]
    }
    if listener.protocol == "HTTPS":
        chain["transport_socket"] = _tls(listener, attributes, certificates)
    return {
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": route_configuration_name(listener, node),
        "address": {
            "socket_address": {
                "address": node.address,
                "port_value": listener.port,
                "network_namespace_filepath": namespace_path(node.namespace),
            }
        },
        "filter_chains": [chain],
    }


def _connection_manager(
    listener: Listener, node: ProxyNode, attributes: Mapping[str, str], routes_path: str, by_source_address: bool
) -> dict[str, Any]:
    idle_timeout = f"{float(attributes.get('idle_timeout.timeout_seconds', '60')):g}s"
    manager: dict[str, Any] = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": f"listener-{listener.port}",
        "codec_type": "AUTO" if listener.protocol == "HTTPS" else "HTTP1",
        "rds": {
            "route_config_name": route_configuration_name(listener, node),
            "config_source": {"resource_api_version": "V3", "path_config_source": {"path": routes_path}},
        },
        "use_remote_address": True,
        "skip_xff_append": True,
        "generate_request_id": False,
        "preserve_external_request_id": True,
        "server_header_transformation": "PASS_THROUGH",
        "strip_any_host_port": listener.port in (80, 443) and not _preserves_host(attributes),
        "max_request_headers_kb": _REQUEST_HEADERS_KIB,
        "stream_idle_timeout": idle_timeout,
        "request_headers_timeout": idle_timeout,
        "common_http_protocol_options": _protocol_options(attributes, idle_timeout),
        "http_protocol_options": {
            "accept_http_10": True,
            "default_host_for_http_10": node.address,
            "header_key_format": preserve_case(),
        },
        "http2_protocol_options": {"max_concurrent_streams": _CONCURRENT_STREAMS},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "local_reply_config": alb_replies.reply_configuration(),
        "http_filters": _filters(listener, attributes),
    }
    if by_source_address:
        manager["early_header_mutation_extensions"] = [_source_address_header()]
    return manager


def preserve_case() -> dict[str, Any]:
    """Return the option that leaves the case of HTTP/1.1 header names as it is; the proxy's own are `Like-This`."""
    return {
        "stateful_formatter": {
            "name": "preserve_case",
            "typed_config": {
                "@type": f"{_TYPES}.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig",
                "formatter_type_on_envoy_headers": "PROPER_CASE",
            },
        }
    }


def _preserves_host(attributes: Mapping[str, str]) -> bool:
    return attributes.get("routing.http.preserve_host_header.enabled") == "true"


def _protocol_options(attributes: Mapping[str, str], idle_timeout: str) -> dict[str, Any]:
    drops_invalid = attributes.get("routing.http.drop_invalid_header_fields.enabled") == "true"
    return {
        "idle_timeout": idle_timeout,
        "max_connection_duration": f"{float(attributes.get('client_keep_alive.seconds', '3600')):g}s",
        "headers_with_underscores_action": "DROP_HEADER" if drops_invalid else "ALLOW",
    }


def _filters(listener: Listener, attributes: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "name": alb_requests.REDIRECT_METADATA,
            "typed_config": {
                "@type": f"{_TYPES}.filters.http.lua.v3.Lua",
                "default_source_code": {"inline_string": alb_requests.script(listener, attributes)},
            },
        },
        {
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": f"{_TYPES}.filters.http.router.v3.Router", "suppress_envoy_headers": True},
        },
    ]


def _source_address_header() -> dict[str, Any]:
    value = "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"
    return {
        "name": "source-address",
        "typed_config": {
            "@type": f"{_TYPES}.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            "mutations": [{"append": alb_replies.header(alb_routes.SOURCE_ADDRESS_HEADER, value)}],
        },
    }


def _tls(listener: Listener, attributes: Mapping[str, str], certificates: Sequence[CertificateFile]) -> dict[str, Any]:
    """Return the TLS side. Of several certificates the proxy takes the one for the name asked for, else the first."""
    protocols = ["http/1.1"] if attributes.get("routing.http2.enabled") == "false" else ["h2", "http/1.1"]
    files = [{"certificate_chain": {"filename": c.path}, "private_key": {"filename": c.path}} for c in certificates]
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{_TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_params": _tls_versions(listener.ssl_policy or ""),
                "tls_certificates": files,
                "alpn_protocols": protocols,
            },
        },
    }


def _tls_versions(policy: str) -> dict[str, str]:
    oldest = next((version for prefix, version in _OLDEST_TLS_OF_POLICY if policy.startswith(prefix)), "TLSv1_0")
    newest = "TLSv1_3" if "TLS13" in policy else "TLSv1_2"
    return {"tls_minimum_protocol_version": oldest, "tls_maximum_protocol_version": newest}
