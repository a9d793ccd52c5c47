"""What the parsers of OpenSearch's plugins take, as JSON schemas: they refuse keys that they do not know.

Written after the parsers of `common-utils` (`Monitor`, `BucketLevelTrigger`, `QueryLevelTrigger`, `Action`, `Throttle`,
`NotificationConfig`), of Index Management (`Policy`) and of Security (`Role`), at their versions 3.x.
"""

from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

Shape = dict[str, Any]

_TEXT: Final[Shape] = {"type": "string"}
_NAME: Final[Shape] = {"type": "string", "minLength": 1, "maxLength": 256}
_YES: Final[Shape] = {"type": "boolean"}
_ANY: Final[Shape] = {"type": "object"}
_WEB: Final[Shape] = {"type": "string", "pattern": "^https?://[^/]+"}


def _object(required: Mapping[str, Shape], **optional: Shape) -> Shape:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(of: Shape, *, least: int = 0, most: int = 1_000) -> Shape:
    return {"type": "array", "items": of, "minItems": least, "maxItems": most}


def _script(language: str) -> Shape:
    return _object({"source": {"type": "string", "minLength": 1}}, lang={"const": language}, params=_ANY, options=_ANY)


_CATEGORIES: Final = _list({"enum": ["DEDUPED", "NEW", "COMPLETED"]}, least=1, most=3)
_SCOPE: Final[Shape] = {
    "oneOf": [
        _object({"per_alert": _object({"actionable_alerts": _CATEGORIES})}),
        _object({"per_execution": _object({})}),
    ]
}
_ACTION: Final = _object(
    {"name": _NAME, "destination_id": _NAME, "message_template": _script("mustache")},
    id=_NAME,
    subject_template=_script("mustache"),
    throttle_enabled=_YES,
    throttle=_object({"value": {"type": "integer", "minimum": 1, "maximum": 1_440}, "unit": {"const": "MINUTES"}}),
    action_execution_policy=_object({"action_execution_scope": _SCOPE}),
)
_ACTIONS: Final = _list(_ACTION, most=10)
_TRIGGER: Final = {"name": _NAME, "severity": {"enum": ["1", "2", "3", "4", "5"]}, "actions": _ACTIONS}
_BUCKETS: Final = _object(
    {
        "buckets_path": {"type": "object", "additionalProperties": _TEXT, "minProperties": 1},
        "parent_bucket_path": _NAME,
        "script": _script("painless"),
    }
)
_SCHEDULE: Final = _object(
    {
        "period": _object(
            {"interval": {"type": "integer", "minimum": 1}, "unit": {"enum": ["MINUTES", "HOURS", "DAYS"]}},
        )
    }
)
_SEARCH: Final = _object({"search": _object({"indices": _list(_NAME, least=1), "query": _ANY})})
_TRIGGERS: Final = {
    "bucket_level_monitor": _object({"bucket_level_trigger": _object({**_TRIGGER, "condition": _BUCKETS}, id=_NAME)}),
    "query_level_monitor": _object(
        {"query_level_trigger": _object({**_TRIGGER, "condition": _object({"script": _script("painless")})}, id=_NAME)}
    ),
}


def _monitor(kind: str) -> Shape:
    own: dict[str, Shape] = {
        "type": {"const": "monitor"},
        "name": _NAME,
        "monitor_type": {"const": kind},
        "enabled": _YES,
        "schedule": _SCHEDULE,
        "inputs": _list(_SEARCH, least=1, most=1),
        "triggers": _list(_TRIGGERS[kind], least=1, most=10),
    }
    return _object(own, ui_metadata=_ANY)


_DURATION: Final[Shape] = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"}
_SIZE: Final[Shape] = {"type": "string", "pattern": "^[0-9]+(b|kb|mb|gb|tb)$"}
_STATE_ACTION: Final[Shape] = {
    "oneOf": [
        _object({"rollover": _object({}, min_index_age=_DURATION, min_primary_shard_size=_SIZE, min_size=_SIZE)}),
        _object({"delete": _object({})}),
    ]
}
_CONDITIONS: Final = _object({}, min_index_age=_DURATION, min_rollover_age=_DURATION)
_STATE: Final = _object(
    {
        "name": _NAME,
        "actions": _list(_STATE_ACTION),
        "transitions": _list(_object({"state_name": _NAME}, conditions=_CONDITIONS)),
    }
)
_CHANNELS: Final[dict[str, Shape]] = {
    "slack": _object({"url": _WEB}),
    "webhook": _object(
        {"url": _WEB},
        header_params={"type": "object", "additionalProperties": _TEXT},
        method={"enum": ["POST", "PUT", "PATCH"]},
    ),
}


def _channel(kind: str) -> Shape:
    own: dict[str, Shape] = {"name": _NAME, "config_type": {"const": kind}, kind: _CHANNELS[kind]}
    return _object({"config": _object(own, description=_TEXT, is_enabled=_YES)}, config_id=_NAME)


_STATES: Final = _object(
    {"default_state": _NAME, "states": _list(_STATE, least=1)},
    description=_TEXT,
    ism_template=_list(
        _object({"index_patterns": _list(_NAME, least=1), "priority": {"type": "integer", "minimum": 0}})
    ),
)
_INDICES: Final = _object(
    {"index_patterns": _list(_NAME, least=1), "allowed_actions": _list(_NAME, least=1)},
    dls=_TEXT,
    fls=_list(_TEXT),
    masked_fields=_list(_TEXT),
)

MONITORS: Final = {kind: _monitor(kind) for kind in _TRIGGERS}
CHANNELS: Final = {kind: _channel(kind) for kind in _CHANNELS}
POLICY: Final = _object({"policy": _STATES})
ROLE: Final = _object(
    {},
    description=_TEXT,
    cluster_permissions=_list(_NAME),
    index_permissions=_list(_INDICES),
    tenant_permissions=_list(_object({"tenant_patterns": _list(_NAME), "allowed_actions": _list(_NAME)})),
)


def fault(shape: Shape, body: Any) -> str | None:
    """Return what a parser would say against a body, or None."""
    error = best_match(Draft202012Validator(shape).iter_errors(body))
    return None if error is None else f"{error.json_path}: {error.message}"


def monitor_fault(body: Any) -> str | None:
    """Return what is wrong with a monitor, or None."""
    kind = body.get("monitor_type") if isinstance(body, dict) else None
    if kind not in MONITORS:
        return f"$.monitor_type: [{kind}] is none of {sorted(MONITORS)}"
    found = fault(MONITORS[kind], body)
    if found is not None:
        return found
    for trigger in (trigger for one in body["triggers"] for trigger in one.values()):
        for action in trigger["actions"]:
            if action.get("throttle_enabled", False) and "throttle" not in action:
                return "Action throttle enabled but not set throttle value"
    return None


def channel_fault(body: Any) -> str | None:
    """Return what is wrong with a channel, or None."""
    config = body.get("config") if isinstance(body, dict) else None
    kind = config.get("config_type") if isinstance(config, dict) else None
    return fault(CHANNELS[kind], body) if kind in CHANNELS else f"$.config.config_type: [{kind}] is unknown"


def policy_fault(body: Any) -> str | None:
    """Return what is wrong with a lifecycle policy, or None."""
    found = fault(POLICY, body)
    if found is not None:
        return found
    names = {state["name"] for state in body["policy"]["states"]}
    aims = {step["state_name"] for state in body["policy"]["states"] for step in state["transitions"]}
    unknown = sorted((aims | {body["policy"]["default_state"]}) - names)
    return f"states that there are not: {unknown}" if unknown else None


def role_fault(body: Any) -> str | None:
    """Return what is wrong with a role, or None."""
    return fault(ROLE, body)
