"""The one exception of this package."""

from __future__ import annotations

import json
from ctypes import c_void_p
from typing import Any, Dict, Optional

from ._library import library, text_of
from .codes import Code, named


class Error(Exception):
    """A failure.

    Raised by calls and requests that fail and by the iteration of a stream that failed for good; handed to `on_error`, and not
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
        details: str = "",
        maybe_done: bool = False,
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
        #: The Status object of a refused request as JSON, as the server sent it, or "". `status` decodes it. Since 0.2.
        self.details = details
        #: The error ends a request that may have been carried out all the same: it was sent, and no answer came that
        #: says otherwise. Never of one that only reads. Since 0.2.
        self.maybe_done = maybe_done

    @property
    def status(self) -> Optional[Dict[str, Any]]:
        """The Status object of a refused request, decoded anew each time; its "details" have the causes, such as the
        fields in conflict. None without one. Since 0.2."""
        try:
            status = json.loads(self.details) if self.details else None
        except ValueError:
            return None
        return status if isinstance(status, dict) else None

    @property
    def fatal(self) -> bool:
        """There is no next try; always so of a request."""
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
        details=text_of(lib.ksr_error_details, pointer),
        maybe_done=bool(lib.ksr_error_maybe_done(pointer)),
    )


def failure(status: int, pointer: Optional[c_void_p] = None, *, message: str = "") -> Error:
    """The exception for a status, with the library's error, which is freed."""
    if pointer:
        try:
            return read_error(pointer.value or 0)
        finally:
            library().ksr_error_free(pointer)
    return Error(status, message or library().ksr_status_name(status).decode())
