"""Small HTML tables for notebooks. Every value is escaped; there is no script and no style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal


def shown(value: object) -> str:
    """A value as a person reads it in a table."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def html_table(title: str, fields: Mapping[str, object]) -> str:
    """One thing: a caption and a row per field that says something."""
    from html import escape  # only notebooks need it

    rows = "".join(
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{escape(shown(value))}</td></tr>"
        for name, value in fields.items()
        if value is not None and value != {} and value != ()
    )
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"


def html_rows(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Many things of one kind: a caption, a heading, a row each."""
    from html import escape

    head = "".join(f"<th>{escape(c.replace('_', ' '))}</th>" for c in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(shown(v))}</td>" for v in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(title)}</caption><tr>{head}</tr>{body}</table>"
