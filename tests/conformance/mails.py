"""Mails as applications hand them in by SMTP, byte for byte."""

PLAIN = (
    b"Received: from desk.company.example by mx.company.example; Mon, 2 Nov 2026 10:00:00 +0100\r\n"
    b"From: =?utf-8?q?Der_B=C3=BCrotisch?= <desk@company.example>\r\n"
    b"To: everybody@company.example,\r\n\tboard@company.example\r\n"
    b"Cc: boss@company.example\r\n"
    b"Date: Mon, 02 Nov 2026 10:00:00 +0100\r\n"
    b"Message-ID: <prices.2026@company.example>\r\n"
    b"Subject: =?utf-8?q?Preise_f=C3=BCr_2027?=\r\n"
    b"X-Department: Sales\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="edge"\r\n'
    b"\r\n"
    b"--edge\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    b"\r\nNeue Preise in \xe2\x82\xac.\r\n.\r\n..\r\nFrom here on.  \r\n"
    b"--edge\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment; filename*=utf-8''Preise%20%E2%82%AC.pdf\r\n"
    b"\r\nJVBERi0xLjc=\r\n--edge--\r\n"
)
"""Of the kind that a conversion would change: header recipients, an own id, 8-bit text, dots."""

_HEAD = (
    b"From: desk@company.example\r\nTo: staff@company.example\r\nSubject: A matter\r\n"
    b"Date: Mon, 02 Nov 2026 10:00:00 +0100\r\nMessage-ID: <matter@company.example>\r\n"
    b"MIME-Version: 1.0\r\n"
)

CALENDAR = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Company//Desk//EN\r\nMETHOD:REQUEST\r\n"
    b"BEGIN:VEVENT\r\nUID:1@company.example\r\nDTSTAMP:20261102T090000Z\r\n"
    b"DTSTART:20261103T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)

INVITATION = (
    _HEAD + b'Content-Type: multipart/alternative; boundary="edge"\r\n\r\n'
    b"--edge\r\nContent-Type: text/plain\r\n\r\nPlease come.\r\n"
    b"--edge\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\n"
    + CALENDAR
    + b"--edge--\r\n"
)

SIGNED = {
    "S/MIME": _HEAD + b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n'
    b' micalg=sha-256; boundary="edge"\r\n\r\n'
    b"--edge\r\nContent-Type: text/plain\r\n\r\nThese  bytes \r\nare signed.\r\n"
    b'--edge\r\nContent-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nMIIB\r\n--edge--\r\n",
    "PGP": _HEAD + b'Content-Type: multipart/signed; protocol="application/pgp-signature";\r\n'
    b' micalg=pgp-sha256; boundary="edge"\r\n\r\n'
    b"--edge\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThese are, too.\r\n"
    b"--edge\r\nContent-Type: application/pgp-signature\r\n\r\n"
    b"-----BEGIN PGP SIGNATURE-----\r\n\r\niQEz\r\n-----END PGP SIGNATURE-----\r\n--edge--\r\n",
}
"""Any byte that changes breaks the signature."""
