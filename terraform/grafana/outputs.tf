output "folder_uid" {
  description = "UID of the folder that holds dashboards and rules."
  value       = grafana_folder.this.uid
}

output "dashboards" {
  description = "Addresses of the dashboards by name."
  value       = { for name, dashboard in grafana_dashboard.this : name => dashboard.url }
}

output "rules" {
  description = "Names of the rules by severity."
  value       = { for severity, group in grafana_rule_group.this : severity => [for rule in group.rule : rule.name] }
}
