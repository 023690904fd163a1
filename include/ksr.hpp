/*
 * ksr.hpp - libksr for C++17: ksr.h with handles that close themselves, ranges, std::function and exceptions.
 *
 * Header-only: needs ksr.h and the standard library, and links to libksr alone. All of it is there since version 0.2.
 * What a function does is what the function of ksr.h with its name does; the comments here say what is different.
 *
 * A complete program, which prints what happens to the pods of a cluster until Enter is pressed:
 *
 *     #include <ksr.hpp>
 *
 *     #include <cstdio>
 *     #include <iostream>
 *
 *     int main() {
 *       ksr::config config{{"resource", "v1/pods"}};
 *       config.on_update([](ksr::stream_ref, const ksr::snapshot &view) {
 *         for (const auto &[kind, pod, before, left] : view.deltas()) {
 *           std::cout << to_string(kind) << ' ' << pod.ns() << '/' << pod.name() << ' '
 *                     << pod.get<std::string>("/status/phase").value_or("?") << std::endl;
 *         }
 *       });
 *       config.on_error([](ksr::stream_ref, const ksr::error &error) { std::cerr << error.what() << std::endl; });
 *       try {
 *         ksr::stream pods(config);
 *         std::getchar();
 *         pods.close();
 *       } catch (const ksr::error &error) {
 *         std::cerr << error.what() << std::endl;
 *         return 1;
 *       }
 *     }
 *
 * Conventions, besides those of ksr.h
 *
 *  (1) Handles. config, params, stream, client, request and channel own what they are made with: they can be moved
 *      and not copied. snapshot, object and response count references: a copy is one reference more. The destructor
 *      gives back what is owned. stream_ref, client_ref, request_ref and channel_ref own nothing, are as cheap to
 *      copy as a pointer, and may outlive what they name: once that is closed, their functions fail with
 *      status::invalid.
 *  (2) Empty. What was moved from, and what was made without arguments, is empty: it is false as a condition, its
 *      functions answer as those of ksr.h answer NULL (with nothing, 0 or status::invalid), and none of them crashes.
 *  (3) Text that comes out is a std::string_view, lent by the object that it was asked of, and NUL-terminated unless
 *      its comment says otherwise. It lives as long as that object, and what an object_view lends as long as its
 *      snapshot or response. Text that goes in is a ksr::text: a const char * or a std::string costs nothing, a
 *      std::string_view a copy.
 *  (4) Errors. A function that fails throws ksr::error, or std::bad_alloc for status::out_of_memory; try_* is the
 *      same without an exception, with a status or a result, where a failure is an ordinary outcome. What an accessor
 *      cannot find is empty. Whatever is not noexcept may throw std::bad_alloc.
 *  (5) Callbacks are std::function; config and params hold them, and each stream, client, request or channel has
 *      copies, which are destroyed after its last callback, or before a failing open returns. They run where those of
 *      ksr.h run, and never overlap within a stream or client.
 *  (6) A callback may throw. The exception never enters the library. It is given to on_exception, if that is set, and
 *      all goes on. Where it is not set, or throws in turn, on_log has a line of level 3, the stream, client, request
 *      or channel is cancelled, and close, wait, wait_synced, wait_until and dispatch of its owner throw the exception,
 *      once; exception() shows it. An owner that is destroyed drops it.
 *  (7) A destructor closes, and waits for a running callback, as ksr_close does. Inside a callback, where that would
 *      be KSR_E_WOULD_DEADLOCK, it closes without waiting, as ksr_close_async; close() throws there, and does
 *      nothing. An owner that its own callbacks capture is never destroyed: capture a *_ref.
 *  (8) Threads. Every function may be called on any thread, those of one stream, client, request, channel, snapshot
 *      or object on many at once. To make, assign, move and destroy one handle is for one thread at a time, as with
 *      any object. A config or params belongs to one thread at a time.
 *  (9) Times are std::chrono, to the millisecond; a negative one does not wait, and ksr::forever has no limit, as
 *      std::chrono::hours::max().
 * (10) Cost: that of the function of ksr.h, and nothing to speak of besides, unless the comment says otherwise.
 * (11) Nothing here has static data, starts a thread, or needs run-time type information.
 *
 * Without linking to libksr: with KSR_HPP_LOADED defined before the include, every call goes through pointers that
 * load_functions has filled, with dlsym for example. It must be called before anything else of this header, and calls
 * through a library that was unloaded are the host's mistake. Both kinds may be in one program, in different files.
 * Each shared object has pointers of its own: build one with -fvisibility=hidden, or load it with RTLD_LOCAL.
 */
#ifndef KSR_HPP
#define KSR_HPP

#if __cplusplus < 201703L
#error "ksr.hpp needs C++17 or later"
#endif
#ifndef __cpp_exceptions
#error "ksr.hpp needs exceptions; ksr.h does not"
#endif

#include <ksr.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#ifdef KSR_HPP_LOADED
#define KSR_HPP_VARIANT loaded
#else
#define KSR_HPP_VARIANT linked
#endif

namespace ksr {
inline namespace KSR_HPP_VARIANT {

#ifdef KSR_HPP_LOADED
/* Every function of ksr.h. In this namespace a name such as ksr_open is the pointer. */
#define KSR_HPP_FUNCTIONS(X)       \
  X(ksr_version)                   \
  X(ksr_version_string)            \
  X(ksr_build_info)                \
  X(ksr_has_feature)               \
  X(ksr_status_name)               \
  X(ksr_error_code)                \
  X(ksr_error_message)             \
  X(ksr_error_reason)              \
  X(ksr_error_http_status)         \
  X(ksr_error_retry_ms)            \
  X(ksr_error_details)             \
  X(ksr_error_maybe_done)          \
  X(ksr_error_copy)                \
  X(ksr_error_free)                \
  X(ksr_config_new)                \
  X(ksr_config_free)               \
  X(ksr_config_set)                \
  X(ksr_config_on_update)          \
  X(ksr_config_on_error)           \
  X(ksr_config_on_state)           \
  X(ksr_config_on_log)             \
  X(ksr_open)                      \
  X(ksr_cancel)                    \
  X(ksr_close)                     \
  X(ksr_close_async)               \
  X(ksr_wait_synced)               \
  X(ksr_wait_until)                \
  X(ksr_latest)                    \
  X(ksr_fd)                        \
  X(ksr_dispatch)                  \
  X(ksr_stat)                      \
  X(ksr_last_error)                \
  X(ksr_in_callback)               \
  X(ksr_snapshot_retain)           \
  X(ksr_snapshot_release)          \
  X(ksr_snapshot_sequence)         \
  X(ksr_snapshot_resource_version) \
  X(ksr_snapshot_count)            \
  X(ksr_snapshot_at)               \
  X(ksr_snapshot_find)             \
  X(ksr_snapshot_find_uid)         \
  X(ksr_snapshot_delta_count)      \
  X(ksr_snapshot_delta_at)         \
  X(ksr_snapshot_delta_before)     \
  X(ksr_snapshot_delta_left)       \
  X(ksr_snapshot_index_count)      \
  X(ksr_snapshot_index_at)         \
  X(ksr_object_retain)             \
  X(ksr_object_release)            \
  X(ksr_object_field)              \
  X(ksr_object_get)                \
  X(ksr_object_get_string)         \
  X(ksr_object_get_int64)          \
  X(ksr_object_get_double)         \
  X(ksr_object_get_bool)           \
  X(ksr_object_get_time)           \
  X(ksr_object_size)               \
  X(ksr_object_key)                \
  X(ksr_object_column)             \
  X(ksr_client_open)               \
  X(ksr_client_stream)             \
  X(ksr_client_cancel)             \
  X(ksr_client_close)              \
  X(ksr_client_close_async)        \
  X(ksr_client_fd)                 \
  X(ksr_client_dispatch)           \
  X(ksr_client_stat)               \
  X(ksr_params_new)                \
  X(ksr_params_free)               \
  X(ksr_params_set)                \
  X(ksr_params_add)                \
  X(ksr_params_body)               \
  X(ksr_params_on_response)        \
  X(ksr_params_on_data)            \
  X(ksr_params_on_event)           \
  X(ksr_request_open)              \
  X(ksr_request_wait)              \
  X(ksr_request_cancel)            \
  X(ksr_request_close)             \
  X(ksr_request_close_async)       \
  X(ksr_call)                      \
  X(ksr_response_retain)           \
  X(ksr_response_release)          \
  X(ksr_response_http_status)      \
  X(ksr_response_header)           \
  X(ksr_response_warning_count)    \
  X(ksr_response_warning)          \
  X(ksr_response_body)             \
  X(ksr_response_object)           \
  X(ksr_channel_open)              \
  X(ksr_channel_read)              \
  X(ksr_channel_write)             \
  X(ksr_channel_finish)            \
  X(ksr_channel_resume)            \
  X(ksr_channel_resize)            \
  X(ksr_channel_wait)              \
  X(ksr_channel_info)              \
  X(ksr_channel_stat)              \
  X(ksr_channel_cancel)            \
  X(ksr_channel_close)             \
  X(ksr_channel_close_async)
/* Hidden: two plugins of one host do not share them, and are not kept from being unloaded by them. */
#define KSR_HPP_POINTER(name) __attribute__((visibility("hidden"))) inline decltype(&::name) name = nullptr;
KSR_HPP_FUNCTIONS(KSR_HPP_POINTER)
#undef KSR_HPP_POINTER
#endif

/* ---- statuses and constants ------------------------------------------------------------------------------------- */

/* The numbers of ksr.h. One that has no name here comes from a newer library: treat it as "other". */
enum class status : ksr_status {
  ok = KSR_OK,
  invalid = KSR_E_INVALID,
  out_of_memory = KSR_E_NOMEM,
  internal = KSR_E_INTERNAL,
  unknown_key = KSR_E_UNKNOWN_KEY,
  would_deadlock = KSR_E_WOULD_DEADLOCK,
  forked = KSR_E_FORKED,
  cancelled = KSR_E_CANCELLED,
  timeout = KSR_E_TIMEOUT,
  unsupported = KSR_E_UNSUPPORTED,
  transport = KSR_E_TRANSPORT,
  tls = KSR_E_TLS,
  protocol = KSR_E_PROTOCOL,
  too_large = KSR_E_TOO_LARGE,
  lost = KSR_E_LOST,
  auth = KSR_E_AUTH,
  forbidden = KSR_E_FORBIDDEN,
  not_found = KSR_E_NOT_FOUND,
  gone = KSR_E_GONE,
  throttled = KSR_E_THROTTLED,
  server = KSR_E_SERVER,
  conflict = KSR_E_CONFLICT,
  rejected = KSR_E_REJECTED
};

enum class state : ksr_state {
  connecting = KSR_STATE_CONNECTING,
  listing = KSR_STATE_LISTING,
  live = KSR_STATE_LIVE,
  waiting = KSR_STATE_WAITING,
  closed = KSR_STATE_CLOSED
};

enum class delta_kind : ksr_delta {
  added = KSR_DELTA_ADDED,
  modified = KSR_DELTA_MODIFIED,
  deleted = KSR_DELTA_DELETED
};

enum class field : ksr_field {
  json = KSR_FIELD_JSON,
  uid = KSR_FIELD_UID,
  ns = KSR_FIELD_NAMESPACE,
  name = KSR_FIELD_NAME,
  resource_version = KSR_FIELD_RESOURCE_VERSION,
  kind = KSR_FIELD_KIND,
  api_version = KSR_FIELD_API_VERSION,
  creation_timestamp = KSR_FIELD_CREATION_TIMESTAMP
};

/* The names stdin, stdout and stderr are macros of C. */
enum class part : ksr_part {
  data = KSR_PART_DATA,
  std_in = KSR_PART_STDIN,
  std_out = KSR_PART_STDOUT,
  std_err = KSR_PART_STDERR,
  text = KSR_PART_TEXT,
  binary = KSR_PART_BINARY
};

enum class event_kind : ksr_event {
  connecting = KSR_EVENT_CONNECTING,
  open = KSR_EVENT_OPEN,
  readable = KSR_EVENT_READABLE,
  writable = KSR_EVENT_WRITABLE,
  finished = KSR_EVENT_FINISHED,
  gap = KSR_EVENT_GAP,
  restarted = KSR_EVENT_RESTARTED,
  interrupted = KSR_EVENT_INTERRUPTED,
  closed = KSR_EVENT_CLOSED
};

/* The levels of syslog that the library uses. */
enum class log_level : std::int32_t { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

/* The name of a status, such as "KSR_E_GONE". Static. */
inline std::string_view to_string(status code) noexcept {
  return ksr_status_name(static_cast<ksr_status>(code));
}

/* "LIVE", and "UNKNOWN" for a number that has no name here. Static. */
inline std::string_view to_string(state now) noexcept {
  switch (now) {
    case state::connecting:
      return "CONNECTING";
    case state::listing:
      return "LISTING";
    case state::live:
      return "LIVE";
    case state::waiting:
      return "WAITING";
    case state::closed:
      return "CLOSED";
  }
  return "UNKNOWN";
}

/* "ADDED", as in the events of a watch, and "UNKNOWN" for a number that has no name here. Static. */
inline std::string_view to_string(delta_kind kind) noexcept {
  switch (kind) {
    case delta_kind::added:
      return "ADDED";
    case delta_kind::modified:
      return "MODIFIED";
    case delta_kind::deleted:
      return "DELETED";
  }
  return "UNKNOWN";
}

/* Without a limit, as a time to wait. */
constexpr std::chrono::milliseconds forever = (std::chrono::milliseconds::max)();

/* A time to wait: any duration that is one of whole milliseconds, std::chrono::hours::max() too, which are more
 * milliseconds than there are numbers: `forever`. */
class time_limit {
 public:
  template <
      class Rep, class Period,
      class = std::enable_if_t<std::is_convertible_v<std::chrono::duration<Rep, Period>, std::chrono::milliseconds>>>
  constexpr time_limit(std::chrono::duration<Rep, Period> wait) noexcept : wait_(bounded(wait)) {}

  constexpr operator std::chrono::milliseconds() const noexcept { return wait_; }

 private:
  template <class Duration>
  static constexpr std::chrono::milliseconds bounded(Duration wait) noexcept {
    if (wait < Duration::zero()) return std::chrono::milliseconds(-1);
    // Compared as what has no overflow.
    using milliseconds = std::chrono::duration<double, std::milli>;
    if (milliseconds(wait) >= milliseconds(forever)) return forever;
    return wait;
  }

  std::chrono::milliseconds wait_;
};

/* Milliseconds since 1970-01-01T00:00:00Z: all years that RFC 3339 can write fit. */
using timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/* Text that goes in, for the duration of one call: a const char *, a std::string, or a std::string_view, which is
 * copied. The functions of C end it at a NUL: where text has one inside, config and params throw status::invalid, and
 * nothing is found. */
class text {
 public:
  text(const char *words) noexcept : words_(words) {}
  text(const std::string &words) noexcept : words_(words.c_str()), whole_(words.find('\0') == std::string::npos) {}
  text(std::string_view words)
      : copy_(words), words_(copy_.c_str()), whole_(words.find('\0') == std::string_view::npos) {}
  text(const text &) = delete;
  text &operator=(const text &) = delete;

  const char *c_str() const noexcept { return words_; }

  /* Whether there is no NUL inside. */
  bool is_whole() const noexcept { return whole_; }

 private:
  std::string copy_;
  const char *words_;
  bool whole_ = true;
};

/* ---- errors ----------------------------------------------------------------------------------------------------- */

/* What went wrong: thrown, held by a result, or given to on_error. Copies share what they hold, do not throw, and live
 * as long as one likes. what() is the message, one line, for people. */
class error : public std::runtime_error {
 public:
  /* An error of the host's own, or of a function of ksr.h that says no more than a status. Allocates. */
  error(status code, const std::string &message, bool maybe_done = false)
      : std::runtime_error(message), code_(code), maybe_done_(maybe_done) {}

  status code() const noexcept { return code_; }

  /* The API's Status.reason, such as "AlreadyExists", and the Status itself as JSON; "" without one. */
  std::string_view reason() const noexcept { return read(ksr_error_reason); }
  std::string_view details() const noexcept { return read(ksr_error_details); }

  /* 0: no request was involved. */
  int http_status() const noexcept { return native_ == nullptr ? 0 : ksr_error_http_status(native_.get()); }

  /* Until the stream tries again by itself; nothing: it does not, and all errors that are thrown are of that kind. */
  std::optional<std::chrono::milliseconds> retry_after() const noexcept {
    const std::int64_t wait = native_ == nullptr ? -1 : ksr_error_retry_ms(native_.get());
    if (wait < 0) return std::nullopt;
    return std::chrono::milliseconds(wait);
  }
  bool is_fatal() const noexcept { return !retry_after().has_value(); }

  /* Whether a request that failed may have been carried out all the same; see ksr_error_maybe_done. */
  bool maybe_done() const noexcept {
    return native_ == nullptr ? maybe_done_ : ksr_error_maybe_done(native_.get()) == 1;
  }

  /* Of ksr.h, lent; NULL where there is none. */
  const ksr_error *native() const noexcept { return native_.get(); }

  /* Takes over `err`, which a function of ksr.h has stored, and which may be NULL: then the message is the name of the
   * function and that of the status. Allocates. */
  static error adopt(status code, ksr_error *err, std::string_view function) {
    std::shared_ptr<const ksr_error> native(
        err, [](const ksr_error *freed) { ksr_error_free(const_cast<ksr_error *>(freed)); });
    if (err != nullptr) return error(code, ksr_error_message(err, nullptr), std::move(native));
    return error(code, std::string(function) + ": " + std::string(to_string(code)), nullptr);
  }

  /* A copy of one that is lent, such as those of callbacks; it must not be NULL. Allocates. */
  static error copy(const ksr_error *lent) {
    ksr_error *const own = ksr_error_copy(lent);
    const auto code = static_cast<status>(ksr_error_code(lent));
    if (own == nullptr) return error(code, ksr_error_message(lent, nullptr), nullptr);
    return adopt(code, own, "");
  }

  /* The same with another status, and with words in front of the message. Allocates. */
  error with(status code, const std::string &context) const {
    return error(code, context + what(), native_, maybe_done_);
  }

  /* Throws this error, or std::bad_alloc if it is that. */
  [[noreturn]] void raise() const {
    if (code_ == status::out_of_memory) throw std::bad_alloc();
    throw error(*this);
  }

 private:
  error(status code, const std::string &message, std::shared_ptr<const ksr_error> native, bool maybe_done = false)
      : std::runtime_error(message), code_(code), native_(std::move(native)), maybe_done_(maybe_done) {}

  std::string_view read(const char *(*function)(const ksr_error *, size_t *)) const noexcept {
    size_t length = 0;
    const char *const words = native_ == nullptr ? nullptr : function(native_.get(), &length);
    return words == nullptr ? std::string_view("") : std::string_view(words, length);
  }

  status code_;
  std::shared_ptr<const ksr_error> native_;
  bool maybe_done_ = false;  // where there is no native_
};

/* A value, or the error that there is instead. */
template <class T>
class result {
 public:
  result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  result(error failure) : held_(std::in_place_index<1>, std::move(failure)) {}

  bool has_value() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /* status::ok where there is a value. */
  status code() const noexcept { return has_value() ? status::ok : std::get_if<1>(&held_)->code(); }

  /* Throws the error. */
  const T &value() const & {
    if (!has_value()) failure().raise();
    return *std::get_if<0>(&held_);
  }
  T &value() & {
    if (!has_value()) failure().raise();
    return *std::get_if<0>(&held_);
  }
  T &&value() && {
    if (!has_value()) failure().raise();
    return std::move(*std::get_if<0>(&held_));
  }

  /* There must be a value. */
  const T &operator*() const &noexcept { return *std::get_if<0>(&held_); }
  T &operator*() &noexcept { return *std::get_if<0>(&held_); }
  T &&operator*() &&noexcept { return std::move(*std::get_if<0>(&held_)); }
  const T *operator->() const noexcept { return std::get_if<0>(&held_); }
  T *operator->() noexcept { return std::get_if<0>(&held_); }

  /* There must be no value. */
  const error &failure() const noexcept { return *std::get_if<1>(&held_); }

 private:
  std::variant<T, error> held_;
};

namespace detail {

inline void check(status code, ksr_error *err, std::string_view function) {
  if (code != status::ok) error::adopt(code, err, function).raise();
}

inline std::string_view lent(const char *words, size_t length) noexcept {
  return words == nullptr ? std::string_view("") : std::string_view(words, length);
}

/* Not NULL where there are none. */
inline const char *bytes_of(std::string_view bytes) noexcept {
  return bytes.data() == nullptr ? "" : bytes.data();
}

/* As ksr.h has times to wait. */
inline std::int64_t limit_of(time_limit timeout) noexcept {
  const std::chrono::milliseconds limit = timeout;
  if (limit == forever) return -1;
  return limit.count() < 0 ? 0 : limit.count();
}

inline void check_whole(const text &key, const text &value) {
  if (!key.is_whole() || key.c_str() == nullptr) throw error(status::invalid, "a key is NULL or has a NUL in it");
  if (!value.is_whole()) throw error(status::invalid, std::string(key.c_str()) + ": its value has a NUL in it");
}

/* A string that a function of ksr.h copies out: called once where it is short, else twice. */
template <class Copy>
std::optional<std::string> copied(Copy &&copy) {
  char brief[256];
  const std::int64_t length = copy(brief, sizeof brief);
  if (length < 0) return std::nullopt;
  const auto size = static_cast<std::size_t>(length);
  if (size < sizeof brief) return std::string(brief, size);
  std::string whole(size, '\0');
  copy(whole.data(), size + 1);
  return whole;
}

/* Position i of a source, which is copied into it: something small with at(i). What it yields is a value and no
 * reference, which is what keeps it from being more than an input iterator by the letter of C++17; algorithms that need
 * random access take it, and so do C++20's. */
template <class Source>
class iterator {
 public:
  using value_type = typename Source::value_type;
  using reference = value_type;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::random_access_iterator_tag;
  class pointer {
   public:
    explicit pointer(value_type value) noexcept : value_(value) {}
    const value_type *operator->() const noexcept { return &value_; }

   private:
    value_type value_;
  };

  iterator() noexcept = default;
  iterator(Source source, difference_type i) noexcept : source_(source), i_(i) {}

  reference operator*() const noexcept { return source_.at(static_cast<std::size_t>(i_)); }
  pointer operator->() const noexcept { return pointer(**this); }
  reference operator[](difference_type n) const noexcept { return *(*this + n); }

  iterator &operator++() noexcept { return *this += 1; }
  iterator &operator--() noexcept { return *this -= 1; }
  iterator operator++(int) noexcept {
    const iterator before = *this;
    ++*this;
    return before;
  }
  iterator operator--(int) noexcept {
    const iterator before = *this;
    --*this;
    return before;
  }
  iterator &operator+=(difference_type n) noexcept {
    i_ += n;
    return *this;
  }
  iterator &operator-=(difference_type n) noexcept {
    i_ -= n;
    return *this;
  }
  friend iterator operator+(iterator at, difference_type n) noexcept { return at += n; }
  friend iterator operator+(difference_type n, iterator at) noexcept { return at += n; }
  friend iterator operator-(iterator at, difference_type n) noexcept { return at -= n; }
  friend difference_type operator-(const iterator &a, const iterator &b) noexcept { return a.i_ - b.i_; }
  friend bool operator==(const iterator &a, const iterator &b) noexcept { return a.i_ == b.i_; }
  friend bool operator!=(const iterator &a, const iterator &b) noexcept { return a.i_ != b.i_; }
  friend bool operator<(const iterator &a, const iterator &b) noexcept { return a.i_ < b.i_; }
  friend bool operator>(const iterator &a, const iterator &b) noexcept { return a.i_ > b.i_; }
  friend bool operator<=(const iterator &a, const iterator &b) noexcept { return a.i_ <= b.i_; }
  friend bool operator>=(const iterator &a, const iterator &b) noexcept { return a.i_ >= b.i_; }

 private:
  Source source_{};
  difference_type i_ = 0;
};

/* A counted reference. */
template <class T, const T *(*retain)(const T *) noexcept, void (*release)(const T *) noexcept>
class counted {
 public:
  counted() noexcept = default;
  explicit counted(const T *owned) noexcept : held_(owned) {}
  counted(const counted &other) noexcept : held_(other.held_ == nullptr ? nullptr : retain(other.held_)) {}
  counted(counted &&other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  counted &operator=(counted other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~counted() {
    if (held_ != nullptr) release(held_);
  }

  const T *get() const noexcept { return held_; }

 private:
  const T *held_ = nullptr;
};

inline const ksr_object *retain(const ksr_object *object) noexcept {
  return ksr_object_retain(object);
}
inline void release(const ksr_object *object) noexcept {
  ksr_object_release(object);
}
inline const ksr_snapshot *retain(const ksr_snapshot *snapshot) noexcept {
  return ksr_snapshot_retain(snapshot);
}
inline void release(const ksr_snapshot *snapshot) noexcept {
  ksr_snapshot_release(snapshot);
}
inline const ksr_response *retain(const ksr_response *response) noexcept {
  return ksr_response_retain(response);
}
inline void release(const ksr_response *response) noexcept {
  ksr_response_release(response);
}

}  // namespace detail

/* ---- objects ---------------------------------------------------------------------------------------------------- */

/* An object that belongs to a snapshot or a response, or to an `object`, and lives as long as that: a pointer. False
 * as a condition where there is none. Two are equal when they are the same state of the same object, in memory.
 *
 * A JSON pointer (RFC 6901) is "/status/phase" or "/metadata/labels/app.kubernetes.io~1name". What it asks for costs
 * time in proportion to the object's JSON; columns are O(1). */
class object_view {
 public:
  object_view() noexcept = default;
  explicit object_view(const ksr_object *lent) noexcept : native_(lent) {}

  explicit operator bool() const noexcept { return native_ != nullptr; }
  const ksr_object *native() const noexcept { return native_; }

  /* "" where the object has none. */
  std::string_view get(field which) const noexcept {
    size_t length = 0;
    const char *const words = ksr_object_field(native_, static_cast<ksr_field>(which), &length);
    return detail::lent(words, length);
  }
  std::string_view json() const noexcept { return get(field::json); }
  std::string_view uid() const noexcept { return get(field::uid); }
  std::string_view ns() const noexcept { return get(field::ns); }
  std::string_view name() const noexcept { return get(field::name); }
  std::string_view resource_version() const noexcept { return get(field::resource_version); }
  std::string_view kind() const noexcept { return get(field::kind); }
  std::string_view api_version() const noexcept { return get(field::api_version); }
  std::string_view creation_timestamp() const noexcept { return get(field::creation_timestamp); }

  /* The raw JSON of a value; a string has its quotes and escapes. NOT NUL-terminated. */
  std::optional<std::string_view> json(const text &pointer) const noexcept {
    size_t length = 0;
    const char *const words = pointer.is_whole() ? ksr_object_get(native_, pointer.c_str(), &length) : nullptr;
    if (words == nullptr) return std::nullopt;
    return std::string_view(words, length);
  }

  /* A value, decoded: T is std::string, bool, an integer, float, double, or timestamp (a string that is an RFC 3339
   * time). Nothing: none of that kind is there, or an integer does not fit; one above 2^63 - 1 fits into no T. */
  template <class T>
  std::optional<T> get(const text &pointer) const {
    if (!pointer.is_whole()) return std::nullopt;
    const char *const path = pointer.c_str();
    if constexpr (std::is_same_v<T, std::string>) {
      return detail::copied([&](char *to, size_t size) { return ksr_object_get_string(native_, path, to, size); });
    } else if constexpr (std::is_same_v<T, bool>) {
      int value = 0;
      if (ksr_object_get_bool(native_, path, &value) != 1) return std::nullopt;
      return value != 0;
    } else if constexpr (std::is_integral_v<T>) {
      std::int64_t value = 0;
      if (ksr_object_get_int64(native_, path, &value) != 1 || !fits<T>(value)) return std::nullopt;
      return static_cast<T>(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      double value = 0;
      if (ksr_object_get_double(native_, path, &value) != 1) return std::nullopt;
      return static_cast<T>(value);
    } else {
      static_assert(std::is_same_v<T, timestamp>, "std::string, bool, an integer, float, double or ksr::timestamp");
      std::int64_t value = 0;
      if (ksr_object_get_time(native_, path, &value) != 1) return std::nullopt;
      return timestamp(std::chrono::milliseconds(value));
    }
  }

  /* How many elements an array has, or members an object. */
  std::optional<std::size_t> size(const text &pointer) const noexcept {
    const std::int64_t count = pointer.is_whole() ? ksr_object_size(native_, pointer.c_str()) : -1;
    if (count < 0) return std::nullopt;
    return static_cast<std::size_t>(count);
  }

  /* The name of member `i`, from 0, in the order of the text. */
  std::optional<std::string> key(const text &pointer, std::size_t i) const {
    if (!pointer.is_whole()) return std::nullopt;
    return detail::copied([&](char *to, size_t size) { return ksr_object_key(native_, pointer.c_str(), i, to, size); });
  }

  /* The names of all members; none where no object is. Costs time in proportion to their number times the JSON. */
  std::vector<std::string> keys(const text &pointer) const {
    std::vector<std::string> names;
    while (std::optional<std::string> name = key(pointer, names.size())) names.push_back(std::move(*name));
    return names;
  }

  /* The text of column 0, 1, 2... of the config key `columns`, decoded when the object was stored; "" where it is
   * empty; nothing past the last column. */
  std::optional<std::string_view> column(std::size_t i) const noexcept {
    size_t length = 0;
    const char *const words = ksr_object_column(native_, i, &length);
    if (words == nullptr) return std::nullopt;
    return std::string_view(words, length);
  }

  friend bool operator==(object_view a, object_view b) noexcept { return a.native_ == b.native_; }
  friend bool operator!=(object_view a, object_view b) noexcept { return a.native_ != b.native_; }

 protected:
  const ksr_object *native_ = nullptr;

 private:
  template <class T>
  static bool fits(std::int64_t value) noexcept {
    if constexpr (std::is_unsigned_v<T>) {
      return value >= 0 && static_cast<std::uint64_t>(value) <= (std::numeric_limits<T>::max)();
    } else {
      return value >= (std::numeric_limits<T>::min)() && value <= (std::numeric_limits<T>::max)();
    }
  }
};

/* An object that is kept: one reference, which outlives the snapshot, the stream and the response. An object_view that
 * is made of it lives as long as it does. */
class object : public object_view {
 public:
  object() noexcept = default;
  explicit object(object_view kept) noexcept : object(ksr_object_retain(kept.native())) {}
  object(const object &other) noexcept : object(other.held_) {}
  object(object &&other) noexcept : object(std::move(other.held_)) { other.native_ = nullptr; }
  object &operator=(object other) noexcept {
    std::swap(held_, other.held_);
    std::swap(native_, other.native_);
    return *this;
  }
  ~object() = default;

  /* Takes over a reference. */
  static object adopt(const ksr_object *owned) noexcept { return object(owned); }

 private:
  using reference = detail::counted<ksr_object, detail::retain, detail::release>;

  explicit object(const ksr_object *owned) noexcept : object(reference(owned)) {}
  explicit object(reference held) noexcept : object_view(held.get()), held_(std::move(held)) {}

  reference held_;
};

/* ---- snapshots -------------------------------------------------------------------------------------------------- */

/* One change. Its objects belong to the snapshot. */
struct delta {
  delta_kind kind;
  object_view object; /* for delta_kind::deleted its last known state */
  object_view before; /* as the snapshot delivered before had it; none for delta_kind::added */
  bool left;          /* deleted only because `limit` has no place for it any more: it exists */
};

class delta_range;
class match_range;

/* The complete view at one moment: immutable, and itself a range of its objects in their order. A reference: copies
 * share it. What it yields is borrowed from it, and lives as long as any copy of it; asked of a temporary it yields
 * objects that are kept. */
class snapshot {
 public:
  struct source {
    using value_type = object_view;
    object_view at(std::size_t i) const noexcept { return object_view(ksr_snapshot_at(view, i)); }
    const ksr_snapshot *view = nullptr;
  };
  using value_type = object_view;
  using const_iterator = detail::iterator<source>;
  using iterator = const_iterator;

  snapshot() noexcept = default;

  /* Takes over a reference; adds one. */
  static snapshot adopt(const ksr_snapshot *owned) noexcept { return snapshot(owned); }
  static snapshot share(const ksr_snapshot *lent) noexcept { return snapshot(ksr_snapshot_retain(lent)); }

  explicit operator bool() const noexcept { return native() != nullptr; }
  const ksr_snapshot *native() const noexcept { return held_.get(); }

  /* 1, 2, 3... within a stream. */
  std::uint64_t sequence() const noexcept { return ksr_snapshot_sequence(native()); }
  std::string_view resource_version() const noexcept {
    size_t length = 0;
    const char *const words = ksr_snapshot_resource_version(native(), &length);
    return detail::lent(words, length);
  }

  std::size_t size() const noexcept { return ksr_snapshot_count(native()); }
  bool empty() const noexcept { return size() == 0; }

  /* Each step costs O(log n), as does a jump. */
  const_iterator begin() const noexcept { return {source{native()}, 0}; }
  const_iterator end() const noexcept { return {source{native()}, static_cast<std::ptrdiff_t>(size())}; }

  /* None past the end; at() throws std::out_of_range there. O(log n). */
  object_view operator[](std::size_t i) const &noexcept { return object_view(ksr_snapshot_at(native(), i)); }
  object operator[](std::size_t i) const &&noexcept { return object((*this)[i]); }
  object_view at(std::size_t i) const & { return found(i); }
  object at(std::size_t i) const && { return object(found(i)); }

  /* The object of that namespace ("" for cluster-scoped) and name, or of that uid, or none. O(log n). */
  object_view find(const text &ns, const text &name) const &noexcept {
    return object_view(ns.is_whole() && name.is_whole() ? ksr_snapshot_find(native(), ns.c_str(), name.c_str())
                                                        : nullptr);
  }
  object find(const text &ns, const text &name) const &&noexcept { return object(find(ns, name)); }
  object_view find_uid(const text &uid) const &noexcept {
    return object_view(uid.is_whole() ? ksr_snapshot_find_uid(native(), uid.c_str()) : nullptr);
  }
  object find_uid(const text &uid) const &&noexcept { return object(find_uid(uid)); }

  /* What has changed since the snapshot delivered before; see ksr_snapshot_delta_count for the order. */
  delta_range deltas() const noexcept;

  /* The objects whose column has that value, in the order of the snapshot, of a column that the config key `index`
   * names; for another one there are none. */
  match_range by_index(std::size_t column, std::string_view value) const;

 private:
  explicit snapshot(const ksr_snapshot *owned) noexcept : held_(owned) {}

  object_view found(std::size_t i) const {
    const object_view object = (*this)[i];
    if (!object) throw std::out_of_range("ksr::snapshot::at");
    return object;
  }

  detail::counted<ksr_snapshot, detail::retain, detail::release> held_;
};

/* The deltas of a snapshot, which it holds: its deltas live as long as it does. */
class delta_range {
 public:
  struct source {
    using value_type = delta;
    delta at(std::size_t i) const noexcept {
      const ksr_object *object = nullptr;
      const ksr_delta kind = ksr_snapshot_delta_at(view, i, &object);
      return {static_cast<delta_kind>(kind), object_view(object), object_view(ksr_snapshot_delta_before(view, i)),
              ksr_snapshot_delta_left(view, i) == 1};
    }
    const ksr_snapshot *view = nullptr;
  };
  using value_type = delta;
  using const_iterator = detail::iterator<source>;
  using iterator = const_iterator;

  delta_range() noexcept = default;
  explicit delta_range(snapshot view) noexcept : view_(std::move(view)) {}

  std::size_t size() const noexcept { return ksr_snapshot_delta_count(view_.native()); }
  bool empty() const noexcept { return size() == 0; }

  /* Past the end: of kind 0, which has no name. O(1) or O(log n), as ksr_snapshot_delta_at. */
  delta operator[](std::size_t i) const noexcept { return source{view_.native()}.at(i); }
  const_iterator begin() const noexcept { return {source{view_.native()}, 0}; }
  const_iterator end() const noexcept { return {source{view_.native()}, static_cast<std::ptrdiff_t>(size())}; }

 private:
  snapshot view_;
};

/* The objects that an index has found, in the snapshot that it holds. Its iterators refer to it: they end with it, and
 * when it is moved or assigned. */
class match_range {
 public:
  struct source {
    using value_type = object_view;
    object_view at(std::size_t i) const noexcept { return object_view(ksr_snapshot_index_at(view, column, value, i)); }
    const ksr_snapshot *view = nullptr;
    std::size_t column = 0;
    const char *value = nullptr;
  };
  using value_type = object_view;
  using const_iterator = detail::iterator<source>;
  using iterator = const_iterator;

  match_range() noexcept = default;
  match_range(snapshot view, std::size_t column, std::string_view value)
      : view_(std::move(view)), column_(column), value_(value) {
    // Which no index can find.
    if (value_.find('\0') != std::string::npos) view_ = snapshot();
  }

  /* O(log n), as each step. */
  std::size_t size() const noexcept { return ksr_snapshot_index_count(view_.native(), column_, value_.c_str()); }
  bool empty() const noexcept { return size() == 0; }
  object_view operator[](std::size_t i) const noexcept { return all().at(i); }
  const_iterator begin() const noexcept { return {all(), 0}; }
  const_iterator end() const noexcept { return {all(), static_cast<std::ptrdiff_t>(size())}; }

 private:
  source all() const noexcept { return {view_.native(), column_, value_.c_str()}; }

  snapshot view_;
  std::size_t column_ = 0;
  std::string value_;
};

inline delta_range snapshot::deltas() const noexcept {
  return delta_range(*this);
}

inline match_range snapshot::by_index(std::size_t column, std::string_view value) const {
  return match_range(*this, column, value);
}

namespace detail {

/* A test that is waited for, and what came of it. */
template <class Test>
struct waiting {
  static int is_passed(const ksr_snapshot *view, void *user_data) noexcept {
    waiting &self = *static_cast<waiting *>(user_data);
    try {
      snapshot shared = snapshot::share(view);
      if (!self.test(std::as_const(shared))) return 0;
      self.passed = std::move(shared);
    } catch (...) {
      self.thrown = std::current_exception();
    }
    return 1;
  }

  Test &test;
  snapshot passed;
  std::exception_ptr thrown;
};

}  // namespace detail

/* ---- streams, without their end --------------------------------------------------------------------------------- */

/* A stream that belongs to something else: what callbacks are given. */
class stream_ref {
 public:
  stream_ref() noexcept = default;
  explicit stream_ref(ksr_stream *lent) noexcept : native_(lent) {}

  explicit operator bool() const noexcept { return native_ != nullptr; }
  ksr_stream *native() const noexcept { return native_; }

  /* Ends its work; allowed anywhere, never waits. It must still be closed. */
  void cancel() const noexcept { ksr_cancel(native_); }

  /* Closes it without waiting, allowed in its own callbacks. */
  void close_async() const noexcept { ksr_close_async(native_); }

  /* The newest complete snapshot, empty before the first. Costs time in proportion to the changes since the last one.
   */
  snapshot latest() const noexcept { return snapshot::adopt(ksr_latest(native_)); }

  /* Waits for the first complete snapshot, and returns the newest. status::timeout and status::cancelled come with what
   * is wrong (last_error) in their message, reason, details and HTTP status. */
  snapshot wait_synced(time_limit timeout = forever) const {
    status code = try_wait_synced(timeout);
    if (code == status::ok) {
      if (snapshot view = latest()) return view;
      // It was closed meanwhile, or there is no memory.
      code = try_wait_synced(std::chrono::milliseconds(0));
      if (code == status::ok) throw std::bad_alloc();
    }
    raise_wait(code, "no complete snapshot");
  }
  status try_wait_synced(time_limit timeout = forever) const noexcept {
    return static_cast<status>(ksr_wait_synced(native_, detail::limit_of(timeout)));
  }

  /* Waits until `test` is true of a snapshot, and returns that: calls it on this thread, with the view as it is, then
   * with each that is newer. What it throws, this throws. As wait_synced else; see ksr_wait_until. */
  template <class Test>
  snapshot wait_until(Test &&test, time_limit timeout = forever) const {
    snapshot passed;
    const status code = try_wait_until(test, timeout, &passed);
    if (code == status::ok) return passed;
    raise_wait(code, "what was waited for is not so");
  }

  /* `passed` (may be NULL) receives the snapshot. */
  template <class Test>
  status try_wait_until(Test &&test, time_limit timeout = forever, snapshot *passed = nullptr) const {
    detail::waiting<std::remove_reference_t<Test>> waiting{test, snapshot(), nullptr};
    const auto code = static_cast<status>(
        ksr_wait_until(native_, &decltype(waiting)::is_passed, &waiting, detail::limit_of(timeout)));
    if (waiting.thrown != nullptr) std::rethrow_exception(waiting.thrown);
    if (code == status::ok && passed != nullptr) *passed = std::move(waiting.passed);
    return code;
  }

  /* What keeps it from being live; nothing when nothing is wrong. Allocates. */
  std::optional<error> last_error() const {
    ksr_error *const err = ksr_last_error(native_);
    if (err == nullptr) return std::nullopt;
    return error::adopt(static_cast<status>(ksr_error_code(err)), err, "ksr_last_error");
  }

  /* A statistic of ksr-config(5). */
  std::uint64_t stat(const text &name) const {
    std::uint64_t value = 0;
    detail::check(read(name, &value), nullptr, "ksr_stat");
    return value;
  }
  std::optional<std::uint64_t> try_stat(const text &name) const noexcept {
    std::uint64_t value = 0;
    if (read(name, &value) != status::ok) return std::nullopt;
    return value;
  }

  /* delivery=manual: readable while dispatch has something to do, else -1. It belongs to the stream. */
  int fd() const noexcept { return ksr_fd(native_); }

  /* delivery=manual: runs the callbacks that wait, on this thread, and returns how many. */
  std::size_t dispatch() const {
    const std::int64_t count = ksr_dispatch(native_);
    if (count < 0) error::adopt(static_cast<status>(count), nullptr, "ksr_dispatch").raise();
    return static_cast<std::size_t>(count);
  }

  friend bool operator==(stream_ref a, stream_ref b) noexcept { return a.native_ == b.native_; }
  friend bool operator!=(stream_ref a, stream_ref b) noexcept { return a.native_ != b.native_; }

 protected:
  /* With what is wrong, where something is. */
  [[noreturn]] void raise_wait(status code, const char *what) const {
    const bool may_have_cause = code == status::timeout || code == status::cancelled;
    const std::optional<error> cause = may_have_cause ? last_error() : std::nullopt;
    if (cause) cause->with(code, std::string(what) + ": ").raise();
    error::adopt(code, nullptr, what).raise();
  }

  ksr_stream *native_ = nullptr;

 private:
  status read(const text &name, std::uint64_t *value) const noexcept {
    if (!name.is_whole()) return status::unknown_key;
    return static_cast<status>(ksr_stat(native_, name.c_str(), value));
  }
};

/* ---- callbacks -------------------------------------------------------------------------------------------------- */

/* What is given to them lives until they return; copies of snapshots and errors live on. */
using update_callback = std::function<void(stream_ref, const snapshot &)>;
using error_callback = std::function<void(stream_ref, const error &)>;
using state_callback = std::function<void(stream_ref, state)>;
using log_callback = std::function<void(log_level, std::string_view)>;

/* An exception that left a callback, and the name of that, such as "on_update"; see (6). Runs where the callback did.
 */
using exception_callback = std::function<void(std::exception_ptr, std::string_view callback)>;

/* After the last callback; see ksr_destroy_fn. What the callbacks have captured is destroyed right after it. */
using destroy_callback = std::function<void()>;

namespace detail {

inline void cancel(ksr_stream *stream) noexcept {
  ksr_cancel(stream);
}
inline void cancel(ksr_client *client) noexcept {
  ksr_client_cancel(client);
}
inline void cancel(ksr_request *request) noexcept {
  ksr_request_cancel(request);
}
inline void cancel(ksr_channel *channel) noexcept {
  ksr_channel_cancel(channel);
}

/* What `user_data` points to, and what the owner of the handle shares: the callbacks, and the exception that none of
 * them took. It belongs to the library from the open to `destroy`, to the owner as well. */
template <class Native, class Callbacks>
class core {
 public:
  explicit core(const Callbacks &copied) : callbacks(copied) {}

  /* Runs a callback of the host. `native` may be NULL where it is not known. */
  template <class Call>
  void run(Native *native, std::string_view name, Call &&call) noexcept {
    if (native != nullptr) native_.store(native);
    std::exception_ptr thrown;
    try {
      call();
    } catch (...) {
      thrown = std::current_exception();
    }
    // A handler holds a reference until it ends: what another thread throws again must not be destroyed on this one.
    if (thrown != nullptr) caught(std::move(thrown), name);
  }

  /* Before the open: `destroy` gives this reference back. */
  static void *lend(const std::shared_ptr<core> &shared) noexcept {
    shared->self_ = shared;
    return shared.get();
  }

  /* After an open that succeeded. An exception may have come before. */
  void opened(Native *native) noexcept {
    native_.store(native);
    if (has_failed_.load()) cancel(native);
  }

  static void destroy(void *user_data) noexcept {
    const std::shared_ptr<core> kept = std::move(static_cast<core *>(user_data)->self_);
    if (kept->callbacks.on_destroy) kept->run(nullptr, "on_destroy", kept->callbacks.on_destroy);
    kept->callbacks = Callbacks();
  }

  /* An exception that the caller throws; the next one finds none. */
  std::exception_ptr take() noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(kept_, nullptr);
  }
  std::exception_ptr exception() const noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    return kept_;
  }

  Callbacks callbacks;

 private:
  void caught(std::exception_ptr thrown, std::string_view name) noexcept {
    if (callbacks.on_exception) {
      try {
        return callbacks.on_exception(std::move(thrown), name);
      } catch (...) {
        thrown = std::current_exception();
      }
    }
    callbacks.tell(thrown, name);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (kept_ == nullptr) kept_ = std::move(thrown);
    }
    has_failed_.store(true);
    if (Native *const native = native_.load()) cancel(native);
  }

  std::shared_ptr<core> self_;
  std::atomic<Native *> native_{nullptr};
  std::atomic<bool> has_failed_{false};
  mutable std::mutex mutex_;
  std::exception_ptr kept_;
};

/* The callbacks of a config. */
struct stream_callbacks {
  update_callback on_update;
  error_callback on_error;
  state_callback on_state;
  log_callback on_log;
  exception_callback on_exception;
  destroy_callback on_destroy;

  /* One line of the log, unless that is what failed. */
  void tell(const std::exception_ptr &thrown, std::string_view name) const noexcept {
    if (!on_log || name == "on_log") return;
    try {
      std::string line = std::string(name) + " has thrown";
      try {
        std::rethrow_exception(thrown);
      } catch (const std::exception &known) {
        line += std::string(": ") + known.what();
      } catch (...) {
        line += " what is no std::exception";
      }
      on_log(log_level::error, line);
    } catch (...) {
      // The exception is kept all the same.
    }
  }
};

template <class Native>
using stream_core = core<Native, stream_callbacks>;

/* The functions that the library calls, of a stream and, on_log alone, of a client. */
template <class Native>
struct stream_calls {
  static void on_update(ksr_stream *stream, const ksr_snapshot *view, void *user_data) noexcept {
    auto &self = *static_cast<stream_core<ksr_stream> *>(user_data);
    self.run(stream, "on_update", [&] { self.callbacks.on_update(stream_ref(stream), snapshot::share(view)); });
  }
  static void on_error(ksr_stream *stream, const ksr_error *failure, void *user_data) noexcept {
    auto &self = *static_cast<stream_core<ksr_stream> *>(user_data);
    self.run(stream, "on_error", [&] { self.callbacks.on_error(stream_ref(stream), error::copy(failure)); });
  }
  static void on_state(ksr_stream *stream, ksr_state now, void *user_data) noexcept {
    auto &self = *static_cast<stream_core<ksr_stream> *>(user_data);
    self.run(stream, "on_state", [&] { self.callbacks.on_state(stream_ref(stream), static_cast<state>(now)); });
  }
  static void on_log(std::int32_t level, const char *line, size_t length, void *user_data) noexcept {
    auto &self = *static_cast<stream_core<Native> *>(user_data);
    self.run(nullptr, "on_log",
             [&] { self.callbacks.on_log(static_cast<log_level>(level), std::string_view(line, length)); });
  }
};

/* Opens something with callbacks: its core, or the error. */
template <class Native, class Callbacks, class Open>
result<std::pair<Native *, std::shared_ptr<core<Native, Callbacks>>>> open(const Callbacks &callbacks,
                                                                           std::string_view function, Open &&open) {
  auto shared = std::make_shared<core<Native, Callbacks>>(callbacks);
  Native *native = nullptr;
  ksr_error *err = nullptr;
  void *const user_data = core<Native, Callbacks>::lend(shared);
  const auto code = static_cast<status>(open(user_data, &core<Native, Callbacks>::destroy, &native, &err));
  if (code != status::ok) return error::adopt(code, err, function);
  shared->opened(native);
  return std::make_pair(native, std::move(shared));
}

/* What the owners of streams, requests, channels and clients have in common: a core that may not be there. */
template <class Core>
class kept_core {
 public:
  kept_core() noexcept = default;
  explicit kept_core(std::shared_ptr<Core> shared) noexcept : shared_(std::move(shared)) {}

  void rethrow() const {
    const std::exception_ptr thrown = shared_ == nullptr ? nullptr : shared_->take();
    if (thrown != nullptr) std::rethrow_exception(thrown);
  }
  std::exception_ptr exception() const noexcept { return shared_ == nullptr ? nullptr : shared_->exception(); }

  /* After a close with that status: what was closed already stays so. */
  void closed(status code, std::string_view function) const {
    rethrow();
    if (code != status::invalid) check(code, nullptr, function);
  }

 private:
  std::shared_ptr<Core> shared_;
};

}  // namespace detail

/* ---- configuration ---------------------------------------------------------------------------------------------- */

/* What to watch, where, as whom, and the callbacks; ksr-config(5) lists the keys. It may be changed or destroyed once
 * a stream or a client was opened with it, and may open any number of them. */
class config {
 public:
  /* Every key at its default. Allocates, as all of its functions do. */
  config() { detail::check(static_cast<status>(ksr_config_new(&native_)), nullptr, "ksr_config_new"); }

  /* Keys with values, such as {{"resource", "v1/pods"}, {"namespace", "default"}}. */
  explicit config(std::initializer_list<std::pair<std::string_view, std::string_view>> keys) : config() {
    for (const auto &[key, value] : keys) set(key, value);
  }
  config(config &&other) noexcept
      : native_(std::exchange(other.native_, nullptr)), callbacks_(std::move(other.callbacks_)) {}
  config &operator=(config &&other) noexcept {
    if (this != &other) {
      ksr_config_free(std::exchange(native_, std::exchange(other.native_, nullptr)));
      callbacks_ = std::move(other.callbacks_);
    }
    return *this;
  }
  ~config() {
    if (native_ != nullptr) ksr_config_free(native_);
  }

  explicit operator bool() const noexcept { return native_ != nullptr; }
  ksr_config *native() const noexcept { return native_; }

  /* Throws for an unknown key, and for a value that the key does not take; the message names the key and what it takes.
   */
  config &set(const text &key, const text &value) {
    detail::check_whole(key, value);
    ksr_error *err = nullptr;
    const auto code = static_cast<status>(ksr_config_set(native_, key.c_str(), value.c_str(), &err));
    detail::check(code, err, "ksr_config_set");
    return *this;
  }

  /* An empty function takes it away. What is not set costs nothing; set on_error at least. */
  config &on_update(update_callback callback) {
    ksr_config_on_update(native_, callback ? &detail::stream_calls<ksr_stream>::on_update : nullptr);
    callbacks_.on_update = std::move(callback);
    return *this;
  }
  config &on_error(error_callback callback) {
    ksr_config_on_error(native_, callback ? &detail::stream_calls<ksr_stream>::on_error : nullptr);
    callbacks_.on_error = std::move(callback);
    return *this;
  }
  config &on_state(state_callback callback) {
    ksr_config_on_state(native_, callback ? &detail::stream_calls<ksr_stream>::on_state : nullptr);
    callbacks_.on_state = std::move(callback);
    return *this;
  }

  /* Of streams, and of clients, which have no other callback. */
  config &on_log(log_callback callback) {
    callbacks_.on_log = std::move(callback);
    return *this;
  }
  config &on_exception(exception_callback callback) {
    callbacks_.on_exception = std::move(callback);
    return *this;
  }
  config &on_destroy(destroy_callback callback) {
    callbacks_.on_destroy = std::move(callback);
    return *this;
  }

 private:
  friend class stream;
  friend class client;
  friend class client_ref;

  /* With the on_log of what is opened: a stream or a client. */
  template <class Native, class Open>
  auto open(std::string_view function, Open &&open) const {
    ksr_config_on_log(native_, callbacks_.on_log ? &detail::stream_calls<Native>::on_log : nullptr);
    return detail::open<Native>(callbacks_, function, std::forward<Open>(open));
  }

  ksr_config *native_ = nullptr;
  detail::stream_callbacks callbacks_;
};

/* ---- streams ---------------------------------------------------------------------------------------------------- */

/* An open stream, which its destructor closes. */
class stream : public stream_ref {
 public:
  stream() noexcept = default;

  /* ksr_open: reads files, never waits for the network. Callbacks may start before it returns. */
  explicit stream(const config &from) : stream(try_open(from).value()) {}
  static result<stream> try_open(const config &from) {
    auto opened = from.open<ksr_stream>(
        "ksr_open", [&](void *user_data, ksr_destroy_fn destroy, ksr_stream **out, ksr_error **err) {
          return ksr_open(from.native(), user_data, destroy, out, err);
        });
    if (!opened) return opened.failure();
    return stream(opened->first, std::move(opened->second));
  }

  stream(stream &&other) noexcept : stream_ref(other), core_(std::move(other.core_)) { other.native_ = nullptr; }
  stream &operator=(stream &&other) noexcept {
    if (this != &other) {
      end();
      native_ = std::exchange(other.native_, nullptr);
      core_ = std::move(other.core_);
    }
    return *this;
  }
  ~stream() { end(); }

  /* Waits for a running callback, never for the network; afterwards none runs or ever will. Throws
   * status::would_deadlock inside its own callbacks, and does nothing there. Then, what (6) says. A stream that is
   * closed already stays so. */
  void close() { core_.closed(try_close(), "ksr_close"); }

  /* status::invalid: it is closed already. */
  status try_close() noexcept { return static_cast<status>(ksr_close(native_)); }

  /* As those of stream_ref, and what (6) says. */
  snapshot wait_synced(time_limit timeout = forever) const {
    static_cast<void>(try_wait_synced(timeout));
    core_.rethrow();
    return stream_ref::wait_synced(std::chrono::milliseconds(0));
  }
  template <class Test>
  snapshot wait_until(Test &&test, time_limit timeout = forever) const {
    snapshot passed;
    const status code = try_wait_until(test, timeout, &passed);
    core_.rethrow();
    if (code == status::ok) return passed;
    raise_wait(code, "what was waited for is not so");
  }
  std::size_t dispatch() const {
    const std::int64_t count = ksr_dispatch(native_);
    core_.rethrow();
    if (count < 0) error::adopt(static_cast<status>(count), nullptr, "ksr_dispatch").raise();
    return static_cast<std::size_t>(count);
  }

  /* The exception that a callback has thrown and that (6) has not thrown yet. */
  std::exception_ptr exception() const noexcept { return core_.exception(); }

 private:
  friend class client_ref;

  stream(ksr_stream *owned, std::shared_ptr<detail::stream_core<ksr_stream>> core) noexcept
      : stream_ref(owned), core_(std::move(core)) {}

  void end() noexcept {
    if (native_ != nullptr && try_close() == status::would_deadlock) close_async();
  }

  detail::kept_core<detail::stream_core<ksr_stream>> core_;
};

/* ---- answers ---------------------------------------------------------------------------------------------------- */

/* An answer of the server: immutable, and a reference, as a snapshot. What it yields is borrowed from it. */
class response {
 public:
  response() noexcept = default;

  /* Takes over a reference; adds one. */
  static response adopt(const ksr_response *owned) noexcept { return response(owned); }
  static response share(const ksr_response *lent) noexcept { return response(ksr_response_retain(lent)); }

  explicit operator bool() const noexcept { return native() != nullptr; }
  const ksr_response *native() const noexcept { return held_.get(); }

  /* 200 to 299. */
  int http_status() const noexcept { return ksr_response_http_status(native()); }

  /* The values of a header, joined with ", ". The case of `name` does not matter. */
  std::optional<std::string_view> header(const text &name) const noexcept {
    size_t length = 0;
    const char *const words = name.is_whole() ? ksr_response_header(native(), name.c_str(), &length) : nullptr;
    if (words == nullptr) return std::nullopt;
    return std::string_view(words, length);
  }

  /* The texts with which the server warns. Allocates where it does. */
  std::vector<std::string_view> warnings() const {
    std::vector<std::string_view> all;
    const std::size_t count = ksr_response_warning_count(native());
    for (std::size_t i = 0; i < count; ++i) {
      size_t length = 0;
      const char *const words = ksr_response_warning(native(), i, &length);
      all.emplace_back(words, length);
    }
    return all;
  }

  /* The bytes of the body, decompressed. */
  std::string_view body() const noexcept {
    size_t length = 0;
    const void *const bytes = ksr_response_body(native(), &length);
    return detail::lent(static_cast<const char *>(bytes), length);
  }

  /* The body as an object, or none when it is no JSON object; kept where a temporary is asked. The first call
   * allocates, and takes time in proportion to the body. */
  object_view object() const &noexcept { return object_view(ksr_response_object(native())); }
  ksr::object object() const &&noexcept { return ksr::object(object()); }

 private:
  explicit response(const ksr_response *owned) noexcept : held_(owned) {}

  detail::counted<ksr_response, detail::retain, detail::release> held_;
};

/* ---- requests and channels, without their end ------------------------------------------------------------------- */

/* A request that belongs to something else: what on_response is given. */
class request_ref {
 public:
  request_ref() noexcept = default;
  explicit request_ref(ksr_request *lent) noexcept : native_(lent) {}

  explicit operator bool() const noexcept { return native_ != nullptr; }
  ksr_request *native() const noexcept { return native_; }

  /* Waits for the answer, the same for each caller; allowed inside callbacks. status::timeout with an HTTP status of 0:
   * none came within `timeout`. Allocates. */
  response wait(time_limit timeout = forever) const { return try_wait(timeout).value(); }
  result<response> try_wait(time_limit timeout = forever) const {
    const ksr_response *answer = nullptr;
    ksr_error *err = nullptr;
    const auto code = static_cast<status>(ksr_request_wait(native_, detail::limit_of(timeout), &answer, &err));
    if (code != status::ok) return error::adopt(code, err, "ksr_request_wait");
    return response::adopt(answer);
  }

  /* No on_response starts afterwards; what was sent may be carried out all the same. */
  void cancel() const noexcept { ksr_request_cancel(native_); }
  void close_async() const noexcept { ksr_request_close_async(native_); }

  friend bool operator==(request_ref a, request_ref b) noexcept { return a.native_ == b.native_; }
  friend bool operator!=(request_ref a, request_ref b) noexcept { return a.native_ != b.native_; }

 protected:
  ksr_request *native_ = nullptr;
};

/* What a read or a write has done: `size` bytes, where the status is ok. */
struct io_result {
  status code;
  std::size_t size;
  /* Of status::timeout: nothing came, or fitted, within the time. Else it is how the channel has ended. */
  bool not_yet = false;

  explicit operator bool() const noexcept { return code == status::ok; }

  /* Of a read: nothing more comes, in order. */
  bool is_end() const noexcept { return code == status::ok && size == 0; }
};

/* A channel that belongs to something else: what its callbacks are given. */
class channel_ref {
 public:
  channel_ref() noexcept = default;
  explicit channel_ref(ksr_channel *lent) noexcept : native_(lent) {}

  explicit operator bool() const noexcept { return native_ != nullptr; }
  ksr_channel *native() const noexcept { return native_; }

  /* Without on_data: copies what has come of `which`, at most `size` bytes, and returns how many; 0 at the end. Waits
   * while there is nothing. An error that the channel has ended with is thrown as wait() throws it: its HTTP status
   * tells a status::timeout of the channel (408) from one of this call (0). */
  std::size_t read(part which, void *to, std::size_t size, time_limit timeout = forever) const {
    const io_result done = try_read(which, to, size, timeout);
    check(done, "ksr_channel_read");
    return done.size;
  }

  /* With status::too_large `size` is that of a message, which stays. */
  io_result try_read(part which, void *to, std::size_t size, time_limit timeout = forever) const noexcept {
    return settled(timeout, [&](std::int64_t timeout_ms, std::size_t *got) {
      return ksr_channel_read(native_, static_cast<ksr_part>(which), to, size, timeout_ms, got);
    });
  }

  /* All there is until the end, `timeout` for each piece: it may be much. */
  std::string read_all(part which, time_limit timeout = forever) const {
    std::string all;
    std::string piece(16 * 1024, '\0');
    while (const std::size_t got = read(which, piece.data(), piece.size(), timeout)) all.append(piece, 0, got);
    return all;
  }

  /* The next message of a WebSocket of one kind (part::text, whose bytes may be no UTF-8, or part::binary), whatever
   * its size; nothing at the end. Where the server sends both kinds, stat("next_part") is the number of the oldest
   * one's. */
  std::optional<std::string> read_message(part which, time_limit timeout = forever) const {
    std::string message(4096, '\0');
    for (;;) {
      const io_result done = try_read(which, message.data(), message.size(), timeout);
      if (done.code == status::too_large && done.size > message.size()) {
        message.resize(done.size);
        continue;
      }
      check(done, "ksr_channel_read");
      if (done.size == 0) return std::nullopt;
      message.resize(done.size);
      return message;
    }
  }

  /* Queues bytes, and returns how many: less than all is normal. Waits while nothing fits. Throws as read() does. */
  std::size_t write(part which, std::string_view bytes, time_limit timeout = forever) const {
    const io_result done = try_write(which, bytes, timeout);
    check(done, "ksr_channel_write");
    return done.size;
  }
  io_result try_write(part which, std::string_view bytes, time_limit timeout = forever) const noexcept {
    return settled(timeout, [&](std::int64_t timeout_ms, std::size_t *taken) {
      return ksr_channel_write(native_, static_cast<ksr_part>(which), detail::bytes_of(bytes), bytes.size(), timeout_ms,
                               taken);
    });
  }

  /* Queues all of them, `timeout` for each piece. Where it throws, some may have been queued. */
  void write_all(part which, std::string_view bytes, time_limit timeout = forever) const {
    do {
      bytes.remove_prefix(write(which, bytes, timeout));
    } while (!bytes.empty());
  }

  /* Ends what is written. status::unsupported where the protocol cannot say so. */
  void finish(part which) const { detail::check(try_finish(which), nullptr, "ksr_channel_finish"); }
  status try_finish(part which) const noexcept {
    return static_cast<status>(ksr_channel_finish(native_, static_cast<ksr_part>(which)));
  }

  /* After an on_data that took less than it was given; allowed inside it. */
  void resume(part which) const { detail::check(try_resume(which), nullptr, "ksr_channel_resume"); }
  status try_resume(part which) const noexcept {
    return static_cast<status>(ksr_channel_resume(native_, static_cast<ksr_part>(which)));
  }

  /* The size of the terminal, in characters. */
  void resize(std::uint32_t columns, std::uint32_t rows) const {
    detail::check(try_resize(columns, rows), nullptr, "ksr_channel_resize");
  }
  status try_resize(std::uint32_t columns, std::uint32_t rows) const noexcept {
    return static_cast<status>(ksr_channel_resize(native_, columns, rows));
  }

  /* Waits for the end. The exit code of the command of exec; nothing where there is none, as of a log. status::lost
   * when it is not known how the command ended. Allocates where it fails. */
  std::optional<std::int32_t> wait(time_limit timeout = forever) const { return try_wait(timeout).value(); }
  result<std::optional<std::int32_t>> try_wait(time_limit timeout = forever) const {
    // Every number may be an exit code. What is left of two different ones was not written.
    std::int32_t exit_code = 0;
    std::int32_t again = 1;
    ksr_error *err = nullptr;
    status code = static_cast<status>(ksr_channel_wait(native_, detail::limit_of(timeout), &exit_code, &err));
    if (code == status::ok && exit_code == 0) {
      code = static_cast<status>(ksr_channel_wait(native_, 0, &again, &err));
      if (code == status::ok && again == 1) return std::optional<std::int32_t>();
    }
    if (code != status::ok) return error::adopt(code, err, "ksr_channel_wait");
    return std::optional<std::int32_t>(exit_code);
  }

  /* Text on the channel as it is now; "" when there is none. See ksr_channel_info for the names. */
  std::string info(const text &name) const {
    if (!name.is_whole()) return "";
    std::string words;
    for (;;) {
      const std::size_t length = ksr_channel_info(native_, name.c_str(), words.data(), words.size() + 1);
      const bool is_all = length <= words.size();
      words.resize(length);
      if (is_all) return words;
    }
  }

  /* A statistic of ksr-config(5). */
  std::uint64_t stat(const text &name) const {
    std::uint64_t value = 0;
    detail::check(read_stat(name, &value), nullptr, "ksr_channel_stat");
    return value;
  }
  std::optional<std::uint64_t> try_stat(const text &name) const noexcept {
    std::uint64_t value = 0;
    if (read_stat(name, &value) != status::ok) return std::nullopt;
    return value;
  }

  /* No on_data and no event but event_kind::closed starts afterwards. */
  void cancel() const noexcept { ksr_channel_cancel(native_); }
  void close_async() const noexcept { ksr_channel_close_async(native_); }

  friend bool operator==(channel_ref a, channel_ref b) noexcept { return a.native_ == b.native_; }
  friend bool operator!=(channel_ref a, channel_ref b) noexcept { return a.native_ != b.native_; }

 protected:
  ksr_channel *native_ = nullptr;

 private:
  status read_stat(const text &name, std::uint64_t *value) const noexcept {
    if (!name.is_whole()) return status::unknown_key;
    return static_cast<status>(ksr_channel_stat(native_, name.c_str(), value));
  }

  /* What `ask` does, which reads or writes; ksr.h says at ksr_channel_read how an end is told from lack of time. */
  template <class Ask>
  io_result settled(time_limit timeout, Ask &&ask) const noexcept {
    const std::int64_t limit = detail::limit_of(timeout);
    std::size_t size = 0;
    const auto code = static_cast<status>(ask(limit, &size));
    if (code != status::timeout || limit < 0) return {code, size};
    if (try_stat("end_known").value_or(0) == 0) return {code, size, true};
    const auto again = static_cast<status>(ask(std::int64_t{0}, &size));
    return {again, size};
  }

  void check(const io_result &done, const char *function) const {
    if (done) return;
    ksr_error *err = nullptr;
    const bool may_be_end = !done.not_yet && done.code != status::invalid && done.code != status::too_large;
    if (may_be_end && static_cast<status>(ksr_channel_wait(native_, 0, nullptr, &err)) != done.code) {
      ksr_error_free(std::exchange(err, nullptr));
    }
    error::adopt(done.code, err, function).raise();
  }
};

/* What on_event is told. */
struct event {
  event_kind kind;
  part which;                   /* part::data where the event is of none */
  std::optional<error> failure; /* of event_kind::interrupted; of event_kind::closed unless the end was orderly */
};

/* The answer to a request: a response for a 2xx, else an error. Comes exactly once, but not after cancel. */
using response_callback = std::function<void(request_ref, const result<response> &)>;

/* Bytes, lent until it returns; how many of them were taken. With less than all no more of this part comes before
 * resume. One that throws has taken none. */
using data_callback = std::function<std::size_t(channel_ref, part, std::string_view)>;
using event_callback = std::function<void(channel_ref, const event &)>;

namespace detail {

/* The callbacks of params. */
struct params_callbacks {
  response_callback on_response;
  data_callback on_data;
  event_callback on_event;
  exception_callback on_exception;
  destroy_callback on_destroy;

  /* There is no on_log of requests and channels. */
  void tell(const std::exception_ptr &, std::string_view) const noexcept {}
};

using request_core = core<ksr_request, params_callbacks>;
using channel_core = core<ksr_channel, params_callbacks>;

inline result<response> answer(const ksr_response *came, const ksr_error *failure) {
  if (came != nullptr) return response::share(came);
  return error::copy(failure);
}

struct params_calls {
  static void on_response(ksr_request *request, const ksr_response *came, const ksr_error *failure,
                          void *user_data) noexcept {
    auto &self = *static_cast<request_core *>(user_data);
    self.run(request, "on_response", [&] { self.callbacks.on_response(request_ref(request), answer(came, failure)); });
  }
  static size_t on_data(ksr_channel *channel, ksr_part which, const void *bytes, size_t length,
                        void *user_data) noexcept {
    auto &self = *static_cast<channel_core *>(user_data);
    size_t taken = 0;
    self.run(channel, "on_data", [&] {
      const std::string_view lent(static_cast<const char *>(bytes), length);
      taken = self.callbacks.on_data(channel_ref(channel), static_cast<part>(which), lent);
    });
    return taken;
  }
  static void on_event(ksr_channel *channel, ksr_event kind, ksr_part which, const ksr_error *failure,
                       void *user_data) noexcept {
    auto &self = *static_cast<channel_core *>(user_data);
    self.run(channel, "on_event", [&] {
      event told{static_cast<event_kind>(kind), static_cast<part>(which), std::nullopt};
      if (failure != nullptr) told.failure = error::copy(failure);
      self.callbacks.on_event(channel_ref(channel), told);
    });
  }
};

/* A request that closes itself: its callback comes once, also where the client ends before the answer. */
class single_call {
 public:
  single_call(std::function<void(const result<response> &)> callback, exception_callback on_exception, bool only_reads)
      : callback_(std::move(callback)), on_exception_(std::move(on_exception)), only_reads_(only_reads) {}

  /* The library's until `destroy`, and the opener's. */
  void belongs_to_library(std::shared_ptr<single_call> self) noexcept { self_ = std::move(self); }

  static void on_response(ksr_request *request, const ksr_response *came, const ksr_error *failure,
                          void *user_data) noexcept {
    auto &self = *static_cast<single_call *>(user_data);
    self.tell([&] { return answer(came, failure); });
    ksr_request_close_async(request);
  }

  static void destroy(void *user_data) noexcept {
    const std::shared_ptr<single_call> kept = std::move(static_cast<single_call *>(user_data)->self_);
    ksr_request *opened = nullptr;
    {
      const std::lock_guard<std::mutex> lock(kept->mutex_);
      kept->is_destroyed_ = true;
      opened = kept->opened_;
    }
    // Before the open has returned: it may fail yet.
    if (opened != nullptr) kept->end(opened);
  }

  void opened(ksr_request *request) noexcept {
    bool is_destroyed = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      opened_ = request;
      is_destroyed = is_destroyed_;
    }
    if (is_destroyed) end(request);
  }

 private:
  void end(ksr_request *request) noexcept {
    tell([&]() -> result<response> {
      result<response> outcome = request_ref(request).try_wait(std::chrono::milliseconds(0));
      // The client was closed while the request was being opened: how it has ended cannot be asked any more.
      if (outcome.code() == status::invalid) return error(status::cancelled, "the client was closed", !only_reads_);
      return outcome;
    });
    callback_ = nullptr;
    on_exception_ = nullptr;
  }

  template <class Answer>
  void tell(Answer &&answer) noexcept {
    if (std::exchange(is_answered_, true)) return;
    std::exception_ptr thrown;
    try {
      callback_(answer());
    } catch (...) {
      thrown = std::current_exception();
    }
    try {
      if (thrown != nullptr && on_exception_) on_exception_(std::move(thrown), "call_async");
    } catch (...) {
      // As documented: the request has no owner that could throw it.
    }
  }

  std::function<void(const result<response> &)> callback_;
  exception_callback on_exception_;
  const bool only_reads_;
  std::shared_ptr<single_call> self_;
  bool is_answered_ = false;
  std::mutex mutex_;
  bool is_destroyed_ = false;
  ksr_request *opened_ = nullptr;
};

}  // namespace detail

/* ---- parameters ------------------------------------------------------------------------------------------------- */

/* What a request asks for, or what a channel is: keys, a body, callbacks. It may open any number of them. */
class params {
 public:
  /* Every key at its default. Allocates, as all of its functions do. */
  params() { detail::check(static_cast<status>(ksr_params_new(&native_)), nullptr, "ksr_params_new"); }

  /* Keys with values, such as {{"verb", "get"}, {"resource", "v1/pods"}}. A key that is repeated is a list. */
  explicit params(std::initializer_list<std::pair<std::string_view, std::string_view>> keys) : params() {
    for (auto key = keys.begin(); key != keys.end(); ++key) {
      bool is_repeated = false;
      for (auto before = keys.begin(); before != key; ++before)
        is_repeated = is_repeated || before->first == key->first;
      is_repeated ? add(key->first, key->second) : set(key->first, key->second);
    }
  }
  params(params &&other) noexcept
      : native_(std::exchange(other.native_, nullptr)),
        verb_changes_(other.verb_changes_),
        method_changes_(other.method_changes_),
        callbacks_(std::move(other.callbacks_)) {}
  params &operator=(params &&other) noexcept {
    if (this != &other) {
      ksr_params_free(std::exchange(native_, std::exchange(other.native_, nullptr)));
      verb_changes_ = other.verb_changes_;
      method_changes_ = other.method_changes_;
      callbacks_ = std::move(other.callbacks_);
    }
    return *this;
  }
  ~params() {
    if (native_ != nullptr) ksr_params_free(native_);
  }

  explicit operator bool() const noexcept { return native_ != nullptr; }
  ksr_params *native() const noexcept { return native_; }

  /* As config::set. */
  params &set(const text &key, const text &value) {
    detail::check_whole(key, value);
    ksr_error *err = nullptr;
    const auto code = static_cast<status>(ksr_params_set(native_, key.c_str(), value.c_str(), &err));
    detail::check(code, err, "ksr_params_set");
    note(key.c_str(), value.c_str() == nullptr ? "" : value.c_str());
    return *this;
  }

  /* One more value of a list key: resource, query.NAME, command, subprotocol. */
  params &add(const text &key, const text &value) {
    detail::check_whole(key, value);
    ksr_error *err = nullptr;
    const auto code = static_cast<status>(ksr_params_add(native_, key.c_str(), value.c_str(), &err));
    detail::check(code, err, "ksr_params_add");
    return *this;
  }

  /* The body of the request, copied; none where it is empty. */
  params &body(std::string_view bytes) {
    ksr_error *err = nullptr;
    const auto code = static_cast<status>(ksr_params_body(native_, detail::bytes_of(bytes), bytes.size(), &err));
    detail::check(code, err, "ksr_params_body");
    return *this;
  }

  /* An empty function takes it away. With on_data a channel is pushed, without it is read. */
  params &on_response(response_callback callback) {
    ksr_params_on_response(native_, callback ? &detail::params_calls::on_response : nullptr);
    callbacks_.on_response = std::move(callback);
    return *this;
  }
  params &on_data(data_callback callback) {
    ksr_params_on_data(native_, callback ? &detail::params_calls::on_data : nullptr);
    callbacks_.on_data = std::move(callback);
    return *this;
  }
  params &on_event(event_callback callback) {
    ksr_params_on_event(native_, callback ? &detail::params_calls::on_event : nullptr);
    callbacks_.on_event = std::move(callback);
    return *this;
  }
  params &on_exception(exception_callback callback) {
    callbacks_.on_exception = std::move(callback);
    return *this;
  }
  params &on_destroy(destroy_callback callback) {
    callbacks_.on_destroy = std::move(callback);
    return *this;
  }

 private:
  friend class client_ref;

  void note(std::string_view key, std::string_view value) noexcept {
    if (key == "verb") verb_changes_ = !value.empty() && value != "get" && value != "list";
    if (key == "method") method_changes_ = !value.empty() && value != "GET" && value != "HEAD" && value != "OPTIONS";
  }

  /* As far as its keys say. */
  bool only_reads() const noexcept { return !verb_changes_ && !method_changes_; }

  ksr_params *native_ = nullptr;
  bool verb_changes_ = false;
  bool method_changes_ = false;
  detail::params_callbacks callbacks_;
};

/* ---- requests and channels -------------------------------------------------------------------------------------- */

/* A request, which its destructor cancels and closes. */
class request : public request_ref {
 public:
  request() noexcept = default;
  request(request &&other) noexcept : request_ref(other), core_(std::move(other.core_)) { other.native_ = nullptr; }
  request &operator=(request &&other) noexcept {
    if (this != &other) {
      end();
      native_ = std::exchange(other.native_, nullptr);
      core_ = std::move(other.core_);
    }
    return *this;
  }
  ~request() { end(); }

  /* As those of stream, inside the callbacks of the client. */
  void close() { core_.closed(try_close(), "ksr_request_close"); }
  status try_close() noexcept { return static_cast<status>(ksr_request_close(native_)); }

  /* As that of request_ref, and what (6) says. */
  response wait(time_limit timeout = forever) const {
    result<response> answer = try_wait(timeout);
    core_.rethrow();
    return std::move(answer).value();
  }
  std::exception_ptr exception() const noexcept { return core_.exception(); }

 private:
  friend class client_ref;

  request(ksr_request *owned, std::shared_ptr<detail::request_core> core) noexcept
      : request_ref(owned), core_(std::move(core)) {}

  void end() noexcept {
    if (native_ != nullptr && try_close() == status::would_deadlock) close_async();
  }

  detail::kept_core<detail::request_core> core_;
};

/* A channel, which its destructor closes. */
class channel : public channel_ref {
 public:
  channel() noexcept = default;
  channel(channel &&other) noexcept : channel_ref(other), core_(std::move(other.core_)) { other.native_ = nullptr; }
  channel &operator=(channel &&other) noexcept {
    if (this != &other) {
      end();
      native_ = std::exchange(other.native_, nullptr);
      core_ = std::move(other.core_);
    }
    return *this;
  }
  ~channel() { end(); }

  /* As those of stream, inside the callbacks of the client. */
  void close() { core_.closed(try_close(), "ksr_channel_close"); }
  status try_close() noexcept { return static_cast<status>(ksr_channel_close(native_)); }

  /* As that of channel_ref, and what (6) says. */
  std::optional<std::int32_t> wait(time_limit timeout = forever) const {
    const result<std::optional<std::int32_t>> ended = try_wait(timeout);
    core_.rethrow();
    return ended.value();
  }
  std::exception_ptr exception() const noexcept { return core_.exception(); }

 private:
  friend class client_ref;

  channel(ksr_channel *owned, std::shared_ptr<detail::channel_core> core) noexcept
      : channel_ref(owned), core_(std::move(core)) {}

  void end() noexcept {
    if (native_ != nullptr && try_close() == status::would_deadlock) close_async();
  }

  detail::kept_core<detail::channel_core> core_;
};

/* ---- clients ---------------------------------------------------------------------------------------------------- */

/* A client that belongs to something else. */
class client_ref {
 public:
  client_ref() noexcept = default;
  explicit client_ref(ksr_client *lent) noexcept : native_(lent) {}

  explicit operator bool() const noexcept { return native_ != nullptr; }
  ksr_client *native() const noexcept { return native_; }

  /* Sends a request and waits for its answer, also inside callbacks; on_response is not called. Allocates. */
  response call(const params &what) const { return try_call(what).value(); }
  result<response> try_call(const params &what) const {
    const ksr_response *answer = nullptr;
    ksr_error *err = nullptr;
    const auto code = static_cast<status>(ksr_call(native_, what.native(), &answer, &err));
    if (code != status::ok) return error::adopt(code, err, "ksr_call");
    return response::adopt(answer);
  }

  /* Sends a request whose answer comes to `callback`, exactly once, where the callbacks of the client run, and which
   * needs no closing. Where the client is closed before the answer, that is status::cancelled; maybe_done is true of it
   * also where what became of the request is not known. Of the callbacks of `what` on_exception alone is called;
   * without it an exception of `callback` is dropped. */
  void call_async(const params &what, std::function<void(const result<response> &)> callback) const {
    auto single =
        std::make_shared<detail::single_call>(std::move(callback), what.callbacks_.on_exception, what.only_reads());
    single->belongs_to_library(single);
    ksr_request *opened = nullptr;
    ksr_error *err = nullptr;
    ksr_params_on_response(what.native(), &detail::single_call::on_response);
    const auto code = static_cast<status>(
        ksr_request_open(native_, what.native(), single.get(), &detail::single_call::destroy, &opened, &err));
    ksr_params_on_response(what.native(), what.callbacks_.on_response ? &detail::params_calls::on_response : nullptr);
    detail::check(code, err, "ksr_request_open");
    single->opened(opened);
  }

  /* Sends a request that one can wait for, cancel, and be called back by. It ends with its owner. */
  request open_request(const params &what) const { return try_open_request(what).value(); }
  result<request> try_open_request(const params &what) const {
    auto opened =
        detail::open<ksr_request>(what.callbacks_, "ksr_request_open",
                                  [&](void *user_data, ksr_destroy_fn destroy, ksr_request **out, ksr_error **err) {
                                    return ksr_request_open(native_, what.native(), user_data, destroy, out, err);
                                  });
    if (!opened) return opened.failure();
    return request(opened->first, std::move(opened->second));
  }

  /* A log, a command, a forwarded port, a WebSocket or an HTTP body; the key `kind` says which. */
  channel open_channel(const params &what) const { return try_open_channel(what).value(); }
  result<channel> try_open_channel(const params &what) const {
    auto opened =
        detail::open<ksr_channel>(what.callbacks_, "ksr_channel_open",
                                  [&](void *user_data, ksr_destroy_fn destroy, ksr_channel **out, ksr_error **err) {
                                    return ksr_channel_open(native_, what.native(), user_data, destroy, out, err);
                                  });
    if (!opened) return opened.failure();
    return channel(opened->first, std::move(opened->second));
  }

  /* A stream over the client's connection and in its delivery. `query` has no key of a connection. */
  stream open_stream(const config &query) const { return try_open_stream(query).value(); }
  result<stream> try_open_stream(const config &query) const {
    auto opened = query.open<ksr_stream>(
        "ksr_client_stream", [&](void *user_data, ksr_destroy_fn destroy, ksr_stream **out, ksr_error **err) {
          return ksr_client_stream(native_, query.native(), user_data, destroy, out, err);
        });
    if (!opened) return opened.failure();
    return stream(opened->first, std::move(opened->second));
  }

  /* Cancels all that is open over it; nothing else can be opened. */
  void cancel() const noexcept { ksr_client_cancel(native_); }
  void close_async() const noexcept { ksr_client_close_async(native_); }

  /* delivery=manual: for all that is open over it. */
  int fd() const noexcept { return ksr_client_fd(native_); }
  std::size_t dispatch() const {
    const std::int64_t count = ksr_client_dispatch(native_);
    if (count < 0) error::adopt(static_cast<status>(count), nullptr, "ksr_client_dispatch").raise();
    return static_cast<std::size_t>(count);
  }

  /* A statistic of ksr-config(5). */
  std::uint64_t stat(const text &name) const {
    std::uint64_t value = 0;
    detail::check(read(name, &value), nullptr, "ksr_client_stat");
    return value;
  }
  std::optional<std::uint64_t> try_stat(const text &name) const noexcept {
    std::uint64_t value = 0;
    if (read(name, &value) != status::ok) return std::nullopt;
    return value;
  }

  friend bool operator==(client_ref a, client_ref b) noexcept { return a.native_ == b.native_; }
  friend bool operator!=(client_ref a, client_ref b) noexcept { return a.native_ != b.native_; }

 protected:
  ksr_client *native_ = nullptr;

 private:
  status read(const text &name, std::uint64_t *value) const noexcept {
    if (!name.is_whole()) return status::unknown_key;
    return static_cast<status>(ksr_client_stat(native_, name.c_str(), value));
  }
};

/* A connection, and the delivery of all that is done over it; its destructor closes it, and all of that. The owners of
 * what it has closed can still be asked and destroyed. */
class client : public client_ref {
 public:
  client() noexcept = default;

  /* With the connection, Headlamp and delivery keys of a config, its on_log, on_exception and on_destroy. */
  explicit client(const config &from) : client(try_open(from).value()) {}
  static result<client> try_open(const config &from) {
    auto opened = from.open<ksr_client>(
        "ksr_client_open", [&](void *user_data, ksr_destroy_fn destroy, ksr_client **out, ksr_error **err) {
          return ksr_client_open(from.native(), user_data, destroy, out, err);
        });
    if (!opened) return opened.failure();
    return client(opened->first, std::move(opened->second));
  }

  client(client &&other) noexcept : client_ref(other), core_(std::move(other.core_)) { other.native_ = nullptr; }
  client &operator=(client &&other) noexcept {
    if (this != &other) {
      end();
      native_ = std::exchange(other.native_, nullptr);
      core_ = std::move(other.core_);
    }
    return *this;
  }
  ~client() { end(); }

  /* As those of stream, inside any callback of the client. */
  void close() { core_.closed(try_close(), "ksr_client_close"); }
  status try_close() noexcept { return static_cast<status>(ksr_client_close(native_)); }

  /* As that of client_ref, and what (6) says of its on_log; an exception of a stream, request or channel over it is
   * thrown by the owner of that. */
  std::size_t dispatch() const {
    const std::int64_t count = ksr_client_dispatch(native_);
    core_.rethrow();
    if (count < 0) error::adopt(static_cast<status>(count), nullptr, "ksr_client_dispatch").raise();
    return static_cast<std::size_t>(count);
  }

  /* The exception of its on_log. */
  std::exception_ptr exception() const noexcept { return core_.exception(); }

 private:
  client(ksr_client *owned, std::shared_ptr<detail::stream_core<ksr_client>> core) noexcept
      : client_ref(owned), core_(std::move(core)) {}

  void end() noexcept {
    if (native_ != nullptr && try_close() == status::would_deadlock) close_async();
  }

  detail::kept_core<detail::stream_core<ksr_client>> core_;
};

/* ---- the library ------------------------------------------------------------------------------------------------ */

/* Of the library, and not of this header, whose version is KSR_VERSION. */
inline std::uint32_t version() noexcept {
  return ksr_version();
}
inline std::string_view version_string() noexcept {
  return ksr_version_string();
}
inline std::string_view build_info() noexcept {
  return ksr_build_info();
}
inline bool has_feature(const text &name) noexcept {
  return name.is_whole() && ksr_has_feature(name.c_str()) == 1;
}

/* Whether the calling thread is inside a callback of the library. */
inline bool in_callback() noexcept {
  return ksr_in_callback() == 1;
}

#ifdef KSR_HPP_LOADED
/* Looks up each function of ksr.h with `find`, which takes its name and returns a void *, as dlsym does. Throws
 * status::unsupported for one that is missing, and for a library that does not fit this header: of another major
 * version, or older; then none is loaded. To be called before anything else, on one thread. */
template <class Find>
void load_functions(Find &&find) {
  const auto refuse = [](const std::string &why) {
#define KSR_HPP_CLEAR(name) name = nullptr;
    KSR_HPP_FUNCTIONS(KSR_HPP_CLEAR)
#undef KSR_HPP_CLEAR
    throw error(status::unsupported, why);
  };
#define KSR_HPP_FIND(name)                                 \
  name = reinterpret_cast<decltype(&::name)>(find(#name)); \
  if (name == nullptr) refuse("the library has no " #name);
  KSR_HPP_FUNCTIONS(KSR_HPP_FIND)
#undef KSR_HPP_FIND
  const std::uint32_t found = ksr_version();
  if (found >> 16 != KSR_VERSION >> 16 || found < KSR_VERSION) {
    refuse("libksr " + std::string(version_string()) + " does not fit this header");
  }
}
#undef KSR_HPP_FUNCTIONS
#endif

}  // namespace KSR_HPP_VARIANT
}  // namespace ksr

#undef KSR_HPP_VARIANT

#endif /* KSR_HPP */
