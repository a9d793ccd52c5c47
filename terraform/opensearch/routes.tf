# Who is told, by what: a channel for each receiver of each route. Keys say no secret, what they lead to does.

locals {
  severities = ["page", "warn"]
  json       = { "Content-Type" = "application/json" }

  routes = merge(
    { default = var.default_route },
    { for owner in nonsensitive(keys(var.owners)) : "owner-${owner}" => var.owners[owner] },
  )

  # Which receivers each route names: known, whatever they hold.
  receivers = {
    for route in nonsensitive(keys(local.routes)) : route => {
      for severity in local.severities : severity => [
        for receiver in ["pagerduty", "slack", "opsgenie", "webhook"] :
        receiver if nonsensitive(try(local.routes[route][severity][receiver], null) != null)
      ]
    }
  }

  channels = merge(flatten([
    for route, severities in local.receivers : [
      for severity, receivers in severities : {
        for receiver in receivers : "${route}-${severity}-${receiver}" => { route = route, severity = severity, receiver = receiver }
      }
    ]
  ])...)

  # What a channel is sent to. PagerDuty and Opsgenie have no channels of their own: they are webhooks.
  targets = {
    for key, channel in local.channels : key => {
      url = local.routes[channel.route][channel.severity][channel.receiver].url
      headers = merge(local.json, lookup(
        {
          opsgenie = { Authorization = "GenieKey ${try(local.routes[channel.route][channel.severity].opsgenie.api_key, "")}" }
          webhook  = try(local.routes[channel.route][channel.severity].webhook.headers, {})
        },
        channel.receiver, {},
      ))
    }
  }
}

resource "opensearch_channel_configuration" "this" {
  for_each = local.channels

  body = jsonencode({
    config_id = "mlvitals-${var.namespace}-${each.key}"
    config = {
      for name, value in {
        name        = "mlvitals ${var.namespace} ${each.key}"
        description = "Told by the monitors of mlvitals."
        is_enabled  = true
        config_type = each.value.receiver == "slack" ? "slack" : "webhook"
        slack       = each.value.receiver == "slack" ? { url = local.targets[each.key].url } : null
        webhook = each.value.receiver == "slack" ? null : {
          url           = local.targets[each.key].url
          method        = "POST"
          header_params = local.targets[each.key].headers
        }
      } : name => value if value != null
    }
  })
}
