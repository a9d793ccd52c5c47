# Everything: two owners, a webhook, other bars, downtimes, objectives, metadata.

terraform {
  required_version = ">= 1.7.0"

  required_providers {
    datadog = {
      source  = "DataDog/datadog"
      version = ">= 3.82.0, < 5.0.0"
    }
  }
}

variable "audit_token" {
  description = "The token of the webhook that keeps a record of pages."
  type        = string
  sensitive   = true
}

provider "datadog" {
  api_url = "https://api.datadoghq.eu/"
}

module "mlvitals" {
  source = "../.."

  environment        = "prod"
  tags               = { team = "risk" }
  telemetry_interval = 60

  models = {
    card-fraud  = { owner = "risk-ml" }
    house-price = { owner = "pricing", window_seconds = 86400, lookback_seconds = 180000 }
    "ads-*"     = {}
  }

  default_route = {
    page = ["@pagerduty-platform"]
    warn = ["@slack-acme-ml-warnings"]
  }
  owners = {
    risk-ml = { page = ["@pagerduty-risk-ml", "@webhook-audit"] }
    pricing = { page = ["@opsgenie-pricing"], warn = ["@teams-pricing"] }
  }
  webhooks = {
    audit = { url = "https://audit.example/pages", headers = { Authorization = "Bearer ${var.audit_token}" } }
  }

  overrides = {
    heartbeat     = { silent_seconds = 900 }
    orphan_labels = { bar = 0.5, recovery = 0.3 }
    loop_age      = { enabled = false }
  }
  mute_windows = {
    holidays = { start = "2026-12-24T18:00:00Z", end = "2026-12-27T06:00:00Z" }
    nights   = { rrule = "FREQ=DAILY;INTERVAL=1", duration = "10h", timezone = "Europe/Berlin" }
  }

  app_url           = "https://app.datadoghq.eu"
  runbook_url       = "https://wiki.example/mlvitals/runbooks"
  slo               = { target = 99, warning = 99.5 }
  log_pipeline      = true
  metric_metadata   = true
  tag_configuration = { more_tags = ["team"] }
}

output "boards" {
  description = "Addresses of the boards."
  value       = module.mlvitals.boards
}
