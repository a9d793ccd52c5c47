terraform {
  required_providers {
    opensearch = {
      source  = "opensearch-project/opensearch"
      version = "~> 2.3"
    }
  }
}

variable "address" {
  description = "Where OpenSearch answers."
  type        = string
}

variable "bar" {
  description = "What a monitor fires above."
  type        = number
}

provider "opensearch" {
  url                = var.address
  sign_aws_requests  = false
  healthcheck        = false
  opensearch_version = "3.8.0"
}

resource "opensearch_component_template" "mappings" {
  name = "standin-mappings"
  body = jsonencode({
    template = {
      settings = { number_of_shards = 1, "index.codec" = "best_compression" }
      mappings = { properties = { value = { type = "double" } } }
    }
  })
}

resource "opensearch_composable_index_template" "metrics" {
  name = "standin-metrics"
  body = jsonencode({
    index_patterns = ["standin-metrics-*"]
    composed_of    = [opensearch_component_template.mappings.name]
    priority       = 950
    data_stream    = { timestamp_field = { name = "@timestamp" } }
  })
}

resource "opensearch_ism_policy" "keep" {
  policy_id = "standin-keep"
  body = jsonencode({
    policy = {
      description   = "Keep a month."
      default_state = "hot"
      states = [
        { name = "hot", actions = [], transitions = [{ state_name = "gone", conditions = { min_index_age = "30d" } }] },
        { name = "gone", actions = [{ delete = {} }], transitions = [] },
      ]
      ism_template = [{ index_patterns = ["standin-metrics-*"], priority = 100 }]
    }
  })
}

resource "opensearch_channel_configuration" "pager" {
  body = jsonencode({
    config_id = "standin-pager"
    config = {
      name        = "pager"
      description = "Who is woken."
      config_type = "webhook"
      is_enabled  = true
      webhook     = { url = "http://127.0.0.1:9/enqueue", method = "POST" }
    }
  })
}

locals {
  monitor = jsonencode({
    type         = "monitor"
    name         = "standin"
    monitor_type = "query_level_monitor"
    enabled      = true
    schedule     = { period = { interval = 1, unit = "MINUTES" } }
    inputs = [{ search = {
      indices = ["standin-*"]
      query   = { size = 0, query = { match_all = {} } }
    } }]
    triggers = [{ query_level_trigger = {
      name      = "above"
      severity  = "1"
      condition = { script = { source = "return ctx.results[0].hits.total.value > ${var.bar};", lang = "painless" } }
      actions = [{
        name             = "page"
        destination_id   = opensearch_channel_configuration.pager.id
        message_template = { source = "{{ctx.monitor.name}}" }
      }]
    } }]
  })
}

resource "terraform_data" "monitor" {
  input = sha256(local.monitor)
}

# Whatever the API adds to a monitor would be a change in every plan: the body counts when it is written, and not when
# it is read.
resource "opensearch_monitor" "above" {
  body = local.monitor

  lifecycle {
    ignore_changes       = [body]
    replace_triggered_by = [terraform_data.monitor]
  }
}

resource "opensearch_dashboard_object" "board" {
  body = jsonencode([{
    _id     = "dashboard:standin"
    _source = { type = "dashboard", dashboard = { title = "Board", panelsJSON = "[]" }, references = [] }
  }])
}

resource "opensearch_role" "reader" {
  role_name           = "standin-reader"
  description         = "Reads metrics."
  cluster_permissions = ["cluster_composite_ops_ro"]

  index_permissions {
    index_patterns  = ["standin-metrics-*"]
    allowed_actions = ["read"]
  }
}

resource "opensearch_roles_mapping" "reader" {
  role_name     = opensearch_role.reader.role_name
  backend_roles = ["analysts"]
}
