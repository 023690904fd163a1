"""libksr, loaded by name when it is first needed: its functions with their types, as ksr.h declares them."""

from __future__ import annotations

import ctypes
import functools
import json
import os
from ctypes import POINTER, c_char_p, c_double, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Dict, List, Optional, Tuple

UpdateFn = ctypes.CFUNCTYPE(None, c_void_p, c_void_p, c_void_p)
ErrorFn = ctypes.CFUNCTYPE(None, c_void_p, c_void_p, c_void_p)
StateFn = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_void_p)
LogFn = ctypes.CFUNCTYPE(None, c_int32, c_void_p, c_size_t, c_void_p)
TestFn = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
ChannelEventFn = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_int32, c_void_p, c_void_p)
DestroyFn = ctypes.CFUNCTYPE(None, c_void_p)

_length = POINTER(c_size_t)
_out = POINTER(c_void_p)

_PROTOTYPES: Dict[str, Tuple[Any, List[Any]]] = {
    "ksr_version": (c_uint32, []),
    "ksr_version_string": (c_char_p, []),
    "ksr_build_info": (c_char_p, []),
    "ksr_has_feature": (c_int, [c_char_p]),
    "ksr_status_name": (c_char_p, [c_int32]),
    "ksr_error_code": (c_int32, [c_void_p]),
    "ksr_error_message": (c_void_p, [c_void_p, _length]),
    "ksr_error_reason": (c_void_p, [c_void_p, _length]),
    "ksr_error_http_status": (c_int, [c_void_p]),
    "ksr_error_retry_ms": (c_int64, [c_void_p]),
    "ksr_error_details": (c_void_p, [c_void_p, _length]),
    "ksr_error_maybe_done": (c_int, [c_void_p]),
    "ksr_error_free": (None, [c_void_p]),
    "ksr_config_new": (c_int32, [_out]),
    "ksr_config_free": (None, [c_void_p]),
    "ksr_config_set": (c_int32, [c_void_p, c_char_p, c_char_p, _out]),
    "ksr_config_on_update": (None, [c_void_p, UpdateFn]),
    "ksr_config_on_error": (None, [c_void_p, ErrorFn]),
    "ksr_config_on_state": (None, [c_void_p, StateFn]),
    "ksr_config_on_log": (None, [c_void_p, LogFn]),
    "ksr_open": (c_int32, [c_void_p, c_void_p, DestroyFn, _out, _out]),
    "ksr_cancel": (None, [c_void_p]),
    "ksr_close": (c_int32, [c_void_p]),
    "ksr_close_async": (None, [c_void_p]),
    "ksr_wait_synced": (c_int32, [c_void_p, c_int64]),
    "ksr_wait_until": (c_int32, [c_void_p, TestFn, c_void_p, c_int64]),
    "ksr_latest": (c_void_p, [c_void_p]),
    "ksr_fd": (c_int, [c_void_p]),
    "ksr_dispatch": (c_int64, [c_void_p]),
    "ksr_stat": (c_int32, [c_void_p, c_char_p, POINTER(c_uint64)]),
    "ksr_last_error": (c_void_p, [c_void_p]),
    "ksr_in_callback": (c_int, []),
    "ksr_snapshot_retain": (c_void_p, [c_void_p]),
    "ksr_snapshot_release": (None, [c_void_p]),
    "ksr_snapshot_sequence": (c_uint64, [c_void_p]),
    "ksr_snapshot_resource_version": (c_void_p, [c_void_p, _length]),
    "ksr_snapshot_count": (c_size_t, [c_void_p]),
    "ksr_snapshot_at": (c_void_p, [c_void_p, c_size_t]),
    "ksr_snapshot_find": (c_void_p, [c_void_p, c_char_p, c_char_p]),
    "ksr_snapshot_find_uid": (c_void_p, [c_void_p, c_char_p]),
    "ksr_snapshot_delta_count": (c_size_t, [c_void_p]),
    "ksr_snapshot_delta_at": (c_int32, [c_void_p, c_size_t, _out]),
    "ksr_snapshot_delta_before": (c_void_p, [c_void_p, c_size_t]),
    "ksr_snapshot_delta_left": (c_int, [c_void_p, c_size_t]),
    "ksr_snapshot_index_count": (c_size_t, [c_void_p, c_size_t, c_char_p]),
    "ksr_snapshot_index_at": (c_void_p, [c_void_p, c_size_t, c_char_p, c_size_t]),
    "ksr_object_retain": (c_void_p, [c_void_p]),
    "ksr_object_release": (None, [c_void_p]),
    "ksr_object_field": (c_void_p, [c_void_p, c_int32, _length]),
    "ksr_object_get": (c_void_p, [c_void_p, c_char_p, _length]),
    "ksr_object_get_string": (c_int64, [c_void_p, c_char_p, c_void_p, c_size_t]),
    "ksr_object_get_int64": (c_int, [c_void_p, c_char_p, POINTER(c_int64)]),
    "ksr_object_get_double": (c_int, [c_void_p, c_char_p, POINTER(c_double)]),
    "ksr_object_get_bool": (c_int, [c_void_p, c_char_p, POINTER(c_int)]),
    "ksr_object_get_time": (c_int, [c_void_p, c_char_p, POINTER(c_int64)]),
    "ksr_object_size": (c_int64, [c_void_p, c_char_p]),
    "ksr_object_key": (c_int64, [c_void_p, c_char_p, c_size_t, c_void_p, c_size_t]),
    "ksr_object_column": (c_void_p, [c_void_p, c_size_t, _length]),
    "ksr_client_open": (c_int32, [c_void_p, c_void_p, DestroyFn, _out, _out]),
    "ksr_client_stream": (c_int32, [c_void_p, c_void_p, c_void_p, DestroyFn, _out, _out]),
    "ksr_client_cancel": (None, [c_void_p]),
    "ksr_client_close": (c_int32, [c_void_p]),
    "ksr_client_close_async": (None, [c_void_p]),
    "ksr_client_fd": (c_int, [c_void_p]),
    "ksr_client_dispatch": (c_int64, [c_void_p]),
    "ksr_client_stat": (c_int32, [c_void_p, c_char_p, POINTER(c_uint64)]),
    "ksr_params_new": (c_int32, [_out]),
    "ksr_params_free": (None, [c_void_p]),
    "ksr_params_set": (c_int32, [c_void_p, c_char_p, c_char_p, _out]),
    "ksr_params_add": (c_int32, [c_void_p, c_char_p, c_char_p, _out]),
    "ksr_params_body": (c_int32, [c_void_p, c_char_p, c_size_t, _out]),
    "ksr_request_open": (c_int32, [c_void_p, c_void_p, c_void_p, DestroyFn, _out, _out]),
    "ksr_request_wait": (c_int32, [c_void_p, c_int64, _out, _out]),
    "ksr_request_cancel": (None, [c_void_p]),
    "ksr_request_close_async": (None, [c_void_p]),
    "ksr_response_release": (None, [c_void_p]),
    "ksr_response_http_status": (c_int, [c_void_p]),
    "ksr_response_header": (c_void_p, [c_void_p, c_char_p, _length]),
    "ksr_response_warning_count": (c_size_t, [c_void_p]),
    "ksr_response_warning": (c_void_p, [c_void_p, c_size_t, _length]),
    "ksr_response_body": (c_void_p, [c_void_p, _length]),
    "ksr_response_object": (c_void_p, [c_void_p]),
    "ksr_params_on_event": (None, [c_void_p, ChannelEventFn]),
    "ksr_channel_open": (c_int32, [c_void_p, c_void_p, c_void_p, DestroyFn, _out, _out]),
    "ksr_channel_read": (c_int32, [c_void_p, c_int32, c_void_p, c_size_t, c_int64, _length]),
    "ksr_channel_write": (c_int32, [c_void_p, c_int32, c_char_p, c_size_t, c_int64, _length]),
    "ksr_channel_finish": (c_int32, [c_void_p, c_int32]),
    "ksr_channel_resize": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "ksr_channel_wait": (c_int32, [c_void_p, c_int64, POINTER(c_int32), _out]),
    "ksr_channel_info": (c_size_t, [c_void_p, c_char_p, c_void_p, c_size_t]),
    "ksr_channel_stat": (c_int32, [c_void_p, c_char_p, POINTER(c_uint64)]),
    "ksr_channel_close_async": (None, [c_void_p]),
}


def _carried() -> Optional[str]:
    """The library inside this package, where a wheel has brought it."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libksr.so.0")
    return path if os.path.exists(path) else None


@functools.lru_cache(maxsize=None)
def library() -> Any:
    """The loaded library. OSError when it is not there or is not one this module can use."""
    name = os.environ.get("KSR_LIBRARY") or _carried() or "libksr.so.0"
    try:
        loaded = ctypes.CDLL(name, mode=os.RTLD_NOW | os.RTLD_LOCAL)
        for function, (result, arguments) in _PROTOTYPES.items():
            prototype = getattr(loaded, function)
            prototype.restype, prototype.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise OSError(f"cannot load libksr from {name!r}: {error}; KSR_LIBRARY may name the file") from error
    return loaded


_SHORT: Dict[str, Tuple[str, Any, List[Any]]] = {
    "field": ("ksr_object_field", c_char_p, [c_void_p, c_int32, _length]),
    "at": ("ksr_snapshot_at", c_void_p, [c_void_p, c_size_t]),
    "retain": ("ksr_object_retain", c_void_p, [c_void_p]),
    "release": ("ksr_object_release", None, [c_void_p]),
}


class _Short:
    """Functions of the library that never wait and cost less than releasing the interpreter's lock: called with it held.
    Loaded when one is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name not in _SHORT:
            raise AttributeError(name)
        function, result, arguments = _SHORT[name]
        prototype = ctypes.PyDLL(None, handle=library()._handle)[function]
        prototype.restype, prototype.argtypes = result, arguments
        setattr(self, name, prototype)
        return prototype


short = _Short()


def version() -> str:
    """The version of the loaded library, such as "0.2.0"."""
    return str(library().ksr_version_string(), "utf-8")


def build_info() -> Dict[str, Any]:
    """How the library was built, for bug reports."""
    info: Dict[str, Any] = json.loads(library().ksr_build_info())
    return info


def has_feature(name: str) -> bool:
    """Whether the library can do what `name` names, such as "websocket"."""
    return bool(library().ksr_has_feature(c_text(name, "the name of a feature")))


def in_callback() -> bool:
    """Whether the calling thread is inside a callback of any stream: what closes the callback's own stream there takes
    effect once the callback has returned."""
    return bool(library().ksr_in_callback())


def c_text(value: str, what: str) -> bytes:
    """The text as C takes it. A NUL inside would end it early, unseen."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{what} must not contain a NUL character")
    return value.encode()


def text_of(function: Any, *arguments: Any) -> str:
    """The text that a function of the library returns with its length. Headers and warnings are a server's bytes: what
    is no UTF-8 in them is replaced."""
    length = c_size_t()
    address = function(*arguments, ctypes.byref(length))
    return ctypes.string_at(address, length.value).decode(errors="replace") if address else ""
