variable "environment" {
  description = "The environment that monitors look at, as `service.environment` of the exporter says it. Null for all, told apart."
  type        = string
  default     = null
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
  description = "Models by their names, as `mlvitals render --tfvars` writes them: the owner routes, the lookback is how far monitors of windows look back. A `*` in a name stands for anything. Models that are not named are watched together and go to the default route."
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
    error_message = "The lookback of a model must hold two of its windows: between two points of a window nothing would be seen."
  }
}

variable "tags" {
  description = "Tags of the exporter. Accepted because `mlvitals render --tfvars` writes them; monitors of OpenSearch have none."
  type        = map(string)
  default     = {}
}

variable "namespace" {
  description = "The `namespace` of the exporter's sink: the last part of the names of its indices."
  type        = string
  default     = "default"

  validation {
    condition     = can(regex("^[a-z0-9_.]+$", var.namespace))
    error_message = "namespace must be of a to z, digits, `_` and `.`."
  }
}

variable "default_route" {
  description = "Who is told of models without an owner, and of the exporter: at once (`page`), and when they are at work (`warn`). Of the receivers each that is given is told."
  type = object({
    page = optional(object({
      pagerduty = optional(object({ routing_key = string, url = optional(string, "https://events.pagerduty.com/v2/enqueue") }))
      slack     = optional(object({ url = string }))
      opsgenie  = optional(object({ api_key = string, url = optional(string, "https://api.opsgenie.com/v2/alerts") }))
      webhook   = optional(object({ url = string, headers = optional(map(string), {}) }))
    }), {})
    warn = optional(object({
      pagerduty = optional(object({ routing_key = string, url = optional(string, "https://events.pagerduty.com/v2/enqueue") }))
      slack     = optional(object({ url = string }))
      opsgenie  = optional(object({ api_key = string, url = optional(string, "https://api.opsgenie.com/v2/alerts") }))
      webhook   = optional(object({ url = string, headers = optional(map(string), {}) }))
    }), {})
  })
  sensitive = true
  default   = {}

  validation {
    condition = alltrue(flatten([
      for route in [var.default_route.page, var.default_route.warn] : [
        for receiver in values(route) : receiver == null ? true : startswith(try(receiver.url, ""), "http")
      ]
    ]))
    error_message = "The url of a receiver must begin with http:// or https://."
  }
}

variable "owners" {
  description = "Routes of owners of models, by the owners' names. What an owner does not say is the default route's."
  type = map(object({
    page = optional(object({
      pagerduty = optional(object({ routing_key = string, url = optional(string, "https://events.pagerduty.com/v2/enqueue") }))
      slack     = optional(object({ url = string }))
      opsgenie  = optional(object({ api_key = string, url = optional(string, "https://api.opsgenie.com/v2/alerts") }))
      webhook   = optional(object({ url = string, headers = optional(map(string), {}) }))
    }))
    warn = optional(object({
      pagerduty = optional(object({ routing_key = string, url = optional(string, "https://events.pagerduty.com/v2/enqueue") }))
      slack     = optional(object({ url = string }))
      opsgenie  = optional(object({ api_key = string, url = optional(string, "https://api.opsgenie.com/v2/alerts") }))
      webhook   = optional(object({ url = string, headers = optional(map(string), {}) }))
    }))
  }))
  sensitive = true
  default   = {}

  validation {
    condition = alltrue(flatten([
      for owner in values(var.owners) : [
        for route in [owner.page, owner.warn] : route == null ? [true] : [
          for receiver in values(route) : receiver == null ? true : startswith(try(receiver.url, ""), "http")
        ]
      ]
    ]))
    error_message = "The url of a receiver must begin with http:// or https://."
  }
}

variable "overrides" {
  description = "What is otherwise than in the catalogue, by the monitor's name: whether it runs, its bar (of the heartbeat the seconds of silence), and every how many minutes it runs."
  type = map(object({
    enabled = optional(bool)
    bar     = optional(number)
    minutes = optional(number)
  }))
  default = {}

  validation {
    condition     = alltrue([for one in values(var.overrides) : one.minutes == null ? true : one.minutes >= 1])
    error_message = "minutes must be at least 1: OpenSearch runs monitors no oftener."
  }
}

variable "mute_windows" {
  description = "Times in which points are overlooked by all monitors but the heartbeat, in RFC 3339. OpenSearch knows no mutes: what fires is told to be over when a window begins, and told again where it still holds afterwards."
  type        = list(object({ start = string, end = string }))
  default     = []

  validation {
    condition     = alltrue([for one in var.mute_windows : can(timecmp(one.start, one.end)) ? timecmp(one.start, one.end) < 0 : false])
    error_message = "start and end of a mute window must be times like 2026-12-24T18:00:00Z, and start before end."
  }
}

variable "dashboards" {
  description = "Whether boards are put into OpenSearch Dashboards' index. Dashboards must have been started once: the index is its own."
  type        = bool
  default     = true
}

variable "dashboards_index" {
  description = "The index of OpenSearch Dashboards, or its alias."
  type        = string
  default     = ".kibana"

  validation {
    condition     = startswith(var.dashboards_index, ".")
    error_message = "The index of OpenSearch Dashboards begins with a dot."
  }
}

variable "dashboards_url" {
  description = "Where a person opens OpenSearch Dashboards, for links in messages. Null for the board's name alone."
  type        = string
  default     = null

  validation {
    condition     = var.dashboards_url == null ? true : can(regex("^https?://", var.dashboards_url))
    error_message = "dashboards_url must begin with http:// or https://."
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

variable "templates" {
  description = "Whether the index templates are put here. The exporter's sink leaves them alone, and needs no right to put its own."
  type        = bool
  default     = true
}

variable "retention_days" {
  description = "For how many days, at least, documents are kept by lifecycle policies (plugin Index Management). Null for ever."
  type        = number
  default     = null

  validation {
    condition     = var.retention_days == null ? true : var.retention_days >= 1
    error_message = "retention_days must be at least 1."
  }
}

variable "roles" {
  description = "Who may write documents (the exporter) and who may read them (boards and monitors): users and backend roles of the plugin Security. Null for no roles, as without the plugin."
  type = object({
    writers = optional(object({ users = optional(set(string), []), backend_roles = optional(set(string), []) }), {})
    readers = optional(object({ users = optional(set(string), []), backend_roles = optional(set(string), []) }), {})
  })
  default = null
}
