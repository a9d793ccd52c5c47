mock_provider "grafana" {}

variables {
  datasource_uid = "prometheus"
  default_route  = { page = "on-call", warn = "channel" }
}

run "every_model_by_default" {
  command = plan

  assert {
    condition     = length(grafana_dashboard.this) == 6
    error_message = "There are six boards."
  }

  assert {
    condition     = length(grafana_rule_group.this["page"].rule) == 2
    error_message = "Two monitors page: models, and the heartbeat."
  }

  assert {
    condition     = alltrue([for rule in grafana_rule_group.this["page"].rule : rule.notification_settings[0].contact_point == "on-call"])
    error_message = "Without owners all goes by the default route."
  }

  assert {
    condition = anytrue([for rule in grafana_rule_group.this["page"].rule :
      rule.notification_settings[0].group_by == tolist(["grafana_folder", "alertname", "environment", "model", "detector", "subject"])
    ])
    error_message = "An incident is one of an environment and a model, whoever owns it and whatever it costs."
  }

  assert {
    condition     = alltrue([for group in grafana_rule_group.this : alltrue([for rule in group.rule : rule.labels["environment"] == "{{ $labels.mlvitals_environment }}"])])
    error_message = "Each alert says of which environment it is."
  }

  assert {
    condition     = alltrue(flatten([for group in grafana_rule_group.this : [for rule in group.rule : [for data in rule.data : !strcontains(data.model, "%")]]]))
    error_message = "No token is left in an expression."
  }
}

run "owners_have_their_own_route" {
  command = plan

  variables {
    environment = "prod"
    models = {
      "card-fraud" = { owner = "risk-ml" }
      "churn.v2"   = { window_seconds = 86400, lookback_seconds = 174120 }
    }
    owners = { "risk-ml" = { page = "risk pager", warn = "risk channel" } }
  }

  assert {
    condition     = length([for rule in grafana_rule_group.this["page"].rule : rule if rule.notification_settings[0].contact_point == "risk pager"]) == 1
    error_message = "The owner's models page the owner."
  }

  assert {
    condition     = length([for rule in grafana_rule_group.this["page"].rule : rule if strcontains(rule.data[0].model, "churn")]) == 2
    error_message = "A model is in one rule, and kept out of that of all others."
  }

  assert {
    condition     = length([for rule in grafana_rule_group.this["page"].rule : rule if strcontains(jsondecode(rule.data[0].model).expr, "=~\"churn\\\\.v2\"")]) == 1
    error_message = "A name is taken as it is written, not as a pattern."
  }

  assert {
    condition     = anytrue([for rule in grafana_rule_group.this["warn"].rule : strcontains(rule.data[0].model, "[174120s]")])
    error_message = "A model of daily windows is looked back for so long."
  }
}

run "a_monitor_can_be_changed_or_left_out" {
  command = plan

  variables {
    overrides = { outbox_age = { bar = 7200 }, orphan_labels = { enabled = false } }
  }

  assert {
    condition     = length([for rule in grafana_rule_group.this["warn"].rule : rule if strcontains(rule.data[1].model, "bool 7200) + ")]) == 1
    error_message = "The bar is the one that was asked for."
  }

  assert {
    condition     = length([for rule in grafana_rule_group.this["warn"].rule : rule if strcontains(rule.data[1].model, "orphan")]) == 0
    error_message = "What is left out is not there."
  }
}

run "a_lookback_shorter_than_two_windows_is_refused" {
  command = plan

  variables {
    models = { "card-fraud" = { window_seconds = 86400, lookback_seconds = 8520 } }
  }

  expect_failures = [var.models]
}

run "a_contact_point_of_no_kind_is_refused" {
  command = plan

  variables {
    contact_points = { "nobody" = {} }
  }

  expect_failures = [var.contact_points]
}
