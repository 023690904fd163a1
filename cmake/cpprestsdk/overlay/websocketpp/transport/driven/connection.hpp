// `connection` carries websocketpp's protocol over a stream that a web::websocket_driver has connected; used by
// websocketpp through driven::endpoint. Lives on the thread of the stream.
#pragma once

#include <cpprest/details/connection_driver.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/error.hpp>
#include <websocketpp/common/connection_hdl.hpp>
#include <websocketpp/transport/base/connection.hpp>
#include <websocketpp/transport/base/endpoint.hpp>
#include <websocketpp/uri.hpp>

namespace websocketpp {
namespace transport {
namespace driven {

struct no_timer {
    void cancel() {}
};

template <typename config>
class connection : public lib::enable_shared_from_this<connection<config>> {
public:
    typedef connection<config> type;
    typedef lib::shared_ptr<type> ptr;
    typedef typename config::concurrency_type concurrency_type;
    typedef typename config::alog_type alog_type;
    typedef typename config::elog_type elog_type;
    typedef lib::shared_ptr<no_timer> timer_ptr;

    connection(bool, lib::shared_ptr<alog_type> const &, lib::shared_ptr<elog_type> const &) {}

    ptr get_shared() { return type::shared_from_this(); }

    void set_stream(std::shared_ptr<web::connected_stream> stream) { m_stream = std::move(stream); }
    void set_driver(std::shared_ptr<web::websocket_driver> driver) { m_driver = std::move(driver); }
    // Called when the protocol has processed what was read.
    void set_after_read_handler(std::function<void()> handler) { m_after_read = std::move(handler); }
    // Called when a write has ended and the protocol has not begun the next one.
    void set_after_write_handler(std::function<void()> handler) { m_after_write = std::move(handler); }
    bool is_writing() const { return m_writing; }
    boost::system::error_code const & get_stream_error() const { return m_stream_error; }

    // Closes the stream. No handler is called any more, in either direction.
    void abandon() {
        m_abandoned = true;
        // It holds this connection.
        m_read_handler = read_handler();
        if (m_stream) {
            m_stream->close();
        }
    }

    bool is_secure() const { return true; }
    std::string get_remote_endpoint() const { return std::string(); }
    connection_hdl get_handle() const { return m_connection_hdl; }
    // The driver keeps the time.
    timer_ptr set_timer(long, timer_handler) { return timer_ptr(); }

protected:
    void set_uri(uri_ptr) {}
    void set_handle(connection_hdl hdl) { m_connection_hdl = hdl; }
    void init(init_handler done) { done(lib::error_code()); }

    void async_read_at_least(size_t, char * buf, size_t len, read_handler done) {
        m_read_handler = std::move(done);
        read_more(buf, len);
    }

    void async_write(char const * buf, size_t len, write_handler done) { write(std::string(buf, len), std::move(done)); }

    void async_write(std::vector<buffer> const & bufs, write_handler done) {
        std::string joined;
        for (buffer const & part : bufs) {
            joined.append(part.buf, part.len);
        }
        write(std::move(joined), std::move(done));
    }

    lib::error_code interrupt(interrupt_handler handler) {
        handler();
        return lib::error_code();
    }

    lib::error_code dispatch(dispatch_handler handler) {
        handler();
        return lib::error_code();
    }

    void async_shutdown(shutdown_handler done) {
        m_stream->close();
        if (!m_abandoned) {
            done(lib::error_code());
        }
    }

private:
    typedef web::connection_driver::reading reading;
    typedef web::websocket_driver::answer answer;

    // Runs a step that the event loop has called. After an exception the protocol is in no state to go on.
    template <typename step_type>
    void guarded(step_type step) {
        try {
            step();
        } catch (...) {
            abandon();
            m_driver->exception_thrown();
        }
    }

    void read_more(char * buf, size_t len) {
        if (m_abandoned) {
            return;
        }
        if (!m_answer.empty()) {
            return deliver_answer(buf, len);
        }
        auto self = get_shared();
        m_stream->read_some(buf, len, [self, buf, len](boost::system::error_code const & ec, size_t size) {
            self->guarded([&] { self->handle_read(buf, len, ec, size); });
        });
    }

    void handle_read(char * buf, size_t len, boost::system::error_code const & ec, size_t size) {
        if (m_abandoned) {
            return;
        }
        bool const failed = ec && ec != boost::asio::error::eof;
        if (m_driver->answered() != answer::accepted && !failed) {
            return pass_to_driver(buf, len, bool(ec), size);
        }
        deliver(ec, size);
    }

    void deliver(boost::system::error_code const & ec, size_t size) {
        if (ec) {
            m_stream_error = ec;
        }
        // Kept apart from the member: the handler may start the next read.
        read_handler done = std::move(m_read_handler);
        done(ec == boost::asio::error::eof ? make_error_code(error::eof)
                                           : ec ? make_error_code(error::pass_through) : lib::error_code(),
             size);
        if (!m_abandoned && m_after_read) {
            m_after_read();
        }
    }

    // Until the handshake is accepted the driver alone reads. The protocol then sees the answer from its final header
    // section on: it does not know that interim responses may come before (RFC 9110, section 15.2).
    void pass_to_driver(char * buf, size_t len, bool at_end, size_t size) {
        reading const next = at_end ? m_driver->end_of_stream() : m_driver->receive(buf, size);
        if (next != reading::more && !m_abandoned) {
            abandon();
            m_driver->finished();
        }
        if (!m_abandoned && m_driver->answered() == answer::accepted) {
            m_answer = m_driver->accepted_head();
            m_answer.append(buf + size - m_driver->bytes_after_head(), m_driver->bytes_after_head());
        }
        read_more(buf, len);
    }

    void deliver_answer(char * buf, size_t len) {
        size_t const size = (std::min)(len, m_answer.size());
        std::copy_n(m_answer.data(), size, buf);
        m_answer.erase(0, size);
        deliver(boost::system::error_code(), size);
    }

    void write(std::string data, write_handler done) {
        if (m_abandoned) {
            return;
        }
        if (!m_head_sent) {
            // The first thing written is the head of the handshake, made with streams, which drop what they have no
            // memory for. Its last header is Upgrade: they are sorted.
            static constexpr char last[] = "\r\nUpgrade: websocket\r\n\r\n";
            constexpr size_t size = sizeof last - 1;
            if (data.size() < size || data.compare(data.size() - size, size, last) != 0) {
                throw std::bad_alloc();
            }
            m_head_sent = true;
            // Before the empty line.
            data.insert(data.size() - 2, m_driver->header_lines());
        }
        auto self = get_shared();
        m_writing = true;
        m_stream->write_all(std::move(data), [self, done](boost::system::error_code const & ec, size_t) {
            self->m_writing = false;
            if (self->m_abandoned) {
                return;
            }
            // The read that is under way ends the connection, once all is read that the peer has sent before it closed:
            // its last messages say why it did.
            if (ec) {
                return;
            }
            self->guarded([&] {
                // May start the next write.
                done(lib::error_code());
                if (!self->m_abandoned && !self->m_writing && self->m_after_write) {
                    self->m_after_write();
                }
            });
        });
    }

    std::shared_ptr<web::connected_stream> m_stream;
    std::shared_ptr<web::websocket_driver> m_driver;
    std::function<void()> m_after_read;
    std::function<void()> m_after_write;
    read_handler m_read_handler;
    // What the protocol has not seen yet of the answer that the driver has accepted, and of what came with it.
    std::string m_answer;
    boost::system::error_code m_stream_error;
    connection_hdl m_connection_hdl;
    bool m_head_sent = false;
    bool m_writing = false;
    bool m_abandoned = false;
};

} // namespace driven
} // namespace transport
} // namespace websocketpp
