locals {
  dashboards = {
    for file in fileset("${path.module}/assets/dashboards", "*.json") :
    trimsuffix(file, ".json") => file("${path.module}/assets/dashboards/${file}")
  }

  fresh_seconds = 5 * var.telemetry_interval

  # Monitors as they are asked for: what is overridden is known here and nowhere else.
  monitors = {
    for monitor in jsondecode(file("${path.module}/assets/rules.json")) : monitor.name => merge(monitor, {
      enabled         = try(var.overrides[monitor.name].enabled, true)
      bar             = try(coalesce(var.overrides[monitor.name].bar, monitor.bar), monitor.bar)
      recovery        = try(coalesce(var.overrides[monitor.name].recovery, var.overrides[monitor.name].bar, monitor.recovery), monitor.recovery)
      lasting_seconds = try(coalesce(var.overrides[monitor.name].lasting_seconds, monitor.lasting_seconds), monitor.lasting_seconds)
      silent_seconds  = try(coalesce(var.overrides[monitor.name].silent_seconds, monitor.silent_seconds), monitor.silent_seconds)
    })
  }

  # A name as part of a regular expression within a string of PromQL.
  literal = {
    for text in concat(keys(var.models), compact([var.environment])) : text => replace(text, "/([^A-Za-z0-9_-])/", "\\\\$1")
  }

  # Models that share an owner and a lookback share their rules; models that are not named share the default's.
  named = {
    for key, members in {
      for name, model in var.models : "${coalesce(model.owner, "default")}-${model.lookback_seconds}" => name...
      } : key => {
      owner            = var.models[members[0]].owner
      lookback_seconds = var.models[members[0]].lookback_seconds
      matcher          = "mlvitals_model_name=~\"${join("|", [for name in sort(members) : local.literal[name]])}\""
    }
  }
  others = length(var.models) == 0 ? "" : "mlvitals_model_name!~\"${join("|", [for name in sort(keys(var.models)) : local.literal[name]])}\""
  groups = merge(local.named, {
    others = { owner = null, lookback_seconds = var.lookback_seconds, matcher = local.others }
  })
  exporter = { exporter = { owner = null, lookback_seconds = var.lookback_seconds, matcher = "" } }

  environment = "mlvitals_environment=~\"${var.environment == null ? ".*" : local.literal[var.environment]}\""

  rules = merge([
    for name, monitor in local.monitors : {
      for key, group in(monitor.per_model ? local.groups : local.exporter) : "${name}-${key}" => {
        monitor = monitor
        group   = group
        route   = try(var.owners[group.owner], var.default_route)
        tokens = {
          "%MATCHERS%" = join(",", compact([local.environment, group.matcher]))
          "%LOOKBACK%" = "${group.lookback_seconds}s"
          "%FRESH%"    = "${local.fresh_seconds}s"
          "%SILENT%"   = "${try(max(monitor.silent_seconds, local.fresh_seconds), local.fresh_seconds)}s"
          "%BAR%"      = tostring(monitor.bar == null ? group.lookback_seconds : monitor.bar)
          "%RECOVERY%" = tostring(monitor.recovery == null ? 0 : monitor.recovery)
        }
      }
    } if monitor.enabled
  ]...)

  expressions = {
    for key, rule in local.rules : key => {
      for part in ["level", "value"] : part => replace(replace(replace(replace(replace(replace(
        rule.monitor[part],
        "%MATCHERS%", rule.tokens["%MATCHERS%"]),
        "%LOOKBACK%", rule.tokens["%LOOKBACK%"]),
        "%FRESH%", rule.tokens["%FRESH%"]),
        "%SILENT%", rule.tokens["%SILENT%"]),
        "%BAR%", rule.tokens["%BAR%"]),
      "%RECOVERY%", rule.tokens["%RECOVERY%"])
    }
  }

  contact_points = nonsensitive(toset(keys(var.contact_points)))
}

resource "grafana_folder" "this" {
  uid   = var.folder_uid
  title = var.folder_title
}

resource "grafana_dashboard" "this" {
  for_each = var.dashboards ? local.dashboards : {}

  folder      = grafana_folder.this.uid
  config_json = each.value
  overwrite   = true
}

resource "grafana_contact_point" "this" {
  for_each = local.contact_points

  name = each.value

  dynamic "pagerduty" {
    for_each = nonsensitive(var.contact_points[each.value].pagerduty_key != null) ? [1] : []
    content {
      integration_key = var.contact_points[each.value].pagerduty_key
      summary         = "{{ (index .Alerts 0).Annotations.summary }}"
    }
  }

  dynamic "slack" {
    for_each = nonsensitive(var.contact_points[each.value].slack_url != null) ? [1] : []
    content {
      url   = var.contact_points[each.value].slack_url
      title = "{{ (index .Alerts 0).Annotations.summary }}"
      text  = "{{ range .Alerts }}{{ .Annotations.description }}\n{{ end }}"
    }
  }

  dynamic "webhook" {
    for_each = nonsensitive(var.contact_points[each.value].webhook_url != null) ? [1] : []
    content {
      url = var.contact_points[each.value].webhook_url
    }
  }

  dynamic "opsgenie" {
    for_each = nonsensitive(var.contact_points[each.value].opsgenie_key != null) ? [1] : []
    content {
      api_key = var.contact_points[each.value].opsgenie_key
      message = "{{ (index .Alerts 0).Annotations.summary }}"
    }
  }

  # Rules leave one before it goes: Grafana keeps what a rule still names.
  lifecycle {
    create_before_destroy = true
  }
}

resource "grafana_mute_timing" "this" {
  for_each = var.mute_windows

  name = each.key

  intervals {
    weekdays = each.value.weekdays
    location = each.value.location

    dynamic "times" {
      for_each = each.value.start == null ? [] : [1]
      content {
        start = each.value.start
        end   = each.value.end
      }
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "grafana_rule_group" "this" {
  for_each = toset([for rule in values(local.rules) : rule.monitor.severity])

  name             = "mlvitals-${each.value}"
  folder_uid       = grafana_folder.this.uid
  interval_seconds = 60

  dynamic "rule" {
    for_each = { for key, rule in local.rules : key => rule if rule.monitor.severity == each.value }
    content {
      name           = "${rule.value.monitor.title} (${rule.key})"
      condition      = "C"
      for            = "${rule.value.monitor.lasting_seconds}s"
      no_data_state  = "OK"
      exec_err_state = "Error"

      labels = merge(var.tags, rule.value.monitor.labels, {
        severity = rule.value.monitor.severity
      }, rule.value.group.owner == null ? {} : { owner = rule.value.group.owner })

      annotations = {
        summary          = rule.value.monitor.summary
        description      = rule.value.monitor.description
        runbook_url      = "${var.runbook_url}#${rule.value.monitor.name}"
        __dashboardUid__ = rule.value.monitor.dashboard_uid
        __panelId__      = "2"
      }

      notification_settings {
        contact_point = rule.value.route[each.value]
        group_by      = concat(["grafana_folder", "alertname"], rule.value.monitor.incident)
        mute_timings  = each.value == "warn" ? [for name in keys(var.mute_windows) : grafana_mute_timing.this[name].name] : null
      }

      data {
        ref_id         = "V"
        datasource_uid = var.datasource_uid
        relative_time_range {
          from = rule.value.group.lookback_seconds
          to   = 0
        }
        model = jsonencode({ refId = "V", expr = local.expressions[rule.key].value, instant = true, range = false })
      }

      data {
        ref_id         = "A"
        datasource_uid = var.datasource_uid
        relative_time_range {
          from = rule.value.group.lookback_seconds
          to   = 0
        }
        model = jsonencode({ refId = "A", expr = local.expressions[rule.key].level, instant = true, range = false })
      }

      data {
        ref_id         = "C"
        datasource_uid = "__expr__"
        relative_time_range {
          from = 0
          to   = 0
        }
        model = jsonencode({
          refId      = "C"
          type       = "threshold"
          expression = "A"
          conditions = [{
            evaluator       = { type = "gt", params = [1.5] }
            unloadEvaluator = { type = "lt", params = [0.5] }
          }]
        })
      }
    }
  }

  depends_on = [grafana_contact_point.this]
}
