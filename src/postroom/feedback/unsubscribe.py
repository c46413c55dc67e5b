"""The page on which a reader refuses mail of this kind, and takes that back.

GET shows one button and never acts: scanners follow every link, and some run scripts. POST acts,
also the one of a mailbox provider for its user (RFC 8058). There is no login, no script and no
cookie; the address itself is the proof. What is asked for is stored as a hit, so it is taken while
the ledger is away as well.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from postroom.domain.tracking import Kind
from postroom.feedback.tracking import keep, read

UNDO = "undo"
"""The name in the form of the button that takes the unsubscribe back."""
BACK = "r"
"""The kind of hit that it makes."""

_POLICY = "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
<p>{text}</p>
<form method="post">
<button type="submit" name="{name}" value="1">{button}</button>
</form>
</body>
</html>
"""


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """The page before, after the button, or after it was taken back."""
    followed = read(Kind.UNSUBSCRIBE, token)
    if request.method != "POST":
        return _page(
            "Unsubscribe?",
            "You get no more mail of this kind when you press the button.",
            "confirm",
            "Unsubscribe",
        )
    undo = UNDO in request.POST
    keep(request, followed, BACK if undo else Kind.UNSUBSCRIBE)
    if undo:
        return _page(
            "You are subscribed again",
            "Mail of this kind comes to you as before.",
            "confirm",
            "Unsubscribe",
        )
    return _page(
        "You are unsubscribed",
        "You get no more mail of this kind. Was that a mistake?",
        UNDO,
        "Subscribe again",
    )


def _page(title: str, text: str, name: str, button: str) -> HttpResponse:
    made = _PAGE.format(title=title, text=text, name=name, button=button)
    return HttpResponse(made, headers={"Content-Security-Policy": _POLICY})
