# What the module plans, without a cluster: groups, routes, bars, licences, and what it refuses.

mock_provider "elasticstack" {}

run "everything_by_default" {
  command = plan

  assert {
    condition     = length(elasticstack_kibana_alerting_rule.this) == length(local.catalogue)
    error_message = "Without models each rule stands there once."
  }
  assert {
    condition     = length(elasticstack_kibana_action_connector.this) == 0 && length(elasticstack_kibana_action_connector.index) == 1
    error_message = "With the licence Basic alerts go into an index, and nowhere else."
  }
  assert {
    condition     = length(elasticstack_elasticsearch_security_role.this) == 0 && length(elasticstack_elasticsearch_index_lifecycle.this) == 0
    error_message = "Roles and lifecycles are asked for."
  }
  assert {
    condition     = alltrue(flatten([for actions in values(local.actions) : [for action in actions : length(regexall("@[a-z_]+@", action.params)) == 0]]))
    error_message = "Every place of a message is filled."
  }
  assert {
    condition     = alltrue([for actions in values(local.actions) : [for action in actions : action.group] == ["query matched", "recovered"]])
    error_message = "Each alert is told when it is new and when it is over."
  }
}

run "one_rule_for_each_group" {
  command = plan

  variables {
    tier = "gold"
    models = {
      card-fraud  = { owner = "risk-ml" }
      chargebacks = { owner = "risk-ml" }
      house-price = { owner = "risk-ml", window_seconds = 86400, lookback_seconds = 180000 }
      clicks      = {}
    }
    default_route = { page = { pagerduty = { routing_key = "default-key" } }, warn = { slack = { url = "https://hooks.example/default" } } }
    owners        = { risk-ml = { page = { pagerduty = { routing_key = "risk-key" } } } }
  }

  assert {
    condition = toset([for key in keys(local.rules) : key if startswith(key, "page: ")]) == toset([
      "page: risk-ml, 8520 s", "page: risk-ml, 180000 s", "page: unowned, 8520 s", "page: other models",
    ])
    error_message = "Models with the same owner and lookback share a rule; what nobody named has its own."
  }
  assert {
    condition = alltrue([
      local.routed["page: risk-ml, 8520 s"] == "owner-risk-ml",
      local.routed["family_warns: risk-ml, 8520 s"] == "default",
      local.routed["page: unowned, 8520 s"] == "default",
      local.routed["heartbeat"] == "default",
    ])
    error_message = "Pages go to the owner; what the owner says nothing of, and what has none, to the default route."
  }
  assert {
    condition     = jsondecode(local.params["family_warns: risk-ml, 180000 s"]).timeWindowSize == 180000
    error_message = "Rules of windows look back as far as the models of their group."
  }
  assert {
    condition     = jsondecode(local.params["window_age: risk-ml, 180000 s"]).threshold == [180000]
    error_message = "Windows are overdue after the lookback of their models."
  }
  assert {
    condition     = local.actions["page: risk-ml, 8520 s"][0].connector == "owner-risk-ml-page-pagerduty" && length(local.actions["page: risk-ml, 8520 s"]) == 2
    error_message = "An owner's pages go to the owner's PagerDuty alone: once when it begins, once when it is over."
  }
  assert {
    condition     = strcontains(local.params["page: other models"], "must_not") && strcontains(local.params["page: other models"], "clicks")
    error_message = "The rule of other models leaves out those that are named."
  }
  assert {
    condition     = length(elasticstack_kibana_action_connector.index) == 0
    error_message = "With other connectors alerts go into an index only where that is asked for."
  }
}

run "other_bars_environments_and_mutes" {
  command = plan

  variables {
    environment    = "prod"
    overrides      = { orphan_labels = { bar = 0.5 }, loop_age = { enabled = false }, heartbeat = { bar = 900, minutes = 2 } }
    mute_windows   = [{ start = "2026-12-24T18:00:00Z", end = "2026-12-27T06:00:00Z" }]
    retention_days = 30
  }

  assert {
    condition     = jsondecode(local.params["orphan_labels: other models"]).threshold == [0.5] && strcontains(local.params["orphan_labels: other models"], "\\\"gte\\\":0.5")
    error_message = "An override is the bar, and what documents are searched by."
  }
  assert {
    condition     = jsondecode(local.params["heartbeat"]).timeWindowSize == 900 && jsondecode(local.params["heartbeat"]).threshold == [1]
    error_message = "Of the heartbeat it is the seconds of silence."
  }
  assert {
    condition     = elasticstack_kibana_alerting_rule.this["loop_age"].enabled == false && elasticstack_kibana_alerting_rule.this["heartbeat"].interval == "2m"
    error_message = "Rules are switched off and paced by their names."
  }
  assert {
    condition     = strcontains(local.params["page: other models"], "2026-12-24T18:00:00Z") && !strcontains(local.params["heartbeat"], "2026-12-24T18:00:00Z")
    error_message = "A mute window holds for all but the heartbeat, which it would set off."
  }
  assert {
    condition     = alltrue([for params in values(local.params) : strcontains(params, "\\\"mlvitals.environment\\\":\\\"prod\\\"")])
    error_message = "All rules look at the environment alone."
  }
  assert {
    condition     = elasticstack_elasticsearch_index_lifecycle.this["mlvitals-ecs-metrics-default"].delete.min_age == "61d" && elasticstack_elasticsearch_index_lifecycle.this["mlvitals-ecs-logs-default"].delete.min_age == "30d"
    error_message = "A month's index is kept a month longer."
  }
  assert {
    condition     = strcontains(elasticstack_elasticsearch_index_template.this["mlvitals-ecs-metrics-default"].template.settings, "mlvitals-ecs-metrics-default")
    error_message = "What has a policy names it."
  }
}

run "a_pager_without_its_licence_is_refused" {
  command = plan

  variables {
    default_route = { page = { pagerduty = { routing_key = "default-key" } } }
  }

  expect_failures = [elasticstack_kibana_action_connector.this]
}

run "an_override_of_no_monitor_is_refused" {
  command = plan

  variables {
    overrides = { heartbreak = { enabled = false } }
  }

  expect_failures = [elasticstack_kibana_alerting_rule.this]
}

run "a_lookback_shorter_than_two_windows_is_refused" {
  command = plan

  variables {
    models = { card-fraud = { window_seconds = 3600, lookback_seconds = 3600 } }
  }

  expect_failures = [var.models]
}

run "a_mute_window_that_ends_before_it_begins_is_refused" {
  command = plan

  variables {
    mute_windows = [{ start = "2026-12-27T06:00:00Z", end = "2026-12-24T18:00:00Z" }]
  }

  expect_failures = [var.mute_windows]
}

run "an_address_that_is_none_is_refused" {
  command = plan

  variables {
    tier          = "gold"
    default_route = { warn = { slack = { url = "hooks.example" } } }
  }

  expect_failures = [var.default_route]
}

run "a_licence_that_there_is_not_is_refused" {
  command = plan

  variables {
    tier = "silver"
  }

  expect_failures = [var.tier]
}
