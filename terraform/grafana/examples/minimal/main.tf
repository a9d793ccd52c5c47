# Boards, rules and one route for all. `mlvitals render --tfvars -o` this folder writes what the variables take.

terraform {
  required_version = ">= 1.7.0"

  required_providers {
    grafana = {
      source  = "grafana/grafana"
      version = ">= 3.0.0, < 5.0.0"
    }
  }
}

# What follows from the exporter's own configuration; see `mlvitals render --tfvars`.

variable "environment" {
  description = "`service.environment` of the exporter."
  type        = string
  default     = null
}

variable "tags" {
  description = "`service.tags` of the exporter."
  type        = map(string)
  default     = {}
}

variable "telemetry_interval" {
  description = "`telemetry.interval` of the exporter in seconds."
  type        = number
  default     = 60
}

variable "models" {
  description = "Models with their owners, windows and lookbacks."
  type        = any
  default     = {}
}

# GRAFANA_URL and GRAFANA_AUTH say where and as whom.
provider "grafana" {}

module "mlvitals" {
  source = "../.."

  environment        = var.environment
  tags               = var.tags
  telemetry_interval = var.telemetry_interval
  models             = var.models

  datasource_uid = "prometheus"
  default_route  = { page = "on-call", warn = "team-channel" }
}
