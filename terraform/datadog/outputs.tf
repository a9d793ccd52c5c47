output "monitors" {
  description = "Identifiers of the monitors, by their names and the groups of models that they are for."
  value       = { for key, monitor in datadog_monitor.this : key => monitor.id }
}

output "notified" {
  description = "Handles that each monitor tells."
  value       = local.notified
}

output "boards" {
  description = "Addresses of the boards, by name."
  value       = { for name, board in datadog_dashboard_json.this : name => "${var.app_url}${board.url}" }
}

output "slos" {
  description = "Identifiers of the objectives, by model."
  value       = { for name, slo in datadog_service_level_objective.this : name => slo.id }
}
