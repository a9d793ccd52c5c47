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
  description = "Tags of the exporter. Accepted because `mlvitals render --tfvars` writes them; rules of Kibana have tags of their own."
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

variable "tier" {
  description = "What the licence of Elastic allows: `basic` has no connectors but to an index, into which alerts are written; `gold` and above (Standard and above on Elastic Cloud) have those to PagerDuty, Slack and webhooks."
  type        = string
  default     = "basic"

  validation {
    condition     = contains(["basic", "gold"], var.tier)
    error_message = "tier must be basic or gold, which stands for all above too."
  }
}

variable "default_route" {
  description = "Who is told of models without an owner, and of the exporter: at once (`page`), and when they are at work (`warn`). Of the receivers each that is given is told; they need tier `gold`."
  type = object({
    page = optional(object({
      pagerduty = optional(object({ routing_key = string, url = optional(string, "https://events.pagerduty.com/v2/enqueue") }))
      slack     = optional(object({ url = string }))
      webhook   = optional(object({ url = string, headers = optional(map(string), {}) }))
    }), {})
    warn = optional(object({
      pagerduty = optional(object({ routing_key = string, url = optional(string, "https://events.pagerduty.com/v2/enqueue") }))
      slack     = optional(object({ url = string }))
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
      webhook   = optional(object({ url = string, headers = optional(map(string), {}) }))
    }))
    warn = optional(object({
      pagerduty = optional(object({ routing_key = string, url = optional(string, "https://events.pagerduty.com/v2/enqueue") }))
      slack     = optional(object({ url = string }))
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

variable "index_alerts" {
  description = "Whether each alert is written as a document into the index `mlvitals-alerts-NAMESPACE` when it is new and when it is over. Null for where the tier is `basic`."
  type        = bool
  default     = null
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
    error_message = "minutes must be at least 1: the lookback of gauges is made for minutes."
  }
}

variable "mute_windows" {
  description = "Times in which points are overlooked by all rules but the heartbeat, in RFC 3339. Kibana's own maintenance windows need the licence Platinum; here what fires is told to be over when a window begins, and told again where it still holds afterwards."
  type        = list(object({ start = string, end = string }))
  default     = []

  validation {
    condition     = alltrue([for one in var.mute_windows : can(timecmp(one.start, one.end)) ? timecmp(one.start, one.end) < 0 : false])
    error_message = "start and end of a mute window must be times like 2026-12-24T18:00:00Z, and start before end."
  }
}

variable "space_id" {
  description = "The space of Kibana in which boards, rules and connectors stand."
  type        = string
  default     = "default"
}

variable "dashboards" {
  description = "Whether the boards are imported."
  type        = bool
  default     = true
}

variable "kibana_url" {
  description = "Where a person opens Kibana, for links in messages. Null for the board's name alone."
  type        = string
  default     = null

  validation {
    condition     = var.kibana_url == null ? true : can(regex("^https?://", var.kibana_url))
    error_message = "kibana_url must begin with http:// or https://."
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
  description = "For how many days, at least, documents are kept by lifecycle policies (ILM). Null for ever."
  type        = number
  default     = null

  validation {
    condition     = var.retention_days == null ? true : var.retention_days >= 1
    error_message = "retention_days must be at least 1."
  }
}

variable "roles" {
  description = "Whether the roles `mlvitals_writer` (of the exporter) and `mlvitals_reader` (of who looks at boards, whose rights in Kibana come besides) are made."
  type        = bool
  default     = false
}
