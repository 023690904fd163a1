// The http_client of cpprestsdk over connections that a connection_driver makes, in place of its Asio backend. That one
// resolved names on one shared thread that no cancellation reached, took IPv6 literals for names, read the system's CAs
// anew for each connection, left sockets open across exec, lost the reason of a failure, joined repeated headers, read
// a chunk of any size (even "-5") whole before it delivered a byte, and re-armed a timer several times an event. Here
// the driver connects, writes the head, reads the response straight from the buffer of the socket, and keeps the time;
// this file keeps the pool. Lives on the one thread that runs the shared io_service.
#include "stdafx.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "cpprest/details/connection_driver.h"
#include "http/client/http_client_impl.h"
#include "pplx/threadpool.h"

namespace web::http::client::details {
namespace {

using stream_ptr = std::shared_ptr<connected_stream>;

// Connections that wait for the next request. The youngest is taken first, so that the others grow old and go.
class idle_streams : public std::enable_shared_from_this<idle_streams> {
 public:
  // NULL when there is none.
  stream_ptr take() {
    if (idle_.empty()) return nullptr;
    stream_ptr youngest = std::move(idle_.back().stream);
    idle_.pop_back();
    return youngest;
  }

  void put(stream_ptr stream) {
    idle_.push_back({std::move(stream), clock::now()});
    if (idle_.size() == 1) sweep_later();
  }

  ~idle_streams() {
    for (const idle& each : idle_) each.stream->close();
  }

 private:
  using clock = std::chrono::steady_clock;
  struct idle {
    stream_ptr stream;
    clock::time_point since;
  };
  // Load balancers drop connections that rest for a minute.
  static constexpr std::chrono::seconds longest_rest{30};

  void sweep_later() {
    timer_.expires_after(longest_rest);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
      const auto self = weak.lock();
      if (self && !cancelled) self->sweep();
    });
  }

  void sweep() {
    const auto oldest = clock::now() - longest_rest;
    auto young = idle_.begin();
    for (; young != idle_.end() && young->since <= oldest; ++young) young->stream->close();
    idle_.erase(idle_.begin(), young);
    if (!idle_.empty()) sweep_later();
  }

  std::vector<idle> idle_;
  boost::asio::steady_timer timer_{crossplat::threadpool::shared_instance().service()};
};

class driven_client final : public _http_client_communicator {
 public:
  driven_client(http::uri&& address, http_client_config&& config)
      : _http_client_communicator(std::move(address), std::move(config)) {}

  pplx::task<http_response> propagate(http_request request) override;

  idle_streams& pool() { return *pool_; }

 private:
  void send_request(const std::shared_ptr<request_context>& request) override;

  const std::shared_ptr<idle_streams> pool_ = std::make_shared<idle_streams>();
};

// One request on its way. Kept alive by what it waits for.
class driven_request final : public request_context, public std::enable_shared_from_this<driven_request> {
 public:
  driven_request(const std::shared_ptr<driven_client>& client, const http_request& request)
      : request_context(client, request), client_(client), driver_(request._get_impl()->connection_driver()) {}

  void start() {
    guarded([this] {
      stream_ = client_->pool().take();
      is_reused_ = stream_ != nullptr;
      if (is_reused_) return write();
      connect();
    });
  }

 private:
  using reading = connection_driver::reading;

  // Runs `step`, which the event loop has called. What it throws, cpprestsdk or the driver, is of this request alone.
  template <class Step>
  void guarded(Step&& step) {
    const auto self = shared_from_this();
    try {
      step();
    } catch (...) {
      if (stream_) stream_->close();
      driver_->threw();
    }
  }

  void connect() {
    driver_->connect([self = shared_from_this()](stream_ptr stream) {
      self->guarded([&] {
        self->stream_ = std::move(stream);
        self->write();
      });
    });
  }

  void write() {
    driver_->attached(stream_);
    stream_->write_all(driver_->request_head(),
                       [self = shared_from_this()](const boost::system::error_code& ec, std::size_t) {
                         // A server that answers and closes before it has read all has still answered, and a TLS alert
                         // says more than a broken pipe.
                         self->write_error_ = ec;
                         self->guarded([&] { self->read(); });
                       });
  }

  void read() {
    if (!buffer_) buffer_.reset(new char[buffer_size]);
    stream_->read_some(buffer_.get(), buffer_size,
                       [self = shared_from_this()](const boost::system::error_code& ec, std::size_t size) {
                         self->guarded([&] { self->take(ec, size); });
                       });
  }

  void take(const boost::system::error_code& ec, std::size_t size) {
    if (ec && (ec != boost::asio::error::eof || !heard_)) return fail(ec);
    heard_ = true;
    const reading next = ec ? driver_->end_of_stream() : driver_->receive(buffer_.get(), size);
    if (next == reading::more) return read();
    finish(next == reading::keep && !ec && !write_error_);
  }

  void finish(bool keep) {
    if (keep) {
      client_->pool().put(std::move(stream_));
    } else {
      stream_->close();
    }
    m_request_completion.set(m_response);
    complete_request(0);
    driver_->finished();
  }

  void fail(const boost::system::error_code& read_error) {
    stream_->close();
    if (is_reused_ && !heard_ && closed_by_the_server(read_error)) {
      // It was closed while it lay in the pool. Nothing of a response came, so the request is repeated, and not on
      // another pooled connection, which may be as stale.
      is_reused_ = false;
      write_error_ = {};
      return connect();
    }
    const bool tells_more = read_error.category() == boost::asio::error::get_ssl_category();
    const auto& reason = write_error_ && !tells_more ? write_error_ : read_error;
    report_exception(std::make_exception_ptr(http_exception(std::error_code(reason), "connection broken")));
    driver_->broken(reason, reason == write_error_);
  }

  static bool closed_by_the_server(const boost::system::error_code& ec) {
    return ec == boost::asio::error::eof || ec == boost::asio::error::connection_reset ||
           ec == boost::asio::error::connection_aborted || ec == boost::asio::error::broken_pipe ||
           ec == boost::asio::ssl::error::stream_truncated;
  }

  static constexpr std::size_t buffer_size = 64 * 1024;

  const std::shared_ptr<driven_client> client_;
  const std::shared_ptr<connection_driver> driver_;
  stream_ptr stream_;
  std::unique_ptr<char[]> buffer_;
  boost::system::error_code write_error_;
  bool is_reused_ = false;
  bool heard_ = false;
};

pplx::task<http_response> driven_client::propagate(http_request request) {
  if (!request._get_impl()->connection_driver()) {
    return pplx::task_from_exception<http_response>(http_exception("a request needs a connection driver"));
  }
  const auto self = std::static_pointer_cast<driven_client>(shared_from_this());
  const std::shared_ptr<request_context> context = std::make_shared<driven_request>(self, request);
  auto response = pplx::create_task(context->m_request_completion);
  async_send_request(context);
  return response;
}

void driven_client::send_request(const std::shared_ptr<request_context>& request) {
  std::static_pointer_cast<driven_request>(request)->start();
}

}  // namespace

std::shared_ptr<_http_client_communicator> create_platform_final_pipeline_stage(uri&& address,
                                                                                http_client_config&& config) {
  return std::make_shared<driven_client>(std::move(address), std::move(config));
}

}  // namespace web::http::client::details
