output "rules" {
  description = "Identifiers of the rules, by the names of monitors and the groups of models that they are for."
  value       = { for key, rule in elasticstack_kibana_alerting_rule.this : key => rule.rule_id }
}

output "routes" {
  description = "By which route each rule tells: `default`, or `owner-` and the owner's name."
  value       = local.routed
}

output "connectors" {
  description = "Identifiers of the connectors, by route, severity and receiver; `index` is the one that writes alerts into an index."
  value = merge(
    { for key, connector in elasticstack_kibana_action_connector.this : key => connector.connector_id },
    { for connector in elasticstack_kibana_action_connector.index : "index" => connector.connector_id },
  )
}

output "boards" {
  description = "Identifiers of the boards in Kibana."
  value       = var.dashboards ? [for board in ["drift", "exporter", "fleet", "model", "performance", "value"] : "mlvitals-${board}"] : []
}

output "alerts_index" {
  description = "The index into which alerts are written, null where they are not."
  value       = local.index_alerts ? local.alerts_index : null
}
