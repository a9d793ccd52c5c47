terraform {
  required_providers {
    grafana = {
      source  = "grafana/grafana"
      version = "~> 4.25"
    }
  }
}

resource "grafana_folder" "models" {
  title = "Models"
}
