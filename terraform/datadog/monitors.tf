# One monitor for each kind and each group of models that have the owner and the lookback in common, never one per model.

locals {
  catalogue = jsondecode(file("${path.module}/assets/monitors.json"))

  # Names as Datadog stores them in tags.
  spelled = {
    for name in concat(keys(var.models), compact([var.environment])) :
    name => trim(replace(lower(name), "/[^\\p{L}\\p{Nd}:.\\/*-]+/", "_"), "_")
  }

  environment = var.environment == null ? [] : ["env:${local.spelled[var.environment]}"]

  grouped = {
    for name, model in var.models :
    "${coalesce(model.owner, "unowned")}, ${model.lookback_seconds} s" => "model:${local.spelled[name]}"...
  }
  members = {
    for name, model in var.models : "${coalesce(model.owner, "unowned")}, ${model.lookback_seconds} s" => model...
  }

  groups = merge(
    {
      for key, filters in local.grouped : key => {
        owner    = local.members[key][0].owner
        lookback = local.members[key][0].lookback_seconds
        filters  = length(filters) == 1 ? filters : ["(${join(" OR ", sort(filters))})"]
      }
    },
    {
      "other models" = {
        owner    = null
        lookback = max(var.lookback_seconds, [for model in values(var.models) : model.lookback_seconds]...)
        filters  = [for name in sort(keys(var.models)) : "!model:${local.spelled[name]}"]
      }
    },
  )
  exporter = { owner = null, lookback = var.lookback_seconds, filters = [] }

  asked = merge(
    { for name, told in local.catalogue : name => { name = name, title = "", group = local.exporter } if !told.per_model },
    [
      for name, told in local.catalogue : {
        for key, group in local.groups : "${name}: ${key}" => { name = name, title = " (${key})", group = group }
      } if told.per_model
    ]...
  )

  fresh_seconds = 5 * var.telemetry_interval

  # What is overridden is known here and nowhere else.
  monitors = {
    for key, one in local.asked : key => merge(local.catalogue[one.name], {
      key      = one.name
      title    = one.title
      owner    = one.group.owner
      filters  = concat(local.environment, one.group.filters, local.catalogue[one.name].filters)
      bar      = coalesce(try(var.overrides[one.name].bar, null), local.catalogue[one.name].bar, one.group.lookback)
      recovery = try(coalesce(var.overrides[one.name].recovery, try(var.overrides[one.name].bar, null) == null ? local.catalogue[one.name].recovery : null), null)
      priority = coalesce(try(var.overrides[one.name].priority, null), local.catalogue[one.name].priority)
      tags     = concat(local.catalogue[one.name].tags, try(var.overrides[one.name].tags, []), local.tags, one.group.owner == null ? [] : ["owner:${one.group.owner}"])
      seconds = (
        local.catalogue[one.name].silent_seconds != null ? max(coalesce(try(var.overrides[one.name].silent_seconds, null), local.catalogue[one.name].silent_seconds), local.fresh_seconds) :
        local.catalogue[one.name].windowed ? one.group.lookback :
        max(coalesce(try(var.overrides[one.name].lasting_seconds, null), local.catalogue[one.name].lasting_seconds), local.fresh_seconds)
      )
    }) if try(var.overrides[one.name].enabled, true)
  }

  # The owner's handles where it has some for the severity, else those of the default route.
  notified = {
    for key, one in local.monitors : key => try(
      coalesce(var.owners[one.owner][one.severity]), var.default_route[one.severity]
    )
  }

  tags = [for name, value in var.tags : "${name}:${value}"]

  queries = {
    for key, one in local.monitors : key => replace(replace(replace(one.query,
      "@filters@", length(one.filters) == 0 ? "*" : join(" AND ", one.filters)),
      "@minutes@", tostring(min(ceil(one.seconds / 60), 10080))),
    "@bar@", tostring(one.bar))
  }

  # Boards have ids of the organisation; where they are not made here, they are looked for by their name.
  board_urls = {
    for name in ["model", "exporter"] :
    name => var.dashboards ? "${var.app_url}${datadog_dashboard_json.this[name].url}" : "${var.app_url}/dashboard/lists?q=Model%20vitals"
  }

  messages = {
    for key, one in local.monitors : key => trimspace(replace(replace(replace(one.message,
      "@board@", var.dashboards && one.per_model ? "${local.board_urls[one.board]}?tpl_var_model[0]={{model.name}}&tpl_var_env[0]={{env.name}}" : local.board_urls[one.board]),
      "@runbook@", var.runbook_url),
    "@notify@", join(" ", local.notified[key])))
  }
}

resource "datadog_monitor" "this" {
  for_each = local.monitors

  name     = "${each.value.name}${each.value.title}"
  type     = each.value.type
  query    = local.queries[each.key]
  message  = local.messages[each.key]
  tags     = each.value.tags
  priority = tostring(each.value.priority)

  monitor_thresholds {
    critical          = tostring(each.value.bar)
    critical_recovery = each.value.recovery == null ? null : tostring(each.value.recovery)
  }

  include_tags        = each.value.options.include_tags
  notify_audit        = each.value.options.notify_audit
  require_full_window = each.value.options.require_full_window
  new_group_delay     = each.value.options.new_group_delay
  on_missing_data     = each.value.options.on_missing_data
  renotify_interval   = each.value.options.renotify_interval
  renotify_statuses   = try(each.value.options.renotify_statuses, null)

  lifecycle {
    precondition {
      condition     = length(setsubtract(keys(var.overrides), keys(local.catalogue))) == 0
      error_message = "overrides names a monitor that there is not: see the output `monitors`."
    }
  }
}

resource "datadog_downtime_schedule" "this" {
  for_each = var.mute_windows

  scope   = var.environment == null ? "*" : local.environment[0]
  message = "mlvitals: ${each.key}. Pages are not muted."

  monitor_identifier {
    monitor_tags = ["integration:mlvitals", "severity:warn"]
  }

  dynamic "one_time_schedule" {
    for_each = each.value.rrule == null ? [each.value] : []

    content {
      start = one_time_schedule.value.start
      end   = one_time_schedule.value.end
    }
  }

  dynamic "recurring_schedule" {
    for_each = each.value.rrule == null ? [] : [each.value]

    content {
      timezone = recurring_schedule.value.timezone

      recurrence {
        rrule    = recurring_schedule.value.rrule
        duration = recurring_schedule.value.duration
        start    = recurring_schedule.value.start
      }
    }
  }
}

resource "datadog_webhook" "this" {
  for_each = nonsensitive(toset(keys(var.webhooks)))

  name           = each.value
  url            = var.webhooks[each.value].url
  custom_headers = length(var.webhooks[each.value].headers) == 0 ? null : jsonencode(var.webhooks[each.value].headers)
}
