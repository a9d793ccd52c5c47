"""What Grafana's API takes, as JSON schemas: a key that it does not know is refused here, where Grafana passes over it.

Written after the API's own description, as Grafana's Go client follows it, and the checks in Grafana's sources (12.x).
"""

from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

Shape = dict[str, Any]

_TEXT: Final[Shape] = {"type": "string"}
_FILLED: Final[Shape] = {"type": "string", "minLength": 1}
_NAME: Final[Shape] = {"type": "string", "minLength": 1, "maxLength": 190}
_UID: Final[Shape] = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,40}$"}
_YES: Final[Shape] = {"type": "boolean"}
_NUMBER: Final[Shape] = {"type": "number"}
_TEXTS: Final[Shape] = {"type": ["array", "null"], "items": _NAME}
_MAP: Final[Shape] = {"type": "object", "additionalProperties": _TEXT}
_DURATION: Final[Shape] = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$"}
_CLOCK: Final[Shape] = {"type": "string", "pattern": "^([01][0-9]|2[0-4]):[0-5][0-9]$"}


def _object(required: Mapping[str, Shape], **optional: Shape) -> Shape:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(of: Shape, *, least: int = 0) -> Shape:
    return {"type": "array", "items": of, "minItems": least}


_EVALUATOR: Final = _object({"type": {"enum": ["gt", "lt"]}, "params": _list(_NUMBER, least=1)})
_MODELS: Final[Shape] = {
    "oneOf": [
        _object({"refId": _NAME, "expr": _FILLED, "instant": {"const": True}, "range": {"const": False}}),
        _object(
            {
                "refId": _NAME,
                "type": {"const": "threshold"},
                "expression": _NAME,
                "conditions": _list(_object({"evaluator": _EVALUATOR}, unloadEvaluator=_EVALUATOR), least=1),
            }
        ),
    ]
}
_QUERY: Final = _object(
    {"refId": _NAME, "datasourceUid": _NAME, "model": _MODELS},
    relativeTimeRange=_object({}, **{"from": {"type": "integer"}, "to": {"type": "integer"}}),
    queryType=_TEXT,
)
_SETTINGS: Final = _object(
    {"receiver": _NAME},
    group_by=_TEXTS,
    group_wait=_DURATION,
    group_interval=_DURATION,
    repeat_interval=_DURATION,
    mute_time_intervals=_TEXTS,
    active_time_intervals=_TEXTS,
)
_STATES: Final = ["OK", "NoData", "Alerting", "KeepLast"]
_RULE: Final = _object(
    {
        "title": _NAME,
        "ruleGroup": _NAME,
        "folderUID": _UID,
        "condition": _NAME,
        "data": _list(_QUERY, least=1),
        "noDataState": {"enum": _STATES},
        "execErrState": {"enum": ["OK", "Error", "Alerting", "KeepLast"]},
        "for": _DURATION,
        "orgID": {"type": "integer"},
    },
    id={"type": "integer"},
    uid=_UID,
    updated=_TEXT,
    provenance=_TEXT,
    labels=_MAP,
    annotations=_MAP,
    isPaused=_YES,
    keep_firing_for=_DURATION,
    notification_settings=_SETTINGS,
)

SHAPES: Final[Mapping[str, Shape]] = {
    "folder": _object({"title": _NAME}, uid=_UID, overwrite=_YES),
    "dashboard": _object(
        {"dashboard": {"type": "object", "required": ["title", "uid"], "properties": {"uid": _UID, "title": _NAME}}},
        folderUid=_UID,
        overwrite=_YES,
        message=_TEXT,
        UpdatedAt=_TEXT,
    ),
    "rule": _RULE,
    "group": _object({"title": _NAME, "folderUid": _UID, "interval": {"type": "integer"}, "rules": _list(_RULE)}),
    "mute timing": _object(
        {
            "name": _NAME,
            "time_intervals": _list(
                _object(
                    {},
                    times={
                        "type": ["array", "null"],
                        "items": _object({"start_time": _CLOCK, "end_time": _CLOCK}),
                    },
                    weekdays=_TEXTS,
                    days_of_month=_TEXTS,
                    months=_TEXTS,
                    years=_TEXTS,
                    location=_NAME,
                )
            ),
        },
        provenance=_TEXT,
    ),
    "pagerduty": _object(
        {"integrationKey": _FILLED},
        **dict.fromkeys(
            ("severity", "class", "component", "group", "summary", "source", "client", "client_url"), _TEXT
        ),
        url=_TEXT,
        details=_MAP,
    ),
    "slack": _object(
        {"url": _FILLED},
        **dict.fromkeys(("recipient", "text", "title", "username", "icon_emoji", "icon_url", "color"), _TEXT),
    ),
    "webhook": _object({"url": _FILLED}, httpMethod=_TEXT, maxAlerts=_NUMBER, title=_TEXT, message=_TEXT),
    "opsgenie": _object(
        {"apiKey": _FILLED},
        apiUrl=_TEXT,
        message=_TEXT,
        description=_TEXT,
        autoClose=_YES,
        overridePriority=_YES,
        sendTagsAs=_TEXT,
        responders=_list(_object({"type": _NAME}, id=_TEXT, name=_TEXT, username=_TEXT)),
    ),
}

# Of each kind of contact point what is kept as a secret, and never told.
SECRETS: Final = {
    "pagerduty": ("integrationKey",),
    "slack": ("url", "token"),
    "webhook": ("password",),
    "opsgenie": ("apiKey",),
}
CONTACT_POINT: Final = _object(
    {"name": _NAME, "type": {"enum": sorted(SECRETS)}, "settings": {"type": "object"}},
    uid=_UID,
    disableResolveMessage=_YES,
    provenance=_TEXT,
)


def fault(shape: Shape, body: Any) -> str | None:
    """Return what is wrong with a body, and where; None where nothing is."""
    error = best_match(Draft202012Validator(shape).iter_errors(body))
    return None if error is None else f"{error.json_path}: {error.message}"
