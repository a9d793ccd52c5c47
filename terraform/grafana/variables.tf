variable "datasource_uid" {
  description = "UID of the Prometheus data source that holds what mlvitals sent."
  type        = string

  validation {
    condition     = length(var.datasource_uid) > 0
    error_message = "datasource_uid must name a data source: see Connections, Data sources in Grafana."
  }
}

variable "environment" {
  description = "Environment that the rules watch (`service.environment`); null for every one."
  type        = string
  default     = null
}

variable "tags" {
  description = "Labels on every alert."
  type        = map(string)
  default     = {}
}

variable "telemetry_interval" {
  description = "How often the exporter tells of itself (`telemetry.interval`)."
  type        = number
  default     = 60

  validation {
    condition     = var.telemetry_interval >= 1 && var.telemetry_interval <= 1800
    error_message = "telemetry_interval must be from 1 to 1800."
  }
}

variable "models" {
  description = "Models by name, as `mlvitals render --tfvars` writes them. A model that is not here goes by the defaults and the default route."
  type = map(object({
    owner            = optional(string)
    window_seconds   = optional(number, 3600)
    lookback_seconds = optional(number, 8520)
    maturities       = optional(list(string), [])
    segments         = optional(list(string), [])
    tags             = optional(map(string), {})
    currency         = optional(string)
    rows             = optional(string)
    runbook          = optional(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for model in values(var.models) : model.lookback_seconds >= 2 * model.window_seconds])
    error_message = "lookback_seconds must hold two windows of the model, or its monitors forget it between them."
  }
}

variable "lookback_seconds" {
  description = "How far back the newest window of a model may be that `models` does not name."
  type        = number
  default     = 8520

  validation {
    condition     = var.lookback_seconds >= 120
    error_message = "lookback_seconds must hold two windows: 120 at least."
  }
}

variable "owners" {
  description = "Contact points by owner: `page` wakes a person, `warn` waits. An owner that is not here goes by the default route."
  type = map(object({
    page = string
    warn = string
  }))
  default = {}
}

variable "default_route" {
  description = "Contact points of models without an owner, and of the exporter itself."
  type = object({
    page = string
    warn = string
  })
}

variable "contact_points" {
  description = "Contact points to make, by name; one that exists already need not be here. Give one kind each."
  type = map(object({
    pagerduty_key = optional(string)
    slack_url     = optional(string)
    webhook_url   = optional(string)
    opsgenie_key  = optional(string)
  }))
  default   = {}
  sensitive = true

  validation {
    condition     = alltrue([for point in values(var.contact_points) : length([for secret in values(point) : secret if secret != null]) == 1])
    error_message = "Each contact point must have exactly one of pagerduty_key, slack_url, webhook_url, opsgenie_key."
  }
}

variable "overrides" {
  description = "Changes of single monitors by name: `enabled`, `bar`, `recovery`, `lasting_seconds`, `silent_seconds`."
  type = map(object({
    enabled         = optional(bool, true)
    bar             = optional(number)
    recovery        = optional(number)
    lasting_seconds = optional(number)
    silent_seconds  = optional(number)
  }))
  default = {}
}

variable "mute_windows" {
  description = "Mute timings for warnings, by name, as Grafana has them: weekdays and times in a location. Pages are never muted by time."
  type = map(object({
    weekdays = optional(list(string), [])
    start    = optional(string)
    end      = optional(string)
    location = optional(string, "UTC")
  }))
  default = {}
}

variable "folder_uid" {
  description = "UID of the folder that holds dashboards and rules: each use of the module has one of its own."
  type        = string
  default     = "mlvitals"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,40}$", var.folder_uid))
    error_message = "folder_uid must be 1 to 40 letters, digits, - or _."
  }
}

variable "dashboards" {
  description = "Whether this use of the module brings the dashboards, which show every environment and are there once."
  type        = bool
  default     = true
}

variable "folder_title" {
  description = "Title of the folder that holds dashboards and rules."
  type        = string
  default     = "Model vitals"
}

variable "runbook_url" {
  description = "Address of the runbooks: `#NAME` of the monitor is appended."
  type        = string
  default     = "docs/runbooks.md"
}
