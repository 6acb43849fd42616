"""Collecting the messages of business checks, so that one answer tells all that is wrong."""

from dataclasses import dataclass, field

from sandbox.sap_s4hana.odata.errors import Message, refused


@dataclass(slots=True)
class Checks:
    """Messages found so far; `raise_if_any` refuses the call with all of them."""

    messages: list[Message] = field(default_factory=list)

    def say(self, code: str, text: str, target: str = "") -> None:
        """Add a message."""
        self.messages.append(Message(code, text, target))

    def need(self, value: object, label: str, target: str) -> bool:
        """Ask for a value (message ME/083 "Enter …"); tell whether it is there."""
        if not value:
            self.say("ME/083", f"Enter {label}", target)
        return bool(value)

    def raise_if_any(self, *closing: Message) -> None:
        """Refuse the call when something was found.

        Raises:
            ODataError: 400 with the first message in front and all in the details.
        """
        if self.messages:
            raise refused(self.messages, closing=closing)
