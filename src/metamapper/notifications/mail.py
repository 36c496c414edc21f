"""Mail goes through the outbox: a page never waits for a mail server, and no mail is lost with a process.

``OutboxBackend`` is Django's e-mail backend of this site; the one that really sends is ``METAMAPPER_EMAIL_BACKEND``, used
by workers. A mail is sent at least once: its Message-ID stays the same, by which mail servers know it again.
"""

import base64
import smtplib
from collections.abc import Mapping, Sequence
from email.utils import make_msgid
from typing import Any

from django.conf import settings
from django.core.mail import EmailAlternative, EmailAttachment, EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from metamapper.runs.errands import Held, Hopeless, handles, put

KIND = "mail"
SIGN_IN = {530, 534, 535, 538}
"""Answers that speak of our sign-in (RFC 4954, 6): the administrator mends that, and the mail is still to be sent."""
PERMANENT = frozenset(range(500, 600)) - SIGN_IN
"""Answers of a mail server that trying again does not change (RFC 5321, 4.2.1)."""


class OutboxBackend(BaseEmailBackend):
    """Puts mail into the outbox, within the caller's transaction."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for each in email_messages:
            put(KIND, packed(each))
        return len(email_messages)


def packed(message: EmailMessage) -> dict[str, Any]:
    """A message as plain values, under a Message-ID that stays; raises ``TypeError`` for parts that are no values."""
    headers = {"Message-ID": make_msgid(domain=_domain(message.from_email))} | dict(message.extra_headers)
    return {
        "subject": str(message.subject),
        "body": str(message.body),
        "from_email": message.from_email,
        "to": list(message.to),
        "cc": list(message.cc),
        "bcc": list(message.bcc),
        "reply_to": list(message.reply_to),
        "headers": {name: str(value) for name, value in headers.items()},
        "subtype": message.content_subtype,
        "alternatives": [[str(each[0]), each[1]] for each in getattr(message, "alternatives", ())],
        "attachments": [_packed_attachment(each) for each in message.attachments],
    }


def _packed_attachment(attachment: object) -> list[str | None]:
    content = attachment.content if isinstance(attachment, EmailAttachment) else None
    if not isinstance(attachment, EmailAttachment) or not isinstance(content, str | bytes):
        raise TypeError("An attachment must be a name, a text or bytes, and a type")
    data = content.encode() if isinstance(content, str) else content
    kind = "text" if isinstance(content, str) else "bytes"
    return [attachment.filename, kind, base64.b64encode(data).decode("ascii"), attachment.mimetype]


def unpacked(values: Mapping[str, Any]) -> EmailMultiAlternatives:
    """The message that was packed."""
    plain = ("subject", "body", "from_email", "to", "cc", "bcc", "reply_to", "headers")
    message = EmailMultiAlternatives(**{name: values[name] for name in plain})
    message.content_subtype = values["subtype"]
    message.alternatives = [EmailAlternative(*each) for each in values["alternatives"]]
    message.attachments = [_unpacked_attachment(*each) for each in values["attachments"]]
    return message


def _unpacked_attachment(name: str | None, kind: str, content: str, mimetype: str | None) -> EmailAttachment:
    data = base64.b64decode(content)
    return EmailAttachment(name or "", data.decode() if kind == "text" else data, mimetype or "")


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip("> ") or "localhost"


@handles(KIND)
def send(held: Held) -> None:
    """Send one mail by the real backend; raises ``Hopeless`` where the server refuses it for good."""
    message = unpacked(held.what)
    message.connection = get_connection(settings.METAMAPPER_EMAIL_BACKEND)
    try:
        message.message()
    except ValueError as error:
        raise Hopeless("No mail can be made of it: a line break in a header, or an address that is none.") from error
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _ in error.recipients.values()}
        if codes <= PERMANENT:
            raise Hopeless("The mail server takes no mail for this address.") from error
        raise
    except smtplib.SMTPResponseException as error:
        if error.smtp_code in PERMANENT:
            raise Hopeless(f"The mail server refused the mail ({error.smtp_code}).") from error
        raise
