# What Datadog is told of metrics and logs beside their points: all of it only where asked for.

locals {
  metrics = jsondecode(file("${path.module}/assets/metrics.json"))
}

resource "datadog_metric_metadata" "this" {
  for_each = { for name, metric in local.metrics : name => metric if var.metric_metadata }

  metric      = each.key
  type        = each.value.type
  unit        = each.value.unit
  description = each.value.description
  short_name  = each.value.short_name
}

resource "datadog_metric_tag_configuration" "this" {
  for_each = { for name, metric in local.metrics : name => metric if var.tag_configuration != null }

  metric_name = each.key
  metric_type = each.value.type
  tags        = concat(each.value.tags, ["segment", "bound", "service"], try(var.tag_configuration.more_tags, []))
}

resource "datadog_logs_custom_pipeline" "this" {
  count = var.log_pipeline ? 1 : 0

  name       = "mlvitals"
  is_enabled = true

  filter {
    query = "source:mlvitals"
  }

  processor {
    date_remapper {
      name       = "The moment of a window, or of sending where that is too old"
      is_enabled = true
      sources    = ["timestamp"]
    }
  }

  processor {
    status_remapper {
      name       = "What a measurement says"
      is_enabled = true
      sources    = ["status"]
    }
  }

  processor {
    message_remapper {
      name       = "The measurement in a line"
      is_enabled = true
      sources    = ["message"]
    }
  }
}
