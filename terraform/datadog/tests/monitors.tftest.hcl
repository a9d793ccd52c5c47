# What the module plans, without Datadog: groups, routes, bars, and what it refuses.

mock_provider "datadog" {}

run "everything_by_default" {
  command = plan

  assert {
    condition     = length(datadog_monitor.this) == length(local.catalogue)
    error_message = "Without models each monitor stands there once."
  }
  assert {
    condition     = length(datadog_dashboard_json.this) == 6 && length(datadog_dashboard_list.this) == 1
    error_message = "There are six boards and their list."
  }
  assert {
    condition     = length(datadog_service_level_objective.this) + length(datadog_logs_metric.judged) + length(datadog_metric_metadata.this) + length(datadog_metric_tag_configuration.this) + length(datadog_logs_custom_pipeline.this) == 0
    error_message = "Objectives, pipelines, metadata and tag configurations are asked for."
  }
  assert {
    condition     = alltrue([for query in values(local.queries) : length(regexall("@[a-z]+@", query)) == 0])
    error_message = "Every place of a query is filled."
  }
  assert {
    condition     = strcontains(local.queries["heartbeat"], "{*}")
    error_message = "Without an environment every one is watched."
  }
}

run "one_monitor_for_each_group" {
  command = plan

  variables {
    environment = "prod"
    models = {
      card-fraud  = { owner = "risk-ml" }
      chargebacks = { owner = "risk-ml" }
      house-price = { owner = "risk-ml", window_seconds = 86400, lookback_seconds = 180000 }
      clicks      = {}
    }
    default_route = { page = ["@pagerduty-platform"], warn = ["@slack-a-b"] }
    owners        = { risk-ml = { page = ["@pagerduty-risk"] } }
  }

  assert {
    condition = toset([for key in keys(local.monitors) : key if startswith(key, "page: ")]) == toset([
      "page: risk-ml, 8520 s", "page: risk-ml, 180000 s", "page: unowned, 8520 s", "page: other models",
    ])
    error_message = "Models with the same owner and lookback share a monitor; what nobody named has its own."
  }
  assert {
    condition = alltrue([
      local.notified["page: risk-ml, 8520 s"] == tolist(["@pagerduty-risk"]),
      local.notified["family_warns: risk-ml, 8520 s"] == tolist(["@slack-a-b"]),
      local.notified["page: unowned, 8520 s"] == tolist(["@pagerduty-platform"]),
      local.notified["heartbeat"] == tolist(["@pagerduty-platform"]),
    ])
    error_message = "Pages go to the owner; what the owner says nothing of, and what has none, to the default route."
  }
  assert {
    condition     = strcontains(local.queries["page: risk-ml, 8520 s"], "{env:prod AND (model:card-fraud OR model:chargebacks)}")
    error_message = "A group names its models."
  }
  assert {
    condition     = strcontains(local.queries["family_warns: risk-ml, 180000 s"], "last_3000m")
    error_message = "Monitors of windows look back as far as the models of their group."
  }
  assert {
    condition     = strcontains(local.queries["window_age: risk-ml, 180000 s"], "> 180000")
    error_message = "Windows are overdue after the lookback of their models."
  }
}

run "other_bars" {
  command = plan

  variables {
    overrides = { orphan_labels = { bar = 0.5 }, outbox_age = { bar = 7200, recovery = 60 }, loop_age = { enabled = false } }
  }

  assert {
    condition     = strcontains(local.queries["orphan_labels: other models"], ">= 0.5") && local.monitors["orphan_labels: other models"].recovery == null
    error_message = "Another bar is over at that bar, unless another recovery is given."
  }
  assert {
    condition     = strcontains(local.queries["outbox_age"], "> 7200") && local.monitors["outbox_age"].recovery == 60
    error_message = "Bar and recovery are taken."
  }
  assert {
    condition     = !contains(keys(local.monitors), "loop_age")
    error_message = "What is switched off is not there."
  }
}

run "an_unknown_monitor_is_refused" {
  command = plan

  variables {
    overrides = { pages = { bar = 1 } }
  }

  expect_failures = [datadog_monitor.this]
}

run "a_handle_without_its_sign_is_refused" {
  command = plan

  variables {
    default_route = { page = ["pagerduty-platform"] }
  }

  expect_failures = [var.default_route]
}

run "a_recovery_beyond_the_bar_is_refused" {
  command = plan

  variables {
    overrides = { orphan_labels = { bar = 0.1, recovery = 0.2 } }
  }

  expect_failures = [var.overrides]
}
