# Boards, monitors and one route for all. `mlvitals render --tfvars -o` this folder writes what the first variables take.

terraform {
  required_version = ">= 1.5"

  required_providers {
    opensearch = {
      source  = "opensearch-project/opensearch"
      version = ">= 2.3"
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

variable "opensearch_url" {
  description = "Where OpenSearch answers."
  type        = string
}

variable "pagerduty_routing_key" {
  description = "The integration key of a service of PagerDuty (Events API v2)."
  type        = string
  sensitive   = true
}

variable "pagerduty_url" {
  description = "Where PagerDuty takes events: its European service region has another address."
  type        = string
  default     = "https://events.pagerduty.com/v2/enqueue"
}

provider "opensearch" {
  url = var.opensearch_url
}

module "mlvitals" {
  source = "../.."

  environment        = var.environment
  tags               = var.tags
  telemetry_interval = var.telemetry_interval
  models             = var.models

  default_route = { page = { pagerduty = { routing_key = var.pagerduty_routing_key, url = var.pagerduty_url } } }
}
