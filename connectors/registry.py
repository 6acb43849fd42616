"""All connectors, one line each."""

from collections.abc import Mapping
from typing import Final

from connectors.base import Connector
from connectors.netsuite.connector import NETSUITE
from connectors.odoo.connector import ODOO
from connectors.sap_s4hana.connector import SAP_S4HANA
from connectors.tryton.connector import TRYTON

CONNECTORS: Final[tuple[Connector, ...]] = (NETSUITE, ODOO, SAP_S4HANA, TRYTON)
BY_SLUG: Final[Mapping[str, Connector]] = {connector.spec.slug: connector for connector in CONNECTORS}
