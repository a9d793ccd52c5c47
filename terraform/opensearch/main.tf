# Templates first: a document that comes before them would make an index by guesses.

locals {
  templates = jsondecode(replace(file("${path.module}/assets/templates.json"), "@namespace@", var.namespace))
  roles     = jsondecode(replace(file("${path.module}/assets/roles.json"), "@namespace@", var.namespace))
  objects   = jsondecode(file("${path.module}/assets/objects.json"))

  # The days that the policies of the assets were rendered with. A month's index is deleted 31 days later.
  rendered_days = 90
}

resource "opensearch_component_template" "this" {
  for_each = { for name, body in local.templates.component : name => body if var.templates }

  name = each.key
  body = jsonencode(each.value)
}

resource "opensearch_composable_index_template" "this" {
  for_each = { for name, body in local.templates.index : name => body if var.templates }

  name = each.key
  body = jsonencode(each.value)

  depends_on = [opensearch_component_template.this, opensearch_ism_policy.this]
}

resource "opensearch_ism_policy" "this" {
  for_each = { for name, body in local.templates.policy : name => body if var.retention_days != null }

  policy_id = each.key
  body = replace(
    replace(jsonencode(each.value), "\"${local.rendered_days + 31}d\"", "\"${coalesce(var.retention_days, 1) + 31}d\""),
    "\"${local.rendered_days}d\"", "\"${coalesce(var.retention_days, 1)}d\"",
  )
}

resource "opensearch_dashboard_object" "this" {
  for_each = { for key, object in local.objects : key => object if var.dashboards }

  index = var.dashboards_index
  body  = jsonencode([each.value])
}

resource "opensearch_role" "this" {
  for_each = { for name, role in local.roles : name => role if var.roles != null }

  role_name           = each.key
  description         = each.value.description
  cluster_permissions = each.value.cluster_permissions

  dynamic "index_permissions" {
    for_each = each.value.index_permissions

    content {
      index_patterns  = index_permissions.value.index_patterns
      allowed_actions = index_permissions.value.allowed_actions
    }
  }
}

resource "opensearch_roles_mapping" "this" {
  for_each = { for name, who in { mlvitals_writer = "writers", mlvitals_reader = "readers" } : name => var.roles[who] if var.roles != null }

  role_name     = opensearch_role.this[each.key].role_name
  users         = each.value.users
  backend_roles = each.value.backend_roles
}
