# Boards, monitors and one route, for all models together.

terraform {
  required_version = ">= 1.5"

  required_providers {
    opensearch = {
      source  = "opensearch-project/opensearch"
      version = ">= 2.3"
    }
  }
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

provider "opensearch" {
  url = var.opensearch_url
}

module "mlvitals" {
  source = "../.."

  default_route = { page = { pagerduty = { routing_key = var.pagerduty_routing_key } } }
}
