# One monitor for each kind and each group of models that have the owner and the lookback in common, never one per model.

locals {
  catalogue = jsondecode(file("${path.module}/assets/catalogue.json"))

  grouped = {
    for name, model in var.models :
    "${coalesce(model.owner, "unowned")}, ${model.lookback_seconds} s" => merge(model, { name = name })...
  }

  # What every model that is named is asked by, and what is asked for all that are not.
  wildcards = { for name in keys(var.models) : name => { wildcard = { "attributes.mlvitals.model.name" = { value = name } } } }

  groups = merge(
    {
      for key, models in local.grouped : key => {
        owner    = models[0].owner
        lookback = models[0].lookback_seconds
        models   = jsonencode({ bool = { should = [for model in models : local.wildcards[model.name]], minimum_should_match = 1 } })
      }
    },
    {
      "other models" = {
        owner    = null
        lookback = max(8520, [for model in values(var.models) : model.lookback_seconds]...)
        models   = length(var.models) == 0 ? jsonencode(local.everything) : jsonencode({ bool = { must_not = values(local.wildcards) } })
      }
    },
  )

  everything = { match_all = {} }

  environment = var.environment == null ? jsonencode(local.everything) : jsonencode({ term = { "attributes.mlvitals.environment" = var.environment } })
  mutes = length(var.mute_windows) == 0 ? jsonencode(local.everything) : jsonencode({
    bool = { must_not = [for one in var.mute_windows : { range = { "@timestamp" = { gte = one.start, lt = one.end } } }] }
  })

  monitors = merge(
    {
      for name, monitor in local.catalogue :
      name => { name = name, group = "", owner = null, lookback = 8520, models = jsonencode(local.everything) } if !monitor.per_model
    },
    [
      for name, monitor in local.catalogue : {
        for key, group in local.groups :
        "${name}: ${key}" => { name = name, group = " (${key})", owner = group.owner, lookback = group.lookback, models = group.models }
      } if monitor.per_model
    ]...
  )

  # The owner's route where it names a receiver for the severity, else the default one.
  routed = {
    for key, monitor in local.monitors : key => (
      monitor.owner == null ? "default" :
      length(try(local.receivers["owner-${monitor.owner}"][local.catalogue[monitor.name].severity], [])) > 0 ?
      "owner-${monitor.owner}" : "default"
    )
  }

  actions = {
    for key, monitor in local.monitors : key => [
      for receiver in local.receivers[local.routed[key]][local.catalogue[monitor.name].severity] :
      replace(replace(
        jsonencode(local.catalogue[monitor.name].actions[receiver]),
        "@channel@", "mlvitals-${var.namespace}-${local.routed[key]}-${local.catalogue[monitor.name].severity}-${receiver}",
        ), "@routing_key@",
        receiver == "pagerduty" ? local.routes[local.routed[key]][local.catalogue[monitor.name].severity].pagerduty.routing_key : "",
      )
    ]
  }

  settings = {
    for key, monitor in local.monitors : key => {
      enabled = coalesce(try(var.overrides[monitor.name].enabled, null), true)
      minutes = coalesce(try(var.overrides[monitor.name].minutes, null), local.catalogue[monitor.name].minutes)
      # Windows that do not close are overdue after the lookback.
      bar = try(coalesce(try(var.overrides[monitor.name].bar, null), local.catalogue[monitor.name].bar), monitor.lookback)
    }
  }

  board = var.dashboards_url == null ? "mlvitals-fleet" : "${trimsuffix(coalesce(var.dashboards_url, "-"), "/")}/app/dashboards#/view/mlvitals-fleet"

  # Each place of a body is filled in turn; what stands in quotes is JSON afterwards.
  filled = {
    for key, monitor in local.monitors : key => replace(replace(replace(replace(replace(replace(
      replace(file("${path.module}/assets/monitors/${monitor.name}.json"), "@namespace@", var.namespace),
      "@group@", monitor.group),
      "\"@environment@\"", local.environment),
      "\"@mutes@\"", local.mutes),
      "\"@models@\"", monitor.models),
      "@recent_seconds@", tostring(5 * var.telemetry_interval + 30)),
    "@lookback_seconds@", tostring(monitor.lookback))
  }

  bodies = {
    for key, monitor in local.monitors : key => replace(replace(replace(replace(replace(replace(replace(
      local.filled[key],
      "\"@actions@\"", join(",", local.actions[key])),
      "@group@", monitor.group),
      "@bar@", tostring(local.settings[key].bar)),
      "\"@minutes@\"", tostring(local.settings[key].minutes)),
      "\"@enabled@\"", tostring(local.settings[key].enabled)),
      "@board@", local.board),
    "@runbook@", var.runbook_url)
  }
}

# The plugin answers with more than it was given, and the provider takes that for a change: what decides is what we gave.
resource "terraform_data" "monitor" {
  for_each = local.monitors

  input = nonsensitive(sha256(local.bodies[each.key]))

  lifecycle {
    precondition {
      condition     = length(setsubtract(keys(var.overrides), keys(local.catalogue))) == 0
      error_message = "overrides names a monitor that there is not: see the output `monitors`."
    }
  }
}

resource "opensearch_monitor" "this" {
  for_each = local.monitors

  body = jsonencode(jsondecode(local.bodies[each.key]))

  lifecycle {
    ignore_changes       = [body]
    replace_triggered_by = [terraform_data.monitor[each.key]]
  }

  depends_on = [opensearch_channel_configuration.this, opensearch_composable_index_template.this]
}
