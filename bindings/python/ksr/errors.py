"""The one exception of this package."""

from __future__ import annotations

from ctypes import c_void_p
from typing import Optional

from ._library import library, text_of
from .codes import Code, named


class Error(Exception):
    """A failure.

    Raised by calls that fail and by the iteration of a stream that failed for good; handed to `on_error`, and not
    raised, when a stream goes on trying.
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        reason: str = "",
        http_status: int = 0,
        retry: Optional[float] = None,
    ) -> None:
        super().__init__(code, message)
        #: What kind of failure; a number that is not named here comes from a newer library.
        self.code: Code = named(Code, code)
        #: One line for people. Its wording may change.
        self.message = message
        #: The reason of the API server's Status object, such as "Expired", or "".
        self.reason = reason
        #: The status of the HTTP response; 0: no request was involved. With a code other than SERVER, 408 stands for
        #: a server that was silent for too long and 502 for one that could not be reached.
        self.http_status = http_status
        #: Seconds until the stream tries again; None: it does not.
        self.retry = retry

    @property
    def fatal(self) -> bool:
        """There is no next try."""
        return self.retry is None

    def __str__(self) -> str:
        return f"{self.message} ({self.code.name})"


def read_error(pointer: int) -> Error:
    """The same as a ksr_error, which stays the caller's."""
    lib = library()
    retry_ms = lib.ksr_error_retry_ms(pointer)
    return Error(
        lib.ksr_error_code(pointer),
        text_of(lib.ksr_error_message, pointer),
        reason=text_of(lib.ksr_error_reason, pointer),
        http_status=lib.ksr_error_http_status(pointer),
        retry=None if retry_ms < 0 else retry_ms / 1000,
    )


def failure(status: int, pointer: Optional[c_void_p] = None, *, message: str = "") -> Error:
    """The exception for a status, with the library's error, which is freed."""
    if pointer:
        try:
            return read_error(pointer.value or 0)
        finally:
            library().ksr_error_free(pointer)
    return Error(status, message or library().ksr_status_name(status).decode())
