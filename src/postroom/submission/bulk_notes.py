"""What is told to who submits a broadcast that mailbox operators would refuse."""

from postroom.domain.lane import Lane
from postroom.domain.mail_kind import MailKind
from postroom.ledger import sender_needs
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.keys import Caller
from postroom.submission.accept import Submission


def bulk_notes(submission: Submission, caller: Caller) -> list[str]:
    """What the From domain of live bulk or marketing mail lacks; none for other mail.

    The mail is accepted whatever this says, and also when nobody can be asked.
    """
    is_bulk = submission.lane is Lane.BULK or submission.kind is MailKind.MARKETING
    if caller.simulated or not is_bulk or not submission.senders:
        return []
    try:
        return sender_needs.lacking(submission.senders[0].domain)
    except LedgerUnavailable:
        return []
