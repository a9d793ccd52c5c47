terraform {
  required_providers {
    elasticstack = {
      source  = "elastic/elasticstack"
      version = "~> 0.16"
    }
  }
}

resource "elasticstack_elasticsearch_index_template" "metrics" {
  name           = "metrics"
  index_patterns = ["metrics-*"]
}
