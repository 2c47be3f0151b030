"""The provider as Terraform sees it: over gRPC, with a fake AWS behind it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from tf.gen import tfplugin_pb2 as pb

from tests.terraform.fakes import REGION, FakeClients, failing
from tsubo.terraform import provider as provider_module
from tsubo.terraform.calls import Clients
from tsubo.terraform.protocol import CALLS, PROVIDER_SERVICE
from tsubo.terraform.provider import PROVIDER_ADDRESSES, Provider, is_process_of, reattach_value
from tsubo.terraform.schema import load
from tsubo.terraform.values import UNKNOWN, Values, conform, decode, encode

GROUP = "aws_cloudwatch_log_group"
BLOCK = load("resource", GROUP).block
ARN = f"arn:aws:logs:{REGION}:123456789012:log-group:web"


class Stub:
    """What Terraform has of a provider: its calls by name."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def __getattr__(self, name: str) -> Any:
        _method, messages = CALLS[name]
        return self._channel.unary_unary(
            f"/{PROVIDER_SERVICE}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=messages.Response.FromString,
        )


@pytest.fixture
def clients() -> FakeClients:
    return FakeClients(
        {
            "create_log_group": {},
            "put_retention_policy": {},
            "delete_log_group": {},
            "describe_log_groups": {"logGroups": [{"logGroupName": "web", "arn": f"{ARN}:*", "retentionInDays": 7}]},
            "list_tags_for_resource": {"tags": {}},
        }
    )


@pytest.fixture
def stub(clients: FakeClients) -> Iterator[Any]:
    provider = Provider("http://127.0.0.1:1", "key", "secret", REGION)
    provider._clients = cast(Clients, clients)
    with provider.serve(lambda: {GROUP, "aws_region", "aws_nonsense"}) as reattach:
        address = json.loads(reattach)[PROVIDER_ADDRESSES[0]]["Addr"]["String"]
        with grpc.insecure_channel(address) as channel:
            yield Stub(channel)


def value(values: Values | None) -> Any:
    return pb.DynamicValue(msgpack=encode(values))


def configure(stub: Any, **config: Any) -> None:
    block = load("provider", "aws").block
    response = stub.Configure(pb.ConfigureProvider.Request(config=value(conform(block, config))))
    assert not response.diagnostics


def config(**given: Any) -> Values:
    return conform(BLOCK, {"name": "web", "retention_in_days": 7} | given)


def plan(stub: Any, prior: Values | None, wanted: Values) -> Any:
    return stub.PlanResourceChange(
        pb.PlanResourceChange.Request(
            type_name=GROUP, prior_state=value(prior), proposed_new_state=value(wanted), config=value(wanted)
        )
    )


def apply(stub: Any, prior: Values | None, planned: Values | None) -> Any:
    return stub.ApplyResourceChange(
        pb.ApplyResourceChange.Request(type_name=GROUP, prior_state=value(prior), planned_state=value(planned))
    )


def test_only_the_types_in_use_are_declared(stub: Any) -> None:
    schema = stub.GetSchema(pb.GetProviderSchema.Request())
    assert list(schema.resource_schemas) == [GROUP]
    assert set(schema.data_source_schemas) == {"aws_region", GROUP}
    assert "default_tags" in {block.type_name for block in schema.provider.block.block_types}


def test_a_resource_lives_over_the_wire(stub: Any, clients: FakeClients) -> None:
    configure(stub)
    planned = plan(stub, None, config())
    assert planned.legacy_type_system
    assert decode(planned.planned_state.msgpack)["arn"] is UNKNOWN
    applied = apply(stub, None, decode(planned.planned_state.msgpack))
    state = decode(applied.new_state.msgpack)
    assert (state["id"], state["arn"]) == ("web", ARN)
    assert ("put_retention_policy", {"logGroupName": "web", "retentionInDays": 7}) in clients.calls
    assert not plan(stub, state, config()).requires_replace
    (path,) = plan(stub, state, config(name="other")).requires_replace
    assert path.steps[0].attribute_name == "name"
    read = stub.ReadResource(pb.ReadResource.Request(type_name=GROUP, current_state=value(state)))
    assert decode(read.new_state.msgpack) == state
    clients.replies["describe_log_groups"] = {"logGroups": []}
    gone = stub.ReadResource(pb.ReadResource.Request(type_name=GROUP, current_state=value(state)))
    assert decode(gone.new_state.msgpack) is None
    assert decode(apply(stub, state, None).new_state.msgpack) is None
    assert clients.calls[-1] == ("delete_log_group", {"logGroupName": "web"})


def test_a_failure_is_a_diagnostic_and_leaves_what_exists(stub: Any, clients: FakeClients) -> None:
    configure(stub)
    planned = decode(plan(stub, None, config()).planned_state.msgpack)
    clients.replies["put_retention_policy"] = failing("InvalidParameterException", "7 is not a retention")
    half = apply(stub, None, planned)
    assert "7 is not a retention" in half.diagnostics[0].summary
    assert decode(half.new_state.msgpack)["id"] == "web"
    clients.replies["create_log_group"] = failing("ResourceAlreadyExistsException", "it exists")
    nothing = apply(stub, None, planned)
    assert nothing.diagnostics
    assert decode(nothing.new_state.msgpack) is None


def test_each_connection_has_its_own_configuration(stub: Any) -> None:
    refused = plan(stub, None, config())
    assert "not configured" in refused.diagnostics[0].summary
    configure(stub, region="us-east-1", default_tags=[{"tags": {"Team": "garden"}}])
    planned = decode(plan(stub, None, config()).planned_state.msgpack)
    assert (planned["region"], planned["tags_all"]) == ("us-east-1", {"Team": "garden"})


def test_a_process_of_another_user_is_refused(stub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = tmp_path / "tcp"
    lines = [
        "  sl  local_address ...",
        "   0: 0100007F:1F90 0100007F:C350 06 0:0 00:0 0 0 0 1 1 0",
        "   1: 0100007F:1F90 0100007F:C351 01 0:0 00:0 0 65534 0 1 1 0",
    ]
    sockets.write_text("\n".join(lines))
    monkeypatch.setattr(provider_module, "SOCKET_TABLES", (sockets,))
    assert is_process_of({0, 65534}, "ipv4:127.0.0.1:8080")
    assert not is_process_of({0, 1000}, "ipv4:127.0.0.1:8080")
    assert not is_process_of({0, 65534}, "ipv4:127.0.0.1:8081")
    block = load("provider", "aws").block
    response = stub.Configure(pb.ConfigureProvider.Request(config=value(conform(block, {}))))
    assert "may not use" in response.diagnostics[0].summary


def test_states_of_other_versions_and_imports_are_read(stub: Any) -> None:
    raw = json.dumps({"name": "web", "id": "web", "an_old_attribute": 1}).encode()
    upgraded = stub.UpgradeResourceState(
        pb.UpgradeResourceState.Request(type_name=GROUP, version=0, raw_state=pb.RawState(json=raw))
    )
    assert decode(upgraded.upgraded_state.msgpack) == conform(BLOCK, {"name": "web", "id": "web"})
    configure(stub)
    imported = stub.ImportResourceState(pb.ImportResourceState.Request(type_name=GROUP, id="web"))
    assert decode(imported.imported_resources[0].state.msgpack)["id"] == "web"


def test_data_sources_are_read(stub: Any) -> None:
    configure(stub)
    block = load("data", "aws_region").block
    read = stub.ReadDataSource(pb.ReadDataSource.Request(type_name="aws_region", config=value(conform(block, {}))))
    assert decode(read.state.msgpack)["name"] == REGION


def test_the_configuration_comes_back_as_it_went(stub: Any) -> None:
    block = load("provider", "aws").block
    sent = value(conform(block, {"region": "us-east-1"}))
    prepare = stub._channel.unary_unary(
        f"/{PROVIDER_SERVICE}/PrepareProviderConfig", request_serializer=lambda message: message.SerializeToString()
    )
    answer = prepare(pb.ValidateProviderConfig.Request(config=sent))
    # Field 1 of the answer is the configuration, as field 1 of the request is.
    assert answer == pb.ValidateProviderConfig.Request(config=sent).SerializeToString()


def test_stopping_ends_what_waits(stub: Any, clients: FakeClients) -> None:
    configure(stub)
    assert not stub.Stop(pb.StopProvider.Request()).Error
    state = conform(BLOCK, {"id": "web", "name": "web"})
    clients.replies["delete_log_group"] = failing("DependencyViolation", "in use")
    assert "in use" in apply(stub, state, None).diagnostics[0].summary
    assert [operation for operation, _ in clients.calls] == ["delete_log_group"]


def test_terraform_and_opentofu_find_the_same_server() -> None:
    reattach = json.loads(reattach_value(4321))
    assert set(reattach) == set(PROVIDER_ADDRESSES)
    for entry in reattach.values():
        assert (entry["ProtocolVersion"], entry["Addr"]) == (5, {"Network": "tcp", "String": "127.0.0.1:4321"})
