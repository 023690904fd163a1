// The seam between the patched cpprestsdk and its caller. cpprestsdk keeps the connection pool, the request pipeline and
// the WebSocket protocol; the caller makes the connections (names, TCP, proxies, TLS), writes the heads of requests,
// reads responses and keeps the time. Everything here lives on the one thread that runs the shared io_service.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "boost/system/error_code.hpp"

// A cpprestsdk that carries ksr's patches says so here; the number grows with the seam.
#define CPPREST_CONNECTION_DRIVER 2

namespace web
{
// A connected stream of bytes: TCP, or TLS over TCP. Keeps itself alive while an operation is under way.
class connected_stream
{
public:
    using handler = std::function<void(const boost::system::error_code&, std::size_t)>;

    virtual ~connected_stream() = default;
    // At least one byte, or an error. Completes later, never within the call.
    virtual void read_some(void* data, std::size_t size, handler done) = 0;
    virtual void write_all(std::string data, handler done) = 0;
    // What is under way completes with an error.
    virtual void close() noexcept = 0;
};

class connection_driver
{
public:
    using connected = std::function<void(std::shared_ptr<connected_stream>)>;
    // more: read on. keep: the response is complete and the connection can carry another. close: it is over for both.
    enum class reading
    {
        more,
        keep,
        close
    };

    virtual ~connection_driver() = default;
    // Calls `done` later with a stream, or not at all: the driver knows by itself why there is none.
    virtual void connect(connected done) = 0;
    // HTTP: the whole head of the request. WebSocket: the header lines besides those of the protocol, each with its CRLF.
    virtual std::string request_head() = 0;
    // The request is about to travel over `stream`, which may be one that carried others before.
    virtual void attached(std::shared_ptr<connected_stream> stream) = 0;
    virtual reading receive(const char* data, std::size_t size) = 0;
    virtual reading end_of_stream() = 0;
    virtual void broken(const boost::system::error_code& reason, bool while_writing) = 0;
    // After `receive` or `end_of_stream` said keep or close, and the connection is back in the pool or closed.
    virtual void finished() = 0;
    // Called within a catch block: something has thrown while the event loop ran this request. It is over, and its
    // connection is closed. An exception of the driver's goes on to the event loop.
    virtual void threw() = 0;
};

class websocket_driver : public connection_driver
{
public:
    // unknown: the driver reads the answer to the handshake together with the WebSocket protocol. accepted: it came with
    // status 101, and all that follows is the protocol's. refused: the rest of the answer is the driver's alone.
    enum class answer
    {
        unknown,
        accepted,
        refused
    };
    virtual answer answered() const = 0;
    virtual void opened() = 0;
    // Valid during the call.
    virtual void message(const std::string& payload) = 0;
    // What was read has been told.
    virtual void drained() = 0;
    virtual void pong() = 0;
    // The peer sent a close frame.
    virtual void closed(int code, const std::string& reason) = 0;
    // What came is not the WebSocket protocol, or more than the driver takes.
    virtual void violated(const std::string& what) = 0;
};
} // namespace web
