"""The pages a customer sees: whole in themselves, without script, address or anything of a person.

The token is in the page's own address, so nothing on it leads elsewhere, and it is neither kept nor referred to.
"""

from __future__ import annotations

from html import escape
from http import HTTPStatus

from starlette.responses import HTMLResponse

from decisions.tokens import ONE_CLICK

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 4rem auto; padding: 0 1rem;
  color: #1b1b1b; background: #fff; }}
button {{ font: inherit; padding: .6rem 1.2rem; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #eee; background: #161616; }} }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{text}</p>
{more}</main>
</body>
</html>
"""
_BUTTON = f"""<form method="post">
<input type="hidden" name="{ONE_CLICK[0]}" value="{ONE_CLICK[1]}">
<button type="submit">Unsubscribe</button>
</form>
"""


class Page(HTMLResponse):
    """A page that is not kept, framed, indexed or referred to."""

    def __init__(self, title: str, text: str, *, more: str = "", status: HTTPStatus = HTTPStatus.OK) -> None:
        content = _FRAME.format(title=escape(title), text=escape(text), more=more)
        super().__init__(content, status.value, headers=_HEADERS)


def question(channel: str, purpose: str) -> Page:
    """Ask whether to unsubscribe; the button posts to the page's own address."""
    return Page("Unsubscribe?", f"You will no longer get {purpose} messages by {channel}.", more=_BUTTON)


def done(channel: str, purpose: str) -> Page:
    """Say that it is done."""
    return Page("You are unsubscribed", f"You will no longer get {purpose} messages by {channel}.")


def refusal(why: str, status: HTTPStatus) -> Page:
    """Say why the link does nothing."""
    return Page("This link does not work", f"{why[:1].upper()}{why[1:]}.", status=status)
