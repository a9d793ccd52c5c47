variable "environment" {
  description = "The environment that monitors look at, as `service.environment` of the exporter says it. Null for all, told apart."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags on every monitor, SLO and list of dashboards, by their keys."
  type        = map(string)
  default     = {}
}

variable "telemetry_interval" {
  description = "Seconds between two points of the exporter's own gauges: `telemetry.interval`."
  type        = number
  default     = 60

  validation {
    condition     = var.telemetry_interval >= 1 && var.telemetry_interval <= 1800
    error_message = "telemetry_interval must be from 1 to 1800 seconds."
  }
}

variable "models" {
  description = "Models by their names, as `mlvitals render --tfvars` writes them: the owner routes, the lookback is how far monitors of windows look back. A name may end with `*`. Models that are not named are watched together and go to the default route."
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
  description = "How far back the newest window of a model may be that `models` does not name. Datadog looks back for a week at most."
  type        = number
  default     = 8520

  validation {
    condition     = var.lookback_seconds >= 120
    error_message = "lookback_seconds must be at least 120: two windows of a minute."
  }
}

variable "default_route" {
  description = "Handles of those who are told of models without an owner, and of the exporter: at once (`page`), and when they are at work (`warn`). As `@pagerduty-SERVICE`, `@slack-ACCOUNT-CHANNEL`, `@opsgenie-SERVICE`, `@webhook-NAME`, `@teams-CHANNEL` or `@name@example.com`."
  type        = object({ page = optional(list(string), []), warn = optional(list(string), []) })
  default     = {}

  validation {
    condition     = alltrue([for handle in concat(var.default_route.page, var.default_route.warn) : can(regex("^@[^\\s]+$", handle))])
    error_message = "A handle begins with `@` and has no space."
  }
}

variable "owners" {
  description = "Handles by owner of models. What an owner does not say is the default route's."
  type        = map(object({ page = optional(list(string)), warn = optional(list(string)) }))
  default     = {}

  validation {
    condition = alltrue(flatten([
      for owner in values(var.owners) : [for handle in concat(coalesce(owner.page, []), coalesce(owner.warn, [])) : can(regex("^@[^\\s]+$", handle))]
    ]))
    error_message = "A handle begins with `@` and has no space."
  }
}

variable "webhooks" {
  description = "Webhooks to make, by name: `@webhook-NAME` is then a handle. Headers may hold secrets."
  type        = map(object({ url = string, headers = optional(map(string), {}) }))
  default     = {}
  sensitive   = true

  validation {
    condition     = alltrue([for one in values(var.webhooks) : can(regex("^https?://", one.url))])
    error_message = "The url of a webhook must begin with http:// or https://."
  }
}

variable "overrides" {
  description = "What is otherwise than in the catalogue, by the monitor's name: whether it is there, its bar and where it is over, for how long it must last, after how long a silence is one, its priority, more tags."
  type = map(object({
    enabled         = optional(bool, true)
    bar             = optional(number)
    recovery        = optional(number)
    lasting_seconds = optional(number)
    silent_seconds  = optional(number)
    priority        = optional(number)
    tags            = optional(list(string), [])
  }))
  default = {}

  validation {
    condition     = alltrue([for one in values(var.overrides) : one.priority == null ? true : contains([1, 2, 3, 4, 5], one.priority)])
    error_message = "priority must be from 1 to 5."
  }
  validation {
    condition     = alltrue([for one in values(var.overrides) : one.bar == null || one.recovery == null ? true : one.recovery < one.bar])
    error_message = "recovery must be below the bar."
  }
}

variable "mute_windows" {
  description = "Downtimes of warnings, by name: once (`start`, `end`), or again and again (`rrule`, `duration` and the first `start`, in a `timezone`). Pages are never muted by time."
  type = map(object({
    start    = optional(string)
    end      = optional(string)
    rrule    = optional(string)
    duration = optional(string)
    timezone = optional(string, "UTC")
  }))
  default = {}

  validation {
    condition     = alltrue([for one in values(var.mute_windows) : (one.rrule == null) == (one.duration == null) && (one.rrule != null || (one.start != null && one.end != null))])
    error_message = "A mute window has `start` and `end`, or `rrule` and `duration`."
  }
}

variable "dashboards" {
  description = "Whether the boards and their list are made."
  type        = bool
  default     = true
}

variable "app_url" {
  description = "Where a person opens Datadog, for links in messages."
  type        = string
  default     = "https://app.datadoghq.com"

  validation {
    condition     = can(regex("^https?://[^/]+$", var.app_url))
    error_message = "app_url must be like https://app.datadoghq.eu, without a path."
  }
}

variable "runbook_url" {
  description = "The page of runbooks, which has a section for each monitor, for links in messages."
  type        = string
  default     = "docs/runbooks.md"

  validation {
    condition     = !strcontains(var.runbook_url, "#")
    error_message = "runbook_url must have no `#`: each monitor's section is appended."
  }
}

variable "slo" {
  description = "An objective for each model of `models`: the share of its windows, each counted once for every family of signals, in which no budgeted detector alarms. It counts logs, so the exporter's sink must send them. Null for none."
  type        = object({ target = optional(number, 99), warning = optional(number), timeframe = optional(string, "30d") })
  default     = null

  validation {
    condition     = var.slo == null ? true : contains(["7d", "30d", "90d"], var.slo.timeframe)
    error_message = "timeframe must be 7d, 30d or 90d."
  }
  validation {
    condition     = var.slo == null ? true : var.slo.target > 0 && var.slo.target < 100 && (var.slo.warning == null ? true : var.slo.warning > var.slo.target)
    error_message = "target must be between 0 and 100, and warning above it."
  }
}

variable "log_pipeline" {
  description = "Whether a pipeline is made that takes time, status and message of our logs as they are, before any that takes everything."
  type        = bool
  default     = false
}

variable "metric_metadata" {
  description = "Whether type, unit and description of metrics are set. Datadog knows a metric only once it has had a point: apply a second time, when the exporter has run for an hour."
  type        = bool
  default     = false
}

variable "tag_configuration" {
  description = "Whether queryable tags of metrics are limited to our attributes, which is what they are billed by, and these keys of your own. Not together with Historical Metrics Ingestion (`historical: true` of the sink). As `metric_metadata`, once there are points."
  type        = object({ more_tags = optional(list(string), []) })
  default     = null
}
