"""Set a bare Tryton database up: company, money, accounts, users, vendors and products."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from sandbox.tryton import catalogue
from sandbox.tryton.client import TrytonClient

LIMITED_USERNAME = "limited"
# A sandbox on loopback with made-up data: these open nothing else, and tests and docs must be able to name them.
LIMITED_PASSWORD = "sandbox-limited-7q"  # noqa: S105

_COMPANY_NAME = "Demo Works"


@dataclass(frozen=True, slots=True)
class Ids:
    """Tryton's ids of what purchase orders refer to, by our codes."""

    company: int
    currencies: dict[str, int]
    terms: list[int]
    parties: dict[str, int]
    addresses: dict[str, int]
    products: dict[str, int]
    units: dict[str, int]


def set_up(client: TrytonClient, *, today: dt.date) -> Ids:
    """Create everything that orders need; `client` is the admin of a database without a company."""
    currencies = _currencies(client, today)
    company = _company(client, currencies["EUR"])
    category = _accounts(client, company)
    parties, addresses = _parties(client)
    units = {
        row["symbol"]: row["id"] for row in client.call("product.uom", "search_read", [], 0, None, None, ["symbol"])
    }
    products = _products(client, units, category)
    _limited_user(client, company)
    return Ids(
        company=company,
        currencies=currencies,
        terms=_payment_terms(client),
        parties=parties,
        addresses=addresses,
        products=products,
        units=units,
    )


def _currencies(client: TrytonClient, today: dt.date) -> dict[str, int]:
    since = today - dt.timedelta(days=365)
    values = [
        {
            "name": name,
            "symbol": symbol,
            "code": code,
            "rounding": Decimal("0.01"),
            "digits": 2,
            "rates": [["create", [{"date": since, "rate": Decimal(rate)}]]],
        }
        for name, symbol, code, rate in (("Euro", "€", "EUR", "1"), ("US Dollar", "$", "USD", "1.08"))
    ]
    euro, dollar = client.call("currency.currency", "create", values)
    return {"EUR": euro, "USD": dollar}


def _company(client: TrytonClient, currency: int) -> int:
    address = {"street": "Demo Street 1", "postal_code": "10000", "city": "Demo City"}
    [party] = client.call(
        "party.party", "create", [{"name": _COMPANY_NAME, "code": "OWN", "addresses": [["create", [address]]]}]
    )
    [company] = client.call("company.company", "create", [{"party": party, "currency": currency}])
    client.call("res.user", "write", [client.user_id], {"companies": [["add", [company]]], "company": company})
    client.refresh_context()
    return int(company)


def _accounts(client: TrytonClient, company: int) -> int:
    """Create the universal chart of accounts; without it confirmed orders stop before processing.

    Returns:
        The product category that carries the expense and revenue accounts.
    """
    [template] = client.call("account.account.template", "search", [["parent", "=", None]], 0, 1, None)
    account = {"company": company, "account_template": template}
    client.run_wizard("account.create_chart", [("create_account", {"account": account})])
    rows = client.call("account.account", "search_read", [["type", "!=", None]], 0, None, None, ["code"])
    by_code = {row["code"]: row["id"] for row in rows}
    payable, receivable, expense, revenue = (by_code[code] for code in ("2.1.1", "1.2.1", "5.1.1", "4.1.1"))
    configuration = {
        "default_account_payable": payable,
        "default_account_receivable": receivable,
        "default_category_account_expense": expense,
        "default_category_account_revenue": revenue,
    }
    client.call("account.configuration", "write", [1], configuration)
    category = {"name": "Goods", "accounting": True, "account_expense": expense, "account_revenue": revenue}
    [category_id] = client.call("product.category", "create", [category])
    return int(category_id)


def _payment_terms(client: TrytonClient) -> list[int]:
    values = [
        {"name": name, "lines": [["create", [{"type": "remainder", "relativedeltas": [["create", [{"days": days}]]]}]]]}
        for name, days in (("Due at once", 0), ("Net 14", 14), ("Net 30", 30))
    ]
    ids = client.call("account.invoice.payment_term", "create", values)
    return [int(term) for term in ids]


def _parties(client: TrytonClient) -> tuple[dict[str, int], dict[str, int]]:
    countries = client.call(
        "country.country", "create", [{"name": name, "code": code} for name, code in catalogue.COUNTRIES]
    )
    country_ids = dict(zip((code for _, code in catalogue.COUNTRIES), countries, strict=True))
    values = [
        {
            "name": party.name,
            "code": party.code,
            "addresses": [
                [
                    "create",
                    [
                        {
                            "street": party.street,
                            "postal_code": party.postal_code,
                            "city": party.city,
                            "country": country_ids[party.country],
                        }
                    ],
                ]
            ],
            "contact_mechanisms": [["create", [{"type": "email", "value": party.email}]]],
        }
        for party in catalogue.parties()
    ]
    ids = client.call("party.party", "create", values)
    rows = client.call("party.party", "read", ids, ["code", "addresses"])
    return {row["code"]: row["id"] for row in rows}, {row["code"]: row["addresses"][0] for row in rows}


def _products(client: TrytonClient, units: dict[str, int], category: int) -> dict[str, int]:
    values = [
        {
            "name": product.name,
            "type": "goods",
            "default_uom": units[product.unit],
            "purchase_uom": units[product.unit],
            "purchasable": True,
            "producible": True,
            "list_price": (product.price * 2).quantize(Decimal("0.0001")),
            "cost_price_method": "fixed",
            "account_category": None if product.code == catalogue.UNACCOUNTED_PRODUCT_CODE else category,
            "products": [["create", [{"suffix_code": product.code, "cost_price": product.price}]]],
        }
        for product in catalogue.products()
    ]
    client.call("product.template", "create", values)
    rows = client.call("product.product", "search_read", [], 0, None, None, ["code"])
    return {row["code"]: row["id"] for row in rows}


def _limited_user(client: TrytonClient, company: int) -> None:
    user = {
        "name": "Limited Demo User",
        "login": LIMITED_USERNAME,
        "password": LIMITED_PASSWORD,
        "companies": [["add", [company]]],
        "company": company,
        # In no group: it reads vendors and products, and nothing of purchasing.
        "groups": [["remove", []]],
    }
    client.call("res.user", "create", [user])
