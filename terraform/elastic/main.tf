# Templates first: a document that comes before them would make an index by guesses.

locals {
  templates = jsondecode(replace(file("${path.module}/assets/templates.json"), "@namespace@", var.namespace))
  roles     = jsondecode(replace(file("${path.module}/assets/roles.json"), "@namespace@", var.namespace))
  objects   = file("${path.module}/assets/mlvitals.ndjson")

  alerts_index = "mlvitals-alerts-${var.namespace}"

  # A month's index ages from its first document on, and its last document is kept as long as the first.
  policies = {
    for name, policy in local.templates.policy : name => {
      rollover = policy.rollover
      days     = coalesce(var.retention_days, 1) + (policy.rollover == null ? 31 : 0)
    } if var.retention_days != null
  }

  # The index of alerts has a template only where alerts are written into it.
  index_templates = {
    for name, body in local.templates.index : name => body
    if name == local.alerts_index ? local.index_alerts : var.templates
  }
}

resource "elasticstack_elasticsearch_index_lifecycle" "this" {
  for_each = local.policies

  name = each.key

  dynamic "hot" {
    for_each = each.value.rollover == null ? [] : [each.value.rollover]

    content {
      rollover {
        max_age                = hot.value.max_age
        max_primary_shard_size = hot.value.max_primary_shard_size
      }
    }
  }

  delete {
    min_age = "${each.value.days}d"
    delete {}
  }
}

resource "elasticstack_elasticsearch_component_template" "this" {
  for_each = { for name, body in local.templates.component : name => body if var.templates }

  name = each.key

  template {
    settings = jsonencode(each.value.template.settings)
    mappings = jsonencode(each.value.template.mappings)
  }
}

resource "elasticstack_elasticsearch_index_template" "this" {
  for_each = local.index_templates

  name           = each.key
  index_patterns = each.value.index_patterns
  priority       = each.value.priority
  composed_of    = each.value.composed_of

  dynamic "data_stream" {
    for_each = can(each.value.data_stream) ? [1] : []
    content {}
  }

  template {
    dynamic "alias" {
      for_each = keys(try(each.value.template.aliases, {}))
      content {
        name = alias.value
      }
    }

    settings = jsonencode({
      index = merge(
        each.value.template.settings.index,
        contains(keys(local.policies), each.key) ? { lifecycle = { name = each.key } } : {},
      )
    })
    mappings = jsonencode(each.value.template.mappings)
  }

  depends_on = [elasticstack_elasticsearch_component_template.this, elasticstack_elasticsearch_index_lifecycle.this]
}

resource "elasticstack_elasticsearch_security_role" "this" {
  for_each = { for name, role in local.roles : name => role if var.roles }

  name        = each.key
  description = each.value.description
  cluster     = each.value.cluster

  dynamic "indices" {
    for_each = each.value.indices

    content {
      names      = indices.value.names
      privileges = indices.value.privileges
    }
  }
}

resource "elasticstack_kibana_import_saved_objects" "this" {
  count = var.dashboards ? 1 : 0

  space_id      = var.space_id
  file_contents = local.objects
  overwrite     = true
}
