#include "server/self/client.hpp"

#include <boost/beast/core/buffers_to_string.hpp>
#include <stdexcept>

namespace ksr::testing {

namespace beast = boost::beast;
namespace http = beast::http;
namespace asio = boost::asio;
using asio::ip::tcp;
using ksr::testserver::ApiServer;

namespace {

Fields fields_of(const http::fields& fields) {
  Fields all;
  for (const auto& field : fields) all.emplace_back(std::string(field.name_string()), std::string(field.value()));
  return all;
}

http::request<http::string_body> request_of(const std::string& target, const Fields& fields, const std::string& method,
                                            const std::string& body) {
  http::request<http::string_body> request(http::string_to_verb(method), target, 11);
  request.set(http::field::host, "127.0.0.1");
  for (const auto& [name, value] : fields) request.insert(name, value);
  request.body() = body;
  request.prepare_payload();
  return request;
}

class HttpEvents final : public Events {
 public:
  HttpEvents(const ApiServer& server, const std::string& target, const Fields& fields) : wire_(server) {
    http::write(wire_, request_of(target, fields, "GET", ""));
    parser_.body_limit(boost::none);
    parser_.eager(true);
    http::read_header(wire_, buffer_, parser_);
    if (parser_.get().result_int() != 200) {
      throw std::runtime_error("the watch was refused: " + std::to_string(parser_.get().result_int()));
    }
  }

  std::optional<std::string> next() override {
    for (;;) {
      std::string& body = parser_.get().body();
      const std::size_t end = body.find('\n');
      if (end != std::string::npos) {
        std::string line = body.substr(0, end + 1);
        body.erase(0, end + 1);
        return line;
      }
      if (parser_.is_done()) return body.empty() ? std::nullopt : std::optional(std::exchange(body, ""));
      http::read_some(wire_, buffer_, parser_);
    }
  }

 private:
  Wire wire_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
};

class SocketEvents final : public Events {
 public:
  SocketEvents(const ApiServer& server, const std::string& target, Fields fields) {
    fields.emplace_back("Origin", "http://127.0.0.1");
    hands_ = shake_hands(server, target, fields);
    if (!hands_->socket) throw std::runtime_error("refused: " + std::to_string(hands_->answer.status));
    hands_->socket->read_message_max(0);
  }

  std::optional<std::string> next() override {
    beast::flat_buffer buffer;
    boost::system::error_code failure;
    hands_->socket->read(buffer, failure);
    // The server does not wait for our close frame, so that closing may fail after a clean end.
    if (failure && hands_->socket->reason().code != 0) {
      if (hands_->socket->reason().code == 1000) return std::nullopt;
      throw std::runtime_error("close code " + std::to_string(hands_->socket->reason().code));
    }
    if (failure) throw boost::system::system_error(failure);
    if (!hands_->socket->got_text()) throw std::runtime_error("a binary message");
    return beast::buffers_to_string(buffer.data());
  }

 private:
  std::unique_ptr<Handshake> hands_;
};

}  // namespace

Wire::Wire(const ApiServer& server, const ksr::testing::CertificateAndKey& client, const std::string& host) {
  tcp::socket socket(*io_);
  socket.connect({asio::ip::make_address(host), server.port()});
  if (server.url().rfind("https", 0) != 0) {
    plain_ = std::make_unique<tcp::socket>(std::move(socket));
    return;
  }
  context_ = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
  context_->load_verify_file(server.ca_file());
  context_->set_verify_mode(asio::ssl::verify_peer);
  if (!client.key_pem.empty()) {
    context_->use_certificate_chain(asio::buffer(client.certificate_pem));
    context_->use_private_key(asio::buffer(client.key_pem), asio::ssl::context::pem);
  }
  tls_ = std::make_unique<asio::ssl::stream<tcp::socket>>(std::move(socket), *context_);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_->native_handle()), host.c_str());
  tls_->handshake(asio::ssl::stream_base::client);
}

std::string Answer::header(const std::string& name) const {
  return ksr::testserver::header_value(headers, name);
}

Answer ask(Wire& wire, const std::string& target, const Fields& fields, const std::string& method,
           const std::string& body) {
  http::write(wire, request_of(target, fields, method, body));
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  http::read(wire, buffer, parser);
  return {parser.get().result_int(), fields_of(parser.get()), parser.get().body()};
}

Answer ask(const ApiServer& server, const std::string& target, const Fields& fields, const std::string& method,
           const std::string& body) {
  Wire wire(server);
  return ask(wire, target, fields, method, body);
}

std::pair<std::string, boost::json::value> Events::event() {
  const auto line = next();
  if (!line) throw std::runtime_error("the watch ended");
  if (line->back() != '\n') throw std::runtime_error("an event without newline: " + *line);
  const boost::json::value event = boost::json::parse(*line);
  return {event.at("type").as_string().c_str(), event.at("object")};
}

std::string Events::summary() {
  const auto [type, object] = event();
  const auto* name = object.at("metadata").as_object().if_contains("name");
  return type + (name != nullptr ? " " + std::string(name->as_string().c_str()) : "");
}

std::unique_ptr<Events> watch(const ApiServer& server, const std::string& transport, const std::string& target,
                              const Fields& fields) {
  if (transport == "http") return std::make_unique<HttpEvents>(server, target, fields);
  return std::make_unique<SocketEvents>(server, target, fields);
}

std::unique_ptr<Handshake> shake_hands(const ApiServer& server, const std::string& target, const Fields& fields) {
  auto hands = std::make_unique<Handshake>();
  hands->socket = std::make_unique<WebSocket>(hands->io);
  hands->socket->next_layer().connect({asio::ip::make_address("127.0.0.1"), server.port()});
  hands->socket->set_option(beast::websocket::stream_base::decorator([&](beast::websocket::request_type& request) {
    for (const auto& [name, value] : fields) request.insert(name, value);
  }));
  beast::websocket::response_type response;
  boost::system::error_code failure;
  hands->socket->handshake(response, "127.0.0.1", target, failure);
  hands->answer = {response.result_int(), fields_of(response), response.body()};
  if (failure) hands->socket.reset();
  return hands;
}

std::vector<std::string> names_of(const boost::json::value& list) {
  std::vector<std::string> names;
  for (const auto& item : list.at("items").as_array()) {
    names.emplace_back(item.at("metadata").at("name").as_string().c_str());
  }
  return names;
}

}  // namespace ksr::testing
