// `endpoint` is a websocketpp transport policy over a stream that the driver has connected: no sockets, timers or
// threads of its own; used by backend/websocket_client.cpp.
#pragma once

#include <websocketpp/transport/driven/connection.hpp>

namespace websocketpp {
namespace transport {
namespace driven {

template <typename config>
class endpoint {
public:
    typedef endpoint type;
    typedef lib::shared_ptr<type> ptr;
    typedef typename config::concurrency_type concurrency_type;
    typedef typename config::elog_type elog_type;
    typedef typename config::alog_type alog_type;
    typedef driven::connection<config> transport_con_type;
    typedef typename transport_con_type::ptr transport_con_ptr;

    // TLS is below, in the stream; websocketpp has no part in it.
    bool is_secure() const { return true; }

protected:
    void init_logging(lib::shared_ptr<alog_type> const &, lib::shared_ptr<elog_type> const &) {}

    // The stream is connected already.
    void async_connect(transport_con_ptr, uri_ptr, connect_handler done) { done(lib::error_code()); }

    lib::error_code init(transport_con_ptr) { return lib::error_code(); }
};

} // namespace driven
} // namespace transport
} // namespace websocketpp
