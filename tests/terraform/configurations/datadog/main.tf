terraform {
  required_providers {
    datadog = {
      source  = "DataDog/datadog"
      version = "~> 4.0"
    }
  }
}

provider "datadog" {
  api_key = "key"
  app_key = "application"
}

variable "bars" {
  description = "The bars of monitors by their names."
  type        = map(number)
}

resource "datadog_monitor" "bar" {
  for_each = var.bars

  name                = each.key
  type                = "query alert"
  query               = "max(last_5m):max:m{env:prod} by {model} > ${each.value}"
  message             = "{{model.name}} is above {{threshold}}"
  require_full_window = false
  priority            = "2"
  tags                = ["team:ml", "env:prod"]

  monitor_thresholds {
    critical          = each.value
    critical_recovery = "0.10"
  }
}

resource "datadog_dashboard_json" "board" {
  dashboard = jsonencode({
    title       = "Board"
    layout_type = "ordered"
    widgets     = [{ definition = { type = "note", content = "text" } }]
  })
}

resource "datadog_dashboard_list" "boards" {
  name = "Boards"

  dash_item {
    type    = "custom_timeboard"
    dash_id = datadog_dashboard_json.board.id
  }
}

resource "datadog_service_level_objective" "windows" {
  name = "Windows in time"
  type = "metric"
  tags = ["team:ml"]

  query {
    numerator   = "sum:good{*}.as_count()"
    denominator = "sum:all{*}.as_count()"
  }

  thresholds {
    timeframe = "30d"
    target    = 99.5
    warning   = 99.9
  }
}

resource "datadog_logs_custom_pipeline" "records" {
  name       = "Records"
  is_enabled = true

  filter {
    query = "source:mlvitals"
  }

  processor {
    date_remapper {
      name       = "When"
      is_enabled = true
      sources    = ["time"]
    }
  }

  processor {
    category_processor {
      target = "severity"

      category {
        name = "page"

        filter {
          query = "@page:true"
        }
      }
    }
  }
}

resource "datadog_metric_metadata" "metric" {
  metric      = "mlvitals.count"
  type        = "gauge"
  unit        = "event"
  description = "What was counted."
}

resource "datadog_metric_tag_configuration" "metric" {
  metric_name = "mlvitals.count"
  metric_type = "gauge"
  tags        = ["model", "env"]
}

resource "datadog_downtime_schedule" "nights" {
  scope   = "env:prod"
  message = "At night"

  monitor_identifier {
    monitor_tags = ["team:ml"]
  }

  recurring_schedule {
    timezone = "UTC"

    recurrence {
      rrule    = "FREQ=DAILY;INTERVAL=1"
      duration = "2h"
    }
  }
}

resource "datadog_webhook" "receiver" {
  name = "receiver"
  url  = "https://example.com/hook"
}

output "monitors" {
  description = "The ids of the monitors by their names."
  value       = { for name, monitor in datadog_monitor.bar : name => monitor.id }
}
