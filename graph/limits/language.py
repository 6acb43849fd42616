"""Parses and validates documents with graphql-core, and lets go of all that it leaves behind.

Its objects go round in circles: every token knows the one before and the one after, every node its first and last
token, every rule itself by its methods. What is in a circle goes only when the collector of cycles comes for it, and
while the collector works, no thread does anything else: 100 ms for what a few long documents leave, and as much again
to walk through those that are kept. Nothing of it is looked at any more, so the circles are cut.
"""

from collections.abc import Callable
from typing import Any, Final

from graphql import DocumentNode, GraphQLError, GraphQLSchema, Lexer, Location, Source, Token, validate
from graphql.language.parser import Parser
from graphql.validation import ASTValidationRule, ValidationContext, specified_rules, validation_context
from graphql.validation.rules import overlapping_fields_can_be_merged

from graph.errors import too_complex

MAX_TOKENS: Final = 2_000
MAX_DEPTH: Final = 40

# graphql-core gives up after so much work (its validation/rules/overlapping_fields_can_be_merged.py); its own limits
# let 5 kB of repeated fields hold the process for a second.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 25_000
validation_context.MAX_FRAGMENT_WORK = 5_000
_GIVEN_UP: Final = "Validation aborted."


class _Place(Location):
    """Where a node begins and ends, which is all that is told of it."""

    __slots__ = ()

    def __init__(self, start: int, end: int, source: Source) -> None:
        self.start, self.end, self.source = start, end, source


class _Parser(Parser):
    _last: Location | None = None

    def loc(self, start_token: Token) -> Location:
        """Give the place of what was parsed last; a field without arguments and its name share theirs."""
        start, end, last = start_token.start, self._lexer.last_token.end, self._last
        if last is None or last.start != start or last.end != end:
            last = self._last = _Place(start, end, self._lexer.source)
        return last


def parsed(text: str) -> DocumentNode:
    """Parse a document.

    Raises:
        GraphQLError: It is none; QUERY_TOO_COMPLEX where it has too many tokens or levels.
    """
    source = Source(text)
    lexer = Lexer(source)
    token: Token | None = lexer.token
    try:
        return _Parser(source, lexer=lexer, max_tokens=MAX_TOKENS).parse_document()
    except RecursionError:
        raise too_complex("levels", f"more than {MAX_DEPTH}", MAX_DEPTH) from None
    except GraphQLError as error:
        if f"more than {MAX_TOKENS} tokens" in error.message:
            raise too_complex("tokens", f"more than {MAX_TOKENS}", MAX_TOKENS) from None
        raise
    finally:
        while token is not None:
            token.prev, token.next, token = None, None, token.next


def wrong_in(document: DocumentNode, schema: GraphQLSchema, *, max_errors: int) -> list[GraphQLError]:
    """Validate a document; gives what is wrong with it, QUERY_TOO_COMPLEX where that takes too long to find out."""
    made: list[ASTValidationRule] = []

    def noted(rule: type[ASTValidationRule]) -> Callable[[ValidationContext], ASTValidationRule]:
        def make(context: ValidationContext) -> ASTValidationRule:
            made.append(rule(context))
            return made[-1]

        return make

    rules: Any = [noted(rule) for rule in specified_rules]  # called as what they stand for
    try:
        return [_given_up(error) for error in validate(schema, document, rules, max_errors=max_errors)]
    finally:
        for each in made:
            vars(each).clear()


def _given_up(error: GraphQLError) -> GraphQLError:
    if error.message != _GIVEN_UP:
        return error
    return too_complex("repeated fields", "too many", 0, advice="Name each field once per object.")
