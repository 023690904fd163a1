/*
 * ksr.h - Kubernetes Streaming Resources: a live, correct view of Kubernetes resources in any process.
 *
 * A stream lists a resource, watches it from the resourceVersion of the list, and keeps every object in a cache.
 * Changes reach the host as immutable snapshots, each with the deltas since the snapshot before. Whatever a network or
 * a server does, the stream recovers by itself until it is cancelled. The host is the program that has loaded this
 * library, or the part of it (a plugin, a language binding) that calls these functions; its callbacks are the functions
 * that it passes to ksr_config_on_* and ksr_open.
 *
 * A complete program, which prints how many pods there are whenever that may have changed, until Enter is pressed:
 *
 *     #include <ksr.h>
 *     #include <stdio.h>
 *     static void on_update(ksr_stream *stream, const ksr_snapshot *snapshot, void *user_data) {
 *       (void)stream, (void)user_data, printf("%lu pods\n", (unsigned long)ksr_snapshot_count(snapshot));
 *     }
 *     static void on_error(ksr_stream *stream, const ksr_error *error, void *user_data) {
 *       (void)stream, (void)user_data, fprintf(stderr, "%s\n", ksr_error_message(error, NULL));
 *     }
 *     int main(void) {
 *       ksr_config *config = NULL;
 *       ksr_stream *stream = NULL;
 *       if (ksr_config_new(&config) != KSR_OK) return 1;
 *       ksr_config_set(config, "resource", "v1/pods", NULL);
 *       ksr_config_on_update(config, on_update);
 *       ksr_config_on_error(config, on_error);
 *       if (ksr_open(config, NULL, NULL, &stream, NULL) != KSR_OK) return 1;
 *       ksr_config_free(config);
 *       getchar();
 *       return ksr_close(stream) == KSR_OK ? 0 : 1;
 *     }
 *
 * The keys one needs first; the manual page ksr-config(5) lists all of them:
 *
 *     resource        required: what to watch, such as v1/pods, apps/v1/deployments, or a kubectl name such as deploy
 *     kubeconfig      the kubeconfig file; without it $KUBECONFIG, ~/.kube/config, then the pod's service account
 *     context         the context of that file; without it, its current one
 *     server, token   instead of a kubeconfig: https://host:port and a bearer token (with ca_file for a private CA)
 *     namespace       one namespace, or several with commas between them; without it, all
 *     label_selector  as kubectl's -l, such as app=web
 *     limit           show the N most recent objects only, such as 100; all are kept in memory
 *
 * Besides streams there are requests: any call of the Kubernetes API, over a ksr_client; see "clients and requests".
 *
 * Conventions
 *
 *  (1) Objects are opaque pointers. There are no public structs, no enums as types, no variable arguments.
 *  (2) Text that goes in is UTF-8 and NUL-terminated; the library copies it. Text that comes out is UTF-8,
 *      NUL-terminated, and has its length in bytes in *len as well (len may be NULL). It belongs to the object it was
 *      read from and lives as long as that object. The one exception, ksr_object_get, says so.
 *  (3) A function that can fail returns a ksr_status: KSR_OK or a KSR_E_* below zero. When it fails it leaves its
 *      out-parameters untouched and, if `err` is not NULL, stores a new ksr_error there, which the caller frees with
 *      ksr_error_free; without memory for one it stores nothing. Nothing is kept in thread-local state.
 *  (4) *_free, *_release, *_close, *_cancel and *_close_async accept NULL. Other functions answer NULL as they
 *      answer an empty or closed object, and do not crash. A snapshot, object, error or config must not be used after
 *      its last release or free.
 *  (5) Every function may be called on any thread that has 64 KiB of its stack left. A ksr_config belongs to one
 *      thread at a time. Streams, snapshots, objects and errors may be used on many threads at once. No function is a
 *      cancellation point: pthread_cancel of a thread that is inside one, or in a callback, is held off until it has
 *      returned, so ksr_cancel and the like end what it waits for.
 *  (6) Callbacks of one stream never overlap, on_log included. They run on the stream's delivery thread, or inside
 *      ksr_dispatch with delivery=manual, with no lock of the library held. They may block and may call any function of
 *      the library except ksr_close on their own stream (two callbacks that close each other's streams wait for each
 *      other: ksr_close_async never waits). They must not throw and must not unwind (longjmp,
 *      pthread_exit). Of a client the same holds for all its callbacks, those of its requests included: they never
 *      overlap, and close neither the client nor a request of it.
 *  (7) Objects handed to a callback live until it returns. To keep one, retain it: it may then outlive the stream.
 *  (8) In a child made by fork() from a process that had called ksr_open or ksr_client_open, which start the network
 *      thread also where they fail, no stream and no client works: functions that return a status return
 *      KSR_E_FORKED, those that return a pointer NULL, the others do nothing. Snapshots, objects and errors that were
 *      there before can still be read. To use streams in a child, exec().
 *  (9) A status, state, delta or field that this header does not name comes from a newer library: treat it as "other".
 * (10) Cost: a function that does not say otherwise takes constant time, allocates nothing and does not wait. n is the
 *      number of objects in a snapshot.
 * (11) Times are in milliseconds, sizes in bytes, positions count from 0.
 * (12) Threads: one network thread serves all streams of the process, starts with the first ksr_open or
 *      ksr_client_open and stays until the process ends. Each stream with delivery=thread, the default, has one
 *      delivery thread until it is closed; one with delivery=manual has none. Threads for name resolution and
 *      credential plugins end when idle. The library stays mapped after dlclose, since its threads run in it; it may be
 *      loaded again. What valgrind says of running threads, "possibly lost", share/ksr/ksr.supp suppresses.
 * (13) Descriptors: those of the library are close-on-exec and stay open while it uses them. A host must not close any
 *      that it has not opened, as closefrom(3) and loops over /proc/self/fd do, but between fork() and exec(): without
 *      its own the network thread learns of nothing any more, so streams stay as they are and no time limit ends a
 *      request.
 *
 * Every function, type and constant is there since version 0.1 unless its comment says otherwise.
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
#define KSR_VERSION 0x000200

/* The version of the loaded library, 0xMMmmpp. A program that was built with one version runs with every library of the
 * same major version and a higher number. */
KSR_API uint32_t ksr_version(void);

/* The same as text, such as "0.2.0". Static. */
KSR_API const char *ksr_version_string(void);

/* How the library was built, as one JSON object: version, compiler, cpprestsdk, boost, openssl (built with, running
 * with, linked static or dynamic), features. For bug reports. Static; contains nothing of the host. "{}" without
 * memory for it. */
KSR_API const char *ksr_build_info(void);

/* 1 when the library has the feature `name`, else 0 (NULL included): "websocket", "http", "tls", "gzip", "http_proxy",
 * "manual_delivery"; since 0.2 "requests", "channels", "exec", "log_resume", "portforward". Later versions may add
 * names. */
KSR_API int ksr_has_feature(const char *name);

/* ---- status codes and constants --------------------------------------------------------------------------------- */

typedef int32_t ksr_status;
typedef int32_t ksr_state;
typedef int32_t ksr_delta;
typedef int32_t ksr_field;

enum {
  KSR_OK = 0,
  KSR_E_INVALID = -1,        /* an argument or a value that is not valid; a stream that is closed */
  KSR_E_NOMEM = -2,          /* out of memory, descriptors or threads */
  KSR_E_INTERNAL = -3,       /* a defect of the library */
  KSR_E_UNKNOWN_KEY = -4,    /* no such config key, or no such statistic */
  KSR_E_WOULD_DEADLOCK = -5, /* ksr_close inside a callback of the same stream */
  KSR_E_FORKED = -6,         /* called in a child of fork(); see (8) */
  KSR_E_CANCELLED = -7,      /* the stream was cancelled or closed */
  KSR_E_TIMEOUT = -8,        /* the time limit was exceeded */
  KSR_E_UNSUPPORTED = -9,    /* the protocol that was agreed on with the server cannot do it; since 0.2 */

  KSR_E_TRANSPORT = -20, /* the server could not be reached, or the connection broke */
  KSR_E_TLS = -21,       /* the handshake failed: a certificate, a name, a version */
  KSR_E_PROTOCOL = -22,  /* the server does not speak HTTP, WebSocket, JSON or the Kubernetes API as it should */
  KSR_E_TOO_LARGE = -23, /* an object above max_object_size or nested too deep, a view above max_view_bytes, the answer
                            to a request above max_body, or a message of a WebSocket above max_message */
  KSR_E_LOST = -24,      /* it ended without saying how; since 0.2 */

  KSR_E_AUTH = -40,      /* 401 */
  KSR_E_FORBIDDEN = -41, /* 403 */
  KSR_E_NOT_FOUND = -42, /* 404 */
  KSR_E_GONE = -43,      /* 410: the resourceVersion is too old; the stream lists again */
  KSR_E_THROTTLED = -44, /* 429 */
  KSR_E_SERVER = -45,    /* any other HTTP status that is an error */
  KSR_E_CONFLICT = -46,  /* 409, of a request; since 0.2 */
  KSR_E_REJECTED = -47   /* 400, 405, 406, 413, 415, 422, of a request: the server does not take it; since 0.2 */
};

enum {
  KSR_STATE_CONNECTING = 1, /* opening a connection */
  KSR_STATE_LISTING = 2,    /* reading the list */
  KSR_STATE_LIVE = 3,       /* the view is current, and an open watch keeps it current */
  KSR_STATE_WAITING = 4,    /* something failed; the stream tries again by itself */
  KSR_STATE_CLOSED = 5      /* cancelled, closed or failed for good; the last on_state of a stream */
};

/* See ksr_snapshot_delta_at. */
enum { KSR_DELTA_ADDED = 1, KSR_DELTA_MODIFIED = 2, KSR_DELTA_DELETED = 3 };

/* See ksr_object_field. */
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

/* An error belongs to the host when a function stored it in `err`, or ksr_error_copy or ksr_last_error returned it, and
 * is freed with ksr_error_free; the one that on_error is given belongs to the library and lives until the callback
 * returns. */
typedef struct ksr_error ksr_error;

/* KSR_E_*; KSR_OK for NULL. */
KSR_API ksr_status ksr_error_code(const ksr_error *error);

/* One line for people: what failed, where, and what was expected. No secrets. Its wording may change between versions:
 * decide by the code. "" for NULL. */
KSR_API const char *ksr_error_message(const ksr_error *error, size_t *len);

/* The reason of the API server's Status object, such as "Expired" or "Forbidden"; "" without one. */
KSR_API const char *ksr_error_reason(const ksr_error *error, size_t *len);

/* The status of the HTTP response. A failure without a response has a status too, as in Headlamp: 408 when the server
 * was silent for too long, 502 when it could not be reached or the connection broke. ksr_error_code tells the two
 * apart: KSR_E_SERVER when a server or gateway answered 408 or 502; KSR_E_TIMEOUT, KSR_E_TRANSPORT, KSR_E_TLS or
 * KSR_E_PROTOCOL when the failure was found here. 0 when no request was involved, and for NULL. */
KSR_API int ksr_error_http_status(const ksr_error *error);

/* Milliseconds until the stream tries again by itself. 0: it tries again without waiting, or the error has not stopped
 * it (one object was skipped, for example). -1: it does not try again; the error is fatal, and KSR_STATE_CLOSED
 * follows. -1 also for NULL and for an error that a function stored in `err`. */
KSR_API int64_t ksr_error_retry_ms(const ksr_error *error);

/* The Status object of a refused request as JSON, as the server sent it: its details have the causes, such as the
 * fields in conflict; "" without one, and for errors of streams. Since 0.2. */
KSR_API const char *ksr_error_details(const ksr_error *error, size_t *len);

/* 1: the error ends a request, or a channel of kind http, that may have been carried out all the same: it was sent, and
 * no answer came that says otherwise (408 and 5xx do not: a gateway may answer so while the server works); or a channel
 * of kind exec, attach, portforward or websocket that was open, or whose opening was answered no better: the command
 * may have run. 0: it was not, or it changes nothing (GET), or the error is none of these. Since 0.2. */
KSR_API int ksr_error_maybe_done(const ksr_error *error);

/* A copy that the caller frees, to keep an error beyond its callback; NULL for NULL or without memory. Allocates. */
KSR_API ksr_error *ksr_error_copy(const ksr_error *error);

KSR_API void ksr_error_free(ksr_error *error);

/* ---- callbacks -------------------------------------------------------------------------------------------------- */

typedef struct ksr_config ksr_config;     /* what to watch, where, as whom: keys with values, and callbacks */
typedef struct ksr_stream ksr_stream;     /* one open stream */
typedef struct ksr_snapshot ksr_snapshot; /* the complete view at one moment; reference-counted */
typedef struct ksr_object ksr_object;     /* one Kubernetes object; reference-counted */

/* The view has changed; the first call brings the complete list. Changes that come while a callback runs are merged:
 * the next call has them all. `snapshot` lives until the callback returns; ksr_snapshot_retain keeps it. */
typedef void (*ksr_update_fn)(ksr_stream *stream, const ksr_snapshot *snapshot, void *user_data);

/* Something failed. The stream tries again by itself, see ksr_error_retry_ms: the host need not act. `error` lives
 * until the callback returns; ksr_error_copy keeps it. Up to 64 errors wait for a callback that runs; beyond that the
 * oldest is dropped, never a fatal one, and the statistic dropped_errors counts it. */
typedef void (*ksr_error_fn)(ksr_stream *stream, const ksr_error *error, void *user_data);

/* The state has changed. Up to 16 states wait for a callback that runs; beyond that the oldest is dropped, and the
 * statistic dropped_states counts it. KSR_STATE_CLOSED comes exactly once, as the last
 * callback; `destroy`, where the host may free what user_data points to, follows. */
typedef void (*ksr_state_fn)(ksr_stream *stream, ksr_state state, void *user_data);

/* One line about what the stream does. `level` is that of syslog: 3 error, 4 warning, 5 notice (a fallback, a proxy in
 * use), 6 info (where the connection comes from and whose credentials it uses, what was listed, when and why watches
 * open and end, what requests were refused with), 7 debug. Errors come to on_error, and not here as such. `msg`
 * is NUL-terminated, contains no secrets, and lives until the callback returns. Up to 256 lines wait for a callback
 * that runs; beyond that the oldest is dropped, the statistic dropped_logs counts it, and a line of its own says how
 * many. */
typedef void (*ksr_log_fn)(int32_t level, const char *msg, size_t len, void *user_data);

/* Called exactly once for each ksr_open: before a failing ksr_open returns, on the calling thread; else after the last
 * callback of the stream, where callbacks run. Must not call ksr_close on the stream (KSR_E_WOULD_DEADLOCK). */
typedef void (*ksr_destroy_fn)(void *user_data);

/* ---- configuration ---------------------------------------------------------------------------------------------- */

/* A new configuration with every key at its default and no callbacks, which the caller frees with ksr_config_free.
 * Allocates. KSR_E_INVALID for NULL, KSR_E_NOMEM, KSR_E_FORKED. */
KSR_API ksr_status ksr_config_new(ksr_config **out);
KSR_API void ksr_config_free(ksr_config *config);

/* Sets one key; ksr-config(5) lists them. Values are text: booleans true or false; durations such as 800ms, 30s, 5m;
 * sizes such as 512Ki, 64Mi. The last value of a key counts. Reads no file: ksr_open does. Allocates.
 * KSR_E_UNKNOWN_KEY, or KSR_E_INVALID for a value that the key does not take; the error names the key and what it
 * takes, and never repeats the value of a secret. KSR_E_NOMEM, KSR_E_FORKED. */
KSR_API ksr_status ksr_config_set(ksr_config *config, const char *key, const char *value, ksr_error **err);

/* Sets a callback for the streams that are opened from now on; NULL removes it. Set on_error at least: a stream that
 * cannot reach its server reports it there, and else only to who asks ksr_last_error. */
KSR_API void ksr_config_on_update(ksr_config *config, ksr_update_fn callback);
KSR_API void ksr_config_on_error(ksr_config *config, ksr_error_fn callback);
KSR_API void ksr_config_on_state(ksr_config *config, ksr_state_fn callback);
KSR_API void ksr_config_on_log(ksr_config *config, ksr_log_fn callback);

/* ---- streams ---------------------------------------------------------------------------------------------------- */

/* Opens a stream. Copies `config`, which may be changed or freed at once and may open any number of streams. Reads the
 * files that the configuration names; never waits for the network: an unreachable server is an on_error, not a failure
 * here. Callbacks may start before this returns. `user_data` is passed to every callback and may be NULL; `destroy`
 * (may be NULL) is called with it once at the end. *out receives the stream, which the host must end with ksr_close or
 * ksr_close_async. Streams that ask for the same over the same connection share one list, watch and cache (the config
 * key share); all else is each stream's own, and one that is opened later starts with what the cache holds. Costs the
 * reading of files and, with delivery=thread, the start of a thread.
 * KSR_E_INVALID (a missing or contradictory key, a file that cannot be read, a certificate that does not parse),
 * KSR_E_NOMEM, KSR_E_FORKED. */
KSR_API ksr_status ksr_open(const ksr_config *config, void *user_data, ksr_destroy_fn destroy, ksr_stream **out,
                            ksr_error **err);

/* Ends the stream's work. Never blocks, may be called anywhere, any number of times. Once it has returned, no on_update
 * and no on_error starts; one that runs already, or that another thread is about to enter, runs to its end (ksr_close
 * waits for it). on_state(KSR_STATE_CLOSED) and `destroy` follow (with delivery=manual: in ksr_dispatch or ksr_close).
 * The stream must still be closed with ksr_close or ksr_close_async. */
KSR_API void ksr_cancel(ksr_stream *stream);

/* Cancels, waits for a callback that is running, but never for the network, and releases the stream. Once it has
 * returned KSR_OK no callback runs or ever will, and `destroy` has returned. The caller must not hold a lock that a
 * callback takes. Inside a callback of the same stream: KSR_E_WOULD_DEADLOCK, and nothing happens. KSR_E_INVALID for a
 * stream that is closed already; KSR_E_FORKED, and nothing happens, in a forked child. KSR_OK for NULL. */
KSR_API ksr_status ksr_close(ksr_stream *stream);

/* Cancels and releases the stream without waiting: the way to close inside a callback. `destroy` is the sign that the
 * stream is gone (with delivery=manual it comes in the running ksr_dispatch, or in this call when none runs). The
 * caller must not use the stream again; callbacks that still come may use the pointer that they are given. */
KSR_API void ksr_close_async(ksr_stream *stream);

/* Waits until the first complete snapshot is there (ksr_latest returns it), at most `timeout_ms` milliseconds; 0 does
 * not wait, a negative number waits without limit. With delivery=manual nothing needs to be dispatched for it. May be
 * called inside callbacks too. While the server cannot be reached or refuses, this goes on waiting: on_error says why,
 * and ksr_last_error does after KSR_E_TIMEOUT and KSR_E_CANCELLED. To fail at once instead, set reconnect=false.
 * KSR_OK, KSR_E_TIMEOUT, KSR_E_CANCELLED (cancelled, closed or failed for good before), KSR_E_INVALID, KSR_E_FORKED. */
KSR_API ksr_status ksr_wait_synced(ksr_stream *stream, int64_t timeout_ms);

/* What ksr_wait_until waits for: non-zero when it is true of `snapshot`, which lives until the test returns;
 * ksr_snapshot_retain keeps it. Since 0.2. */
typedef int (*ksr_test_fn)(const ksr_snapshot *snapshot, void *user_data);

/* Waits until something is true of the view, such as that a pod is ready or gone: calls `test` on the calling thread,
 * first with the view as it is (once the first complete snapshot is there), then whenever there is what on_update is
 * called for, until it returns non-zero; at most `timeout_ms` milliseconds, 0 for one test of what is there, a negative
 * number without limit. Changes that come while the test runs are merged: it sees the newest view, not each change, and
 * each snapshot once. As ksr_wait_synced else: nothing needs to be dispatched or delivered for it, no on_update is
 * needed, it may be called inside callbacks and by several threads at once, and while the server cannot be reached it
 * goes on waiting. The test may call any function of the library, those that end the stream included; it must not throw
 * and must not unwind. It is no callback in the sense of (6): it may run at the same time as one, no lock of the
 * library is held, and a test that is running is waited for by no ksr_close. The deltas of its snapshot are those of
 * ksr_latest. The view of a stream that has ended is tested once.
 * KSR_OK; KSR_E_TIMEOUT; KSR_E_CANCELLED: it was cancelled or closed, or has failed for good (ksr_last_error says why),
 * before the test was passed; KSR_E_INVALID for a NULL `test` and a closed stream; KSR_E_NOMEM; KSR_E_FORKED.
 * Since 0.2. */
KSR_API ksr_status ksr_wait_until(ksr_stream *stream, ksr_test_fn test, void *user_data, int64_t timeout_ms);

/* A new reference to the newest complete snapshot, which the caller releases with ksr_snapshot_release. It may be one
 * that on_update has not brought yet; its deltas are those since the last delivered one, or, where there is nothing
 * newer than that, those that it was delivered with: ksr_snapshot_sequence tells them apart. After ksr_cancel the view
 * as it was then, which the stream holds until it is closed. NULL before the first, for a closed stream, and without
 * memory. Costs time in proportion to the changes since the last snapshot. */
KSR_API const ksr_snapshot *ksr_latest(ksr_stream *stream);

/* delivery=manual: a file descriptor that is readable (poll, epoll) while ksr_dispatch has something to do. It belongs
 * to the stream and is closed with it: do not read, write or close it. -1 with delivery=thread and for a closed stream.
 */
KSR_API int ksr_fd(ksr_stream *stream);

/* delivery=manual: runs the callbacks that wait, on this thread, and returns how many of those that the host has it
 * called, CLOSED and `destroy` together counted as one; 0 when nothing waits, when another thread is dispatching this
 * stream, or inside its callbacks. It runs what waits when it is called, not what is added meanwhile. Below zero:
 * KSR_E_INVALID for a closed stream or one with delivery=thread, KSR_E_FORKED, KSR_E_NOMEM. */
KSR_API int64_t ksr_dispatch(ksr_stream *stream);

/* Stores the current value of a statistic in *value; ksr-config(5) lists the names. KSR_E_UNKNOWN_KEY, KSR_E_INVALID
 * for a NULL or a closed stream, KSR_E_FORKED. */
KSR_API ksr_status ksr_stat(ksr_stream *stream, const char *name, uint64_t *value);

/* What keeps the stream from being LIVE: a copy of the error that on_error was given when the stream last failed, which
 * the caller frees with ksr_error_free; the same until the stream is LIVE again, also while a try is under way.
 * Of a resource without a watch it is the error that said so (405) whenever a list has succeeded. ksr_error_retry_ms is
 * the time left until the next try, 0 while it is under way, -1 when there is none. With several namespaces it is the
 * error of one that is not LIVE. NULL when nothing is wrong now: the stream is LIVE, or has not failed since it was
 * opened or last LIVE; NULL also for NULL, for a closed stream, in a forked child, and without memory. ksr_cancel
 * leaves it as it is; after a fatal error it is that error, until the stream is closed. Does not wait; may be called
 * inside callbacks: in on_error it is that error or a newer state of things. With delivery=manual nothing needs to be
 * dispatched for it. Allocates. Since 0.2. */
KSR_API ksr_error *ksr_last_error(ksr_stream *stream);

/* 1 while the calling thread is inside a callback of any stream (on_update, on_error, on_state, on_log or `destroy`),
 * be it on a thread of the library or inside ksr_dispatch, ksr_close or ksr_open; else 0. 0 in a forked child. For a
 * binding that must know before it waits for a stream; ksr_close on the callback's own stream returns
 * KSR_E_WOULD_DEADLOCK in any case. Costs time in proportion to the number of open streams. Since 0.2. */
KSR_API int ksr_in_callback(void);

/* ---- snapshots -------------------------------------------------------------------------------------------------- */

/* A snapshot is the complete view at one moment, never a part of it. It is immutable and may be kept, may outlive its
 * stream, and may be used on any thread. Without `limit` its objects are ordered by (namespace, name); with `limit`
 * they are the N most recent of all, most recent first; the others are kept in memory all the same. It shares its
 * objects with the snapshots before and after it. */

/* Adds a reference, which ksr_snapshot_release gives back. Returns its argument. The last release frees what no other
 * snapshot shares: time in proportion to that. */
KSR_API const ksr_snapshot *ksr_snapshot_retain(const ksr_snapshot *snapshot);
KSR_API void ksr_snapshot_release(const ksr_snapshot *snapshot);

/* 1, 2, 3... within a stream, in the order in which the snapshots are made; 0 for NULL. ksr_latest and ksr_wait_until
 * take numbers too, which on_update then does not see. Snapshots of one number show the same: between them there is at
 * most what is no change for the host (drop_fields, notify=columns), with a newer resourceVersion; with `limit` another
 * place is a change. */
KSR_API uint64_t ksr_snapshot_sequence(const ksr_snapshot *snapshot);

/* The resourceVersion as of which the view is complete; "" for NULL. It moves on with the changes that the view shows:
 * a newer one of a bookmark, or of a list in which nothing has changed, comes with the next of them. With several
 * namespaces it is the newest of theirs; the other ones may be complete as of an older one. */
KSR_API const char *ksr_snapshot_resource_version(const ksr_snapshot *snapshot, size_t *len);

/* How many objects it has; 0 for NULL. */
KSR_API size_t ksr_snapshot_count(const ksr_snapshot *snapshot);

/* The object at position `i`, from 0; NULL past the end. Borrowed from the snapshot. O(log n). */
KSR_API const ksr_object *ksr_snapshot_at(const ksr_snapshot *snapshot, size_t i);

/* The object of that namespace ("" or NULL for cluster-scoped) and name, or of that uid; NULL when there is none.
 * Borrowed from the snapshot. O(log n). */
KSR_API const ksr_object *ksr_snapshot_find(const ksr_snapshot *snapshot, const char *ns, const char *name);
KSR_API const ksr_object *ksr_snapshot_find_uid(const ksr_snapshot *snapshot, const char *uid);

/* How many objects have changed since the snapshot delivered before; each uid counts once. Deleted objects come first,
 * then the others, both in the order of (namespace, name). In the first snapshot every object is KSR_DELTA_ADDED. An
 * object that was replaced by another of the same name is KSR_DELTA_DELETED and KSR_DELTA_ADDED. With `limit` they are
 * the changes of the N most recent: an object that a more recent one has displaced is KSR_DELTA_DELETED though it
 * exists, one that has moved up is KSR_DELTA_ADDED, and one whose time, by which they are ordered, has changed is
 * KSR_DELTA_MODIFIED, also where nothing else of it has. 0 for NULL. */
KSR_API size_t ksr_snapshot_delta_count(const ksr_snapshot *snapshot);

/* The kind of delta `i`, from 0; *obj (obj may be NULL) receives its object, borrowed from the snapshot: that which the
 * snapshot shows; for KSR_DELTA_DELETED in its last known state, which no snapshot need have shown. 0, and *obj
 * untouched, past the end. O(1), or O(log n): in the first snapshot, and where the object may have changed since in
 * what is no change for the host (drop_fields, notify=columns). */
KSR_API ksr_delta ksr_snapshot_delta_at(const ksr_snapshot *snapshot, size_t i, const ksr_object **obj);

/* The object of delta `i` as the snapshot delivered before had it, so that a host can see what has changed; for
 * KSR_DELTA_DELETED the object itself, unless it had changed before it was deleted; NULL for KSR_DELTA_ADDED, past the
 * end and for NULL. Where changes that are no deltas came in between (of dropped fields, or with notify=columns) it may
 * be a later state, which differs from that one in those alone. Borrowed from this snapshot, which keeps it in memory.
 * O(1). Any thread. Since 0.2. */
KSR_API const ksr_object *ksr_snapshot_delta_before(const ksr_snapshot *snapshot, size_t i);

/* 1: delta `i` is KSR_DELTA_DELETED only because `limit` has no place for the object any more; the object existed when
 * the snapshot was made. Else 0. O(1). Any thread. Since 0.2. */
KSR_API int ksr_snapshot_delta_left(const ksr_snapshot *snapshot, size_t i);

/* The objects whose column (see ksr_object_column) has the value `value`, such as the pods of one node: how many there
 * are, and the i-th of them, from 0, in the order of the snapshot; NULL past the end. The config key `index` names the
 * columns that can be asked for; for another one, and for NULL, there are none. A column with `*` is found by each of
 * its values, and not by all of them joined. "" finds the objects whose column is empty. Values are compared byte for
 * byte; one that has a NUL in it cannot be found. Borrowed from the snapshot. O(log n). Any thread. Since 0.2. */
KSR_API size_t ksr_snapshot_index_count(const ksr_snapshot *snapshot, size_t column, const char *value);
KSR_API const ksr_object *ksr_snapshot_index_at(const ksr_snapshot *snapshot, size_t column, const char *value,
                                                size_t i);

/* ---- objects ---------------------------------------------------------------------------------------------------- */

/* Adds a reference, which ksr_object_release gives back: keeps an object beyond its snapshot, and nothing else of that.
 * Returns its argument. */
KSR_API const ksr_object *ksr_object_retain(const ksr_object *object);
KSR_API void ksr_object_release(const ksr_object *object);

/* The text of a field (KSR_FIELD_*), "" where the object has none; NULL and length 0 for an unknown field and for a
 * NULL object. Lives as long as the object. */
KSR_API const char *ksr_object_field(const ksr_object *object, ksr_field field, size_t *len);

/* The raw JSON text of the value that a JSON pointer (RFC 6901) names inside the object, such as "/status/phase" or
 * "/spec/containers/0/image". In a name `/` is written ~1 and `~` is written ~0, so that the label
 * app.kubernetes.io/name is "/metadata/labels/app.kubernetes.io~1name". A string comes with its quotes and escapes. The
 * text is a slice of KSR_FIELD_JSON, lives as long as the object and is NOT NUL-terminated: use *len. NULL and length 0
 * when nothing is there. Costs time in proportion to the object's JSON. */
KSR_API const char *ksr_object_get(const ksr_object *object, const char *json_pointer, size_t *len);

/* The values that a JSON pointer names, decoded, so that a host needs no parser of JSON; all since version 0.2. None of
 * them allocates; each costs time in proportion to the object's JSON. The pointer is that of ksr_object_get. NULL
 * arguments and a pointer that is none name nothing.
 *
 * A string, decoded to UTF-8: returns its whole length in bytes, and writes as much of it as fits into `to`, cut
 * between characters, with a NUL behind it; with `size` 0 nothing is written, and `to` may be NULL. A string may have
 * NULs in it. -1, and nothing is written, when no string is there. */
KSR_API int64_t ksr_object_get_string(const ksr_object *object, const char *json_pointer, char *to, size_t size);

/* 1, and *value is set: an integer that fits is there (1e3 is one, 1.5 and 9223372036854775808 are none); a number (not
 * one too large for a double; one too small for it is 0); true or false, as 1 or 0; a string that is an RFC 3339 time,
 * in milliseconds since 1970-01-01T00:00:00Z, rounded down. 0, and *value is untouched: there is none. */
KSR_API int ksr_object_get_int64(const ksr_object *object, const char *json_pointer, int64_t *value);
KSR_API int ksr_object_get_double(const ksr_object *object, const char *json_pointer, double *value);
KSR_API int ksr_object_get_bool(const ksr_object *object, const char *json_pointer, int *value);
KSR_API int ksr_object_get_time(const ksr_object *object, const char *json_pointer, int64_t *unix_ms);

/* How many elements an array has, or members an object; -1 when neither is there. */
KSR_API int64_t ksr_object_size(const ksr_object *object, const char *json_pointer);

/* The name of member `i`, from 0, in the order of the text; as ksr_object_get_string. -1 past the end, and where no
 * object is. */
KSR_API int64_t ksr_object_key(const ksr_object *object, const char *json_pointer, size_t i, char *to, size_t size);

/* The text of column 0, 1, 2... of the config key `columns`, read when the object was stored: a string decoded to
 * UTF-8, of anything else its JSON, "" for null and where there is nothing. A pointer with `*` gives all its values,
 * joined with commas. It may be of a field that keep_fields or drop_fields has cut out of the object's JSON. *len (may
 * be NULL) receives its length in bytes; it is NUL-terminated as well. NULL and length 0 past the last column, and for
 * an object of a response. Lives as long as the object. O(1). Any thread. Since 0.2. */
KSR_API const char *ksr_object_column(const ksr_object *object, size_t column, size_t *len);

/* ---- clients and requests --------------------------------------------------------------------------------------- */

/* A client is a connection to one cluster, or to a Headlamp server, and the delivery of callbacks for all that is done
 * over it. A request is one call of the API over a client: any verb, or any path. Clients and streams with the same
 * connection share its sockets, credentials and discovery. All of this is there since version 0.2.
 *
 *     ksr_params_new(&params);
 *     ksr_params_set(params, "verb", "get", NULL);
 *     ksr_params_set(params, "resource", "v1/configmaps", NULL);
 *     ksr_params_set(params, "namespace", "default", NULL);
 *     ksr_params_set(params, "name", "settings", NULL);
 *     if (ksr_call(client, params, &response, &err) == KSR_OK) puts((const char *)ksr_response_body(response, NULL));
 *
 * A request that changes something is never carried out twice by a retry of the library, unless the key `retries` is
 * all; ksr_error_maybe_done says whether one that failed may have been carried out. */
typedef struct ksr_client ksr_client;     /* a connection, and one delivery thread or one descriptor */
typedef struct ksr_params ksr_params;     /* what to ask for: keys with values, a body, a callback */
typedef struct ksr_request ksr_request;   /* one call on its way */
typedef struct ksr_response ksr_response; /* an answer of the server; immutable, reference-counted */

/* The answer to a request: a response for a 2xx, else an error; the other one is NULL. Comes exactly once, but not
 * after a ksr_request_cancel (see there). Both live until the callback returns; ksr_response_retain and ksr_error_copy
 * keep them. */
typedef void (*ksr_response_fn)(ksr_request *request, const ksr_response *response, const ksr_error *error,
                                void *user_data);

/* Opens a client with the connection, Headlamp and delivery keys of `config`, and its on_log; its other keys and
 * callbacks mean nothing here. Copies `config`, reads the files that it names, never waits for the network. `destroy`
 * (may be NULL) is called once with `user_data`: before a failing ksr_client_open returns, else after the last callback
 * of the client. *out must be ended with ksr_client_close or ksr_client_close_async. KSR_E_INVALID, KSR_E_NOMEM,
 * KSR_E_FORKED. */
KSR_API ksr_status ksr_client_open(const ksr_config *config, void *user_data, ksr_destroy_fn destroy, ksr_client **out,
                                   ksr_error **err);

/* Opens a stream over the client's connection and in its delivery: as ksr_open, but the callbacks of all streams and
 * requests of one client never overlap, and run on its one thread, or where its one descriptor is dispatched. `query`:
 * the query and sync keys, and the callbacks; a connection or delivery key in it is KSR_E_INVALID (min_interval and
 * max_object_size are those of the client). ksr_fd of the stream is ksr_client_fd, ksr_dispatch is ksr_client_dispatch,
 * ksr_close inside any callback of the client is KSR_E_WOULD_DEADLOCK. *out must be ended with ksr_close or
 * ksr_close_async; closing the client closes it too. A callback that blocks delays those of the client's other streams,
 * not what they receive. KSR_E_INVALID, KSR_E_CANCELLED for a client that was cancelled, KSR_E_NOMEM, KSR_E_FORKED. */
KSR_API ksr_status ksr_client_stream(ksr_client *client, const ksr_config *query, void *user_data,
                                     ksr_destroy_fn destroy, ksr_stream **out, ksr_error **err);

/* Cancels all requests, streams and channels of the client; no other can be opened. Never blocks, may be called
 * anywhere. The client must still be closed. */
KSR_API void ksr_client_cancel(ksr_client *client);

/* Cancels and closes all requests, streams and channels of the client, waits for a callback that is running, but never
 * for the network, and releases the client. Once it has returned KSR_OK no callback of the client runs or ever will,
 * and all `destroy` have returned. Inside a callback of the client: KSR_E_WOULD_DEADLOCK, and nothing happens.
 * KSR_E_INVALID for a client that is closed already; KSR_E_FORKED. KSR_OK for NULL. */
KSR_API ksr_status ksr_client_close(ksr_client *client);

/* The same without waiting: the way to close inside a callback. `destroy` is the sign that the client is gone. */
KSR_API void ksr_client_close_async(ksr_client *client);

/* delivery=manual: one descriptor for all of the client, readable while ksr_client_dispatch has something to do; -1
 * with delivery=thread and for a closed client. As ksr_fd and ksr_dispatch. */
KSR_API int ksr_client_fd(ksr_client *client);
KSR_API int64_t ksr_client_dispatch(ksr_client *client);

/* As ksr_stat; CONFIGURATION.md lists the names. */
KSR_API ksr_status ksr_client_stat(ksr_client *client, const char *name, uint64_t *value);

/* New parameters with every key at its default, which the caller frees. Allocates. KSR_E_INVALID for NULL, KSR_E_NOMEM,
 * KSR_E_FORKED. A ksr_params belongs to one thread at a time, and may open any number of requests. */
KSR_API ksr_status ksr_params_new(ksr_params **out);
KSR_API void ksr_params_free(ksr_params *params);

/* Sets one key; CONFIGURATION.md lists them. The last value of a key counts. Allocates. KSR_E_UNKNOWN_KEY, or
 * KSR_E_INVALID for a value that the key does not take; the error names the key and what it takes. KSR_E_NOMEM,
 * KSR_E_FORKED. */
KSR_API ksr_status ksr_params_set(ksr_params *params, const char *key, const char *value, ksr_error **err);

/* Adds one more value to a list key: resource, query.NAME, command, subprotocol. KSR_E_INVALID for a key that is no
 * list; else as ksr_params_set. */
KSR_API ksr_status ksr_params_add(ksr_params *params, const char *key, const char *value, ksr_error **err);

/* The body of the request, copied: JSON, or what the Content-Type header says. It replaces the one before; `len` 0
 * removes it. KSR_E_INVALID, KSR_E_NOMEM, KSR_E_FORKED. */
KSR_API ksr_status ksr_params_body(ksr_params *params, const void *bytes, size_t len, ksr_error **err);

/* The callback of the requests that are opened from now on; NULL removes it. */
KSR_API void ksr_params_on_response(ksr_params *params, ksr_response_fn callback);

/* Opens a request and sends it, without waiting for the network. Copies `params`. What can be told to be wrong before
 * anything is sent is KSR_E_INVALID here; everything else comes as the answer. `destroy` (may be NULL) is called once
 * with `user_data`: before a failing call returns, else where callbacks run, after on_response. *out receives the
 * request, which must be ended with ksr_request_close or ksr_request_close_async, also after its answer; closing the
 * client closes it too. KSR_E_INVALID, KSR_E_CANCELLED for a client that was cancelled, KSR_E_NOMEM, KSR_E_FORKED. */
KSR_API ksr_status ksr_request_open(ksr_client *client, const ksr_params *params, void *user_data,
                                    ksr_destroy_fn destroy, ksr_request **out, ksr_error **err);

/* Waits for the answer, at most `timeout_ms` milliseconds; 0 does not wait, a negative number waits without limit. The
 * same answer to each caller, before on_response or after it: KSR_OK, and *out (may be NULL) receives a new reference
 * that the caller releases; or the status of the error that the request ended with, and *err the error. May be called
 * inside callbacks; nothing needs to be dispatched for it. KSR_E_TIMEOUT with http status 0: no answer within
 * `timeout_ms`. KSR_E_CANCELLED, KSR_E_INVALID, KSR_E_FORKED. */
KSR_API ksr_status ksr_request_wait(ksr_request *request, int64_t timeout_ms, const ksr_response **out,
                                    ksr_error **err);

/* Ends the request. Never blocks, may be called anywhere, any number of times. Once it has returned, no on_response
 * starts; one that runs already, or that another thread is about to enter, runs to its end (ksr_request_close waits for
 * it). `destroy` follows. What was sent may be carried out all the same. The request must still be closed. */
KSR_API void ksr_request_cancel(ksr_request *request);

/* Cancels, waits for a callback of the request that is running or waits for its turn, but never for the network, and
 * releases the request. Once it has returned KSR_OK, `destroy` has returned. Inside a callback of the same client:
 * KSR_E_WOULD_DEADLOCK, and nothing happens. KSR_E_INVALID for a request that is closed already; KSR_E_FORKED. KSR_OK
 * for NULL, and for each of several threads that close at once. */
KSR_API ksr_status ksr_request_close(ksr_request *request);

/* The same without waiting: the way to close inside a callback. */
KSR_API void ksr_request_close_async(ksr_request *request);

/* Opens a request, waits for its answer and closes it: as ksr_request_open and ksr_request_wait without a limit (the
 * key `timeout` is one). The on_response of `params` is not called. May be called inside callbacks. */
KSR_API ksr_status ksr_call(ksr_client *client, const ksr_params *params, const ksr_response **out, ksr_error **err);

/* Adds a reference, which ksr_response_release gives back. Returns its argument. A response outlives its request and
 * its client, and may be used on any thread. */
KSR_API const ksr_response *ksr_response_retain(const ksr_response *response);
KSR_API void ksr_response_release(const ksr_response *response);

/* 200 to 299; 0 for NULL. */
KSR_API int ksr_response_http_status(const ksr_response *response);

/* The values of a header, joined with ", "; NULL and length 0 when there is none. The case of `name` does not matter.
 * Of a value that is no UTF-8 each byte that is not part of a character is U+FFFD. */
KSR_API const char *ksr_response_header(const ksr_response *response, const char *name, size_t *len);

/* The texts with which the server warns (Warning: 299), of a deprecated API or an unknown field for example; NULL and
 * length 0 past the end. */
KSR_API size_t ksr_response_warning_count(const ksr_response *response);
KSR_API const char *ksr_response_warning(const ksr_response *response, size_t i, size_t *len);

/* The body as it came, decompressed; a byte 0 follows its last one, which *len does not count. Lives as long as the
 * response. "" for NULL. */
KSR_API const void *ksr_response_body(const ksr_response *response, size_t *len);

/* The body as an object, borrowed from the response, for ksr_object_field and ksr_object_get; NULL when it is no JSON
 * object. The first call allocates, and takes time in proportion to the body. */
KSR_API const ksr_object *ksr_response_object(const ksr_response *response);

/* ---- channels --------------------------------------------------------------------------------------------------- */

/* A channel carries bytes over a client: the log of a container, a command that runs in one, a forwarded port, or any
 * WebSocket or HTTP body; the key `kind` of the parameters says which. All of this is there since version 0.2.
 *
 *     ksr_params_set(params, "kind", "exec", NULL);
 *     ksr_params_set(params, "namespace", "default", NULL);
 *     ksr_params_set(params, "name", "web-0", NULL);
 *     ksr_params_add(params, "command", "ls", NULL);
 *     ksr_params_add(params, "command", "/", NULL);
 *     ksr_params_on_data(params, print);
 *     if (ksr_channel_open(client, params, NULL, NULL, &channel, &err) == KSR_OK) {
 *       if (ksr_channel_wait(channel, -1, &exit_code, &err) == KSR_OK) printf("exit code %d\n", (int)exit_code);
 *       ksr_channel_close(channel);
 *     }
 *
 * Bytes come to on_data where the parameters have one (push), else ksr_channel_read takes them (pull). The library
 * holds `receive_buffer` of them, and at most one read of the connection more (64 KiB), and then rests: the server
 * waits, and nothing is dropped. What was asked for must be read: a part that is not wanted is switched off by its key.
 * Nothing is decoded, and pieces end anywhere; but what a log delivers are whole lines, and a message of a WebSocket
 * comes whole, a text too as it was sent: it is UTF-8 if the server keeps to RFC 6455.
 *
 * A log is resumed after a failure without a line lost or repeated, or KSR_EVENT_GAP tells where. That needs the times
 * of the lines: from a server that sends none, lines come as they are, also with `timestamps`, and the log ends with
 * its response; with KSR_EVENT_GAP and an error unless the container is over too. A command, an attach and a forwarded
 * port are never opened a second time: nothing is run twice. A command that has begun goes on when its channel is
 * closed, with its standard streams closed. */
typedef struct ksr_channel ksr_channel; /* bytes in and out */

typedef int32_t ksr_part;
typedef int32_t ksr_event;

enum {
  KSR_PART_DATA = 0, /* what is written: the standard input of exec and attach; both ways: portforward */
  KSR_PART_STDIN = 0,
  KSR_PART_STDOUT = 1, /* of exec and attach; with a terminal both of its outputs; log; the body of http */
  KSR_PART_STDERR = 2,
  KSR_PART_TEXT = 16,  /* a text message of a WebSocket */
  KSR_PART_BINARY = 17 /* a binary message of a WebSocket */
};

enum {
  KSR_EVENT_CONNECTING = 1,  /* a try begins */
  KSR_EVENT_OPEN = 2,        /* the server has accepted it */
  KSR_EVENT_READABLE = 3,    /* without on_data: `part` has bytes, and had none before; or the end is known */
  KSR_EVENT_WRITABLE = 4,    /* after a write to `part` that did not take all: half of send_buffer is free again */
  KSR_EVENT_FINISHED = 5,    /* nothing more comes on `part`, which has ended in order */
  KSR_EVENT_GAP = 6,         /* lines of the log are missing here */
  KSR_EVENT_RESTARTED = 7,   /* what follows is the log of the container's next instance */
  KSR_EVENT_INTERRUPTED = 8, /* the error says why; ksr_error_retry_ms tells of the next try */
  KSR_EVENT_CLOSED = 9       /* the last one, after all bytes; without an error the end was orderly */
};

/* Bytes of `part`, borrowed until the callback returns; how many of them were taken. With less than `len` no more of
 * this part comes before ksr_channel_resume, beginning with what was not taken; of a message (KSR_PART_TEXT,
 * KSR_PART_BINARY) anything less than `len` is none. */
typedef size_t (*ksr_data_fn)(ksr_channel *channel, int32_t part, const void *bytes, size_t len, void *user_data);

/* `part` is 0 where the event is of none. `error`: of KSR_EVENT_INTERRUPTED, and of KSR_EVENT_CLOSED unless the end was
 * orderly; NULL else. It lives until the callback returns. */
typedef void (*ksr_event_fn)(ksr_channel *channel, int32_t event, int32_t part, const ksr_error *error,
                             void *user_data);

/* The callbacks of the channels that are opened from now on; NULL removes one. They run where all callbacks of the
 * client do, one at a time. */
KSR_API void ksr_params_on_data(ksr_params *params, ksr_data_fn callback);
KSR_API void ksr_params_on_event(ksr_params *params, ksr_event_fn callback);

/* Opens a channel, without waiting for the network; a failure to open it is KSR_EVENT_CLOSED with the error, and what
 * ksr_channel_wait returns. Copies `params`. What can be told to be wrong before anything is sent is KSR_E_INVALID
 * here. `destroy` (may be NULL) is called once with `user_data`: before a failing call returns, else after the last
 * callback of the channel. *out must be ended with ksr_channel_close or ksr_channel_close_async; closing the client
 * closes it too. KSR_E_INVALID, KSR_E_CANCELLED for a client that was cancelled, KSR_E_NOMEM, KSR_E_FORKED. */
KSR_API ksr_status ksr_channel_open(ksr_client *client, const ksr_params *params, void *user_data,
                                    ksr_destroy_fn destroy, ksr_channel **out, ksr_error **err);

/* Copies what has come of `part`, at most `size` bytes, and sets *got. Waits while there is nothing, at most
 * `timeout_ms` milliseconds; 0 does not wait, a negative number waits without limit. KSR_OK with *got 0: nothing more
 * comes of this part, in order (or `size` is 0); the status of the error where the channel ended with one, after all
 * bytes. Of KSR_PART_TEXT and KSR_PART_BINARY one message, KSR_E_TOO_LARGE and its size in *got where it does not fit
 * (it stays); empty ones are left out. May be called inside callbacks. KSR_E_INVALID with on_data, and for a part that
 * was not asked for; KSR_E_CANCELLED, KSR_E_FORKED. With an on_event, what lies behind a KSR_EVENT_GAP or
 * KSR_EVENT_RESTARTED is read once that callback has returned: until then KSR_E_TIMEOUT, at once with delivery=manual.
 * A wait that nothing could end, inside a callback or without limit with delivery=manual, reads on before.
 * KSR_E_TIMEOUT: nothing came within `timeout_ms`, or the channel has ended with that status, as with head_timeout and
 * pong_timeout. With a negative `timeout_ms` it is the end. Else, where the statistic end_known (ksr_channel_stat) is 1
 * afterwards, the same read again answers at once, with bytes that came in between or with the end, and KSR_E_TIMEOUT
 * is the end then: a host that repeats a read until something comes has to ask. */
KSR_API ksr_status ksr_channel_read(ksr_channel *channel, int32_t part, void *to, size_t size, int64_t timeout_ms,
                                    size_t *got);

/* Queues bytes for the server, before the channel is open too. *taken: as many as fit into `send_buffer`; less than
 * `len` is normal, and KSR_EVENT_WRITABLE follows. Waits while nothing fits, as ksr_channel_read does: KSR_E_TIMEOUT
 * with *taken 0. A message (KSR_PART_TEXT, which must be UTF-8, or KSR_PART_BINARY) is taken whole or not at all. May
 * be called inside callbacks. KSR_E_INVALID for a part that nothing can be written to and after ksr_channel_finish; the
 * status of the end of a channel that has ended (KSR_E_LOST where that was orderly), which may be KSR_E_TIMEOUT too:
 * ksr_channel_read says how to tell; KSR_E_CANCELLED, KSR_E_FORKED. */
KSR_API ksr_status ksr_channel_write(ksr_channel *channel, int32_t part, const void *bytes, size_t len,
                                     int64_t timeout_ms, size_t *taken);

/* Ends what is written to `part`, behind what is queued: a command then reads the end of its standard input.
 * KSR_E_UNSUPPORTED where the protocol cannot say so (a forwarded port, v4.channel.k8s.io); before the protocol is
 * known that comes as KSR_EVENT_INTERRUPTED. exec with stdin and without tty asks for a protocol that can. */
KSR_API ksr_status ksr_channel_finish(ksr_channel *channel, int32_t part);

/* After an on_data that took less than it was given: the rest of `part` comes again. May be called anywhere, also
 * inside that on_data. */
KSR_API ksr_status ksr_channel_resume(ksr_channel *channel, int32_t part);

/* The size of the terminal: 1 to 65535 each. Only the newest one is sent. KSR_E_INVALID without the key `tty`: the
 * server would stop reading. */
KSR_API ksr_status ksr_channel_resize(ksr_channel *channel, uint32_t columns, uint32_t rows);

/* Waits for the end, as ksr_request_wait for an answer; with on_data and a delivery thread, outside of callbacks, also
 * until all bytes were taken. KSR_OK: it was orderly, and *exit_code (may be NULL) is that of the command of
 * exec, which may be any number; it is not touched where there is none. Else the status of the error: KSR_E_LOST when
 * it is not known how the command ended, which is never taken for a success, or its Status is larger than 4 MiB;
 * KSR_E_CANCELLED when the channel was
 * cancelled before all bytes were taken, whatever its end was. KSR_E_TIMEOUT with http status 0: not within
 * `timeout_ms`. */
KSR_API ksr_status ksr_channel_wait(ksr_channel *channel, int64_t timeout_ms, int32_t *exit_code, ksr_error **err);

/* Copies text on the channel as it is now, cut to `size` and with a NUL, and returns its whole length; 0 when there is
 * none. "protocol": the subprotocol that the server chose. "container", "pod_uid". "cursor": what the key `from_cursor`
 * takes, to go on in another process behind the last whole line that the host has taken: a part of a line, however long
 * that is, comes again from its beginning. It has some 50 bytes for each of the last lines, up to 1,024 of them, 56 KiB
 * at most; one that was cut or changed is refused. "cursor:BYTES", for a host that reads ahead of what it uses: the
 * same behind the last whole line of the first BYTES that it has taken; none where a line ends between these and the
 * last 64 KiB of what it has taken. "close_code", "close_reason": of a WebSocket. "http_status"; "warnings", of http:
 * the texts with which the server warns, one a line. `to` may be NULL with `size` 0. */
KSR_API size_t ksr_channel_info(ksr_channel *channel, const char *name, char *to, size_t size);

/* As ksr_stat; CONFIGURATION.md lists the names. */
KSR_API ksr_status ksr_channel_stat(ksr_channel *channel, const char *name, uint64_t *value);

/* Ends the channel. Never blocks, may be called anywhere, any number of times. Once it has returned, no on_data and no
 * event but KSR_EVENT_CLOSED starts; one that runs already, or that another thread is about to enter, runs to its end
 * (ksr_channel_close waits for it). What the host has not taken is dropped, and then the end is KSR_E_CANCELLED, also
 * where another one was known already. A WebSocket is closed with 1000, without waiting for the server. The channel
 * must still be closed. */
KSR_API void ksr_channel_cancel(ksr_channel *channel);

/* As ksr_request_close and ksr_request_close_async. */
KSR_API ksr_status ksr_channel_close(ksr_channel *channel);
KSR_API void ksr_channel_close_async(ksr_channel *channel);

#ifdef __cplusplus
}
#endif

#endif /* KSR_H */
