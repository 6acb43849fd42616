"""All connectors, one line each."""

from collections.abc import Mapping
from typing import Final

from connectors.base import Connector
from connectors.tryton.connector import TRYTON

CONNECTORS: Final[tuple[Connector, ...]] = (TRYTON,)
BY_SLUG: Final[Mapping[str, Connector]] = {connector.spec.slug: connector for connector in CONNECTORS}
