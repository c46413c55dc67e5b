"""The body of `POST /v1/messages`: its fields, their types and limits; nothing is coerced."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from postroom.domain.address import parse_address
from postroom.domain.canary import Plan
from postroom.domain.communication import NAME_PATTERN, communication_name
from postroom.domain.delivery import ANSWERS
from postroom.domain.header import HeaderError, HeaderLimits, check_headers
from postroom.domain.lane import Lane
from postroom.domain.mail_kind import MailKind
from postroom.domain.problem import FieldError, invalid, invalid_field
from postroom.domain.submitted import content_of, header_text
from postroom.domain.wrong_fields import wrong_fields
from postroom.submission.accept import Recipient, Submission
from postroom.submission.fields import (
    METADATA_KEYS_MAX,
    NOTIFY_URL_PATTERN,
    TAG_CHARS_MAX,
    TAGS_MAX,
    instant,
    notify_url,
)
from postroom.submission.recipients import read_recipients

SUBJECT_CHARS_MAX = 998
"""RFC 5322, section 2.1.1: the longest line."""
HEADER_NAME_CHARS_MAX = 76
"""RFC 5322, section 2.1.1: a line should stay below 78, and a name cannot be folded."""


class Strict(BaseModel):
    """An object with exactly these fields, each of exactly its type."""

    model_config = ConfigDict(strict=True, extra="forbid")


def _instant(value: Any) -> Any:
    return instant(value) if isinstance(value, str) else value


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _state(text: str) -> str:
    if text not in ANSWERS:
        raise ValueError(f"is none of {', '.join(ANSWERS)}")
    return text


class MailboxBody(Strict):
    """An address with a display name."""

    email: str
    name: Annotated[str, Field(max_length=300)] | None = None


Mailbox = str | MailboxBody
Mailboxes = Mailbox | list[Mailbox]
Tag = Annotated[str, Field(max_length=TAG_CHARS_MAX)]
CommunicationName = Annotated[
    str, AfterValidator(communication_name), Field(json_schema_extra={"pattern": NAME_PATTERN})
]
NotifyUrl = Annotated[
    str, AfterValidator(notify_url), Field(json_schema_extra={"pattern": NOTIFY_URL_PATTERN})
]
State = Annotated[
    str, AfterValidator(_state), Field(json_schema_extra={"enum": [str(one) for one in ANSWERS]})
]


class RecipientBody(Strict):
    """One recipient; documents what `read_recipients` takes."""

    email: str
    name: str | None = None
    vars: dict[str, str | int | float | bool] | None = Field(
        None, description="Values for the `{{ key }}` fields."
    )
    ref: str | None = Field(None, description="Your own name for this delivery.")
    metadata: dict[str, str] | None = Field(None, description="Kept, and given back; never sent.")


class AttachmentBody(Strict):
    """An attached part; with `content_id` an inline one."""

    filename: Annotated[str, Field(min_length=1, max_length=255)]
    content_type: Annotated[str, Field(max_length=255)]
    content: str = Field(description="Base64 (RFC 4648, section 4).")
    content_id: str | None = None


class TrackBody(Strict):
    """What is to be counted; nothing unless asked for."""

    opens: bool = False
    clicks: bool = False


class NotifyBody(Strict):
    """Where the application wants to hear of changes. Kept; no callback is made yet."""

    url: NotifyUrl
    states: list[State] | None = Field(None, description="Only these states; all when left out.")


class CanaryBody(Strict):
    """A part goes first; what comes of it decides about the rest."""

    share: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.01, description="Of the recipients that go first; 20 at least and 1,000 at most."
    )
    wait_s: Annotated[float, Field(ge=1, le=86_400)] = Field(
        900, description="How long their answers are waited for, in seconds."
    )
    bounces_max: Annotated[float, Field(ge=0, le=1)] = Field(
        0.05, description="The rest stays when a larger share of them fails."
    )
    complaints_max: Annotated[float, Field(ge=0, le=1)] = Field(
        0.001, description="The rest stays when a larger share of them complains."
    )


class MessageBody(Strict):
    """One message to one or many recipients."""

    from_: Mailbox = Field(alias="from", description="`Name <local@domain>`, or an object.")
    to: list[Any]
    subject: Annotated[str, Field(max_length=SUBJECT_CHARS_MAX)] = ""
    text: str | None = Field(None, description="Plain text; may hold `{{ key }}` fields.")
    html: str | None = Field(None, description="HTML; the values of fields are escaped.")
    reply_to: Mailboxes | None = None
    cc: Mailboxes | None = Field(None, description="Shown in every copy; nobody is added by it.")
    display_to: Mailboxes | None = Field(None, description="Shown as To in every copy.")
    headers: dict[str, str] | None = None
    attachments: list[AttachmentBody] | None = None
    communication: CommunicationName | None = Field(
        None, description="The occasion: all its messages are one report."
    )
    lane: Literal["urgent", "normal", "bulk"] = Field(
        "normal", description="The order of service; `urgent` needs the scope of that name."
    )
    kind: Literal["transactional", "marketing"] = Field(
        "transactional", description="What the recipient may unsubscribe from by itself."
    )
    critical: bool = Field(
        False, description="Goes in spite of suppressions; needs the scope of that name."
    )
    send_at: Instant | None = None
    expires_at: Instant | None = Field(None, description="Not sent at all after this.")
    track: TrackBody | None = None
    tags: Annotated[list[Tag], Field(max_length=TAGS_MAX)] = []
    metadata: Annotated[dict[str, str], Field(max_length=METADATA_KEYS_MAX)] = {}
    on_doubt: Literal["hold", "resend"] | None = Field(
        None, description="When nobody can tell whether the provider took it; default by lane."
    )
    canary: CanaryBody | None = Field(
        None, description="Let a part go first; the rest is `held` until its answers are in."
    )
    notify: NotifyBody | None = Field(
        None, description="Where to tell of changes. Kept; no callback is made yet."
    )


def read_submission(body: Any, raw: bytes) -> Submission:
    """The submission that a parsed body means; raises Problem (422) naming every wrong field."""
    try:
        checked = MessageBody.model_validate(body)
    except ValidationError as error:
        findings = error.errors(include_url=False, include_input=False)
        raise wrong_fields(findings) from error
    _check_limits(checked)
    content = content_of(body)
    recipients = read_recipients(checked.to, settings.POSTROOM_RECIPIENTS_MAX)
    if content.text is None and content.html is None:
        raise invalid(
            "the mail has no body: give text, html or both", FieldError("text", "missing")
        )
    return _submission(checked, raw, recipients, content.sender.email)


def _check_limits(body: MessageBody) -> None:
    attachments_max = settings.POSTROOM_ATTACHMENTS_MAX
    if len(body.attachments or ()) > attachments_max:
        raise invalid_field("attachments", f"are too many: at most {attachments_max}")
    _check_headers(body.headers or {})
    for tag in body.tags:
        header_text("tags", tag)


def _check_headers(headers: Mapping[str, str]) -> None:
    bytes_max = settings.POSTROOM_HEADER_BYTES_MAX
    limits = HeaderLimits(settings.POSTROOM_HEADERS_MAX, HEADER_NAME_CHARS_MAX, bytes_max)
    try:
        check_headers(headers.items(), limits)
    except HeaderError as error:
        raise invalid_field("headers", str(error)) from error
    if sum(len(name) + len(value.encode()) for name, value in headers.items()) > bytes_max:
        raise invalid_field("headers", f"are too long: at most {bytes_max} bytes together")


def _submission(
    body: MessageBody, raw: bytes, recipients: Sequence[Recipient], sender: str
) -> Submission:
    texts = {"subject": body.subject, "text": body.text, "html": body.html}
    return Submission(
        door="http",
        raw=raw,
        senders=(parse_address(sender),),
        recipients=recipients,
        subject=body.subject,
        templates={name: text for name, text in texts.items() if text},
        communication=body.communication,
        lane=Lane.of_label(body.lane),
        kind=MailKind(body.kind),
        critical=body.critical,
        on_doubt=body.on_doubt,
        send_at=body.send_at,
        expires_at=body.expires_at,
        tags=body.tags,
        metadata=body.metadata,
        notify=body.notify.model_dump(exclude_none=True) if body.notify else None,
        canary=Plan(**body.canary.model_dump()) if body.canary else None,
    )
