"""What another implementation of the same standards, `email-validator`, says of the same addresses.

Where we differ on purpose the table says why; everything else must agree.
"""

import pytest
from email_validator import EmailNotValidError, validate_email

from postroom.domain.address import AddressError, parse_address

VISIBLE = r"""
a@example.com
A@Example.COM
first.last@example.com
first.middle.last@example.com
first-last@example.com
first_last@example.com
first+tag@example.com
first+tag+tag@example.com
+@example.com
_@example.com
-@example.com
-a-@example.com
!@example.com
#a@example.com
$a@example.com
%a@example.com
a%b@example.com
a&b@example.com
o'brien@example.com
a*b@example.com
a/b@example.com
a=b@example.com
a?b@example.com
a^b@example.com
a`b@example.com
{a}@example.com
a|b@example.com
~a@example.com
0@example.com
0123456789@example.com
1.2.3@example.com
a@1.example.com
a@123.com
a@1-2.com
a@a.b.c.d.e.f.example.com
a@a-b.example.com
a@sub.example.co.uk
a@example.museum
a@example.co.jp
a@docomo.ne.jp
a@ezweb.ne.jp
a@softbank.ne.jp
taro.yamada@example.or.jp
bounce+5.1.1@sim.example
root@mail.example.org
very.long.local.part.that.is.still.fine.because.it.has.64.octets@example.com
a@xn--mnchen-3ya.de
a@XN--MNCHEN-3YA.DE
a@münchen.de
a@MÜNCHEN.de
a@faß.de
a@straße.example.com
a@bücher.example.com
a@δοκιμή.example.com
a@пример.example.com
a@пример.рф
a@例え.jp
a@日本語.jp
a@日本語。jp
a@한국.kr
a@中国.cn
a@中國.tw
a@مثال.com
a@דוגמה.com
a@उदाहरण.com
a@ไทย.com
a@xn--wgv71a119e.jp
a@xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g
ö@example.com
jörg.müller@example.de
日本@example.jp
山田.太郎@example.jp
почта@example.com
用户@例子.广告
अजय@डाटा.भारत
квіточка@пошта.укр
θσερ@εχαμπλε.ψομ
δοκιμή@παράδειγμα.δοκιμή
ñandú@example.es
ñ+ñ@example.es
łódź@example.pl
🙂@example.com
a🙂b@example.com
"a"@example.com
"a.b"@example.com
"a b"@example.com
" "@example.com
"a..b"@example.com
".a"@example.com
"a."@example.com
"a@b"@example.com
"a,b"@example.com
"a;b"@example.com
"a:b"@example.com
"a<b>"@example.com
"a(b)"@example.com
"a[b]"@example.com
"a\b"@example.com
"a\"b"@example.com
"a\\b"@example.com
"ö b"@example.com
example.com
@example.com
a@
@
a
a@@example.com
a@b@example.com
a@example@com
a b@example.com
a @example.com
a@ example.com
a@exam ple.com
a,b@example.com
a;b@example.com
a:b@example.com
a<b@example.com
a>b@example.com
a(b)@example.com
(a)b@example.com
a)@example.com
a[b@example.com
a]b@example.com
a\b@example.com
a"b@example.com
"a@example.com
a"@example.com
"a"b@example.com
a"b"@example.com
"a""b"@example.com
"a".b@example.com
a."b"@example.com
.a@example.com
a.@example.com
a..b@example.com
..@example.com
.@example.com
a@.example.com
a@example.com.
a@example..com
a@.
a@..
a@com
a@localhost
a@-example.com
a@example-.com
a@sub.-example.com
a@sub.example-.com
a@example.com-
a@exa_mple.com
a@_example.com
a@exa!mple.com
a@exa#mple.com
a@exa$mple.com
a@exa&mple.com
a@exa'mple.com
a@exa*mple.com
a@exa+mple.com
a@exa/mple.com
a@exa=mple.com
a@exa?mple.com
a@exa^mple.com
a@exa`mple.com
a@exa{mple.com
a@exa|mple.com
a@exa~mple.com
a@exa,mple.com
a@exa;mple.com
a@exa:mple.com
a@example.com,
a@example.com;
a@example.com>
a@(c)example.com
a@"example".com
a@192.0.2.1
a@1.2
a@example.1
a@example.123
a@[192.0.2.1]
a@[IPv6:2001:db8::1]
a@[example.com]
a@xn--a.com
a@xn--.com
a@xn--0.com
a@xn--ls8h.com
a@❤.com
a@💩.com
a@אb.com
Name <a@example.com>
<a@example.com>
a@example.com (comment)
mailto:a@example.com
http://example.com/a@b
a@http://example.com
a@example.com/path
""@example.com
"""

HIDDEN = [
    "a@\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.com",
    "a@exam\u2100ple.com",
    "a@\u0301example.com",
    "a@a\u200db.com",
    "a\u200bb@example.com",
    "a\u00a0b@example.com",
    "\u202ea@example.com",
    "\u2028a@example.com",
    "a\u0000@example.com",
    "a\u0007@example.com",
    "a\u007f@example.com",
    "a\u0085@example.com",
    "a\n@example.com",
    "a\r\n@example.com",
    "a@example.com\n",
    "a@exa\u0000mple.com",
    "a\ue000@example.com",
    "a\ud800@example.com",
    "\u0301a@example.com",
    '"a\u0000b"@example.com',
    '"a\nb"@example.com',
    "\u212a@example.com",
    "\u017f@example.com",
    "\u037e@example.com",
    "a\u0301@example.com",
    "a\u061c@example.com",
    "a\u00ad@example.com",
    "a\u0378@example.com",
    "a@l\u00b7l.com",
    "a@a\u00b7b.com",
    "a@\u30fb.com",
    "a@exa\u00admple.com",
    "a@exa\u200bmple.com",
    "a@exa\u2024mple.com",
    "a@\u0661\u0662.com",
    "a@" + "b" * 64 + ".com",
    "a@" + "b.c." * 62 + "com",
    "a@" + "b.c." * 63 + "com",
    "ö@" + "b.c." * 62 + "comm",
]

DIFFERENCES = [
    ("a" * 65 + "@example.com", False, "RFC 5321 4.5.3.1.1; theirs is not strict by default"),
    ("ö" * 33 + "@example.com", False, "the 64 of RFC 5321 4.5.3.1.1 are octets"),
    (" a@example.com ", True, "spaces around it come from copying and change nothing"),
    ("a@r3---sn.example.com", True, "RFC 5321 4.1.2 allows it; only IDNA reserves it"),
    ("a@ab--cd.example.com", True, "RFC 5321 4.1.2 allows it; only IDNA reserves it"),
    ("a@b.c1", True, "whether a top-level domain exists is for the DNS to say"),
    ("a@example.test", True, "whether a domain has mail is for the DNS to say (RFC 6761)"),
    ("a@example.invalid", True, "whether a domain has mail is for the DNS to say (RFC 6761)"),
    ("a@printer.local", True, "an inner network may have it; the relay knows"),
    ("a@x.arpa", True, "whether a domain has mail is for the DNS to say"),
    ("\u2764\ufe0f@example.com", False, "a variation selector is not drawn"),
    ("\u3164@example.com", False, "the Hangul filler is not drawn"),
    ("a\u034f@example.com", False, "the grapheme joiner is not drawn"),
    ("a\u2800@example.com", False, "the Braille blank is drawn as nothing"),
]


def ours(text: str) -> tuple[str, str] | None:
    """Local part and domain as we read them; None when refused."""
    try:
        address = parse_address(text)
    except AddressError:
        return None
    return address.local, address.domain


def theirs(text: str) -> tuple[str, str | None] | None:
    """Local part and domain as `email-validator` reads them; None when refused."""
    try:
        found = validate_email(text, check_deliverability=False, allow_quoted_local=True)
    except EmailNotValidError:
        return None
    return found.local_part, found.ascii_domain


@pytest.mark.parametrize("text", VISIBLE.strip("\n").split("\n") + HIDDEN)
def test_both_read_the_same_or_both_refuse(text: str) -> None:
    assert ours(text) == theirs(text)


@pytest.mark.parametrize(("text", "accepted", "reason"), DIFFERENCES)
def test_a_difference_is_meant_and_still_one(text: str, accepted: bool, reason: str) -> None:
    assert (ours(text) is not None) is accepted, reason
    assert (theirs(text) is not None) is not accepted
