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

module "mlvitals" {
  source = "../.."

  datasource_uid = "prometheus"
  default_route  = { page = "on-call", warn = "team-channel" }
}
