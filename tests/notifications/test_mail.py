"""Mail leaves through the outbox: kept as it was written, sent by a worker, tried again, given up where that is hopeless."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import LazySettings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from metamapper.accounts.models import User
from metamapper.notifications.mail import packed, unpacked
from metamapper.project.environment import read_environment
from metamapper.runs.errands import dispatch_errands, execute_errand
from metamapper.runs.models import Errand
from tests.runs.ledger import Broker
from tests.runs.processes import site
from tests.support.servers import free_port

if TYPE_CHECKING:
    from email.message import EmailMessage as Parsed

State = Errand.State
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


class Post:
    """A mail server's handler: keeps what comes, answers what it is told."""

    def __init__(self) -> None:
        self.answer = "250 OK"
        self.came: list[Parsed] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.came.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def post(settings: LazySettings) -> Iterator[Post]:
    handler = Post()
    server = Controller(handler, hostname="127.0.0.1", port=free_port())
    server.start()
    settings.EMAIL_BACKEND = "metamapper.notifications.mail.OutboxBackend"
    settings.METAMAPPER_EMAIL_BACKEND = SMTP_BACKEND
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield handler
    server.stop()


def work() -> Errand:
    errand = Errand.objects.get()
    execute_errand(errand.pk, owner="w/1")
    return Errand.objects.get()


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=40)


@given(subject=texts, body=texts, html=texts, name=st.sampled_from(["a.txt", "ü.csv"]), content=st.binary(max_size=40))
def test_what_is_unpacked_is_what_was_packed(subject: str, body: str, html: str, name: str, content: bytes) -> None:
    message = EmailMultiAlternatives(
        subject, body, "Metamapper <mm@site.example>", ["ana@x.example"], ["bo@x.example"], cc=["c@x.example"],
        reply_to=["r@x.example"], headers={"X-Kind": "digest"},
    )  # fmt: skip
    message.attach_alternative(html, "text/html")
    message.attach(name, content, "application/octet-stream")
    message.attach("notes.txt", "plain text", "text/plain")
    first = unpacked(packed(message))
    for field in ("subject", "body", "from_email", "to", "bcc", "cc", "reply_to", "alternatives", "attachments"):
        assert getattr(first, field) == getattr(message, field), field
    assert first.extra_headers["X-Kind"] == "digest"
    assert first.extra_headers["Message-ID"].endswith("@site.example>")


def test_a_part_that_is_no_value_is_refused_where_it_is_sent() -> None:
    from email.mime.text import MIMEText

    message = EmailMessage("s", "b", "a@b.example", ["c@d.example"])
    message.attach(MIMEText("x"))
    with pytest.raises(TypeError, match="attachment"):
        packed(message)


@pytest.mark.django_db(transaction=True)
def test_it_arrives_with_both_its_parts(post: Post) -> None:
    message = EmailMultiAlternatives("Hé", "plain", "mm@site.example", ["ana@x.example"])
    message.attach_alternative("<p>rich</p>", "text/html")
    message.send()
    assert post.came == []
    assert work().state == State.DONE
    arrived = post.came[0]
    assert (arrived["Subject"], arrived["To"]) == ("Hé", "ana@x.example")
    assert [part.get_content().strip() for part in arrived.iter_parts()] == ["plain", "<p>rich</p>"]  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_a_refusal_for_good_is_not_tried_again(post: Post) -> None:
    EmailMessage("s", "b", "mm@site.example", ["nobody@x.example"]).send()
    post.answer = "550 no such user nobody@x.example"
    done = work()
    assert (done.state, done.error) == (State.FAILED, "The mail server takes no mail for this address.")


@pytest.mark.django_db(transaction=True)
def test_a_refusal_for_now_is_tried_again_under_the_same_message_id(post: Post) -> None:
    EmailMessage("s", "b", "mm@site.example", ["ana@x.example"]).send()
    identity = unpacked_of(Errand.objects.get())
    post.answer = "451 try later"
    assert work().state == State.WAITING
    post.answer = "250 OK"
    Errand.objects.update(available_at=Errand.objects.get().created_at)
    assert work().state == State.DONE
    assert [each["Message-ID"] for each in post.came] == [identity]


def unpacked_of(errand: Errand) -> str:
    from metamapper.runs.errands import Held

    held = Held(errand.pk, errand.kind, 1, 1, bytes(errand.sealed))
    return str(held.what["headers"]["Message-ID"])


@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_away_is_tried_again(post: Post, settings: LazySettings) -> None:
    settings.EMAIL_PORT = free_port()
    EmailMessage("s", "b", "mm@site.example", ["ana@x.example"]).send()
    done = work()
    assert (done.state, done.error) == (State.WAITING, "ConnectionRefusedError")


@pytest.mark.django_db(transaction=True)
def test_a_forgotten_password_waits_for_no_mail_server(post: Post, client: Client, settings: LazySettings) -> None:
    """The page answers alike whatever becomes of the mail; the link in it opens the account, and is stored in no clear."""
    settings.EMAIL_PORT = free_port()
    User.objects.create_user("ana@x.example", "correct horse battery", name="Ana")
    answer = client.post(reverse("account_reset_password"), {"email": "ana@x.example"})
    assert answer.status_code == 302
    assert b"ana@" not in bytes(Errand.objects.get().sealed)


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_sends_it(post: Post, settings: LazySettings, tmp_path: Path, redis_url: str) -> None:
    """Through a broker that lost the first message."""
    EmailMessage("s", "b", "mm@site.example", ["ana@x.example"]).send()
    broker = Broker()
    assert dispatch_errands(broker.publish) == 1
    environment: dict[str, Any] = {
        "METAMAPPER_EMAIL_BACKEND": "smtp",
        "METAMAPPER_EMAIL_HOST": settings.EMAIL_HOST,
        "METAMAPPER_EMAIL_PORT": str(settings.EMAIL_PORT),
        "METAMAPPER_FERNET_KEY": ",".join(settings.METAMAPPER_FERNET_KEYS),
    }
    with site(tmp_path, redis_url) as place:
        place.celery("beat", **environment)
        place.worker(**environment)
        place.until(lambda: Errand.objects.get(kind="mail").state == State.DONE, within=60)
    assert [each["Subject"] for each in post.came] == ["s"]


def test_two_kinds_of_tls_exclude_each_other(tmp_path: Path) -> None:
    from metamapper.lib.errors import ConfigurationError

    given_ = {
        "METAMAPPER_HOME": str(tmp_path),
        "METAMAPPER_EMAIL_USE_TLS": "yes",
        "METAMAPPER_EMAIL_USE_SSL": "yes",
    }
    with pytest.raises(ConfigurationError, match="exclude each other"):
        read_environment(given_)
