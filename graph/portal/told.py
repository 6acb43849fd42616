"""What the connect page is told, as JSON; no token and no credential among it."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from db.types import encode_id, tell_instant
from jobs.failed_check import CheckFailed
from jobs.portal import Completed, Opened


def told_opened(opened: Opened) -> dict[str, Any]:
    """Tell what the page needs to begin."""
    systems = [
        {
            "slug": each.slug,
            "name": each.name,
            "vendor": each.vendor,
            "category": str(each.category),
            "form": each.credential_form,
            "reads": [row["entity"] for row in each.capabilities if "READ" in row["operations"]],
        }
        for each in opened.systems
    ]
    return {
        "ticket": opened.ticket,
        "organization": opened.organization,
        "customer": opened.customer,
        "systems": systems,
        "known": opened.known,
        "expiresAt": tell_instant(opened.expires_at),
    }


def told_check(outcome: Any) -> dict[str, Any]:
    """Tell what came of a live check: what the credentials may read, or why they do not work."""
    if not isinstance(outcome, CheckFailed):
        refused = {str(entity): reason for entity, reason in outcome.refused.items()}
        return {"status": 200, "body": {"checked": {"facts": outcome.facts, "refused": refused}}}
    failure = {
        "kind": outcome.kind,
        "code": outcome.code.value,
        "message": outcome.message,
        "remedy": outcome.remedy,
        "sourceMessage": outcome.source_message,
        "fields": outcome.fields,
    }
    return {"status": 422, "code": outcome.code.value, "body": {"failure": failure}}


def told_completed(completed: Completed, session_id: UUID) -> dict[str, Any]:
    """Tell the code, and where it goes: to a page's origin where one embeds or opened this page, else by redirect."""
    key = encode_id("ConnectSession", session_id)
    redirect = None
    if completed.redirect_uri is not None:
        parts = urlsplit(completed.redirect_uri)
        query = [*parse_qsl(parts.query, keep_blank_values=True), ("code", completed.code), ("connect_session_id", key)]
        redirect = urlunsplit(parts._replace(query=urlencode(query)))
    return {"code": completed.code, "connectSessionId": key, "redirect": redirect, "origin": completed.origin}
