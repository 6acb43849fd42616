"""Errors in the vendor's form: a code of message class and number, a text, and the list of real reasons.

Codes read in public logs and clients of real systems: /IWFND/MED/170, /IWFND/CM_CONSUMER/101, /IWFND/CM_MGW/051,
/IWCOR/CX_DS_EP_PROPERTY_ERROR, /IWCOR/CX_DS_EDM_FACET_ERROR, 005056A509B11EE1BB8AF4A65EC3CA20 (literal of another
type), 005056A509B11ED19BEB6513AA349DA5 (not acceptable), /IWBEP/CM_MGW_RT/020 and /190, SADL_ENTITY_RUNTIME/006,
BAPI/001, MEPO/002, ME/013, ME/040, ME/083, W5/005, M7/021, MM_IM_ODATA_API_MDOC/014. Other numbers are recalled:
their message class is right, the number may not be.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

BUSINESS_EXCEPTION = "/IWBEP/CX_MGW_BUSI_EXCEPTION"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the application: code as class/number, text, and the property it is about ("" when none)."""

    code: str
    text: str
    target: str = ""
    severity: str = "error"

    def as_detail(self) -> dict[str, Any]:
        """The entry of `innererror.errordetails`."""
        return {
            "code": self.code,
            "message": self.text,
            "longtext_url": "",
            "propertyref": "",
            "target": self.target,
            "severity": self.severity,
            "transition": False,
        }


@dataclass(slots=True)
class ODataError(Exception):
    """A refusal with its HTTP status; `details` are the messages behind it."""

    status: int
    code: str
    text: str
    details: Sequence[Message] = ()
    headers: dict[str, str] = field(default_factory=dict)

    def as_json(self, *, service: str, now: datetime) -> dict[str, Any]:
        """Give the body as the gateway writes it with Accept: application/json."""
        return {
            "error": {
                "code": self.code,
                "message": {"lang": "en", "value": self.text},
                "innererror": {
                    "application": {
                        "component_id": "",
                        "service_namespace": "/SAP/",
                        "service_id": service,
                        "service_version": "0001",
                    },
                    "transactionid": uuid.uuid4().hex.upper(),
                    "timestamp": f"{now:%Y%m%d%H%M%S}.{now.microsecond:06d}0",
                    "Error_Resolution": {
                        "SAP_Transaction": "For backend administrators: run transaction /IWFND/ERROR_LOG on SAP "
                        "Gateway hub system and search for entries with the timestamp above for more details",
                        "SAP_Note": "See SAP Note 1797736 for error analysis",
                    },
                    "errordetails": [message.as_detail() for message in self.details],
                },
            }
        }

    def as_xml(self) -> str:
        """Give the body as the gateway writes it by default."""
        return (
            '<?xml version="1.0" encoding="utf-8"?>'
            '<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
            f'<code>{escape(self.code)}</code><message xml:lang="en">{escape(self.text)}</message>'
            "</error>"
        )


def refused(messages: Sequence[Message], *, closing: Sequence[Message] = ()) -> ODataError:
    """Build the 400 of a business check: the first message leads, all of them stand in the details."""
    last = Message(BUSINESS_EXCEPTION, "An exception was raised")
    return ODataError(400, messages[0].code, messages[0].text, [*messages, *closing, last])


def no_segment(name: str) -> ODataError:
    """Build the 404 of a path that the model does not know."""
    return ODataError(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for segment '{name}'")


def no_entity(name: str) -> ODataError:
    """Build the 404 of a key that no row has."""
    return ODataError(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for segment '{name}'")


def bad_property(name: str) -> ODataError:
    """Build the 400 of a body that names an unknown property."""
    return ODataError(
        400, "/IWCOR/CX_DS_EP_PROPERTY_ERROR/005056A509B11EE1B9A8FEC11C21D78E", f"Property '{name}' is invalid"
    )


def bad_value(name: str, value: object, offset: int) -> ODataError:
    """Build the 400 of a value that breaks a facet: length, precision, scale."""
    return ODataError(
        400,
        "/IWCOR/CX_DS_EDM_FACET_ERROR/005056A509B11ED1BDCCCC5E8168819D",
        f"Property '{name}' at offset '{offset}' has invalid value '{value}'",
    )


def unreadable(name: str, offset: int) -> ODataError:
    """Build the 400 of a value whose JSON type does not fit, such as a number where V2 wants a string."""
    return ODataError(
        400,
        "/IWCOR/CX_DS_EP_PROPERTY_ERROR/005056A509B11ED1BF822D2D0917DA04",
        f"Failed to read property '{name}' at offset '{offset}'",
    )


def bad_option(text: str) -> ODataError:
    """Build the 400 of a system query option that cannot be used."""
    return ODataError(400, "005056A509B11EE1B9A8FEC11C23378E", text)


def not_allowed() -> ODataError:
    """Build the 405 of a method that the resource does not take."""
    return ODataError(
        405,
        "005056A509B11ED199D8826D151FC0FE",
        "The specified HTTP method is not allowed for the resource identified by the Data Service Request URI",
    )


def not_implemented(method: str) -> ODataError:
    """Build the 501 of a method without code behind it."""
    return ODataError(501, "/IWBEP/CM_MGW_RT/021", f"Method '{method}' not implemented in data provider class")
