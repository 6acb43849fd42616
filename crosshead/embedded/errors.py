"""The one error of the embedded servers and of dev mode's processes."""


class EmbeddedError(Exception):
    """A server or service that we run ourselves could not be started, reached or stopped.

    Args:
        message: What happened.
        hint: What the person at the terminal can do about it; shown on its own line.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message}\n{hint}" if hint else message)
        self.hint = hint
