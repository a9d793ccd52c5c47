"""Terraform's plugin protocol, version 6, over a schema and an API.

Like the providers that it stands in for, it says that it follows the older rules of types: a plan may hold a default
where nothing is given, and keep the earlier spelling of what means the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tf.gen import tfplugin_pb2 as protocol
from tf.gen import tfplugin_pb2_grpc as service

from tests.terraform_standin.api import Api, ApiError
from tests.terraform_standin.plan import plan, replacing
from tests.terraform_standin.resource import Resource
from tests.terraform_standin.schema import Block, Schema
from tests.terraform_standin.values import Object, is_known
from tests.terraform_standin.wire import failure, path_to, read_value, write_schema, write_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What one provider is. connect: from its configuration to an API, which it may ask."""

    name: str
    schema: Schema
    resources: Mapping[str, Resource]
    connect: Callable[[Object], Api]


class Servicer(service.ProviderServicer):  # type: ignore[misc]  # the protocol's library has no types
    """Answers Terraform; the names of its methods are the protocol's."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._api: Api | None = None

    def GetMetadata(self, _request: Any, _context: Any) -> Any:
        return protocol.GetMetadata.Response(
            resources=[
                protocol.GetMetadata.ResourceMetadata(type_name=name) for name in self._provider.schema.resources
            ]
        )

    def GetProviderSchema(self, _request: Any, _context: Any) -> Any:
        schema = self._provider.schema
        return protocol.GetProviderSchema.Response(
            provider=write_schema(schema.provider),
            resource_schemas={name: write_schema(block) for name, block in schema.resources.items()},
        )

    def ValidateProviderConfig(self, _request: Any, _context: Any) -> Any:
        return protocol.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, _request: Any, _context: Any) -> Any:
        return protocol.ValidateResourceConfig.Response()

    def UpgradeResourceState(self, request: Any, _context: Any) -> Any:
        return protocol.UpgradeResourceState.Response(upgraded_state=write_value(read_value(request.raw_state)))

    def ConfigureProvider(self, request: Any, _context: Any) -> Any:
        try:
            self._api = self._provider.connect(read_value(request.config) or {})
        except (ApiError, ValueError) as error:
            return protocol.ConfigureProvider.Response(diagnostics=[self._failure("cannot be configured", error)])
        return protocol.ConfigureProvider.Response()

    def ReadResource(self, request: Any, _context: Any) -> Any:
        block, resource = self._find(request.type_name)
        try:
            state = resource.look(self._reach(), block, read_value(request.current_state))
        except (ApiError, LookupError) as error:
            return protocol.ReadResource.Response(diagnostics=[self._failure(request.type_name, error)])
        return protocol.ReadResource.Response(new_state=write_value(state))

    def PlanResourceChange(self, request: Any, _context: Any) -> Any:
        block, resource = self._find(request.type_name)
        if read_value(request.proposed_new_state) is None:
            return protocol.PlanResourceChange.Response(planned_state=write_value(None))
        prior, config = read_value(request.prior_state), read_value(request.config)
        planned = plan(block, config, prior, resource.same)
        try:
            if planned != prior and self._api is not None and is_known(config):
                resource.check(self._api, block, planned)
        except ApiError as error:
            return protocol.PlanResourceChange.Response(diagnostics=[self._failure(request.type_name, error)])
        return protocol.PlanResourceChange.Response(
            planned_state=write_value(planned),
            requires_replace=[path_to(one) for one in replacing(block, prior or planned, planned, resource.same)],
            legacy_type_system=True,
        )

    def ApplyResourceChange(self, request: Any, _context: Any) -> Any:
        block, resource = self._find(request.type_name)
        prior, planned = read_value(request.prior_state), read_value(request.planned_state)
        try:
            state = _apply(resource, self._reach(), block, prior, planned)
        except (ApiError, LookupError) as error:
            return protocol.ApplyResourceChange.Response(
                new_state=write_value(prior), diagnostics=[self._failure(request.type_name, error)]
            )
        return protocol.ApplyResourceChange.Response(new_state=write_value(state), legacy_type_system=True)

    def ImportResourceState(self, request: Any, _context: Any) -> Any:
        block, _ = self._find(request.type_name)
        state: Object = {one.name: None for one in block.attributes} | {"id": request.id}
        state |= {inner.name: None if inner.nesting == "single" else [] for inner in block.blocks}
        imported = protocol.ImportResourceState.ImportedResource(type_name=request.type_name, state=write_value(state))
        return protocol.ImportResourceState.Response(imported_resources=[imported])

    def StopProvider(self, _request: Any, _context: Any) -> Any:
        return protocol.StopProvider.Response()

    def _find(self, name: str) -> tuple[Block, Resource]:
        return self._provider.schema.resources[name], self._provider.resources[name]

    def _reach(self) -> Api:
        if self._api is None:
            raise ApiError("the provider is not configured")
        return self._api

    def _failure(self, what: str, error: Exception) -> Any:
        return failure(f"stand-in for {self._provider.name}: {what}", str(error))


def _apply(resource: Resource, api: Api, block: Block, prior: Object | None, planned: Object | None) -> Object | None:
    if planned is None:
        resource.end(api, prior or {})
        return None
    return resource.make(api, block, planned) if prior is None else resource.change(api, block, prior, planned)
