"""Wordings that mail systems share: Postfix, Exim, Sendmail, qmail, Exchange, and common usage.

A rule that leads to `address_unknown` must be a sentence about the mailbox and nothing else;
what is said of the sender, of lists and of rates therefore stands before it.
"""

from postroom.domain.reason_rule import TextRule, rules

POSTFIX = "Postfix source and https://www.postfix.org/postconf.5.html"
EXIM = "https://www.exim.org/exim-html-current/doc/html/spec_html/"
SENDMAIL = "Sendmail cf/README and source"
QMAIL = "qmail source (qmail-remote, qmail-local) and RFC 1893 use"
EXCHANGE = "https://learn.microsoft.com/exchange/mail-flow/non-delivery-reports-and-bounce-messages"
DOVECOT = "https://doc.dovecot.org: rejection_reason, and what its quota says"
LISTS = "the block lists' own texts (Spamhaus, SpamCop, Barracuda, Cloudmark)"
COMMON = "seen in replies of several mail systems; wording of RFC 3463"

SYSTEM_RULES: tuple[TextRule, ...] = (
    *rules(
        "policy_refused",
        COMMON,
        """
        not accept mail from | not accepting mail from | not accept email from |
        only accepting mail from | recipient preferences | bouncedeny | members-only list |
        closed mailing list | not subscribed to this group
        """,
    ),
    *rules(
        "routing_or_network",
        QMAIL,
        "allowed rcpthost | not an open relay | not configured to relay | handle mail for",
    ),
    *rules(
        "routing_or_network",
        POSTFIX,
        "host not found, try again | servfail | name server timeout | dns timeout",
    ),
    *rules(
        "receiver_down",
        POSTFIX,
        """
        unverified address | address verification in progress | verification timed out |
        user lookup failed | recipient lookup failed | temporary lookup failure |
        undeliverable address: connect | undeliverable address: & timed out
        """,
    ),
    *rules(
        "mailbox_full",
        DOVECOT,
        "automatically rejected: & disk space | automatically rejected: & quota",
    ),
    *rules(
        "mailbox_full",
        COMMON,
        """
        too many messages on the server | too much mail stored | too many messages in & mailbox |
        or is full | or mailbox full | or mailbox is full | or the mailbox is full |
        or over quota | or is over quota | or quota exceeded
        """,
    ),
    *rules(
        "sender_refused",
        "RFC 7505 4.2",
        """
        sender & null mx | sender & nullmx | mail from & null mx | mailfrom & null mx |
        mail from & nullmx | mailfrom & nullmx
        """,
    ),
    *rules("sender_refused", "RFC 7505 4.2", "null mx | nullmx | no mail", code="5.7.27"),
    *rules(
        "domain_no_mail",
        "RFC 7505 4.1",
        """
        null mx | nullmx | does not accept mail | domain does not receive mail | accepts no mail |
        indicated no smtp service
        """,
    ),
    *rules(
        "sender_refused",
        POSTFIX,
        """
        sender address rejected | bad sender | sender rejected | invalid sender | unknown sender |
        sender blocked | sender unknown | envelope sender has been denied |
        mail from domain rejected | send mail as & misconfigured
        """,
    ),
    *rules(
        "sender_refused",
        EXIM,
        """
        sender verify failed | sender verification failed | could not verify sender |
        sender domain must exist | sender denied
        """,
    ),
    *rules(
        "sender_refused",
        SENDMAIL,
        """
        unroutable sender address | unrouteable sender address | domain of sender |
        sender domain unresolvable |
        sender domain not found | sender domain does not | bogus mail from |
        mail from not owned by | sender domain is empty
        """,
    ),
    *rules(
        "reputation_block",
        COMMON,
        """
        too many invalid recipients | too many unknown | too many bad recipients |
        excessive unknown recipients | directory harvest
        """,
    ),
    *rules(
        "rate_limited",
        COMMON,
        """
        rate limit | ratelimit | rate-limit | too many messages | too many connections |
        too many concurrent | too many sessions | too many recipients | too many emails |
        too much mail from | too fast | throttl | frequency limit |
        maximum number of messages | maximum number of connections |
        max message per connection | too many errors | sending limit | hourly limit |
        daily limit | slow down | traffic from & limited | unusual sending |
        messages per connection | connection limit | smtp sessions for this host |
        emails per hour | messages per hour | per hour message | messages per day
        """,
    ),
    *rules(
        "greylisted",
        "RFC 6647; Postgrey, milter-greylist, SQLgrey replies",
        """
        greylist | graylist | grey-list | gray-list | grey list | gray list | greylisted |
        first time sender | please try again in & seconds | come back later | postgrey
        """,
    ),
    *rules(
        "address_syntax",
        "RFC 3463 3.2 (X.1.3)",
        """
        bad address syntax | invalid address syntax | malformed address |
        syntax error in & address | bad destination mailbox address syntax | malformed recipient |
        address & syntax error
        """,
    ),
    *rules(
        "address_unknown",
        POSTFIX,
        """
        user unknown | unknown in virtual | unknown in local | unknown in relay recipient |
        undeliverable address: & unknown | recipient address rejected: unknown
        """,
    ),
    *rules(
        "address_unknown",
        SENDMAIL,
        "unknown user | invalid final delivery userid | addressee unknown | no such local user",
    ),
    *rules(
        "address_unknown",
        EXIM,
        """
        no such address here | unrouteable address | unroutable address | unknown local part |
        unknown local-part | unknown or illegal alias
        """,
    ),
    *rules(
        "address_unknown",
        QMAIL,
        """
        no mailbox here by that name | isn't in my list of | no such mailbox | here by that name
        """,
    ),
    *rules(
        "address_unknown",
        EXCHANGE,
        """
        not listed in domino directory | not listed in public name | recipient not found |
        recipient not exist | not found in directory | wasn't found at |
        e-mail account does not exist
        """,
    ),
    *rules(
        "address_unknown",
        COMMON,
        """
        no such user | recipient name is not recognized | invalid address & mailbox unavailable |
        no such person | no such recipient | no such account | no such address | no such email |
        no such e-mail | user not found | mailbox not found | account not found |
        address not found | recipient unknown | unknown recipient | unknown account |
        unknown mailbox | mailbox unknown | address unknown | user does not exist |
        user doesn't exist | recipient does not exist | recipient doesn't exist |
        mailbox does not exist | mailbox doesn't exist | account does not exist |
        account doesn't exist | address does not exist | address doesn't exist |
        does not exist here | not a known user | not a valid user | not a valid mailbox |
        not a valid recipient | invalid recipient | invalid user | invalid mailbox |
        user invalid | recipient invalid | recipient is invalid | mailbox is invalid |
        user is unknown | bad destination mailbox | bad destination email |
        no mailbox by that name | no mailbox found | there is no such | not our customer |
        there is no one at this address | no account by that name | user not known |
        user no longer | recipient no longer on server | mailbox no longer exists |
        account no longer exists | address no longer exists | does not have an account |
        user not exist | mailbox not exist | account not exist | non-existent user |
        non-existent mailbox | non-existent recipient | non-existent account | nonexistent user |
        unknown e-mail | unknown email | has no mailbox | recipient not known |
        not a valid local recipient | no user by that name | is not known at this |
        user not in directory | mail box not found | destination addresses were unknown |
        not a registered & user
        """,
    ),
    *rules(
        "attachment_refused",
        COMMON,
        """
        virus | malware | infected | trojan | ransomware | attachment & not allowed |
        attachment & blocked | attachment & rejected | attachment & prohibited |
        banned attachment | unallowed attachment | executable attachment |
        file type & not allowed | dangerous attachment | illegal attachment |
        forbidden attachment | prohibited file | executable files
        """,
    ),
    *rules(
        "auth_failed",
        "RFC 7208 8.4, RFC 7489 10.3, RFC 7372",
        """
        dmarc | dkim | spf check | spf fail | spf: fail | failed spf | spf policy | spf record |
        spf hard fail | spf hardfail | sender policy framework | not permitted by spf |
        spf validation | failed authentication | openspf | spf forgery
        """,
    ),
    *rules(
        "ptr_or_ip_config",
        COMMON,
        """
        reverse dns | reverse hostname | cannot find your hostname | cannot find your reverse |
        ptr record | no ptr | rdns | helo command rejected | invalid helo | bad helo | helo/ehlo |
        forward confirmed
        """,
    ),
    *rules(
        "reputation_block",
        LISTS,
        """
        spamhaus | spamcop | blacklist | black list | blocklist | block list | blocked using |
        dnsbl | _rbl | surbl | uribl | block-listed | block listed | blacklisted |
        barracudacentral | sorbs | cloudmark | senderscore | senderbase | sender base |
        invaluement | denylist | listed at | listed in & see | listed by
        """,
    ),
    *rules(
        "reputation_block",
        COMMON,
        """
        poor reputation | bad reputation | low reputation | ip reputation | domain reputation |
        reputation of & _ip | _your ip & blocked | _ip address & blocked |
        _ip & has been blocked | host & blocked | your server & blocked | _ip_ & rejected |
        sending mta's poor | connection refused from your ip | your mail server & blocked |
        sender ip & reject | blocked by & reputation | bulk mail from | suspicious ip
        """,
    ),
    *rules(
        "content_refused",
        COMMON,
        """
        spam | unsolicited | phish | junk mail | bulk mail | message content rejected |
        content rejected | rejected for content | message content | blocked by content |
        content filter | profanity | url & blocked | contains a link | suspicious content |
        unwanted mail | _uce_ | undesired content | message looks like | scored & points |
        content denied | body contains | unsafe content |
        message filtered
        """,
    ),
    *rules(
        "message_too_large",
        COMMON,
        """
        message too large | mail size limit exceeded | message is too large |
        message size exceeds | size limit exceeded | exceeds size limit |
        exceeds maximum message size | maximum message size | message too big |
        message is too big | too big for | message exceeds | exceeds fixed limit |
        message file too big | exceeded maximum & size | max message size |
        exceeds the size limit | larger than the & limit | exceed & message size | size exceeds |
        message length exceeds | data size exceeded | message refused: too large |
        too much mail data
        """,
    ),
    *rules(
        "mailbox_full",
        COMMON,
        """
        mailbox full | exceeding & quota | reached disk quota |
        mailbox is full | mailbox for & full_ | over quota | overquota | over-quota |
        quota exceeded | exceeded quota | quota is exceeded | exceeded & quota | exceeds & quota |
        quota exceed | quota full | quota violation | out of quota | no quota | disk quota |
        mailbox quota | storage quota | insufficient quota | exceeded storage allocation |
        storage allocation exceeded | exhausted allowed storage | mailbox exceeds |
        mailbox exceeded | has exceeded & disk space | mailbox size limit | mailbox has exceeded |
        inbox is full | inbox full | account is full | account full | maildir over |
        would exceed mailbox | not enough storage | not enough space in mailbox | out of storage |
        no space left in mailbox | mailfolder is full | mailbox has & limit | mail box full |
        mailbox over | user is over the quota | mailbox is over |
        over the allowed quota | exceed maximum allowed storage | not have enough space |
        space has been used up | messages in recipient's mailbox exceeded |
        full mailbox | storage full | mailbox size exceeded |
        folder full | folder is full | storage limit reached
        """,
    ),
    *rules(
        "mailbox_disabled",
        COMMON,
        """
        account is disabled | account disabled | account has been disabled | mailbox disabled |
        user disabled | user is disabled | disabled recipient | recipient is disabled |
        account inactive | account is inactive | mailbox is inactive | inactive account |
        user is inactive | inactive user | mailbox inactive | inactive mailbox |
        account suspended | account is suspended | mailbox suspended | suspended account |
        user suspended | user is suspended | account has been suspended | account is locked |
        account locked | user is locked | mailbox locked | mailbox is locked | account expired |
        account has expired | account is expired | mailbox is suspended | account closed |
        account is closed | mailbox closed |
        account has been closed | temporarily disabled | not active | deactivated | dormant |
        has been suspended | is currently suspended | temporarily inactive | temporary locked |
        extended inactivity | mailbox currently unavailable | address no longer accepts mail |
        no longer accept mail |
        not accepting mail & mailbox | mailbox is currently disabled | email address is disabled
        """,
    ),
    *rules(
        "mailbox_moved",
        "RFC 3463 3.2; RFC 7293",
        """
        user has moved | has moved to | address has changed | mailbox has moved | new address is |
        please forward to | owner has changed | user moved | recipient has moved
        """,
    ),
    *rules(
        "domain_unknown",
        COMMON,
        """
        domain not found | host not found | host or domain name not found | no such domain |
        unknown host | host unknown | unknown domain | domain does not exist |
        domain doesn't exist | nxdomain | name service error | unable to find mx | no mx |
        no mail servers | dns & not found | couldn't find any host | could not be resolved |
        bad destination system | invalid domain | illegal host/domain | unrouteable mail domain |
        unroutable mail domain | no dns | no valid mx | no such host | unresolvable domain |
        domain not exist | non-existent hosts | unable to look up host & not known
        """,
    ),
    *rules(
        "routing_or_network",
        COMMON,
        """
        relay access denied | relaying denied | relay denied | relay not permitted |
        unable to relay | relaying not allowed | not permitted to relay | relay & not allowed |
        relay prohibited | does not relay | do not relay | no relay access | mail loop |
        loops back | too many hops |
        forwarding loop | message looping | lookup failure | unable to resolve route |
        loop detected | no route to host | network is unreachable | no relaying | relaying is |
        mail relay
        """,
    ),
    *rules(
        "gave_up",
        COMMON,
        """
        queue too long | delivery time expired | retry timeout exceeded | retry time not reached |
        envelope expired | gave up | maximum & time exceeded | expired after |
        message expired | retry limit | unable to deliver & since | not been collected |
        time limit exceeded | has been in the queue | too long in the queue |
        message has been queued too long | could not be delivered for | delivery expired |
        failing for a long time | within the allowed queue period |
        unable to deliver message after | not delivered within |
        unable to deliver this message after |
        cannot send message for | cannot send message within | in queue for too long |
        undeliverable for & days | undeliverable for & hours
        """,
    ),
    *rules(
        "tls_required",
        "RFC 3207; RFC 8689",
        """
        must issue a starttls | starttls first | starttls required | tls required |
        tls is required | encryption required | encryption needed | requires tls |
        tls not available | tls negotiation | requiretls | starttls-not-supported |
        tls handshake | dane-required | dnssec-invalid
        """,
    ),
    *rules(
        "sender_not_permitted",
        COMMON,
        """
        only & internal senders | sender is not allowed | sender not allowed |
        not authorized to send to | not allowed to send to | restricted to & senders |
        requires authentication to send | accepts mail only from | not permitted to send to |
        permission to send to | posting to this list & restricted | permission to post
        """,
    ),
)
"""First match speaks; after the rules of known operators."""
