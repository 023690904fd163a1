"""What a request asks for, and the verbs that ask."""

from __future__ import annotations

import json
import math
from ctypes import byref, c_void_p
from datetime import timedelta
from typing import Any, Dict, Generic, Iterable, Mapping, TypeVar, Union

from ._library import c_text, library
from .config import LONGEST, NOT_GIVEN, Value, value_text
from .errors import failure
from .objects import Object

#: Bytes and text as they are, an Object as its JSON, all else as json.dumps writes it.
Body = Union[bytes, bytearray, memoryview, str, Object, Mapping[str, Any], Iterable[Any], None]
#: A key of a request; of the key timeout a number is seconds.
Key = Union[Value, float]
Headers = Mapping[str, str]
Query = Mapping[str, Union[str, Iterable[str]]]

Answer = TypeVar("Answer")


# What the library takes at most, in seconds.
_LONGEST_GRACE = 0x7FFFFFFF
# Whose values may hold commas.
_LIST_KEYS = ("command", "subprotocol")


class Params:
    """A ksr_params, freed when it is left as a context."""

    def __init__(
        self, keys: Mapping[str, Key], body: Body, headers: Headers, query: Query
    ) -> None:
        lib = library()
        self.pointer = c_void_p()
        status = lib.ksr_params_new(byref(self.pointer))
        if status:
            raise failure(status)
        try:
            for key, value in keys.items():
                if value is NOT_GIVEN:
                    continue
                if key in _LIST_KEYS and isinstance(value, Iterable) and not isinstance(value, (str, Mapping)):
                    for item in value:
                        self._put(lib.ksr_params_add, key, item)
                else:
                    self._put(lib.ksr_params_set, key, _key_text(key, value))
            for name, header in _given("headers", headers).items():
                self._put(lib.ksr_params_set, f"header.{name}", header)
            for name, values in _given("query", query).items():
                for one in [values] if isinstance(values, str) else values:
                    self._put(lib.ksr_params_add, f"query.{name}", one)
            self._set_body(_body_bytes(body))
        except BaseException:
            self.free()
            raise

    def _put(self, function: Any, key: str, value: str) -> None:
        error = c_void_p()
        raw_key, raw_value = c_text(key, "a key"), c_text(value, f"the value of {key}")
        status = function(self.pointer, raw_key, raw_value, byref(error))
        if status:
            raise failure(status, error)

    def _set_body(self, body: bytes) -> None:
        error = c_void_p()
        status = library().ksr_params_body(self.pointer, body, len(body), byref(error))
        if status:
            raise failure(status, error)

    def free(self) -> None:
        library().ksr_params_free(self.pointer)

    def __enter__(self) -> c_void_p:
        return self.pointer

    def __exit__(self, *raised: object) -> None:
        self.free()


def _given(name: str, mapping: Any) -> Mapping[str, Any]:
    if mapping is NOT_GIVEN:
        return {}
    if not isinstance(mapping, Mapping):
        raise TypeError(f"{name} must be a mapping, not {type(mapping).__name__}")
    return mapping


def _key_text(key: str, value: Key) -> str:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool):
        # Rounded up: a limit of nothing would mean none.
        if key == "timeout" and seconds == math.inf:
            return "0"
        if key == "timeout":
            return f"{math.ceil(min(seconds, LONGEST.total_seconds()) * 1000)}ms"
        if key == "grace_period":
            return str(math.ceil(min(seconds, _LONGEST_GRACE)))
    return value_text(key, value)  # type: ignore[arg-type] # a float is refused there


def _body_bytes(body: Body) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, Object):
        return bytes(body.json)
    return json.dumps(body).encode()


def _named(resource: Union[str, Iterable[str]], name: str, namespace: str) -> Dict[str, Key]:
    return {"resource": resource, "name": name, "namespace": namespace}


class Verbs(Generic[Answer]):
    """The verbs of the Kubernetes API. More keys, such as dry_run=True or subresource="status", are those that
    CONFIGURATION.md of libksr lists under "Requests"; `timeout` is in seconds, 30 without it. A body is bytes or text,
    or an Object, or what json.dumps writes, or None for none. None for anything else is a TypeError. What fails raises
    Error."""

    def _send(
        self, keys: Mapping[str, Key], body: Body, headers: Headers = NOT_GIVEN, query: Query = NOT_GIVEN
    ) -> Answer:
        raise NotImplementedError

    def call(
        self,
        *,
        body: Body = None,
        headers: Headers = NOT_GIVEN,
        query: Query = NOT_GIVEN,
        **keys: Key,
    ) -> Answer:
        """Any request: verb="create", resource="v1/pods", ..., or method="GET" and path="/healthz". `headers` are all
        but those that frame a message or hold credentials; `query` has more parameters of the URL."""
        return self._send(keys, body, headers, query)

    def get(self, resource: str, name: str, *, namespace: str = NOT_GIVEN, **keys: Key) -> Answer:
        """Reads an object."""
        return self._send({"verb": "get", **_named(resource, name, namespace), **keys}, None)

    def list(self, resource: str, *, namespace: str = NOT_GIVEN, **keys: Key) -> Answer:
        """Reads a collection: of one namespace, or of all."""
        return self._send({"verb": "list", **_named(resource, NOT_GIVEN, namespace), **keys}, None)

    def create(self, resource: str, body: Body, *, namespace: str = NOT_GIVEN, **keys: Key) -> Answer:
        """Makes an object, whose name is in its body."""
        return self._send({"verb": "create", **_named(resource, NOT_GIVEN, namespace), **keys}, body)

    def update(
        self, resource: str, name: str, body: Body, *, namespace: str = NOT_GIVEN, **keys: Key
    ) -> Answer:
        """Replaces an object. With a resourceVersion in its body that is not the newest: Code.CONFLICT."""
        return self._send({"verb": "update", **_named(resource, name, namespace), **keys}, body)

    def patch(
        self,
        resource: str,
        name: str,
        body: Body,
        *,
        namespace: str = NOT_GIVEN,
        patch_type: str = "merge",
        **keys: Key,
    ) -> Answer:
        """Changes an object; patch_type is merge, json or strategic."""
        found = _named(resource, name, namespace)
        return self._send({"verb": "patch", **found, "patch_type": patch_type, **keys}, body)

    def apply(
        self,
        resource: str,
        name: str,
        body: Body,
        *,
        field_manager: str,
        namespace: str = NOT_GIVEN,
        force: bool = False,
        **keys: Key,
    ) -> Answer:
        """Server-side apply on behalf of a field manager. Fields that another one owns are a Code.CONFLICT whose
        `status` names them, unless `force`."""
        found = _named(resource, name, namespace)
        return self._send({"verb": "apply", **found, "field_manager": field_manager, "force": force, **keys}, body)

    def delete(self, resource: str, name: str, *, namespace: str = NOT_GIVEN, **keys: Key) -> Answer:
        """Deletes an object. The response is a Status, or the object where finalizers still hold it."""
        return self._send({"verb": "delete", **_named(resource, name, namespace), **keys}, None)

    def delete_collection(self, resource: str, *, namespace: str = NOT_GIVEN, **keys: Key) -> Answer:
        """Deletes all objects that label_selector and field_selector match."""
        return self._send({"verb": "deletecollection", **_named(resource, NOT_GIVEN, namespace), **keys}, None)
