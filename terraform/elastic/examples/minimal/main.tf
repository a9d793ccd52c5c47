# Boards and rules where the licence is Basic: alerts are written into an index. `mlvitals render --tfvars -o` this folder writes what the first variables take.

terraform {
  required_version = ">= 1.5"

  required_providers {
    elasticstack = {
      source  = "elastic/elasticstack"
      version = ">= 0.16"
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

variable "elasticsearch_url" {
  description = "Where Elasticsearch answers."
  type        = string
}

variable "kibana_url" {
  description = "Where Kibana answers."
  type        = string
}

variable "api_key" {
  description = "A key that may manage index templates, rules, connectors and saved objects."
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

  environment        = var.environment
  tags               = var.tags
  telemetry_interval = var.telemetry_interval
  models             = var.models
  kibana_url         = var.kibana_url
}
