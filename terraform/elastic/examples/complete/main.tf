# Everything: two owners, warnings to Slack, other bars, roles, a lifecycle, a mute. `mlvitals render --tfvars` writes
# `environment`, `telemetry_interval` and `models`.

terraform {
  required_version = ">= 1.5"

  required_providers {
    elasticstack = {
      source  = "elastic/elasticstack"
      version = ">= 0.16"
    }
  }
}

variable "elasticsearch_url" {
  description = "Where Elasticsearch answers."
  type        = string
}

variable "kibana_url" {
  description = "Where Kibana answers."
  type        = string
}

variable "api_key" {
  description = "A key that may manage index templates, lifecycles, roles, rules, connectors and saved objects."
  type        = string
  sensitive   = true
}

variable "keys" {
  description = "Integration keys of PagerDuty by team."
  type        = object({ platform = string, risk = string })
  sensitive   = true
}

variable "slack_url" {
  description = "An incoming webhook of Slack."
  type        = string
  sensitive   = true
}

provider "elasticstack" {
  elasticsearch {
    endpoints = [var.elasticsearch_url]
    api_key   = var.api_key
  }
  kibana {
    endpoints = [var.kibana_url]
    api_key   = var.api_key
  }
}

module "mlvitals" {
  source = "../.."

  environment        = "prod"
  namespace          = "prod"
  telemetry_interval = 60
  tier               = "gold"
  space_id           = "machine-learning"

  models = {
    card-fraud  = { owner = "risk-ml", window_seconds = 3600, lookback_seconds = 8520 }
    house-price = { owner = "risk-ml", window_seconds = 86400, lookback_seconds = 180000 }
    "ads-*"     = { window_seconds = 3600, lookback_seconds = 8520 }
  }

  default_route = {
    page = { pagerduty = { routing_key = var.keys.platform } }
    warn = { slack = { url = var.slack_url } }
  }
  owners = {
    risk-ml = { page = { pagerduty = { routing_key = var.keys.risk } } }
  }

  overrides = {
    heartbeat     = { bar = 900 }
    orphan_labels = { bar = 0.5 }
    loop_age      = { enabled = false }
  }
  mute_windows = [{ start = "2026-12-24T18:00:00Z", end = "2026-12-27T06:00:00Z" }]

  kibana_url     = var.kibana_url
  runbook_url    = "https://wiki.example/mlvitals/runbooks"
  retention_days = 180
  roles          = true
  index_alerts   = true
}

output "routes" {
  description = "By which route each rule tells."
  value       = module.mlvitals.routes
}
