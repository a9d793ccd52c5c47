# Who is told, by what: a connector for each receiver of each route, and one to an index where the licence has no other.

locals {
  severities   = ["page", "warn"]
  index_alerts = coalesce(var.index_alerts, var.tier == "basic")

  routes = merge(
    { default = var.default_route },
    { for owner in nonsensitive(keys(var.owners)) : "owner-${owner}" => var.owners[owner] },
  )

  # Which receivers each route names: known, whatever they hold.
  receivers = {
    for route in nonsensitive(keys(local.routes)) : route => {
      for severity in local.severities : severity => [
        for receiver in ["pagerduty", "slack", "webhook"] :
        receiver if nonsensitive(try(local.routes[route][severity][receiver], null) != null)
      ]
    }
  }

  connectors = merge(flatten([
    for route, severities in local.receivers : [
      for severity, receivers in severities : {
        for receiver in receivers : "${route}-${severity}-${receiver}" => { route = route, severity = severity, receiver = receiver }
      }
    ]
  ])...)

  # Null where a connector has none: neither Slack's has a configuration, nor an address without secrets a secret.
  configurations = {
    for key, connector in local.connectors : key => lookup({
      pagerduty = jsonencode({ apiUrl = try(local.routes[connector.route][connector.severity].pagerduty.url, null) })
      webhook = jsonencode({
        url     = try(local.routes[connector.route][connector.severity].webhook.url, null)
        method  = "post"
        hasAuth = false
        headers = merge({ "Content-Type" = "application/json" }, try(local.routes[connector.route][connector.severity].webhook.headers, {}))
      })
    }, connector.receiver, null)
  }
  secrets = {
    for key, connector in local.connectors : key => lookup({
      pagerduty = jsonencode({ routingKey = try(local.routes[connector.route][connector.severity].pagerduty.routing_key, null) })
      slack     = jsonencode({ webhookUrl = try(local.routes[connector.route][connector.severity].slack.url, null) })
    }, connector.receiver, null)
  }
}

resource "elasticstack_kibana_action_connector" "this" {
  for_each = local.connectors

  space_id          = var.space_id
  name              = "mlvitals ${var.namespace} ${each.key}"
  connector_type_id = ".${each.value.receiver}"
  config            = local.configurations[each.key]
  secrets           = local.secrets[each.key]

  lifecycle {
    precondition {
      condition     = var.tier != "basic"
      error_message = "PagerDuty, Slack and webhooks need the licence Gold: set tier = \"gold\", or name no receivers and let Prometheus's Alertmanager page (docs/elastic.md)."
    }
  }
}

resource "elasticstack_kibana_action_connector" "index" {
  count = local.index_alerts ? 1 : 0

  space_id          = var.space_id
  name              = "mlvitals ${var.namespace} alerts"
  connector_type_id = ".index"
  config            = jsonencode({ index = local.alerts_index, refresh = false })

  depends_on = [elasticstack_elasticsearch_index_template.this]
}
