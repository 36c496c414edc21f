from django.apps import AppConfig
from django.db.backends.signals import connection_created


class RunsConfig(AppConfig):
    name = "metamapper.runs"
    label = "runs"

    def ready(self) -> None:
        """Every session of the metastore is bounded, so that a process that freezes in a transaction holds nobody up."""
        from metamapper.runs import housekeeping  # noqa: F401 - it handles an errand
        from metamapper.runs.sessions import bound_session

        connection_created.connect(bound_session)
