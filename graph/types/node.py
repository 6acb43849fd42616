"""Relay's Node."""

import strawberry


@strawberry.interface(description="An object with an id that stays.")
class Node:
    """An object with an id that stays."""

    id: strawberry.ID = strawberry.field(description="Its id: a prefix for its type, and 32 hex digits.")
