"""An example of Alertmanager's configuration: whom the alerts reach, and what makes one incident of them."""

from string import Template
from typing import Final

from mlvitals.assets.monitors import MONITORS

_TEXT: Final = Template("""\
# Rendered by `mlvitals render`: an example of how Alertmanager tells what the rules of mlvitals fire.
# Take the routes over into your own tree. Secrets are read from files, so that none stands here.
route:
  receiver: mlvitals-warn
  routes:
    - matchers: ['alertname=~"Mlvitals.+"', 'severity="page"']
      receiver: mlvitals-page
      # What makes an incident, and so PagerDuty's `dedup_key`. Neither `owner` nor `costs` is a part of it: an incident
      # that comes to cost more stays the one that it was.
      group_by: &incident $incident
      # At once: the page budget has gathered its evidence already.
      group_wait: 0s
      group_interval: 1m
      repeat_interval: 4h
      routes:
        # A model's `owner` in mlvitals.yaml: a route for each that has people of their own.
        - matchers: ['owner="risk-ml"']
          receiver: risk-ml-page
    - matchers: ['alertname=~"Mlvitals.+"', 'severity="warn"']
      receiver: mlvitals-warn
      group_by: *incident
      group_wait: 1m
      group_interval: 5m
      repeat_interval: 24h
receivers:
  - name: mlvitals-page
    pagerduty_configs:
      - routing_key_file: /etc/alertmanager/pagerduty-platform
        <<: &paged
          send_resolved: true
          severity: critical
          source: mlvitals
          class: '{{ .GroupLabels.alertname }}'
          component: '{{ .GroupLabels.model }}'
          group: '{{ .GroupLabels.environment }}'
          description: '{{ (index .Alerts 0).Annotations.summary }}'
          details:
            means: '{{ (index .Alerts 0).Annotations.description }}'
            board: '{{ (index .Alerts 0).Annotations.board }}'
            runbook: '{{ (index .Alerts 0).Annotations.runbook_url }}'
            # In place of lists of all labels.
            firing: ''
            resolved: ''
  - name: risk-ml-page
    pagerduty_configs:
      - routing_key_file: /etc/alertmanager/pagerduty-risk-ml
        <<: *paged
  - name: mlvitals-warn
    webhook_configs:
      - url_file: /etc/alertmanager/webhook-warn
        send_resolved: true
""")


def render_routes() -> bytes:
    """Return the example, which groups by what makes an incident of any monitor."""
    names = dict.fromkeys(["alertname", *(name for monitor in MONITORS for name in monitor.incident)])
    return _TEXT.substitute(incident=f"[{', '.join(names)}]").encode()
