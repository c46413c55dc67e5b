"""One mail over SMTP with Python's own library: KEY=postroom_test_... by_smtplib.py ADDRESS."""

import os
import smtplib
import sys
from email.message import EmailMessage

mail = EmailMessage()
mail["From"] = "Field Office <prices@corp.example>"
mail["To"] = sys.argv[1]
mail["Subject"] = "One mail by smtplib"
mail["X-Postroom-Communication"] = "by-hand"
mail.set_content("It was submitted by hand.")

user, password = os.environ["KEY"].split("_")[-2:]
with smtplib.SMTP("127.0.0.1", int(os.environ.get("POSTROOM_SMTP_PORT", "2525"))) as door:
    door.login(user, password)  # without TLS from this machine only
    door.send_message(mail)
