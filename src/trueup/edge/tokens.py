"""What a program that gives out tokens prints: the token alone, or JSON with the token and the time it ends.

Knows the forms that `az account get-access-token`, `azd auth token` and `gcloud` print, and runs nothing.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

_TOKENS: Final = ("accessToken", "access_token", "token")
_ENDS: Final = ("expires_on", "expiresOn", "token_expiry", "expiry")


def read_token(text: str) -> tuple[str, float | None]:
    """The token in a program's output, and when it ends in Unix seconds, None where that is not said.

    Output that is no JSON object is the token itself; of an object without a token the token is empty.
    """
    value = _object(text)
    if value is None:
        return text, None
    token = next((value[key] for key in _TOKENS if isinstance(value.get(key), str)), "")
    ends = (_unix(value[key]) for key in _ENDS if key in value)
    return token, next((time for time in ends if time is not None), None)


def _object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _unix(value: Any) -> float | None:
    """A time as Unix seconds: a number, digits, or a date, which is local time unless it names its zone."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isdigit():
        return float(value[:20])
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
