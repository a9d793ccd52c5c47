# What the module plans, without a cluster: groups, routes, bars, and what it refuses.

mock_provider "opensearch" {}

run "everything_by_default" {
  command = plan

  assert {
    condition     = length(opensearch_monitor.this) == length(local.catalogue)
    error_message = "Without models each monitor stands there once."
  }
  assert {
    condition     = length(opensearch_channel_configuration.this) == 0
    error_message = "Without a route nobody is told."
  }
  assert {
    condition     = length(opensearch_role.this) == 0 && length(opensearch_ism_policy.this) == 0
    error_message = "Roles and lifecycles are asked for."
  }
  assert {
    condition     = alltrue([for body in values(local.bodies) : length(regexall("@[a-z_]+@", body)) == 0])
    error_message = "Every place of a body is filled."
  }
}

run "one_monitor_for_each_group" {
  command = plan

  variables {
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
    condition = toset([for key in keys(local.monitors) : key if startswith(key, "page: ")]) == toset([
      "page: risk-ml, 8520 s", "page: risk-ml, 180000 s", "page: unowned, 8520 s", "page: other models",
    ])
    error_message = "Models with the same owner and lookback share a monitor; what nobody named has its own."
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
    condition     = strcontains(local.bodies["family_warns: risk-ml, 180000 s"], "||-180000s")
    error_message = "Monitors of windows look back as far as the models of their group."
  }
  assert {
    condition     = strcontains(local.bodies["window_age: risk-ml, 180000 s"], "params.value > 180000")
    error_message = "Windows are overdue after the lookback of their models."
  }
  assert {
    condition     = strcontains(local.bodies["page: risk-ml, 8520 s"], "risk-key") && !strcontains(local.bodies["page: risk-ml, 8520 s"], "default-key")
    error_message = "A message carries the routing key of its route and no other."
  }
  assert {
    condition     = strcontains(local.bodies["page: other models"], "must_not") && strcontains(local.bodies["page: other models"], "clicks")
    error_message = "The monitor of other models leaves out those that are named."
  }
}

run "other_bars_environments_and_mutes" {
  command = plan

  variables {
    environment  = "prod"
    overrides    = { orphan_labels = { bar = 0.5 }, loop_age = { enabled = false }, heartbeat = { minutes = 2 } }
    mute_windows = [{ start = "2026-12-24T18:00:00Z", end = "2026-12-27T06:00:00Z" }]
  }

  assert {
    condition     = strcontains(local.bodies["orphan_labels: other models"], "params.value >= 0.5")
    error_message = "An override is the number in the condition."
  }
  assert {
    condition     = jsondecode(opensearch_monitor.this["loop_age"].body).enabled == false && jsondecode(opensearch_monitor.this["heartbeat"].body).schedule.period.interval == 2
    error_message = "Monitors are switched off and paced by their names."
  }
  assert {
    condition     = strcontains(local.bodies["page: other models"], "2026-12-24T18:00:00Z") && !strcontains(local.bodies["heartbeat"], "2026-12-24T18:00:00Z")
    error_message = "A mute window holds for all but the heartbeat, which it would set off."
  }
  assert {
    condition     = alltrue([for body in values(local.bodies) : strcontains(body, "\"attributes.mlvitals.environment\":\"prod\"")])
    error_message = "All monitors look at the environment alone."
  }
}

run "an_override_of_no_monitor_is_refused" {
  command = plan

  variables {
    overrides = { heartbreak = { enabled = false } }
  }

  expect_failures = [terraform_data.monitor]
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
    default_route = { warn = { slack = { url = "hooks.example" } } }
  }

  expect_failures = [var.default_route]
}
