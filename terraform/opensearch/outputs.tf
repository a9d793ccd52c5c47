output "monitors" {
  description = "Identifiers of the monitors, by their names and the groups of models that they are for."
  value       = { for key, monitor in opensearch_monitor.this : key => monitor.id }
}

output "routes" {
  description = "By which route each monitor tells: `default`, or `owner-` and the owner's name."
  value       = local.routed
}

output "channels" {
  description = "Identifiers of the channels, by route, severity and receiver."
  value       = { for key in keys(local.channels) : key => "mlvitals-${var.namespace}-${key}" }
}

output "boards" {
  description = "Identifiers of the boards in OpenSearch Dashboards."
  value       = var.dashboards ? sort([for key in keys(local.objects) : trimprefix(key, "dashboard:") if startswith(key, "dashboard:")]) : []
}
