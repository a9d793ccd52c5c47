"""Values and schemas as the plugin protocol writes them."""

import json
from typing import Any, Final

import msgpack
from tf.gen import tfplugin_pb2 as protocol

from tests.terraform_standin.schema import Attribute, Block
from tests.terraform_standin.values import UNKNOWN, UNKNOWN_CODE, Unknown

_NESTED: Final = protocol.Schema.NestedBlock
_NESTING: Final = {"list": _NESTED.LIST, "set": _NESTED.SET, "single": _NESTED.SINGLE}


def read_value(message: Any) -> Any:
    """Return a value as the protocol carries it; what is unknown is `UNKNOWN`, whatever is known about it."""
    if message.json:
        return json.loads(message.json)
    if not message.msgpack:
        return None
    return msgpack.unpackb(message.msgpack, ext_hook=lambda _code, _data: UNKNOWN, strict_map_key=False)


def write_value(value: Any) -> Any:
    """Return a value in the protocol's words."""
    return protocol.DynamicValue(msgpack=msgpack.packb(value, default=_mark))


def write_schema(block: Block) -> Any:
    """Return a schema in the protocol's words."""
    return protocol.Schema(version=0, block=_write_block(block))


def failure(summary: str, detail: str) -> Any:
    """Return an error as the protocol tells it."""
    return protocol.Diagnostic(severity=protocol.Diagnostic.ERROR, summary=summary, detail=detail)


def path_to(attribute: str) -> Any:
    """Return the path of a resource's attribute."""
    return protocol.AttributePath(steps=[protocol.AttributePath.Step(attribute_name=attribute)])


def _mark(value: Any) -> Any:
    if isinstance(value, Unknown):
        return msgpack.ExtType(UNKNOWN_CODE, b"\x00")
    raise TypeError(f"{value!r} is no value of Terraform's")


def _write_block(block: Block) -> Any:
    return protocol.Schema.Block(
        version=0,
        attributes=[_write_attribute(one) for one in block.attributes],
        block_types=[
            _NESTED(
                type_name=one.name,
                block=_write_block(one),
                nesting=_NESTING[one.nesting],
                min_items=one.least,
                max_items=one.most,
            )
            for one in block.blocks
        ],
    )


def _write_attribute(attribute: Attribute) -> Any:
    return protocol.Schema.Attribute(
        name=attribute.name,
        type=json.dumps(attribute.type).encode(),
        required=attribute.required,
        optional=attribute.optional,
        computed=attribute.computed,
        sensitive=attribute.sensitive,
    )
