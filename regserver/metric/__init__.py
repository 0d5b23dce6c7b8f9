"""All metrics; GET /metrics shows them in Prometheus's text format.

`registry` has those of every server, the other modules those of one part each.
"""

from regserver.metric.front import FrontCounters
from regserver.metric.part import BackupGauges, HookCounter, MailCounters, SmsCounter
from regserver.metric.registry import CONTENT_TYPE, Metrics
from regserver.metric.request import RequestMetrics

__all__ = [
    "CONTENT_TYPE",
    "BackupGauges",
    "FrontCounters",
    "HookCounter",
    "MailCounters",
    "Metrics",
    "RequestMetrics",
    "SmsCounter",
]
