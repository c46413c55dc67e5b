"""Providers without an adapter of ours, by django-anymail: mails out.

Nothing is imported here: the library costs a tenth of a second, and most processes send no mail.
"""
