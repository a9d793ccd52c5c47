# Objectives count windows, not minutes of a gauge that has a point an hour: each log of a family's state is one.

locals {
  judged = "mlvitals.windows.judged"
}

resource "datadog_logs_metric" "judged" {
  count = var.slo == null ? 0 : 1

  name = local.judged

  compute {
    aggregation_type = "count"
  }

  # The first telling of each, and only what could be judged.
  filter {
    query = "source:mlvitals @mlvitals.signal:mlvitals.signal.status @mlvitals.revision:0 @mlvitals.status:(ok OR warning OR alert)"
  }

  dynamic "group_by" {
    for_each = { model = "model", env = "env", status = "@mlvitals.status" }

    content {
      tag_name = group_by.key
      path     = group_by.value
    }
  }
}

resource "datadog_service_level_objective" "this" {
  for_each = { for name, model in var.models : name => model if var.slo != null }

  name        = "mlvitals: ${each.key} without an alarm"
  type        = "metric"
  description = "Windows in which no budgeted detector alarms, each counted once for every family of signals."
  tags        = concat(["integration:mlvitals", "model:${local.spelled[each.key]}"], local.tags)

  query {
    numerator   = "sum:${local.judged}{${join(" AND ", concat(local.environment, ["model:${local.spelled[each.key]}", "!status:alert"]))}}.as_count()"
    denominator = "sum:${local.judged}{${join(" AND ", concat(local.environment, ["model:${local.spelled[each.key]}"]))}}.as_count()"
  }

  thresholds {
    timeframe = var.slo.timeframe
    target    = var.slo.target
    warning   = var.slo.warning
  }

  depends_on = [datadog_logs_metric.judged]
}
