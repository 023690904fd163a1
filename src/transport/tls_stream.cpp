#include "transport/tls_stream.hpp"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <chrono>
#include <new>
#include <string_view>
#include <utility>

#include "base/standard_descriptors.hpp"
#include "transport/failures.hpp"

namespace ksr::transport {
namespace {

using boost::asio::ip::tcp;

// A connection is busy that reads or writes so many bytes at a time, or so often within kQuiet. OpenSSL's buffers are
// kept until it has not been for as long.
constexpr std::size_t kBulk = std::size_t{16} * 1024;
constexpr std::size_t kOften = 64;
constexpr std::chrono::seconds kQuiet{1};

bool try_again(int reason) noexcept {
  return reason == EAGAIN || reason == EWOULDBLOCK || reason == EINTR;
}

// ERR_clear_error() clears all sixteen places of the thread's queue, and there seldom is an error.
void clear_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

std::shared_ptr<TlsStream> TlsStream::create(tcp::socket socket, SSL_CTX* context, std::string server_name) {
  std::shared_ptr<TlsStream> stream(new TlsStream(std::move(socket), std::move(server_name)));
  stream->ssl_.reset(SSL_new(context));
  BIO* const bio = stream->ssl_ ? BIO_new(socket_bio()) : nullptr;
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, stream.get());
  SSL_set_bio(stream->ssl_.get(), bio, bio);
  SSL_set_connect_state(stream->ssl_.get());
  if (SSL_set_app_data(stream->ssl_.get(), stream.get()) != 1) throw std::bad_alloc();
  return stream;
}

TlsStream::~TlsStream() = default;

// Reads what belongs to TLS alone, such as the session tickets of TLS 1.3: a server may send those at any time.
bool TlsStream::at_rest() noexcept {
  if (pending_error_ || at_end_ || !socket_.is_open()) return false;
  const TlsUse use;
  if (!use) return false;
  char byte;
  const bool nothing_came =
      ::recv(socket_.native_handle(), &byte, sizeof byte, MSG_DONTWAIT | MSG_PEEK) < 0 && try_again(errno);
  if (nothing_came && SSL_has_pending(ssl()) == 0) return true;
  clear_errors();
  const int result = SSL_peek(ssl(), &byte, sizeof byte);
  const bool rests = result <= 0 && SSL_get_error(ssl(), result) == SSL_ERROR_WANT_READ;
  clear_errors();
  if (rests) rest(0);
  return rests;
}

void TlsStream::close() noexcept {
  Error ignored;
  socket_.close(ignored);
}

// ---- operations -----------------------------------------------------------------------------------------------------

void TlsStream::handshake(HandshakeHandler done) {
  handshake_handler_ = std::move(done);
  begin(&TlsStream::do_handshake, [&] { later(&TlsStream::do_handshake); });
}

void TlsStream::do_handshake(const Error& woken) {
  Error error;
  {
    const TlsUse use;
    // The CAs of the system may be read from a directory, as they are needed.
    const StandardDescriptorsReserved reserved;
    if (usable(use, woken, error)) {
      clear_errors();
      const int result = SSL_do_handshake(ssl());
      if (result != 1 && waits(result, &TlsStream::do_handshake)) return;
      if (result != 1) error = failure(result);
    }
  }
  const HandshakeHandler done = std::exchange(handshake_handler_, nullptr);
  done(error);
}

void TlsStream::read_some(void* data, std::size_t size, handler done) {
  reading_ = {static_cast<char*>(data), size, std::move(done)};
  // Bytes that did not fit are in OpenSSL's buffer, and the socket does not become ready for them.
  begin(&TlsStream::read, [&] {
    if (pending_error_ || !drained_) return later(&TlsStream::read);
    when_ready(tcp::socket::wait_read, &TlsStream::read);
  });
}

void TlsStream::read(const Error& woken) {
  Error error = std::exchange(pending_error_, Error());
  std::size_t size = 0;
  if (!error) {
    const TlsUse use;
    if (usable(use, woken, error) && !read_records(error, size)) return;
  }
  end_read(error, size);
}

bool TlsStream::read_records(Error& error, std::size_t& size) {
  drained_ = false;
  while (size < reading_.size && !drained_) {
    clear_errors();
    const std::size_t room = std::min<std::size_t>(reading_.size - size, SSL3_RT_MAX_PLAIN_LENGTH);
    const int result = SSL_read(ssl(), reading_.data + size, static_cast<int>(room));
    if (result > 0) {
      size += static_cast<std::size_t>(result);
      drained_ = socket_emptied_ && SSL_has_pending(ssl()) == 0;
    } else if (size > 0) {
      const int why = SSL_get_error(ssl(), result);
      drained_ = true;
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) pending_error_ = failure(result);
    } else {
      const bool goes_on = waits(result, &TlsStream::read);
      if (!goes_on) error = failure(result);
      rest(0);
      return !goes_on;
    }
  }
  rest(size);
  return true;
}

void TlsStream::end_read(const Error& error, std::size_t size) {
  const handler done = std::exchange(reading_, Reading()).done;
  done(error, size);
}

void TlsStream::write_all(std::string data, handler done) {
  writing_ = {std::move(data), std::move(done)};
  begin(&TlsStream::write, [&] { later(&TlsStream::write); });
}

void TlsStream::write(const Error& woken) {
  Error error;
  {
    const TlsUse use;
    if (usable(use, woken, error)) {
      clear_errors();
      // Without partial writes: the call is repeated with the same data until all of it is written.
      std::size_t written = 0;
      const std::string& data = writing_.data;
      const int result = data.empty() ? 1 : SSL_write_ex(ssl(), data.data(), data.size(), &written);
      if (result != 1 && waits(result, &TlsStream::write)) return;
      if (result != 1) error = failure(result);
      if (result == 1) rest(written);
    }
  }
  const Writing written = std::exchange(writing_, Writing());
  written.done(error, error ? 0 : written.data.size());
}

bool TlsStream::is_busy(std::size_t moved) noexcept {
  if (moved >= kBulk) return true;
  const auto now = std::chrono::steady_clock::now();
  if (now - counted_since_ >= kQuiet) {
    counted_since_ = now;
    moves_ = 0;
  }
  return ++moves_ >= kOften;
}

// After a read or a write of so many bytes. An idle connection keeps no buffer; a busy one keeps them, since 64 KB that
// come from the heap and go back to it with each read are pages that the kernel takes and gives each time.
void TlsStream::rest(std::size_t moved) noexcept {
  was_busy_ = was_busy_ || is_busy(moved);
  if (is_timing_) return;
  if (!was_busy_) return release_buffers();
  try {
    release_when_quiet();
  } catch (...) {
    release_buffers();
  }
}

void TlsStream::release_when_quiet() {
  was_busy_ = false;
  quiet_timer_.expires_after(kQuiet);
  quiet_timer_.async_wait([weak = weak_from_this()](const Error& woken) {
    const auto self = weak.lock();
    if (!self) return;
    self->is_timing_ = false;
    const TlsUse use;
    if (woken || !use) return;
    // What it holds back is no move.
    self->moves_ = 0;
    self->rest(0);
  });
  is_timing_ = true;
  SSL_clear_mode(ssl(), SSL_MODE_RELEASE_BUFFERS);
}

// SSL_MODE_RELEASE_BUFFERS is for reading alone: a write, or a session ticket, would keep 16 KB of each idle
// connection. A record of which a part has been read is in the buffer still, although SSL_free_buffers() counts it as
// empty (OpenSSL ssl/record/rec_layer_s3.c).
void TlsStream::release_buffers() noexcept {
  SSL_set_mode(ssl(), SSL_MODE_RELEASE_BUFFERS);
  if (SSL_has_pending(ssl()) == 0) SSL_free_buffers(ssl());
}

// ---- waiting, failing -----------------------------------------------------------------------------------------------

void TlsStream::later(Step step) {
  boost::asio::post(socket_.get_executor(), [self = shared_from_this(), step] { self->take(step, Error()); });
}

void TlsStream::when_ready(tcp::socket::wait_type what, Step step) {
  socket_.async_wait(what, [self = shared_from_this(), step](const Error& woken) { self->take(step, woken); });
}

// An operation that could not begin, without memory, will never end: its handler is released, and with it this stream.
template <class Start>
void TlsStream::begin(Step step, const Start& start) {
  try {
    start();
  } catch (...) {
    if (step == &TlsStream::read) reading_ = {};
    if (step == &TlsStream::write) writing_ = {};
    if (step == &TlsStream::do_handshake) handshake_handler_ = nullptr;
    throw;
  }
}

// A step that the event loop calls. What cannot go on, without memory, ends with an error; an exception of a
// handler, which is no longer here when it is called, goes on.
void TlsStream::take(Step step, const Error& woken) {
  try {
    (this->*step)(woken);
  } catch (...) {
    const Error no_memory = boost::asio::error::no_memory;
    if (step == &TlsStream::read && reading_.done) return end_read(no_memory, 0);
    if (step == &TlsStream::write && writing_.done) return std::exchange(writing_, Writing()).done(no_memory, 0);
    if (step == &TlsStream::do_handshake && handshake_handler_)
      return std::exchange(handshake_handler_, nullptr)(no_memory);
    throw;
  }
}

bool TlsStream::usable(const TlsUse& use, const Error& woken, Error& error) const noexcept {
  error = woken;
  if (!error && (!socket_.is_open() || !use)) error = boost::asio::error::operation_aborted;
  return !error;
}

bool TlsStream::waits(int result, Step step) {
  const int why = SSL_get_error(ssl(), result);
  if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return false;
  when_ready(why == SSL_ERROR_WANT_READ ? tcp::socket::wait_read : tcp::socket::wait_write, step);
  return true;
}

// As Asio's error codes, which the rest of the transport handles.
TlsStream::Error TlsStream::failure(int result) const {
  const int why = SSL_get_error(ssl(), result);
  if (why == SSL_ERROR_ZERO_RETURN) return boost::asio::error::eof;
  if (at_end_) return boost::asio::ssl::error::stream_truncated;
  if (why == SSL_ERROR_SYSCALL && errno_ != 0) return {errno_, boost::asio::error::get_system_category()};
  const unsigned long code = ERR_peek_error();
  if (openssl_lacks_memory()) return boost::asio::error::no_memory;
  if (code != 0) return {static_cast<int>(code), boost::asio::error::get_ssl_category()};
  return boost::asio::ssl::error::unspecified_system_error;
}

// ---- the socket, as OpenSSL sees it ---------------------------------------------------------------------------------

// OpenSSL's own would write without MSG_NOSIGNAL, and SIGPIPE would reach the host.
BIO_METHOD* TlsStream::socket_bio() {
  static BIO_METHOD* const leaked = [] {
    const int index = BIO_get_new_index();
    BIO_METHOD* const method = index < 0 ? nullptr : BIO_meth_new(index | BIO_TYPE_SOURCE_SINK, "socket of ksr");
    if (method == nullptr) throw std::bad_alloc();
    BIO_meth_set_read(method, &TlsStream::receive);
    BIO_meth_set_write(method, &TlsStream::send);
    BIO_meth_set_ctrl(method, &TlsStream::control);
    BIO_meth_set_create(method, [](BIO* bio) {
      BIO_set_init(bio, 1);
      return 1;
    });
    return method;
  }();
  return leaked;
}

int TlsStream::receive(BIO* bio, char* data, int size) {
  TlsStream& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t moved = ::recv(stream.socket_.native_handle(), data, static_cast<std::size_t>(size), MSG_DONTWAIT);
  if (moved < 0 && try_again(errno)) BIO_set_retry_read(bio);
  if (moved == 0) stream.at_end_ = true;
  stream.socket_emptied_ = moved > 0 && moved < size;
  if (moved > 0) stream.note_beginning({data, static_cast<std::size_t>(moved)});
  return stream.record_errno(bio, moved);
}

void TlsStream::note_beginning(std::string_view came) noexcept {
  came = came.substr(0, beginning_.size() - beginning_size_);
  std::copy(came.begin(), came.end(), beginning_.begin() + beginning_size_);
  beginning_size_ += came.size();
}

bool TlsStream::was_answered_in_http() const noexcept {
  return std::string_view(beginning_.data(), beginning_size_) == "HTTP/";
}

int TlsStream::send(BIO* bio, const char* data, int size) {
  TlsStream& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t moved =
      ::send(stream.socket_.native_handle(), data, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (moved < 0 && try_again(errno)) BIO_set_retry_write(bio);
  return stream.record_errno(bio, moved);
}

int TlsStream::record_errno(BIO* bio, ssize_t moved) {
  errno_ = moved < 0 && !BIO_should_retry(bio) ? errno : 0;
  return static_cast<int>(moved);
}

long TlsStream::control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
      return 1;
    case BIO_CTRL_EOF:
      return static_cast<const TlsStream*>(BIO_get_data(bio))->at_end_ ? 1 : 0;
    default:
      return 0;
  }
}

}  // namespace ksr::transport
