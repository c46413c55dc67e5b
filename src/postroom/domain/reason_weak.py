"""Wordings so general that a code which says anything goes before them."""

from postroom.domain.reason_rule import TextRule, rules
from postroom.domain.reason_wordings import COMMON

WEAK_RULES: tuple[TextRule, ...] = (
    *rules(
        "unclassified",
        "RFC 5321 4.2.3: not found, no access, or refused by policy; so no class may say which",
        "mailbox unavailable",
    ),
    *rules(
        "receiver_down",
        COMMON,
        """
        connection timed out | connection refused | connection reset | timed out | timeout |
        connection lost | lost connection | service unavailable | service not available |
        temporarily unavailable | temporary failure | temporary error | temporary problem |
        temporary local problem | try again later | try later | local error in processing |
        system not accepting | overloaded | server busy | too busy | maintenance |
        insufficient system | out of memory | insufficient resources | couldn't connect |
        could not connect | unable to connect | connection dropped | connection closed |
        closed connection | server error | system failure | no answer from host |
        host unreachable | host not reachable | host is unreachable | host & is down |
        wasn't able to establish an smtp | please retry | internal error | shutting down |
        disk full | no space left on device | mail system full | did not respond |
        configuration error | config error | is not responding | service currently unavailable |
        not able to accept | unavailable at this time | out of disk space |
        not accept our requests | not accept our connection
        """,
    ),
    *rules(
        "policy_refused",
        COMMON,
        """
        policy | administratively | administrative | access denied | not authorized |
        not permitted | not allowed | rejected by recipient | refused by recipient |
        delivery not authorized | message rejected | message refused | transaction failed |
        prohibited | permission denied | blocked by | banned | rejected by | security policies |
        blocked - see
        """,
    ),
)
"""First match speaks; after the codes."""
