"""The metrics of mail, SMS and backups. Each class is what its service reports to."""

from regserver.metric.registry import Metrics
from regserver.ports.backup import BackupFile


class HookCounter:
    """Attempts to tell webhooks, by outcome."""

    def __init__(self, metrics: Metrics) -> None:
        self._attempts = metrics.counter(
            "webhook_attempts",
            "Attempts to tell a webhook: delivered, refused, failed (the receiver itself), given up.",
            "outcome",
        )

    def count(self, outcome: str) -> None:
        """One attempt ended."""
        self._attempts.labels(outcome).inc()


class SmsCounter:
    """Codes by SMS: sent, entered, and those that were not sent by the rule that held them back."""

    def __init__(self, metrics: Metrics) -> None:
        self._codes = metrics.counter(
            "sms_codes",
            "Codes by SMS: sent, entered, failed, or held back by a rule; by the country of the number.",
            "outcome",
            "country",
        )

    def count(self, outcome: str, country: str) -> None:
        """One code got this outcome."""
        self._codes.labels(outcome, country).inc()


class BackupGauges:
    """Backups by outcome, and the newest one."""

    def __init__(self, metrics: Metrics) -> None:
        self._made = metrics.counter("backups", "Attempts to make a backup, by outcome.", "outcome")
        self._at = metrics.gauge(
            "backup_newest_timestamp_seconds", "When the newest backup was made; 0: there is none."
        )
        self._bytes = metrics.gauge("backup_newest_bytes", "The size of the newest backup.")
        for outcome in ("made", "failed"):
            self._made.labels(outcome)

    def count(self, outcome: str) -> None:
        """One attempt ended."""
        self._made.labels(outcome).inc()

    def show(self, newest: BackupFile | None) -> None:
        """Takes the newest backup."""
        self._at.set(newest.at // 1000 if newest else 0)
        self._bytes.set(newest.size if newest else 0)


class MailCounters:
    """Attempts to send mail by outcome, and the backlog after the last batch."""

    def __init__(self, metrics: Metrics) -> None:
        self._attempts = metrics.counter(
            "mail_attempts", "Attempts to send a message, by outcome.", "outcome"
        )
        self._waiting = metrics.gauge("mail_waiting", "Messages in the outbox.")
        self._parked = metrics.gauge("mail_parked", "Messages set aside for the operator.")

    def count(self, outcome: str) -> None:
        """One attempt ended."""
        self._attempts.labels(outcome).inc()

    def show(self, waiting: int, parked: int) -> None:
        """Takes the counts of the outbox after a batch."""
        self._waiting.set(waiting)
        self._parked.set(parked)
