"""Mails that come back: bounces, abuse reports, automatic answers, and the return path's bearer."""

from postroom.providers.bounces.reading import is_personal, parse_mail

__all__ = ["is_personal", "parse_mail"]
