"""What known mailbox operators and gateways say in words; read from their pages on 2026-11-24.

A rule that leads to `address_unknown` must be a sentence about the mailbox and nothing else.
"""

from postroom.domain.reason_rule import TextRule, rules

GMAIL = "https://support.google.com/a/answer/3726730"
MICROSOFT = "https://learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online"
OUTLOOK = "https://sendersupport.olc.protection.outlook.com/pm/troubleshooting.aspx"
YAHOO = "https://senders.yahooinc.com/smtp-error-codes"
APPLE = "https://support.apple.com/102322"
GMX = "https://postmaster.gmx.net/en/error-messages"
MAIL_RU = "https://help.mail.ru/developers/mailing_rules/technical"
YANDEX = "https://yandex.com/support/mail/web/letter/create.html"
QQ = "https://service.mail.qq.com"
PROOFPOINT = "https://help.proofpoint.com (SMTP error codes)"
MIMECAST = "https://mimecastsupport.zendesk.com/hc/en-us/articles/34000709564691"
BARRACUDA = "https://campus.barracuda.com (Email Gateway Defense, SMTP replies)"
T_ONLINE = "https://postmaster.t-online.de: (BL) is a server of bad or unknown reputation"
NETEASE = "https://mail.163.com/help (SMTP return codes)"
ORANGE = "https://postmaster.orange.fr and https://www.laposte.net (OFR and LPN codes)"
ZOHO = "https://www.zoho.com/mail/help (delivery failures)"
SYMANTEC = "https://www.symantec.com (Email Security.cloud, SMTP troubleshooting)"
DOCOMO = "https://www.docomo.ne.jp (mail): the same words where the recipient's own filter refuses"
SENDGRID = "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event"

OPERATOR_RULES: tuple[TextRule, ...] = (
    *rules(
        "rate_limited",
        GMAIL,
        """
        receiving mail at a rate | receiving mail too quickly | unusual rate of unsolicited mail |
        unusual rate of mail | rate limited
        """,
    ),
    *rules(
        "mailbox_disabled",
        GMAIL,
        """
        email account that you tried to reach is disabled |
        email account that you tried to reach is inactive
        """,
    ),
    *rules(
        "mailbox_full",
        GMAIL,
        """
        email account that you tried to reach is over quota |
        recipient's inbox is out of storage | inbox is out of storage space
        """,
    ),
    *rules("address_unknown", GMAIL, "email account that you tried to reach does not exist"),
    *rules(
        "attachment_refused",
        GMAIL,
        """
        blocked because its content presents a potential security issue |
        mail.google.com/mail & answer=6590
        """,
    ),
    *rules(
        "auth_failed",
        GMAIL,
        """
        email from unauthenticated senders | unauthenticated email from |
        sender is unauthenticated | message does not pass authentication checks |
        did not pass the domain's dmarc policy | gmail requires all senders to authenticate |
        doesn't pass authentication checks
        """,
    ),
    *rules(
        "ptr_or_ip_config",
        GMAIL,
        """
        doesn't have a ptr record | does not have a ptr record | ptr record setup |
        does not meet ipv6 sending guidelines
        """,
    ),
    *rules(
        "content_refused",
        GMAIL,
        """
        detected that this message is likely unsolicited mail |
        message is likely suspicious due to | violates & email policy & gcdp |
        messages missing a valid address in from | messages with multiple addresses in from |
        not rfc 5322 compliant | message is not rfc
        """,
    ),
    *rules(
        "reputation_block",
        GMAIL,
        """
        very low reputation of the sending |
        ip you're using to send mail is not authorized | bulk sender guidelines & blocked
        """,
    ),
    *rules("tls_required", GMAIL, "tls required for rcpt domain | requires a tls connection"),
    *rules("policy_refused", GMAIL, "ip not in whitelist for rcpt domain"),
    *rules(
        "address_unknown",
        MICROSOFT,
        """
        resolver.adr.recipnotfound | resolver.adr.recipientnotfound |
        resolver.adr.exrecipnotfound | recipient not found by smtp address lookup |
        recipientnotfound; recipient not found
        """,
    ),
    *rules("policy_refused", MICROSOFT, "all recipient addresses rejected"),
    *rules("address_unknown", MICROSOFT, "access denied", code="5.4.1"),
    *rules("address_unknown", OUTLOOK, "mailbox unavailable", operator="microsoft", code="5.5.0"),
    *rules(
        "address_unknown",
        OUTLOOK,
        "requested action not taken: mailbox unavailable",
        operator="microsoft",
    ),
    *rules("address_ambiguous", MICROSOFT, "resolver.adr.ambiguous"),
    *rules(
        "message_too_large", MICROSOFT, "resolver.rst.recipsizelimit | resolver.rst.sendsizelimit"
    ),
    *rules(
        "sender_not_permitted",
        MICROSOFT,
        """
        resolver.rst. | recipientrestricted | sender not authenticated for group |
        sender not authenticated for mailbox | sendernotauthenticatedfor |
        not in allowed-senders list | sender not in & allowed senders |
        client was not authenticated to send anonymous mail
        """,
    ),
    *rules(
        "rate_limited",
        MICROSOFT,
        """
        recipient thread limit exceeded | receivingrate | message rate limit |
        exceeded & recipient rate limit | submission quota exceeded |
        message submission rate for this client has exceeded
        """,
    ),
    *rules(
        "mailbox_full",
        MICROSOFT,
        """
        storedrv.deliver.exception:quotaexceeded | quotaexceededexception |
        mapiexceptionshutoffquota
        """,
    ),
    *rules("mailbox_disabled", MICROSOFT, "storedrv & mailbox disabled | accountdisabledexception"),
    *rules(
        "routing_or_network", MICROSOFT, "hop count exceeded | tenantattribution | routing loop"
    ),
    *rules("domain_unknown", MICROSOFT, "infodomainnonexistent | domain does not exist & dns"),
    *rules("gave_up", MICROSOFT, "queue.expired | message expired"),
    *rules(
        "auth_failed",
        MICROSOFT,
        """
        does not meet the required authentication level | as part of dmarc evaluation |
        sending domain & does not pass dmarc | spf validation failed
        """,
    ),
    *rules(
        "reputation_block",
        OUTLOOK,
        """
        part of their network is on our block list | weren't sent. please contact your internet |
        banned sending ip | banned sender | spam abuse detected from ip range |
        traffic not accepted from this ip | server busy & as( | was blocked because of spam |
        tenant has been blocked | unregistered domain
        """,
    ),
    *rules(
        "rate_limited",
        OUTLOOK,
        """
        exceeded the rate limit | exceeded the connection limit |
        rate limited due to ip reputation
        """,
    ),
    *rules(
        "address_unknown",
        YAHOO,
        """
        doesn't have a yahoo | does not have a yahoo | user doesn't have a & account |
        not a valid mailbox & yahoo | mailbox not found & aol.com
        """,
    ),
    *rules(
        "mailbox_disabled", YAHOO, "account has been disabled or discontinued | mailbox is disabled"
    ),
    *rules(
        "reputation_block",
        YAHOO,
        """
        [tss | [ts0 | [ts1 | unexpected volume or user complaints | due to user complaints |
        not accepted from this ip | [ipts
        """,
    ),
    *rules("content_refused", YAHOO, "[ph0 | email not accepted for policy reasons"),
    *rules(
        "auth_failed",
        YAHOO,
        "unauthenticated email is not accepted | failed to pass authentication checks",
    ),
    *rules(
        "receiver_down",
        YAHOO,
        "resources temporarily unavailable | resources temporarily not available",
    ),
    *rules("rate_limited", APPLE, "deferred due to excessive volume"),
    *rules("content_refused", APPLE, "[hm07] | [hm08]"),
    *rules("reputation_block", APPLE, "[cs01] | [pr01]"),
    *rules("address_unknown", GMX, "mailbox unavailable", operator="gmx"),
    *rules("rate_limited", GMX, "too many connections & postmaster | rate limit reached"),
    *rules("reputation_block", GMX, "ip address is block listed | ip address is black listed"),
    *rules("ptr_or_ip_config", GMX, "bad dns ptr | dynamic/generic dns"),
    *rules("policy_refused", GMX, "reject due to policy | message rejected due to local policy"),
    *rules("mailbox_full", MAIL_RU, "mailbox is full & mail.ru"),
    *rules(
        "address_unknown", MAIL_RU, "invalid mailbox | message was not accepted -- invalid mailbox"
    ),
    *rules(
        "mailbox_disabled", MAIL_RU, "user is terminated | account is blocked | mailbox is frozen"
    ),
    *rules("content_refused", MAIL_RU, "spam message rejected | spam message discarded"),
    *rules("mailbox_disabled", YANDEX, "policy rejection on the target address"),
    *rules("content_refused", YANDEX, "suspicion of spam | message rejected under suspicion"),
    *rules(
        "address_unknown",
        QQ,
        "mailbox unavailable or access denied | recipient may contain a non-existent account",
    ),
    *rules(
        "rate_limited",
        QQ,
        """
        connection frequency limited | domain frequency limited | ip frequency limited |
        too many & per hour & qq
        """,
    ),
    *rules("content_refused", QQ, "mail content denied | mail is rejected by recipients"),
    *rules("reputation_block", QQ, "connection denied & qq | suspected bounce attacks"),
    *rules("address_unknown", PROOFPOINT, "invalid recipient & pphosted"),
    *rules(
        "reputation_block",
        PROOFPOINT,
        """
        blocked - see https://ipcheck.proofpoint.com | ipcheck.proofpoint.com |
        support.proofpoint.com/dnsbl
        """,
    ),
    *rules(
        "address_unknown",
        MIMECAST,
        """
        invalid recipient & mimecast | csi.mimecast.org & invalid recipient |
        known invalid address
        """,
    ),
    *rules(
        "greylisted",
        MIMECAST,
        """
        internal resources are temporarily unavailable |
        internal resource temporarily unavailable
        """,
    ),
    *rules(
        "reputation_block",
        MIMECAST,
        """
        local ct ip reputation policy | open relay not allowed & rbl |
        sender ip reputation rejection | remote server returned & reputation
        """,
    ),
    *rules(
        "policy_refused",
        MIMECAST,
        """
        administrative prohibition | envelope blocked | anti-spoofing policy |
        rejected by header based
        """,
    ),
    *rules(
        "address_unknown",
        BARRACUDA,
        "cuda_nsu | no such user ( | recipient address rejected: no such user",
    ),
    *rules("content_refused", BARRACUDA, "permanent failure for one or more recipients & blocked"),
    *rules("reputation_block", T_ONLINE, "a problem occurred & postmaster & (bl)"),
    *rules("rate_limited", NETEASE, "_hl:icc | _hl:ifc | _hl:ifq | _mi:dmc | _mi:sfq | _rp:drc"),
    *rules(
        "reputation_block",
        NETEASE,
        "_hl:rep | _hl:mep | _hl:ipb | _hl:ihu | _dt:rbl | _wm:bli | _wm:blu | _mi:spb",
    ),
    *rules("content_refused", NETEASE, "_dt:spm"),
    *rules("mailbox_disabled", ORANGE, "archived recipient"),
    *rules("policy_refused", ZOHO, "mail rejected by destination domain"),
    *rules("policy_refused", SYMANTEC, "connection rejected by policy"),
    *rules("policy_refused", DOCOMO, "unknown user", operator="docomo"),
    *rules("rate_limited", SENDGRID, "ips were throttled by recipient server"),
    *rules("domain_unknown", SENDGRID, "unable to get mx info"),
)
"""First match speaks; before the wordings that many systems share."""
