"""The SMTP road: any relay, and the SMTP interface of providers that have one."""

from postroom.providers.smtp.carrier import SmtpCarrier, relay_header, return_path, sendgrid_header

__all__ = ["SmtpCarrier", "relay_header", "return_path", "sendgrid_header"]
