"""The security policies of HTTPS listeners, and DescribeSSLPolicies.

Source: aws/alb-vpc-terraform.md section 1.3.
"""

from dataclasses import dataclass

from tsubo.aws.operations import AwsError, Call, Request, Response

DEFAULT_SSL_POLICY = "ELBSecurityPolicy-2016-08"

_TLS_1_3 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_PROTOCOLS = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1")


def _forward_secret(*hashes: str) -> tuple[str, ...]:
    """Return the ECDHE suites by what follows the AES key size, in the order of AWS: all of 128 bits first."""
    return tuple(
        f"ECDHE-{authentication}-AES{suite}"
        for bits, sha2 in (("128", "SHA256"), ("256", "SHA384"))
        for suite in (f"{bits}-{name.replace('SHA2', sha2)}" for name in hashes)
        for authentication in ("ECDSA", "RSA")
    )


_RESTRICTED = _forward_secret("GCM-SHA2")
_STRONG = _forward_secret("GCM-SHA2", "SHA2")
_WITH_SHA1 = _forward_secret("GCM-SHA2", "SHA2", "SHA")
_RSA_STRONG = ("AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256")
_RSA = ("AES128-GCM-SHA256", "AES128-SHA256", "AES128-SHA", "AES256-GCM-SHA384", "AES256-SHA256", "AES256-SHA")
_LEGACY = _WITH_SHA1 + _RSA


@dataclass(frozen=True)
class SslPolicy:
    """The protocols, newest first, and the ciphers in the order in which the load balancer prefers them."""

    protocols: tuple[str, ...]
    ciphers: tuple[str, ...]


def _since(first: str, last: str) -> tuple[str, ...]:
    return _PROTOCOLS[_PROTOCOLS.index(first) : _PROTOCOLS.index(last) + 1]


SSL_POLICIES = {
    "ELBSecurityPolicy-TLS13-1-3-2021-06": SslPolicy(("TLSv1.3",), _TLS_1_3),
    "ELBSecurityPolicy-TLS13-1-2-2021-06": SslPolicy(_since("TLSv1.3", "TLSv1.2"), _TLS_1_3 + _STRONG),
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06": SslPolicy(_since("TLSv1.3", "TLSv1.2"), _TLS_1_3 + _RESTRICTED),
    "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06": SslPolicy(
        _since("TLSv1.3", "TLSv1.2"), _TLS_1_3 + _STRONG + _RSA_STRONG
    ),
    "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06": SslPolicy(_since("TLSv1.3", "TLSv1.2"), _TLS_1_3 + _LEGACY),
    "ELBSecurityPolicy-TLS13-1-1-2021-06": SslPolicy(_since("TLSv1.3", "TLSv1.1"), _TLS_1_3 + _LEGACY),
    "ELBSecurityPolicy-TLS13-1-0-2021-06": SslPolicy(_since("TLSv1.3", "TLSv1"), _TLS_1_3 + _LEGACY),
    "ELBSecurityPolicy-TLS-1-2-Ext-2018-06": SslPolicy(("TLSv1.2",), _LEGACY),
    "ELBSecurityPolicy-TLS-1-2-2017-01": SslPolicy(("TLSv1.2",), _STRONG + _RSA_STRONG),
    "ELBSecurityPolicy-TLS-1-1-2017-01": SslPolicy(_since("TLSv1.2", "TLSv1.1"), _LEGACY),
    "ELBSecurityPolicy-2016-08": SslPolicy(_since("TLSv1.2", "TLSv1"), _LEGACY),
    "ELBSecurityPolicy-FS-1-2-Res-2020-10": SslPolicy(("TLSv1.2",), _RESTRICTED),
    "ELBSecurityPolicy-FS-1-2-Res-2019-08": SslPolicy(("TLSv1.2",), _STRONG),
    "ELBSecurityPolicy-FS-1-2-2019-08": SslPolicy(("TLSv1.2",), _WITH_SHA1),
    "ELBSecurityPolicy-FS-1-1-2019-08": SslPolicy(_since("TLSv1.2", "TLSv1.1"), _WITH_SHA1),
    "ELBSecurityPolicy-FS-2018-06": SslPolicy(_since("TLSv1.2", "TLSv1"), _WITH_SHA1),
}


def check_ssl_policy(name: str) -> str:
    """Return the name of a policy that exists; raise SSLPolicyNotFound otherwise."""
    if name not in SSL_POLICIES:
        raise AwsError("SSLPolicyNotFound", f"SSL policy '{name}' not found")
    return name


def describe_ssl_policies(_: Call, request: Request) -> Response:
    """DescribeSSLPolicies: all, or those named."""
    names = [check_ssl_policy(name) for name in request.get("Names") or SSL_POLICIES]
    return {"SslPolicies": [_described(name, SSL_POLICIES[name]) for name in names]}


def _described(name: str, policy: SslPolicy) -> Response:
    return {
        "Name": name,
        "SslProtocols": list(policy.protocols),
        "Ciphers": [{"Name": cipher, "Priority": place} for place, cipher in enumerate(policy.ciphers, start=1)],
        "SupportedLoadBalancerTypes": ["application", "network"],
    }
