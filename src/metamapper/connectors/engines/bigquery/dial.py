"""Signing in and making a client whose every connection, token and time-out is ours."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import requests
from google.auth.transport.requests import AuthorizedSession
from google.cloud.bigquery import Client

from metamapper.connectors.engines.bigquery.calls import Calls
from metamapper.connectors.engines.bigquery.errors import RAISED, translated
from metamapper.connectors.engines.bigquery.keys import Account, account
from metamapper.connectors.engines.bigquery.settings import BigquerySettings
from metamapper.connectors.engines.bigquery.transport import Wire, wired
from metamapper.connectors.reach import Reach
from metamapper.connectors.wire import Origin


@dataclass(frozen=True, slots=True)
class Line:
    """What a session needs: the calls, and who makes them."""

    calls: Calls
    account: Account


@contextmanager
def dialled(settings: BigquerySettings, reach: Reach) -> Iterator[Line]:
    """Somebody who has a token; nothing was asked of BigQuery yet. Raises a ``ConnectorError``."""
    with ExitStack() as stack:
        endpoint = Origin.of(settings.endpoint)
        wire = Wire(reach, seconds=settings.connect_timeout, size=settings.parallel)
        for_tokens = stack.enter_context(requests.Session())
        wired(for_tokens, wire)
        found = account(settings, for_tokens, reach)
        try:
            found.credentials.refresh(found.ask)  # type: ignore[no-untyped-call]  # Google's
        except RAISED as error:
            raise translated(error, settings) from None
        session = stack.enter_context(
            AuthorizedSession(found.credentials, auth_request=found.ask)  # type: ignore[no-untyped-call]  # Google's
        )
        wired(session, wire)
        client = Client(settings.project, _http=session, client_options={"api_endpoint": endpoint.url})
        pool = ThreadPoolExecutor(settings.parallel, thread_name_prefix="bigquery")
        stack.callback(pool.shutdown, cancel_futures=True)
        yield Line(Calls(client, settings, wire, pool), found)
