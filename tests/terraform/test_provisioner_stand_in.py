"""The messages of the provisioners' stand-in, read back with the protocol's own stubs."""

import json

import pytest
from tf.gen import tfplugin_pb2 as pb

from tsubo.terraform.provisioner_stand_in import ATTRIBUTES, schema_response
from tsubo.terraform.wire import length_delimited
from tsubo.terraform.workspace import PROVISIONERS


@pytest.mark.parametrize("name", PROVISIONERS)
def test_every_argument_of_a_provisioner_is_accepted(name: str) -> None:
    # The answer's field 1 is the schema, as in the answer to a provider's GetSchema.
    block = pb.GetProviderSchema.Response.FromString(schema_response(name)).provider.block
    assert {attribute.name: json.loads(attribute.type) for attribute in block.attributes} == ATTRIBUTES[name]
    assert all(attribute.optional for attribute in block.attributes)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 300, 20_000])
def test_contents_of_any_length(length: int) -> None:
    content = b"x" * length
    assert pb.DynamicValue.FromString(length_delimited(1, content)).msgpack == content
