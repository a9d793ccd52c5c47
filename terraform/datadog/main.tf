locals {
  boards = {
    for file in fileset("${path.module}/assets/dashboards", "*.json") :
    trimsuffix(file, ".json") => file("${path.module}/assets/dashboards/${file}")
  }
}

resource "datadog_dashboard_json" "this" {
  for_each = { for name, board in local.boards : name => board if var.dashboards }

  dashboard = each.value
}

resource "datadog_dashboard_list" "this" {
  count = var.dashboards ? 1 : 0

  name = "Model vitals"

  dynamic "dash_item" {
    for_each = datadog_dashboard_json.this

    content {
      type    = "custom_timeboard"
      dash_id = dash_item.value.id
    }
  }
}
