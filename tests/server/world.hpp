// `World` is all the state of one server: objects, faults, rules, open connections, recorded requests; used by
// ApiServer and Connection. Lives on the server's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/access.hpp"
#include "server/fault.hpp"
#include "server/headlamp.hpp"
#include "server/list_handler.hpp"
#include "server/pod_log.hpp"
#include "server/request.hpp"
#include "server/resource_type.hpp"
#include "server/revision_log.hpp"
#include "server/server_options.hpp"
#include "server/stream_plan.hpp"

namespace ksr::testserver {

class Connection;

struct RecordedRequest {
  std::string method;
  std::string target;
  Headers headers;
  std::string verb;
  bool websocket = false;
  std::string client_name;  // of its certificate

  std::string header(std::string_view name) const { return header_value(headers, name); }
};

class World {
 public:
  // What to do with a request: send a response, run its body as a script, or (neither) open a watch, a log or a stream.
  struct Verdict {
    std::optional<Reply> reply;
    bool script = false;
    Fault fault;
  };
  using ScriptDone = std::function<void(const std::string& problem)>;

  World(boost::asio::io_context& io, ServerOptions options);

  Verdict judge(ApiRequest& request, const std::string& client_name);
  void compress(const ApiRequest& request, Reply& reply) const;
  void run_script(const std::string& lines, ScriptDone done);

  void add(std::shared_ptr<Connection> connection) { connections_.push_back(std::move(connection)); }
  void forget(const Connection& connection);
  void drop_connections(bool reset);
  // Open watches of a resource (a plural), or of all with "*".
  std::size_t open_watches(const std::string& plural) const;
  void send_bookmarks(const std::string& plural);

  ServerOptions& options() { return options_; }
  RevisionLog& log() { return log_; }
  const ResourceTypes& types() const { return types_; }
  AccessRules& access() { return access_; }
  FaultPlan& faults() { return faults_; }
  std::vector<RecordedRequest>& requests() { return requests_; }
  StreamPlans& streams() { return streams_; }
  PodLogs& logs() { return logs_; }
  // More of a container's log, and its end, reach those that follow it.
  void append_log(const std::string& key, const LogEntry& entry);
  void end_log(const std::string& key);
  // Those that follow it get all of it again.
  void reread_log(const std::string& key);
  // Ends the connections that follow it.
  void cut_log(const std::string& key, bool reset);
  // Null: the server is reached directly.
  HeadlampProxy* headlamp() { return headlamp_ ? &*headlamp_ : nullptr; }
  boost::asio::io_context& io() { return io_; }
  // The next connection that has received so many bytes of a request ends then, before the request is understood.
  void cut_next_request(std::size_t bytes, bool reset) { request_cut_ = RequestCut{bytes, reset}; }
  // Whether that is now: `received` bytes of a request are there. How it ends: with an RST or not.
  std::optional<bool> take_request_cut(std::size_t received);

  // Called when a script runs quit.
  std::function<void()> on_quit;

 private:
  std::optional<Reply> ordinary_reply(ApiRequest& request, const std::string& client_name, const Fault& fault);
  std::optional<Reply> refusal(ApiRequest& request, const std::string& client_name);
  std::optional<Reply> watch_refusal(const ApiRequest& request);
  std::optional<Reply> subresource_refusal(const ApiRequest& request);
  void notify_watches(const ResourceType& type, const Change& change);

  boost::asio::io_context& io_;
  ServerOptions options_;
  ResourceTypes types_;
  RevisionLog log_;
  AccessRules access_;
  FaultPlan faults_;
  std::optional<HeadlampProxy> headlamp_;
  std::vector<RecordedRequest> requests_;
  StreamPlans streams_;
  PodLogs logs_;
  struct RequestCut {
    std::size_t bytes;
    bool reset;
  };
  std::optional<RequestCut> request_cut_;
  std::vector<std::shared_ptr<Connection>> connections_;
};

}  // namespace ksr::testserver
