/*
 * ksr.h - Kubernetes Streaming Resources: a live, correct view of Kubernetes resources in any process.
 *
 * A stream lists a resource, watches it from where the list ended, and keeps every object in a cache. Whatever changes
 * reaches the host as an immutable snapshot with the deltas since the snapshot before. Whatever a network, a server or a
 * host does, the stream recovers by itself until it is cancelled.
 *
 * Conventions
 *
 *  (1) Objects are opaque pointers. There are no public structs, no enums as types, no variable arguments.
 *  (2) Text that goes in is UTF-8 and NUL-terminated; the library copies it. Text that comes out is UTF-8,
 *      NUL-terminated, and has its length in *len besides (len may be NULL). It belongs to the object it was asked of and
 *      lives as long as that object. The one exception, ksr_object_get, says so.
 *  (3) A function that can fail returns a ksr_status: KSR_OK or a KSR_E_* below zero. When it fails it leaves its
 *      out-parameters untouched and, if `err` is not NULL, stores a new ksr_error there, which the caller frees with
 *      ksr_error_free. Nothing is kept in thread-local state.
 *  (4) *_free, *_release, ksr_close, ksr_cancel and ksr_close_async accept NULL.
 *  (5) Every function may be called on any thread. A ksr_config belongs to one thread at a time. Streams, snapshots,
 *      objects and errors may be used on many threads at once.
 *  (6) Callbacks of one stream never overlap, on_log included. They run on a thread of the stream, or inside ksr_dispatch
 *      with delivery=manual, with no lock of the library held. They may block and may call any function of the library
 *      except ksr_close on their own stream. They must not throw and must not unwind (longjmp, pthread_exit).
 *  (7) Objects handed to a callback live until it returns. To keep one, retain it: it may then outlive the stream.
 *  (8) In a child made by fork() from a process that had opened a stream, no stream works: functions that return a status
 *      answer KSR_E_FORKED, those that return a pointer NULL, the others do nothing. Snapshots, objects and errors that
 *      were there before can still be read. exec() instead.
 *  (9) A status, state, delta or field that this header does not name comes from a newer library: treat it as "other".
 *
 * Since 0.1 for all that does not say otherwise.
 */
#ifndef KSR_H
#define KSR_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define KSR_API __attribute__((visibility("default")))
#else
#define KSR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- version ---------------------------------------------------------------------------------------------------- */

/* The version of this header, 0xMMmmpp. */
#define KSR_VERSION 0x000100

/* The version of the loaded library, 0xMMmmpp. A library of the same major version with a higher number serves every
 * program that was built with a lower one. */
KSR_API uint32_t ksr_version(void);

/* The same as text, such as "0.1.0". Static. */
KSR_API const char *ksr_version_string(void);

/* How the library was built, as one JSON object: version, compiler, cpprestsdk, boost, openssl (built with, running
 * with, linked static or dynamic), features. For bug reports. Static; holds nothing of the host. */
KSR_API const char *ksr_build_info(void);

/* 1 when the library has the feature `name`, else 0 (NULL included): "websocket", "http", "tls", "gzip", "http_proxy",
 * "manual_delivery". Later versions know more. */
KSR_API int ksr_has_feature(const char *name);

/* ---- status codes and constants --------------------------------------------------------------------------------- */

typedef int32_t ksr_status;
typedef int32_t ksr_state;
typedef int32_t ksr_delta;
typedef int32_t ksr_field;

enum {
  KSR_OK = 0,
  KSR_E_INVALID = -1,        /* an argument or a value that cannot be meant; a handle that is closed */
  KSR_E_NOMEM = -2,          /* out of memory */
  KSR_E_INTERNAL = -3,       /* a defect of the library */
  KSR_E_UNKNOWN_KEY = -4,    /* no such config key, or no such statistic */
  KSR_E_WOULD_DEADLOCK = -5, /* ksr_close inside a callback of the same stream */
  KSR_E_FORKED = -6,         /* called in a child of fork(); see (8) */
  KSR_E_CANCELLED = -7,      /* the stream was cancelled or closed */
  KSR_E_TIMEOUT = -8,        /* the time was up */

  KSR_E_TRANSPORT = -20, /* the server could not be reached, or the connection broke */
  KSR_E_TLS = -21,       /* the handshake failed: a certificate, a name, a version */
  KSR_E_PROTOCOL = -22,  /* the server does not speak HTTP, WebSocket, JSON or the Kubernetes API as it should */
  KSR_E_TOO_LARGE = -23, /* an object above max_object_size */

  KSR_E_AUTH = -40,      /* 401 */
  KSR_E_FORBIDDEN = -41, /* 403 */
  KSR_E_NOT_FOUND = -42, /* 404 */
  KSR_E_GONE = -43,      /* 410: the resourceVersion is too old; the stream lists again */
  KSR_E_THROTTLED = -44, /* 429 */
  KSR_E_SERVER = -45     /* any other refusal */
};

enum {
  KSR_STATE_CONNECTING = 1, /* opening a connection */
  KSR_STATE_LISTING = 2,    /* reading the list */
  KSR_STATE_LIVE = 3,       /* the view is current and a watch keeps it so */
  KSR_STATE_WAITING = 4,    /* something failed; the next try comes by itself */
  KSR_STATE_CLOSED = 5      /* the end; the last callback of a stream */
};

enum { KSR_DELTA_ADDED = 1, KSR_DELTA_MODIFIED = 2, KSR_DELTA_DELETED = 3 };

enum {
  KSR_FIELD_JSON = 1, /* the whole object; `kind` and `apiVersion` are always there */
  KSR_FIELD_UID = 2,
  KSR_FIELD_NAMESPACE = 3, /* "" for a cluster-scoped object */
  KSR_FIELD_NAME = 4,
  KSR_FIELD_RESOURCE_VERSION = 5,
  KSR_FIELD_KIND = 6,
  KSR_FIELD_API_VERSION = 7,
  KSR_FIELD_CREATION_TIMESTAMP = 8
};

/* The name of a status, such as "KSR_E_GONE"; "KSR_E_UNKNOWN" for a number this library does not know. Static. */
KSR_API const char *ksr_status_name(ksr_status status);

/* ---- errors ----------------------------------------------------------------------------------------------------- */

typedef struct ksr_error ksr_error;

/* KSR_E_*; KSR_OK for NULL. */
KSR_API ksr_status ksr_error_code(const ksr_error *error);

/* One line for people: what failed, where, and what was expected. No secrets. Its wording may change; do not parse it.
 * "" for NULL. */
KSR_API const char *ksr_error_message(const ksr_error *error, size_t *len);

/* The reason of the API server's Status object, such as "Expired" or "Forbidden"; "" without one. */
KSR_API const char *ksr_error_reason(const ksr_error *error, size_t *len);

/* The status of the HTTP response; 408 when the server was silent for too long, 502 when it could not be reached or the
 * connection broke; 0 when no request was concerned. */
KSR_API int ksr_error_http_status(const ksr_error *error);

/* Milliseconds until the stream tries again; 0: at once, or it went on already. -1: there is no next try, the error is
 * fatal, and KSR_STATE_CLOSED follows. */
KSR_API int64_t ksr_error_retry_ms(const ksr_error *error);

/* A copy that the caller frees, to keep an error beyond its callback; NULL for NULL or when there is no memory. */
KSR_API ksr_error *ksr_error_copy(const ksr_error *error);
KSR_API void ksr_error_free(ksr_error *error);

/* ---- callbacks -------------------------------------------------------------------------------------------------- */

typedef struct ksr_config ksr_config;
typedef struct ksr_stream ksr_stream;
typedef struct ksr_snapshot ksr_snapshot;
typedef struct ksr_object ksr_object;

/* The view has changed; the first call brings the complete list. While a callback blocks, changes are merged: the next
 * call has them all. `snapshot` lives until the callback returns, see ksr_snapshot_retain. */
typedef void (*ksr_update_fn)(ksr_stream *stream, const ksr_snapshot *snapshot, void *user_data);

/* Something went wrong. Errors are information: the stream retries by itself, see ksr_error_retry_ms. Errors that come
 * while a callback blocks are kept up to a number (64); beyond it the oldest are dropped, never a fatal one. */
typedef void (*ksr_error_fn)(ksr_stream *stream, const ksr_error *error, void *user_data);

/* The state has changed. States that come while a callback blocks are kept up to a number (16). KSR_STATE_CLOSED comes exactly once, as
 * the last callback: the host may drop what user_data points to in `destroy`, which follows. */
typedef void (*ksr_state_fn)(ksr_stream *stream, ksr_state state, void *user_data);

/* One line of what the stream does. `level` is that of syslog: 3 error, 4 warning, 5 notice, 6 info, 7 debug. `msg` is
 * NUL-terminated and holds no secrets. Lines that come while a callback blocks are kept up to a number (256); beyond it the
 * oldest are dropped and counted in a line of their own. */
typedef void (*ksr_log_fn)(int32_t level, const char *msg, size_t len, void *user_data);

/* Called exactly once for each ksr_open: before a failing ksr_open returns, else after the last callback of the stream.
 * Runs where callbacks run; must not call ksr_close on the stream (KSR_E_WOULD_DEADLOCK). */
typedef void (*ksr_destroy_fn)(void *user_data);

/* ---- configuration ---------------------------------------------------------------------------------------------- */

/* A new configuration with every key at its default. KSR_E_INVALID for NULL, KSR_E_NOMEM. */
KSR_API ksr_status ksr_config_new(ksr_config **out);
KSR_API void ksr_config_free(ksr_config *config);

/* Sets one key; CONFIGURATION.md lists them. Values are text: booleans true or false; durations such as 800ms, 30s, 5m;
 * sizes such as 512Ki, 64Mi. The last value of a key counts. KSR_E_UNKNOWN_KEY, or KSR_E_INVALID for a bad value; the
 * error names the key and what it takes, and never repeats a secret value. */
KSR_API ksr_status ksr_config_set(ksr_config *config, const char *key, const char *value, ksr_error **err);

/* Sets a callback; NULL takes it away. */
KSR_API void ksr_config_on_update(ksr_config *config, ksr_update_fn callback);
KSR_API void ksr_config_on_error(ksr_config *config, ksr_error_fn callback);
KSR_API void ksr_config_on_state(ksr_config *config, ksr_state_fn callback);
KSR_API void ksr_config_on_log(ksr_config *config, ksr_log_fn callback);

/* ---- streams ---------------------------------------------------------------------------------------------------- */

/* Opens a stream. Copies `config`, which may be changed or freed at once and may open any number of streams. Reads the
 * files that the configuration names; never waits for the network: an unreachable server is an on_error, not a failure
 * here. Callbacks may start before this returns. `user_data` is handed to every callback, `destroy` (may be NULL) ends
 * its life. `out` receives the stream, which ksr_close or ksr_close_async gives back.
 * KSR_E_INVALID (a missing or contradictory key, a file that cannot be read, a certificate that does not parse),
 * KSR_E_NOMEM, KSR_E_FORKED. */
KSR_API ksr_status ksr_open(const ksr_config *config, void *user_data, ksr_destroy_fn destroy, ksr_stream **out,
                            ksr_error **err);

/* Ends the stream's work. Never blocks, may be called anywhere, any number of times. Once it has returned, no on_update
 * and no on_error starts; one that runs already runs to its end. on_state(KSR_STATE_CLOSED) and `destroy` follow (with
 * delivery=manual: in ksr_dispatch or ksr_close). The stream must still be closed. */
KSR_API void ksr_cancel(ksr_stream *stream);

/* Cancels, waits for a callback that is running, but never for the network, and gives the stream back. Once it has
 * returned KSR_OK no callback runs or ever will, and `destroy` has returned. The caller must not hold a lock that a
 * callback takes. Inside a callback of the same stream: KSR_E_WOULD_DEADLOCK, and nothing happens. KSR_E_INVALID for a
 * stream that is closed already; KSR_E_FORKED, and nothing happens, in a forked child. KSR_OK for NULL. */
KSR_API ksr_status ksr_close(ksr_stream *stream);

/* Cancels and gives the stream back without waiting: the way to close inside a callback. `destroy` tells when it is gone
 * (with delivery=manual: once the running ksr_dispatch, or this call when none runs, has made the last callbacks).
 * The handle must not be used again by the caller; callbacks that still come may use theirs. */
KSR_API void ksr_close_async(ksr_stream *stream);

/* Waits until the first complete snapshot is there (ksr_latest answers), at most `timeout_ms` milliseconds; 0 does not
 * wait, a negative number waits without end. With delivery=manual nothing needs to be dispatched for it.
 * May be called inside callbacks too. KSR_OK, KSR_E_TIMEOUT, KSR_E_CANCELLED (cancelled, closed or failed for good
 * before), KSR_E_INVALID, KSR_E_FORKED. */
KSR_API ksr_status ksr_wait_synced(ksr_stream *stream, int64_t timeout_ms);

/* A new reference to the newest complete snapshot, which may be one that on_update has not brought yet; its deltas are
 * those since the last delivered one. NULL before the first. Release it with ksr_snapshot_release. */
KSR_API const ksr_snapshot *ksr_latest(ksr_stream *stream);

/* delivery=manual: a file descriptor that is readable (poll, epoll) while ksr_dispatch has something to do. It belongs to
 * the stream: do not read, write or close it. -1 otherwise, and for a closed stream. */
KSR_API int ksr_fd(ksr_stream *stream);

/* delivery=manual: runs the callbacks that wait, on this thread, and returns how many; 0 when nothing waits, when another
 * thread is dispatching this stream, or inside its callbacks. Below zero: KSR_E_INVALID for a closed stream or one with
 * delivery=thread, KSR_E_FORKED. */
KSR_API int64_t ksr_dispatch(ksr_stream *stream);

/* Stores the current value of a statistic; CONFIGURATION.md lists them. KSR_E_UNKNOWN_KEY, KSR_E_INVALID,
 * KSR_E_FORKED. */
KSR_API ksr_status ksr_stat(ksr_stream *stream, const char *name, uint64_t *value);

/* ---- snapshots -------------------------------------------------------------------------------------------------- */

/* A snapshot is the complete view at one moment, never a part of it. It is immutable and may be kept, may outlive its
 * stream, and may be used on any thread. Without `limit` its objects are ordered by (namespace, name); with `limit` they
 * are the N most recent of all, most recent first. */

/* One more reference, which ksr_snapshot_release gives back. Returns its argument. */
KSR_API const ksr_snapshot *ksr_snapshot_retain(const ksr_snapshot *snapshot);
KSR_API void ksr_snapshot_release(const ksr_snapshot *snapshot);

/* 1, 2, 3... within a stream; 0 for NULL. */
KSR_API uint64_t ksr_snapshot_sequence(const ksr_snapshot *snapshot);

/* The resourceVersion as of which the view is complete. */
KSR_API const char *ksr_snapshot_resource_version(const ksr_snapshot *snapshot, size_t *len);

KSR_API size_t ksr_snapshot_count(const ksr_snapshot *snapshot);

/* The object at place `i`, counted from 0; NULL past the end. Borrowed from the snapshot. */
KSR_API const ksr_object *ksr_snapshot_at(const ksr_snapshot *snapshot, size_t i);

/* The object of that namespace ("" or NULL for cluster-scoped) and name, or of that uid; NULL when there is none.
 * Borrowed from the snapshot. */
KSR_API const ksr_object *ksr_snapshot_find(const ksr_snapshot *snapshot, const char *ns, const char *name);
KSR_API const ksr_object *ksr_snapshot_find_uid(const ksr_snapshot *snapshot, const char *uid);

/* What changed since the snapshot delivered before, at most once for each uid: what is gone first, then the rest, each in
 * the order of (namespace, name). For the first snapshot everything is KSR_DELTA_ADDED. An object that was replaced by
 * another of the same name is KSR_DELTA_DELETED and KSR_DELTA_ADDED. */
KSR_API size_t ksr_snapshot_delta_count(const ksr_snapshot *snapshot);

/* The kind of delta `i`; *obj (may be NULL) receives its object, borrowed from the snapshot; for KSR_DELTA_DELETED in its
 * last known state. 0, and *obj untouched, past the end. */
KSR_API ksr_delta ksr_snapshot_delta_at(const ksr_snapshot *snapshot, size_t i, const ksr_object **obj);

/* ---- objects ---------------------------------------------------------------------------------------------------- */

/* One more reference, to keep an object beyond its snapshot; it pins nothing but itself. Returns its argument. */
KSR_API const ksr_object *ksr_object_retain(const ksr_object *object);
KSR_API void ksr_object_release(const ksr_object *object);

/* The text of a field, "" where the object has none; NULL and length 0 for an unknown field and for a NULL object. */
KSR_API const char *ksr_object_field(const ksr_object *object, ksr_field field, size_t *len);

/* The raw JSON text of the value that a JSON pointer (RFC 6901, such as "/status/phase") names inside the object: a
 * string comes with its quotes and escapes. It is a slice of KSR_FIELD_JSON and NOT NUL-terminated: use *len. NULL and
 * length 0 when nothing is there. */
KSR_API const char *ksr_object_get(const ksr_object *object, const char *json_pointer, size_t *len);

#ifdef __cplusplus
}
#endif

#endif /* KSR_H */
