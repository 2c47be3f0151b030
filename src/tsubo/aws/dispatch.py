"""Which service and operation a request means.

In goes an HTTP request, out comes a `Target`. AWS has no one place for that: a JSON service says it in `X-Amz-Target`,
a query service in the `Action` and `Version` of its form, a REST service in method and path; the credential scope of
the signature names the service and the region (aws/ecs-cloudmap-exec.md section 1).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import unquote

from tsubo.aws.message import HttpRequest
from tsubo.aws.wire import PROTOCOLS, Protocol, service_model

JSON_SERVICES: Mapping[str, str] = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "Route53AutoNaming_v20170314": "servicediscovery",
    "CertificateManager": "acm",
    "AmazonSSM": "ssm",
    "AnyScaleFrontendService": "application-autoscaling",
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
}
"""Our JSON services by the prefix of their `X-Amz-Target`."""

SERVICES_BY_VERSION: Mapping[str, str] = {
    "2016-11-15": "ec2",
    "2015-12-01": "elbv2",
    "2012-06-01": "elb",
    "2011-06-15": "sts",
    "2010-05-08": "iam",
}
"""Query services by API version, for a call without a signature and to tell the two load balancing services apart."""

ROUTE53_PATH = "/2013-04-01/"
XML_SERVICES = frozenset({"", "s3", "cloudfront", "s3control"})
READ_PREFIXES = ("Describe", "List", "Get", "Discover", "BatchGet", "Head", "Test", "Search", "Lookup")
CREDENTIAL_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,]+)/([^/,]+)/aws4_request")
CREDENTIAL_PARAMETER = re.compile(r"([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Target:
    """What a request asks for. `operation` is None where only moto can tell; `region` None where nothing says it."""

    service: str
    operation: str | None
    protocol: Protocol
    region: str | None = None
    uri_parameters: Mapping[str, str] = field(default_factory=dict)


def is_read(operation: str) -> bool:
    """Return whether an operation only reads, by the verb that AWS begins its name with."""
    return operation.startswith(READ_PREFIXES)


def credential_scope(request: HttpRequest) -> tuple[str | None, str | None]:
    """Return the region and the service's signing name from the signature, in the header or the query (presigned)."""
    found = CREDENTIAL_SCOPE.search(request.headers.get("authorization", ""))
    if found is None and "X-Amz-Credential=" in request.query:
        found = CREDENTIAL_PARAMETER.fullmatch(request.query_parameters().get("X-Amz-Credential", ""))
    return (found.group(2), found.group(3).lower()) if found else (None, None)


def identify(request: HttpRequest) -> Target:
    """Return the service and operation a request means. A ValueError says that its form cannot be decoded."""
    region, signing_name = credential_scope(request)
    prefix, _, operation = request.headers.get("x-amz-target", "").rpartition(".")
    if prefix:
        return Target(JSON_SERVICES.get(prefix, signing_name or prefix), operation, "json", region)
    if signing_name == "route53" or (signing_name is None and request.path.startswith(ROUTE53_PATH)):
        name, parameters = match_path("route53", request.method, request.path)
        return Target("route53", name, "rest-xml", region, parameters)
    form = request.form_parameters()
    if "Action" in form:
        service = query_service(signing_name, form.get("Version", ""))
        return Target(service, form["Action"], PROTOCOLS.get(service, "query"), region)
    service = signing_name or ""
    return Target(service, None, "rest-xml" if service in XML_SERVICES else "rest-json", region)


def query_service(signing_name: str | None, version: str) -> str:
    """Return the service of a form: the version decides where two services share one signing name."""
    if signing_name in (None, "elasticloadbalancing"):
        return SERVICES_BY_VERSION.get(version, signing_name or "")
    return signing_name or ""


def match_path(service: str, method: str, path: str) -> tuple[str | None, dict[str, str]]:
    """Return a REST service's operation and its path parameters (decoded), or None and nothing."""
    for template_method, template, operation in path_templates(service):
        if template_method == method and (found := template.fullmatch(path.rstrip("/"))):
            return operation, {name: unquote(value) for name, value in found.groupdict().items()}
    return None, {}


@cache
def path_templates(service: str) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """Return method, path pattern and name of each operation, those with fewer parameters first."""
    templates = []
    model = service_model(service)
    for name in model.operation_names:
        http = model.operation_model(name).http
        parts = re.split(r"\{(\w+)\+?\}", http["requestUri"].rstrip("/"))
        pattern = "".join(f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
        templates.append((len(parts), http["method"], re.compile(pattern), name))
    templates.sort(key=lambda template: template[0])
    return tuple((method, pattern, name) for _, method, pattern, name in templates)
