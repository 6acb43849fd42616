"""What Odoo raises, and how its two doors word it."""

from typing import Any

_TRACE = (
    'Traceback (most recent call last):\n  File "/opt/odoo/odoo/http.py", line 1955, in _transactioning\n'
    "    return service_model.retrying(func, env=self.env)\n{}: {}\n"
)


class OdooError(Exception):
    """An exception of the server.

    Attributes:
        name: Its dotted class name, by which callers tell it from others.
        message: What a user would read.
        status: The HTTP status by which JSON-2 tells it; JSON-RPC answers 200 always.
    """

    def __init__(self, name: str, message: str, status: int, *arguments: Any) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.status = status
        self.arguments = list(arguments) or [message]

    def data(self) -> dict[str, Any]:
        """Give the five keys in which both doors tell it."""
        return {
            "name": self.name,
            "message": self.message,
            "arguments": self.arguments,
            "context": {},
            "debug": _TRACE.format(self.name, self.message),
        }


def user_error(text: str) -> OdooError:
    """Make a refusal by a business rule."""
    return OdooError("odoo.exceptions.UserError", text, 422)


def validation(text: str) -> OdooError:
    """Make a refusal by a constraint."""
    return OdooError("odoo.exceptions.ValidationError", text, 422)


def required(model: str, label: str, field: str, field_label: str) -> OdooError:
    """Say that a mandatory field is not set."""
    return validation(
        "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n- Delete: another model"
        " requires the record being deleted. If possible, archive it instead.\n\n"
        f"Model: {label} ({model})\nField: {field_label} ({field})\n"
    )


def dangling(model: str, label: str, field: str) -> OdooError:
    """Say that a reference points to nothing, in the misleading words of Odoo."""
    return validation(
        "The operation cannot be completed: another model requires the record being deleted. If possible, archive it"
        f" instead.\n\nModel: {label} ({model})\nConstraint: {model.replace('.', '_')}_{field}_fkey\n"
    )


def access_denied() -> OdooError:
    """Say that login and password, or key, do not fit."""
    return OdooError("odoo.exceptions.AccessDenied", "Access Denied", 403)


def no_access(model: str, label: str, operation: str) -> OdooError:
    """Say that none of the user's groups allows it."""
    word = {"read": "access", "write": "modify", "create": "create", "unlink": "delete"}[operation]
    return OdooError(
        "odoo.exceptions.AccessError",
        f"You are not allowed to {word} '{label}' ({model}) records.\n\nThis operation is allowed for the following"
        " groups:\n\t- Purchase/User\n\nContact your administrator to request access if necessary.",
        403,
    )


def missing(model: str, ids: list[int], user: int) -> OdooError:
    """Say that a record is not there, or not any more."""
    told = ",".join(map(str, ids))
    return OdooError(
        "odoo.exceptions.MissingError",
        f"Record does not exist or has been deleted.\n(Record: {model}({told},), User: {user})",
        404,
    )


def bad_value(text: str) -> OdooError:
    """Make what Python itself raises on a wrong field or value."""
    return OdooError("builtins.ValueError", text, 500)


def bad_call(text: str) -> OdooError:
    """Make what Python raises on wrong parameters; JSON-2 checks them first."""
    return OdooError("builtins.TypeError", text, 422)


def no_such(text: str) -> OdooError:
    """Say that a model or method is not there; JSON-2's words."""
    return OdooError("werkzeug.exceptions.NotFound", text, 404, text, 404)


def bad_key() -> OdooError:
    """Say that an API key is wrong; JSON-2's words."""
    return OdooError("werkzeug.exceptions.Unauthorized", "Invalid apikey", 401, "Invalid apikey", 401)
