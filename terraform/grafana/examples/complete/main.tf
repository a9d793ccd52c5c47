terraform {
  required_version = ">= 1.7.0"

  required_providers {
    grafana = {
      source  = "grafana/grafana"
      version = ">= 3.0.0, < 5.0.0"
    }
  }
}

# GRAFANA_URL and GRAFANA_AUTH say where and as whom.
provider "grafana" {}

variable "pagerduty_key" {
  description = "Integration key of the PagerDuty service that is paged."
  type        = string
  sensitive   = true
}

variable "slack_url" {
  description = "Incoming webhook of the channel that is warned."
  type        = string
  sensitive   = true
}

module "mlvitals" {
  source = "../.."

  datasource_uid = "prometheus"

  # These come from `mlvitals render --tfvars -c mlvitals.yaml` and are written out here to be read.
  environment        = "prod"
  telemetry_interval = 60
  tags               = { team = "risk" }
  models = {
    "card-fraud" = { owner = "risk-ml", window_seconds = 3600, lookback_seconds = 8520, maturities = ["1d", "7d"], currency = "USD" }
    "churn.v2"   = { window_seconds = 86400, lookback_seconds = 174120 }
  }

  contact_points = {
    "risk on call" = { pagerduty_key = var.pagerduty_key }
    "risk channel" = { slack_url = var.slack_url }
  }
  owners        = { "risk-ml" = { page = "risk on call", warn = "risk channel" } }
  default_route = { page = "risk on call", warn = "risk channel" }

  overrides    = { outbox_age = { bar = 7200, recovery = 600 }, orphan_labels = { enabled = false } }
  mute_windows = { weekend = { weekdays = ["saturday", "sunday"] } }
  runbook_url  = "https://wiki.example/mlvitals"
}

output "dashboards" {
  description = "Addresses of the dashboards."
  value       = module.mlvitals.dashboards
}
