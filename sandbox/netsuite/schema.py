"""The tables that SuiteQL sees, and their columns, as far as purchasing and stock need them.

Kinds of columns: `id` (number), `text`, `number`, `flag` (T or F), `date` and `stamp` (both in the account's zone).
A column that begins with `_` is the simulator's own: no query sees it.
"""

from collections.abc import Mapping
from typing import Final

_COMMON = "externalid text"
_ADDRESS = (
    "nkey id, addressee text, attention text, addr1 text, addr2 text, city text, state text, zip text, country text"
)
_ADDRESS += ", addrphone text"
_DECLARED: Final[Mapping[str, str]] = {
    "transaction": (
        f"id id, tranid text, transactionnumber text, type text, recordtype text, abbrevtype text, trandate date,"
        f" entity id, status text, approvalstatus id, currency id, exchangerate number, foreigntotal number,"
        f" otherrefnum text, memo text, terms id, duedate date, shipdate date, employee id, incoterm id,"
        f" billingaddress id, shippingaddress id, createddate stamp, lastmodifieddate stamp, createdby id,"
        f" lastmodifiedby id, voided flag, posting flag, void flag, custbody_project_code text,"
        f" custbody_confirmed flag, custbody_need_by date, _subsidiary id, _location id, _modified text,"
        f" _account id, {_COMMON}"
    ),
    "transactionline": (
        "uniquekey id, id id, linesequencenumber id, transaction id, mainline flag, taxline flag, item id,"
        " itemtype text, memo text, quantity number, quantityshiprecv number, quantitybilled number, units id,"
        " rate number, foreignamount number, netamount number, expectedreceiptdate date, isclosed flag,"
        " fulfillable flag, location id, subsidiary id, department id, class id, entity id, createdfrom id,"
        " linelastmodifieddate stamp, linecreateddate stamp, vendorname text, custcol_grade text, custcol_weight number"
    ),
    "vendor": (
        "id id, entityid text, companyname text, legalname text, isperson flag, firstname text, lastname text,"
        " email text, phone text, fax text, url text, currency id, terms id, subsidiary id, isinactive flag,"
        " comments text, accountnumber text, vatregnumber text, taxidnum text, category id, balance number,"
        " defaultbillingaddress id, defaultshippingaddress id, datecreated stamp, lastmodifieddate stamp,"
        f" custentity_rating text, _modified text, {_COMMON}"
    ),
    "item": (
        "id id, itemid text, fullname text, displayname text, description text, purchasedescription text,"
        " itemtype text, isinactive flag, unitstype id, stockunit id, purchaseunit id, saleunit id, upccode text,"
        " class id,"
        " cost number, averagecost number, lastpurchaseprice number, vendorname text, vendor id, subsidiary id,"
        " islotitem flag, isserialitem flag, parent id, createddate stamp, lastmodifieddate stamp,"
        f" custitem_material text, _modified text, {_COMMON}"
    ),
    "inventoryitemlocations": (
        "item id, location id, quantityonhand number, quantityavailable number, quantityonorder number,"
        " quantitycommitted number, quantitybackordered number, quantityintransit number, reorderpoint number,"
        " preferredstocklevel number, averagecostmli number, lastinvtcountdate date"
    ),
    "location": (
        "id id, name text, fullname text, isinactive flag, subsidiary id, parent id, mainaddress id,"
        f" makeinventoryavailable flag, locationtype id, timezone text, lastmodifieddate stamp,"
        f" _modified text, {_COMMON}"
    ),
    "subsidiary": (
        "id id, name text, fullname text, currency id, country text, parent id, isinactive flag, iselimination flag,"
        f" lastmodifieddate stamp, _modified text, {_COMMON}"
    ),
    "currency": "id id, symbol text, name text, displaysymbol text, exchangerate number, isbasecurrency flag,"
    " isinactive flag, lastmodifieddate stamp, _modified text",
    "term": "id id, name text, daysuntilnetdue number, discountpercent number, daysuntilexpiry number, isinactive flag,"
    " _modified text",
    "classification": "id id, name text, fullname text, isinactive flag, parent id, _modified text",
    "unitstype": "id id, name text, isinactive flag, _modified text",
    "unitstypeuom": "unitstype id, internalid id, unitname text, pluralname text, abbreviation text,"
    " pluralabbreviation text, conversionrate number, baseunit flag",
    "account": "id id, acctnumber text, accountsearchdisplayname text, fullname text, accttype text, isinactive flag,"
    " _modified text",
    "employee": "id id, entityid text, firstname text, lastname text, email text, isinactive flag, _modified text",
    "transactionstatus": "id text, trantype text, name text, fullname text, trancustomtype id",
    "deletedrecord": "recordid id, recordtypeid id, type text, scriptid text, name text, deleteddate stamp,"
    " deletedby id, context text, iscustomrecord flag, iscustomlist flag, iscustomtransaction flag",
    "customfield": "internalid id, scriptid text, name text, fieldtype text, fieldvaluetype text, recordtype id,"
    " isinactive flag, description text, lastmodifieddate stamp",
    "entityaddress": _ADDRESS,
    "transactionaddress": _ADDRESS,
    "vendoraddressbook": "internalid id, entity id, addressbookaddress id, label text, defaultbilling flag,"
    " defaultshipping flag",
    "vendorsubsidiaryrelationship": "id id, entity id, subsidiary id, isprimarysub flag, balance number",
    "dual": "dummy text",
}
TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    table: dict(each.strip().split(" ") for each in columns.split(",")) for table, columns in _DECLARED.items()
}
VIEWS: Final[Mapping[str, str]] = {
    "aggregateitemlocation": "inventoryitemlocations",
    "transactionshippingaddress": "transactionaddress",
    "transactionbillingaddress": "transactionaddress",
    "vendoraddressbookentityaddress": "entityaddress",
    "locationmainaddress": "entityaddress",
}
"""Other names under which a table is seen."""
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "transaction": ("id",),
    "transactionline": ("transaction", "id"),
    "inventoryitemlocations": ("item", "location"),
    "unitstypeuom": ("internalid",),
    "transactionstatus": ("trantype", "id"),
    "entityaddress": ("nkey",),
    "transactionaddress": ("nkey",),
    "vendoraddressbook": ("internalid",),
    "customfield": ("internalid",),
    "deletedrecord": (),
    "dual": (),
}
INDEXES: Final = (
    "transaction(lastmodifieddate)",
    "transaction(type, id)",
    "transaction(externalid)",
    "transactionline(item)",
    "vendor(externalid)",
    "vendoraddressbook(entity)",
)
TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "entity": ("vendor", "entityid || CASE WHEN companyname IS NULL THEN '' ELSE ' ' || companyname END"),
    "vendor": ("vendor", "entityid || CASE WHEN companyname IS NULL THEN '' ELSE ' ' || companyname END"),
    "currency": ("currency", "name"),
    "terms": ("term", "name"),
    "subsidiary": ("subsidiary", "name"),
    "location": ("location", "name"),
    "item": ("item", "itemid"),
    "units": ("unitstypeuom", "unitname"),
    "stockunit": ("unitstypeuom", "unitname"),
    "purchaseunit": ("unitstypeuom", "unitname"),
    "saleunit": ("unitstypeuom", "unitname"),
    "class": ("classification", "name"),
    "unitstype": ("unitstype", "name"),
    "employee": ("employee", "entityid"),
    "createdby": ("employee", "entityid"),
    "lastmodifiedby": ("employee", "entityid"),
    "deletedby": ("employee", "entityid"),
    "account": ("account", "accountsearchdisplayname"),
}
"""What BUILTIN.DF shows for a column that refers to a record: its table, and the expression of its text."""
APPROVAL: Final[Mapping[int, str]] = {1: "Pending Approval", 2: "Approved", 3: "Rejected"}
STATUSES: Final[Mapping[str, str]] = {
    "A": "Pending Supervisor Approval",
    "B": "Pending Receipt",
    "C": "Rejected by Supervisor",
    "D": "Partially Received",
    "E": "Pending Billing/Partially Received",
    "F": "Pending Bill",
    "G": "Fully Billed",
    "H": "Closed",
}


def columns_of(table: str) -> Mapping[str, str]:
    """Give a table's columns with their kinds, under any of its names.

    Raises:
        KeyError: There is no such table.
    """
    return TABLES[VIEWS.get(table, table)]
