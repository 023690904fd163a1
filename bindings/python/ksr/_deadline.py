"""Time limits in seconds, as every call that waits takes them: None and inf are none."""

from __future__ import annotations

import math
import time
from typing import Optional


def deadline_after(timeout: Optional[float]) -> Optional[float]:
    """When it is over, by time.monotonic(); None: never."""
    if timeout is None or timeout == math.inf:
        return None
    if math.isnan(timeout):
        raise ValueError("timeout: expected a number of seconds, inf or None, not nan")
    return time.monotonic() + timeout


def is_over(deadline: Optional[float]) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def left_ms(deadline: Optional[float], longest: int) -> int:
    """Milliseconds, from 0 to `longest`; rounded up, so that none is waited through in a busy loop."""
    if deadline is None:
        return longest
    return math.ceil(max(0.0, min(float(longest), (deadline - time.monotonic()) * 1000)))
