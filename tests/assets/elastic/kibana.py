"""What Kibana 8.17 does with a rule of the type `.es-query`: what it refuses, what it asks, which alerts it finds.

Written after the type's sources: a group that its condition selects is an alert, whose identifier is the group's values
with commas between; without groups there is one alert where the number of documents fulfils the condition.
"""

import json
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

UNGROUPED: Final = "query matched"

_MOST_GROUPS: Final = 1_000
_MOST_FIELDS: Final = 4
_MOST_HITS: Final = 10_000
_COMPARATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_NEEDED: Final = {
    "searchType",
    "timeField",
    "timeWindowSize",
    "timeWindowUnit",
    "size",
    "threshold",
    "thresholdComparator",
    "index",
    "esQuery",
}
_MAY: Final = {"excludeHitsFromPreviousRun", "aggType", "aggField", "groupBy", "termField", "termSize", "sourceFields"}


def faults(params: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the type refuses in its parameters."""
    if unknown := set(params) - _NEEDED - _MAY:
        yield f"unknown: {sorted(unknown)}"
    if missing := _NEEDED - set(params):
        yield f"missing: {sorted(missing)}"
        return
    if params["searchType"] != "esQuery":
        yield "searchType"
    if not (isinstance(params["timeWindowSize"], int) and params["timeWindowSize"] >= 1):
        yield "timeWindowSize"
    if params["timeWindowUnit"] not in {"s", "m", "h", "d"}:
        yield "timeWindowUnit"
    if not 0 <= params["size"] <= _MOST_HITS:
        yield "size"
    if params["thresholdComparator"] not in _COMPARATORS or len(params["threshold"]) != 1:
        yield "threshold"
    if not params["index"] or not all(params["index"]):
        yield "index"
    if "query" not in json.loads(params["esQuery"]):
        yield "esQuery"
    yield from _faults_of_groups(params)


def _faults_of_groups(params: Mapping[str, Any]) -> Iterator[str]:
    if params.get("aggType", "count") not in {"count", "avg", "min", "max", "sum"}:
        yield "aggType"
    if params.get("aggType", "count") != "count" and not params.get("aggField"):
        yield "aggField"
    match params.get("groupBy", "all"), params.get("termField"):
        case "all", None:
            pass
        case "top", str() | list() as fields:
            if isinstance(fields, list) and not 2 <= len(fields) <= _MOST_FIELDS:
                yield "termField"
            if not 1 <= params.get("termSize", 0) <= _MOST_GROUPS:
                yield "termSize"
        case _:
            yield "groupBy"


def search(params: Mapping[str, Any], now: int) -> dict[str, Any]:
    """Return what is asked by a run at a time (milliseconds since the epoch)."""
    units = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
    start = now - params["timeWindowSize"] * units[params["timeWindowUnit"]]
    ends = {"range": {params["timeField"]: {"gte": start, "lte": now, "format": "epoch_millis"}}}
    told = json.loads(params["esQuery"])["query"]
    body: dict[str, Any] = {"query": {"bool": {"filter": [told, ends]}}, "track_total_hits": True}
    if "termField" not in params:
        return {**body, "size": params["size"]}
    value = "_count" if params["aggType"] == "count" else "metricAgg"
    threshold = params["threshold"][0]
    spelled = f"{int(threshold)}L" if float(threshold).is_integer() else f"{threshold}"
    inner: dict[str, Any] = {
        "conditionSelector": {
            "bucket_selector": {
                "buckets_path": {"compareValue": value},
                "script": f"params.compareValue {params['thresholdComparator']} {spelled}",
            }
        },
        # Kibana sorts by no field: OpenSearch has no score for hits of groups of several fields.
        "topHitsAgg": {"top_hits": {"size": params["size"], "sort": ["_doc"]}},
    }
    if value == "metricAgg":
        inner["metricAgg"] = {params["aggType"]: {"field": params["aggField"]}}
    fields = params["termField"]
    groups: dict[str, Any] = (
        {"terms": {"field": fields, "size": params["termSize"]}}
        if isinstance(fields, str)
        else {"multi_terms": {"terms": [{"field": one} for one in fields], "size": params["termSize"]}}
    )
    return {**body, "size": 0, "aggs": {"groupAgg": {**groups, "aggs": inner}}}


def alerts(params: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the alerts that an answer makes: what messages know of each as `context`, by its identifier."""
    if "termField" not in params:
        count = answer["hits"]["total"]["value"]
        met = _COMPARATORS[params["thresholdComparator"]](count, params["threshold"][0])
        return {UNGROUPED: {"value": count, "hits": answer["hits"]["hits"]}} if met else {}
    # An index that is not there yet answers without groups.
    buckets = answer.get("aggregations", {}).get("groupAgg", {}).get("buckets", [])
    return {
        one["key"] if isinstance(one["key"], str) else ",".join(one["key"]): {
            "value": one["metricAgg"]["value"] if "metricAgg" in one else one["doc_count"],
            "hits": one["topHitsAgg"]["hits"]["hits"],
        }
        for one in buckets
    }
