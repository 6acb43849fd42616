"""From SuiteQL to SQLite's dialect, token by token: what NetSuite would refuse is refused, not run."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sandbox.netsuite.errors import RestError, bad_query, invalid
from sandbox.netsuite.schema import TABLES, TEXTS, VIEWS, columns_of

_TOKEN: Final = re.compile(
    r"(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w$]*(?:\.[A-Za-z_*][\w$]*)*|\"[^\"]+\")"
    r"|(?P<number>\d+(?:\.\d+)?)|(?P<sign><>|!=|<=|>=|\|\||[-+*/%(),.<>=?])|(?P<other>.)",
    re.DOTALL,
)
_FORBIDDEN: Final = frozenset({"INSERT", "UPDATE", "DELETE", "DROP", "CREATE", "ALTER", "PRAGMA", "ATTACH", "LIMIT"})
_AFTER_TABLE: Final = frozenset({
    "WHERE", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "ON", "GROUP", "ORDER", "HAVING", "UNION", "FETCH",
    "OFFSET", "AS",
})  # fmt: skip
_NOW: Final = {"SYSDATE": "sysdate()", "CURRENT_DATE": "trunc(sysdate())", "CURRENT_TIMESTAMP": "sysdate()"}


@dataclass(slots=True)
class Token:
    """A token; `kind` is text, name, number or sign."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        """It in upper case, where it is a name."""
        return self.text.upper() if self.kind == "name" else ""


@dataclass(slots=True)
class Translated:
    """A query for SQLite.

    Attributes:
        tables: What it reads, by alias; both in lower case.
        ordered: Whether the whole of it is ordered.
    """

    sql: str
    tables: dict[str, str] = field(default_factory=dict)
    ordered: bool = False


def translate(query: str, *, hidden: Callable[[str], str | None] = lambda _: None, params: bool = False) -> Translated:
    """Translate a query.

    Args:
        hidden: For a table, the condition on rows that a role may see; None shows all.
        params: Whether `?` is taken.

    Raises:
        RestError: 400: it is no SELECT, names a table that there is not, or uses what SuiteQL does not take.
    """
    tokens = _tokens(query, params=params)
    if not tokens or tokens[0].word not in {"SELECT", "WITH"}:
        raise bad_query("Only SELECT statements are supported.")
    made = Translated("", _tables(tokens))
    _dates(tokens)
    _fetch(tokens)
    _rownum(tokens)
    _displays(tokens, made.tables)
    made.ordered = _ordered(tokens)
    made.sql = " ".join(_written(tokens, hidden))
    return made


def _tokens(query: str, *, params: bool) -> list[Token]:
    found = []
    for match in _TOKEN.finditer(query):
        kind, text = match.lastgroup or "", match.group()
        if kind == "space":
            continue
        token = Token(kind, text)
        if kind == "other" or token.word in _FORBIDDEN:
            raise bad_query(f"Invalid or unsupported search: unexpected {text!r}.")
        if text == "?" and not params:
            raise invalid("Parameter placeholders are not supported.", "q")
        found.append(token)
    return found


def _tables(tokens: list[Token]) -> dict[str, str]:
    """Find the tables and their aliases."""
    known, own = TABLES.keys() | VIEWS.keys(), _with(tokens)
    expecting = behind = -1
    found: dict[str, str] = {}
    for place, token in enumerate(tokens):
        if token.word in {"FROM", "JOIN"} or (token.text == "," and place == behind):
            expecting = place + 1
        elif expecting == place and token.kind == "name":
            table = token.text.lower()
            alias, behind = _alias(tokens, place + 1)
            if table not in own:
                if table not in known:
                    raise bad_query(f"Search error occurred: Record '{token.text}' was not found.")
                found[alias or table] = table
    return found


def _alias(tokens: list[Token], place: int) -> tuple[str, int]:
    """Read a table's alias, "" where it has none; gives also the place behind it."""
    if place < len(tokens) and tokens[place].word == "AS":
        place += 1
    if place < len(tokens) and tokens[place].kind == "name" and tokens[place].word not in _AFTER_TABLE:
        return tokens[place].text.lower(), place + 1
    return "", place


def _with(tokens: list[Token]) -> set[str]:
    return {
        token.text.lower()
        for token, following, after in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if following.word == "AS" and after.text == "("
    }


def _dates(tokens: list[Token]) -> None:
    """Put in functions for Oracle's names of the present, and for days added to a date."""
    for place, token in enumerate(tokens):
        if token.word in _NOW:
            tokens[place] = Token("sign", _NOW[token.word])
    for place in range(1, len(tokens) - 1):
        added = tokens[place].text in {"+", "-"} and tokens[place + 1].kind == "number"
        if added and "sysdate()" in tokens[place - 1].text:
            sign = "-" if tokens[place].text == "-" else ""
            tokens[place - 1] = Token("sign", f"add_days({tokens[place - 1].text}, {sign}{tokens[place + 1].text})")
            tokens[place] = tokens[place + 1] = Token("space", "")


def _fetch(tokens: list[Token]) -> None:
    """FETCH FIRST n ROWS ONLY is LIMIT n; OFFSET m ROWS before it stands after it in SQLite."""
    place = 0
    while place < len(tokens):
        if tokens[place].word == "FETCH" and tokens[place + 1].word in {"FIRST", "NEXT"}:
            count, words = tokens[place + 2].text, [token.word for token in tokens[place + 3 : place + 5]]
            if not count.isdigit() or len(words) != 2 or words[0] not in {"ROW", "ROWS"} or words[1] != "ONLY":
                raise bad_query("Search error occurred: Invalid FETCH clause.")
            made = [Token("sign", f"LIMIT {count}")]
            start = place
            if place >= 3 and tokens[place - 3].word == "OFFSET":
                start, made = place - 3, [Token("sign", f"LIMIT {count} OFFSET {tokens[place - 2].text}")]
            tokens[start : place + 5] = made
            place = start
        place += 1


def _rownum(tokens: list[Token]) -> None:
    """ROWNUM <= n in a condition is a LIMIT of that SELECT; elsewhere it numbers the rows."""
    place = 0
    while place < len(tokens):
        if tokens[place].word == "ROWNUM":
            sign = tokens[place + 1].text if place + 1 < len(tokens) else ""
            if sign in {"<", "<=", "="}:
                _limit(tokens, place, int(tokens[place + 2].text) - (sign == "<"))
            else:
                tokens[place] = Token("sign", "row_number() OVER ()")
        place += 1


def _limit(tokens: list[Token], place: int, count: int) -> None:
    tokens[place : place + 3] = [Token("number", "1"), Token("sign", "="), Token("number", "1")]
    depth, end = 0, len(tokens)
    for at in range(place, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[at].text, 0)
        if depth < 0:
            end = at
            break
        if depth == 0 and tokens[at].word == "ORDER":
            raise RestError(501, "NOT_SIMULATED", "ROWNUM beside ORDER BY in one SELECT is not simulated; nest them.")
    tokens.insert(end, Token("sign", f"LIMIT {count}"))


def _displays(tokens: list[Token], tables: dict[str, str]) -> None:
    """BUILTIN.DF(column) is the text of what the column refers to."""
    place = 0
    while place < len(tokens):
        if tokens[place].word == "BUILTIN.DF":
            inside = tokens[place + 2]
            if [tokens[place + 1].text, tokens[place + 3].text] != ["(", ")"] or inside.kind != "name":
                raise bad_query("Search error occurred: BUILTIN.DF takes a column.")
            tokens[place : place + 4] = [Token("sign", _display(inside.text, tables))]
        elif tokens[place].word.startswith("BUILTIN."):
            raise bad_query(f"Invalid or unsupported search: {tokens[place].text}.")
        place += 1


def _display(column: str, tables: dict[str, str]) -> str:
    alias, _, name = column.lower().rpartition(".")
    table = tables.get(alias) if alias else next((t for t in tables.values() if name in columns_of(t)), None)
    owner = f'"{alias}".' if alias else ""
    own = f'{owner}"{name}"'
    if table == "transaction" and name == "status":
        kind = f'{owner}"type"'
        return f"(SELECT d.fullname FROM transactionstatus d WHERE d.trantype = {kind} AND d.id = {own})"
    if table == "transaction" and name == "approvalstatus":
        return f"CASE {own} WHEN 1 THEN 'Pending Approval' WHEN 2 THEN 'Approved' WHEN 3 THEN 'Rejected' END"
    target = TEXTS.get(name)
    if target is None or (table is not None and name not in columns_of(table)):
        return own
    key = "internalid" if target[0] == "unitstypeuom" else "id"
    return f'(SELECT {target[1]} FROM "{target[0]}" d WHERE d.{key} = {own})'


def _ordered(tokens: list[Token]) -> bool:
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.word == "ORDER":
            return True
    return False


def _written(tokens: list[Token], hidden: Callable[[str], str | None]) -> list[str]:
    """Write the tokens, names quoted as SQLite needs them, hidden rows left out."""
    made, expecting = [], False
    for place, token in enumerate(tokens):
        text = token.text
        if token.kind != "name" or text.startswith('"'):
            made.append(text)
            expecting = expecting and token.kind == "space"
            continue
        table = text.lower()
        named = table in TABLES or table in VIEWS
        if named and (expecting or (place > 0 and tokens[place - 1].text == "," and _in_from(tokens, place))):
            made.append(_source(table, tokens[place + 1 : place + 2], hidden(table)))
        else:
            made.append(
                ".".join('"transaction"' if part.lower() == "transaction" else part for part in text.split("."))
            )
        expecting = token.word in {"FROM", "JOIN"}
    return made


def _source(table: str, following: list[Token], condition: str | None) -> str:
    own = f'"{table}"' if condition is None else f'(SELECT * FROM "{table}" WHERE {condition})'
    alias = following[0] if following else None
    named = alias is not None and (alias.word == "AS" or (alias.kind == "name" and alias.word not in _AFTER_TABLE))
    return own if named or condition is None else f'{own} AS "{table}"'


def _in_from(tokens: list[Token], place: int) -> bool:
    """Tell whether a comma before a name stands in a FROM list."""
    depth = 0
    for token in reversed(tokens[:place]):
        depth += {")": 1, "(": -1}.get(token.text, 0)
        if depth < 0 or (depth == 0 and token.word in {"SELECT", "BY", "WHERE", "ON", "IN"}):
            return False
        if depth == 0 and token.word == "FROM":
            return True
    return False
