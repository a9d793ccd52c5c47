# Boards, monitors and one route for all. `mlvitals render --tfvars -o` this folder writes what the first variables take.

terraform {
  required_version = ">= 1.7.0"

  required_providers {
    datadog = {
      source  = "DataDog/datadog"
      version = ">= 3.82.0, < 5.0.0"
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

variable "page" {
  description = "The handle of whoever is paged, as `@pagerduty-SERVICE`."
  type        = string
}

# DD_API_KEY, DD_APP_KEY and DD_HOST say as whom and where.
provider "datadog" {}

module "mlvitals" {
  source = "../.."

  environment        = var.environment
  tags               = var.tags
  telemetry_interval = var.telemetry_interval
  models             = var.models

  default_route = { page = [var.page] }
}
