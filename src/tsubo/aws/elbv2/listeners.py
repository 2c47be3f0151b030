"""Listeners: their operations and those on their attributes. Source: aws/alb-vpc-terraform.md section 1.2."""

import dataclasses

from tsubo.aws.elbv2.actions import action_shape, parse_actions
from tsubo.aws.elbv2.arns import listener_arn
from tsubo.aws.elbv2.attributes import (
    HTTP_LISTENER_ATTRIBUTES,
    HTTPS_LISTENER_ATTRIBUTES,
    AttributeTable,
    changed,
    defaults,
    listed,
)
from tsubo.aws.elbv2.certificates import default_certificate
from tsubo.aws.elbv2.forwarding import check_actions
from tsubo.aws.elbv2.lookup import find_listener, find_load_balancer, invalid, of_region, paged, required
from tsubo.aws.elbv2.ssl_policies import DEFAULT_SSL_POLICY, check_ssl_policy
from tsubo.aws.elbv2.tags import parse_tags
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.elbv2 import Listener

PROTOCOLS = ("HTTP", "HTTPS")


def create_listener(call: Call, request: Request) -> Response:
    """CreateListener: on a port that the load balancer does not listen on yet."""
    load_balancer = find_load_balancer(call, required(request, "LoadBalancerArn", "A load balancer ARN"))
    listener = Listener(
        arn=listener_arn(call, load_balancer.arn),
        load_balancer_arn=load_balancer.arn,
        region=call.region,
        port=int(required(request, "Port", "A listener port")),
        protocol=required(request, "Protocol", "A listener protocol"),
        default_actions=parse_actions(request.get("DefaultActions") or ()),
        tags=parse_tags(request.get("Tags")),
    )
    listener = _with_security(call, listener, request)
    listener = dataclasses.replace(listener, attributes=defaults(_attribute_table(listener)))
    _check(call, listener)
    call.put(listener)
    return {"Listeners": [listener_shape(listener)]}


def modify_listener(call: Call, request: Request) -> Response:
    """ModifyListener: what the request names. A listener that becomes HTTP loses its policy and certificates."""
    listener = _listener(call, request)
    actions = request.get("DefaultActions")
    listener = dataclasses.replace(
        listener,
        port=int(request.get("Port") or listener.port),
        protocol=request.get("Protocol") or listener.protocol,
        default_actions=parse_actions(actions) if actions else listener.default_actions,
    )
    listener = _with_security(call, listener, request)
    known = _attribute_table(listener)
    kept = {key: value for key, value in listener.attributes.items() if key in known}
    listener = dataclasses.replace(listener, attributes={**defaults(known), **kept})
    _check(call, listener)
    call.put(listener)
    return {"Listeners": [listener_shape(listener)]}


def describe_listeners(call: Call, request: Request) -> Response:
    """DescribeListeners: of a load balancer, or those named."""
    if request.get("ListenerArns"):
        chosen = [find_listener(call, arn) for arn in request["ListenerArns"]]
    elif request.get("LoadBalancerArn"):
        owner = find_load_balancer(call, request["LoadBalancerArn"])
        chosen = [each for each in of_region(call, Listener) if each.load_balancer_arn == owner.arn]
    else:
        raise invalid("You must specify either listener ARNs or a load balancer ARN")
    shown, more = paged(request, sorted(chosen, key=lambda each: (each.port, each.arn)))
    return {"Listeners": [listener_shape(each) for each in shown], **more}


def delete_listener(call: Call, request: Request) -> Response:
    """DeleteListener: with its rules."""
    delete_with_rules(call, _listener(call, request))
    return {}


def delete_with_rules(call: Call, listener: Listener) -> None:
    """Delete a listener and the rules that hang on it."""
    call.delete(listener, *(rule for rule in call.world.rules.values() if rule.listener_arn == listener.arn))


def modify_listener_attributes(call: Call, request: Request) -> Response:
    """ModifyListenerAttributes: those named; answers all."""
    listener = _listener(call, request)
    table = _attribute_table(listener)
    attributes = changed("Listener", table, listener.attributes, request.get("Attributes") or ())
    call.put(dataclasses.replace(listener, attributes=attributes))
    return {"Attributes": listed(table, attributes)}


def describe_listener_attributes(call: Call, request: Request) -> Response:
    """DescribeListenerAttributes: all that the listener's protocol has."""
    listener = _listener(call, request)
    return {"Attributes": listed(_attribute_table(listener), listener.attributes)}


def listener_shape(listener: Listener) -> Response:
    """Return a listener in the form AWS answers: of its certificates the default one only."""
    shape: Response = {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": listener.load_balancer_arn,
        "Port": listener.port,
        "Protocol": listener.protocol,
        "DefaultActions": [action_shape(action) for action in listener.default_actions],
    }
    if listener.protocol == "HTTPS":
        shape["Certificates"] = [{"CertificateArn": listener.certificate_arns[0]}]
        shape["SslPolicy"] = listener.ssl_policy
        shape["MutualAuthentication"] = {"Mode": "off"}
    return shape


def _with_security(call: Call, listener: Listener, request: Request) -> Listener:
    """Return the listener with the TLS settings its protocol needs and the request asks for."""
    if (request.get("MutualAuthentication") or {}).get("Mode", "off") != "off":
        raise AwsError("InvalidConfigurationRequest", "Mutual authentication is not supported by Tsubo")
    policy, certificates = request.get("SslPolicy"), request.get("Certificates")
    if listener.protocol != "HTTPS":
        if policy or certificates:
            raise invalid(f"A certificate or an SSL policy cannot be specified for {listener.protocol} listeners")
        return dataclasses.replace(listener, ssl_policy=None, certificate_arns=())
    added = listener.certificate_arns[1:]
    if certificates or not listener.certificate_arns:
        default = default_certificate(call, certificates or ())
    else:
        default = listener.certificate_arns[0]
    return dataclasses.replace(
        listener,
        ssl_policy=check_ssl_policy(policy or listener.ssl_policy or DEFAULT_SSL_POLICY),
        certificate_arns=(default, *(arn for arn in added if arn != default)),
    )


def _check(call: Call, listener: Listener) -> None:
    if listener.protocol not in PROTOCOLS:
        raise invalid(f"Listener protocol '{listener.protocol}' must be one of '{', '.join(PROTOCOLS)}'")
    if not 1 <= listener.port <= 65535:
        raise invalid(f"Listener port '{listener.port}' must be between '1' and '65535'")
    for other in of_region(call, Listener):
        same_place = (other.load_balancer_arn, other.port) == (listener.load_balancer_arn, listener.port)
        if same_place and other.arn != listener.arn:
            raise AwsError(
                "DuplicateListener",
                f"A listener already exists on this port for this load balancer '{listener.load_balancer_arn}'",
            )
    load_balancer = find_load_balancer(call, listener.load_balancer_arn)
    check_actions(call, load_balancer, listener.protocol, listener.default_actions)


def _attribute_table(listener: Listener) -> AttributeTable:
    return HTTPS_LISTENER_ATTRIBUTES if listener.protocol == "HTTPS" else HTTP_LISTENER_ATTRIBUTES


def _listener(call: Call, request: Request) -> Listener:
    return find_listener(call, required(request, "ListenerArn", "A listener ARN"))
