"""A mail provider to run without an account: real wire formats, magic addresses, seeded mischief.

A process of its own. It has a SendGrid v3 face over HTTP and over SMTP, posts signed event
webhooks, and keeps a truth log of its own that tests and the demo compare with the ledger.
It imports nothing else of Postroom, so that neither can copy the other's mistakes.
"""
