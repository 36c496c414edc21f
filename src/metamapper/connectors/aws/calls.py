"""Calling a service: every listing recorded, its errors in our words, its pages one after the other."""

from collections.abc import Iterator
from typing import Any

from metamapper.connectors import errors
from metamapper.connectors.aws.dial import Account
from metamapper.connectors.aws.errors import foreign, in_our_words
from metamapper.connectors.aws.settings import AwsSettings
from metamapper.connectors.sql.statements import StatementLog

Answer = dict[str, Any]


class Caller:
    """The calls of one session to one service. One thread calls; ``cancel`` may come from another."""

    def __init__(self, account: Account, service: str, settings: AwsSettings) -> None:
        self.account = account
        self.settings = settings
        self._service = service
        self._client = account.client(service, settings.endpoint_url)
        self.log = StatementLog()

    @property
    def version(self) -> str:
        """The version of the service's interface, which is all that it has."""
        text: str = self._client.meta.service_model.api_version
        return text

    def pages(self, method: str, listed: str, **arguments: Any) -> Iterator[list[Answer]]:
        """The lists named ``listed`` of all pages, as one statement; raises a ``ConnectorError``.

        An answer that is nobody's of AWS is no empty list.
        """
        text = self._written(method, arguments)
        with self.log.sent(method, text) as statement:
            statement.rows = 0
            for number, answer in enumerate(self._answers(method, arguments), start=1):
                if listed not in answer and not answer.get("ResponseMetadata", {}).get("RequestId"):
                    raise foreign()
                found: list[Answer] = answer.get(listed) or []
                statement.rows += len(found)
                statement.sql = text if number == 1 else f"{text} in {number} calls"
                yield found

    def check(self) -> None:
        """Raises ``Cancelled`` once somebody has cancelled."""
        if self.account.transport.cancelled:
            raise errors.Cancelled

    def cancel(self) -> None:
        """End what is under way; a pause before another attempt ends by itself. Never raises."""
        self.account.transport.cancel()

    def _answers(self, method: str, arguments: dict[str, Any]) -> Iterator[Answer]:
        token: str | None = None
        before = set[str]()
        while True:
            self.check()
            following = {"NextToken": token} if token else {}
            with in_our_words(self.settings):
                answer: Answer = getattr(self._client, method)(**arguments, **following)
            yield answer
            token = answer.get("NextToken")
            if not token:
                return
            if token in before:
                raise errors.ReadDisturbed(f"{method} gives the same page again and again.")
            before.add(token)

    def _written(self, method: str, arguments: dict[str, Any]) -> str:
        """``glue.get_tables(DatabaseName='sales', MaxResults=100)``."""
        shown = (f"{name}={value!r}" for name, value in arguments.items())
        return f"{self._service}.{method}({', '.join(shown)})"
