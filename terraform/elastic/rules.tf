# One rule for each kind and each group of models that have the owner and the lookback in common, never one per model.

locals {
  catalogue = jsondecode(file("${path.module}/assets/rules.json"))

  grouped = {
    for name, model in var.models :
    "${coalesce(model.owner, "unowned")}, ${model.lookback_seconds} s" => merge(model, { name = name })...
  }

  # What every model that is named is asked by, and what is asked for all that are not.
  wildcards = { for name in keys(var.models) : name => { wildcard = { "mlvitals.model.name" = { value = name } } } }

  groups = merge(
    {
      for key, models in local.grouped : key => {
        owner    = models[0].owner
        lookback = models[0].lookback_seconds
        models   = jsonencode([{ bool = { should = [for model in models : local.wildcards[model.name]], minimum_should_match = 1 } }])
      }
    },
    {
      "other models" = {
        owner    = null
        lookback = max(8520, [for model in values(var.models) : model.lookback_seconds]...)
        models   = length(var.models) == 0 ? "[]" : jsonencode([{ bool = { must_not = values(local.wildcards) } }])
      }
    },
  )

  environment = var.environment == null ? "[]" : jsonencode([{ term = { "mlvitals.environment" = var.environment } }])
  mutes = length(var.mute_windows) == 0 ? "[]" : jsonencode([
    { bool = { must_not = [for one in var.mute_windows : { range = { "@timestamp" = { gte = one.start, lt = one.end } } }] } }
  ])

  rules = merge(
    {
      for name, monitor in local.catalogue :
      name => { name = name, group = "", owner = null, lookback = 8520, models = "[]" } if !monitor.per_model
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
    for key, rule in local.rules : key => (
      rule.owner == null ? "default" :
      length(try(local.receivers["owner-${rule.owner}"][local.catalogue[rule.name].severity], [])) > 0 ?
      "owner-${rule.owner}" : "default"
    )
  }

  # A silence has no bar: what is overridden is how long it must last.
  silences = { for key, rule in local.rules : key => local.catalogue[rule.name].params.thresholdComparator == "<" }

  settings = {
    for key, rule in local.rules : key => {
      enabled = coalesce(try(var.overrides[rule.name].enabled, null), true)
      minutes = coalesce(try(var.overrides[rule.name].minutes, null), local.catalogue[rule.name].minutes)
      # Windows that do not close are overdue after the lookback.
      bar = local.silences[key] ? 1 : try(coalesce(try(var.overrides[rule.name].bar, null), local.catalogue[rule.name].bar), rule.lookback)
      seconds = (
        local.silences[key] ? coalesce(try(var.overrides[rule.name].bar, null), local.catalogue[rule.name].seconds) :
        lookup({ recent = 5 * var.telemetry_interval + 30, lookback = rule.lookback }, local.catalogue[rule.name].back, local.catalogue[rule.name].seconds)
      )
    }
  }

  filters = {
    for key, rule in local.rules : key => concat(
      local.catalogue[rule.name].filters,
      [for word in compact([local.catalogue[rule.name].beyond]) : { range = { value = { (word) = local.settings[key].bar } } }],
      jsondecode(local.environment),
      jsondecode(rule.models),
      jsondecode(local.silences[key] ? "[]" : local.mutes),
    )
  }

  params = {
    for key, rule in local.rules : key => jsonencode(merge(local.catalogue[rule.name].params, {
      index          = ["mlvitals-metrics-${var.namespace}-*"]
      timeWindowSize = local.settings[key].seconds
      threshold      = [local.settings[key].bar]
      esQuery        = jsonencode({ query = { bool = { filter = local.filters[key] } } })
    }))
  }

  space = var.space_id == "default" ? "" : "/s/${var.space_id}"
  board = var.kibana_url == null ? "mlvitals-fleet" : "${trimsuffix(coalesce(var.kibana_url, "-"), "/")}${local.space}/app/dashboards#/view/mlvitals-fleet"

  # What is told to whom when an alert is new, and when it is over.
  actions = {
    for key, rule in local.rules : key => flatten([
      for receiver in concat(local.receivers[local.routed[key]][local.catalogue[rule.name].severity], local.index_alerts ? ["index"] : []) : [
        for action in local.catalogue[rule.name].actions[receiver] : {
          connector = receiver == "index" ? null : "${local.routed[key]}-${local.catalogue[rule.name].severity}-${receiver}"
          group     = action.group
          frequency = action.frequency
          params    = replace(replace(jsonencode(action.params), "@board@", local.board), "@runbook@", var.runbook_url)
        }
      ]
    ])
  }
}

resource "elasticstack_kibana_alerting_rule" "this" {
  for_each = local.rules

  space_id     = var.space_id
  name         = "mlvitals: ${local.catalogue[each.value.name].title}${each.value.group}"
  consumer     = "stackAlerts"
  rule_type_id = ".es-query"
  enabled      = local.settings[each.key].enabled
  interval     = "${local.settings[each.key].minutes}m"
  tags         = local.catalogue[each.value.name].tags
  params       = local.params[each.key]
  alert_delay  = 1

  # What comes and goes is decided before it is told here: 20 changes in 20 runs are never the case.
  flapping = {
    look_back_window        = 20
    status_change_threshold = 20
  }

  dynamic "actions" {
    for_each = local.actions[each.key]

    content {
      id     = actions.value.connector == null ? elasticstack_kibana_action_connector.index[0].connector_id : elasticstack_kibana_action_connector.this[actions.value.connector].connector_id
      group  = actions.value.group
      params = actions.value.params

      frequency {
        summary     = actions.value.frequency.summary
        notify_when = actions.value.frequency.notify_when
        throttle    = actions.value.frequency.throttle
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(setsubtract(keys(var.overrides), keys(local.catalogue))) == 0
      error_message = "overrides names a monitor that there is not: see the output `rules`."
    }
  }

  depends_on = [elasticstack_elasticsearch_index_template.this]
}
