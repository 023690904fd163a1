// The interface between the patched cpprestsdk and ksr's transport. cpprestsdk and websocketpp speak the WebSocket
// protocol; a driver connects (names, TCP, proxies, TLS), reads the answer to the handshake, receives every event and
// keeps the time. Implemented by ksr's src/transport. Everything here lives on the one thread that runs the shared
// io_service.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "boost/system/error_code.hpp"

namespace web
{
// A connected stream of bytes: TCP, or TLS over TCP. Keeps itself alive while an operation is under way. At most one
// read and one write at a time.
class connected_stream
{
public:
    using handler = std::function<void(const boost::system::error_code&, std::size_t)>;

    virtual ~connected_stream() = default;
    // At least one byte, or an error. Completes later, never within the call.
    virtual void read_some(void* data, std::size_t size, handler done) = 0;
    virtual void write_all(std::string data, handler done) = 0;
    // Whether it is open at both ends and nothing has come that was not read; looks at the socket. Not while an operation
    // is under way.
    virtual bool at_rest() noexcept = 0;
    // What is under way completes with an error.
    virtual void close() noexcept = 0;
    // The descriptor of its socket, for options and statistics of the kernel; -1 without one.
    virtual int native_handle() noexcept { return -1; }
};

class connection_driver
{
public:
    using connected = std::function<void(std::shared_ptr<connected_stream>)>;
    // more: read on. keep: the response is complete and the connection can carry another. close: both are over.
    enum class reading
    {
        more,
        keep,
        close
    };

    virtual ~connection_driver() = default;
    // Calls `done` later with a stream; after a failure, which the driver reports itself, not at all.
    virtual void connect(connected done) = 0;
    // The request is about to be written to `stream`, which may have carried other requests before.
    virtual void attached(std::shared_ptr<connected_stream> stream) = 0;
    virtual reading receive(const char* data, std::size_t size) = 0;
    virtual reading end_of_stream() = 0;
    virtual void stream_failed(const boost::system::error_code& reason, bool while_writing) = 0;
    // After `receive` or `end_of_stream` returned keep or close, and the connection is back in the pool or closed.
    virtual void finished() = 0;
    // Called within a catch block: something has thrown while the event loop ran this exchange. The exchange is over and
    // its connection closed. An exception of the driver's own goes on to the event loop.
    virtual void exception_thrown() = 0;
};

class websocket_driver : public virtual connection_driver
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
    // The header lines to send in addition to those of the protocol, each with its CRLF.
    virtual std::string header_lines() = 0;
    virtual answer answered() const = 0;
    // Once it is accepted: the header section of the answer as the protocol is to see it, and of the bytes that were
    // passed to the last receive() the number that come after that section.
    virtual std::string accepted_head() const = 0;
    virtual std::size_t bytes_after_head() const = 0;
    virtual void opened() = 0;
    // What has come of a message that is not complete. Valid during the call.
    virtual void message_part(const std::string& bytes) = 0;
    // The rest of a message, which is complete with it. Valid during the call.
    virtual void message(const std::string& payload, bool is_text) = 0;
    // All messages in what was read have been delivered.
    virtual void drained() = 0;
    virtual void pong() = 0;
    // The oldest message that was passed to send() and has not been written is being written from now on.
    virtual void sending() = 0;
    // That one has been written.
    virtual void sent() = 0;
    // The peer sent a close frame: the first of the two, or its answer to ours.
    virtual void closed(int code, const std::string& reason) = 0;
    // What came is not the WebSocket protocol.
    virtual void protocol_violated(const std::string& what) = 0;
    // A frame larger than max_message_size was announced.
    virtual void frame_too_large() = 0;
};
} // namespace web
