// `WatchTables` asks the server for the Tables of what a stream shows, and keeps their rows; used by the printer of
// ksr-watch. Its callbacks run in dispatch(). Main thread.
#pragma once

#include <ksr.h>

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "commands/client.hpp"
#include "commands/pages.hpp"
#include "commands/table_text.hpp"

namespace ksr::commands {

std::string field_of(const ksr_object* object, ksr_field field);

// What the stream asks for, as keys of ksr_config.
struct WatchQuery {
  std::string resource;
  std::vector<std::string> namespaces;  // empty: all
  std::string label_selector;
  std::string field_selector;
  // Only a few of all are shown.
  bool is_limited = false;
  // Each change has a row of its own, of that very version, rather than each object the newest.
  bool by_change = false;
  // Of one object, by its name.
  bool is_one = false;
};

class WatchTables {
 public:
  // Takes the client over, whose delivery is manual.
  WatchTables(ksr_client* client, WatchQuery query) : client_(client), query_(std::move(query)) {}
  ~WatchTables();
  WatchTables(const WatchTables&) = delete;
  WatchTables& operator=(const WatchTables&) = delete;

  int fd() const { return ksr_client_fd(client_); }
  // True: an answer has come.
  bool dispatch();

  // As printer_prepare, printer_has_rows, printer_refresh and printer_due_ms.
  bool prepare(const ksr_object* const* objects, std::size_t count, std::size_t total);
  bool has_rows(const ksr_snapshot* snapshot) const;
  void refresh(const ksr_object* shown, std::size_t total);
  int due_ms() const;
  // NULL: it is not there. Of a state that the object had before only where it is gone by then, and never with
  // by_change.
  const TableRow* row_of(const ksr_object* object) const;
  // Also of such a state, for a table that is drawn again as soon as the row has come.
  const TableRow* last_row_of(const ksr_object* object) const;
  // Of the Tables; those of plain objects before one has come.
  const std::vector<TableColumn>& columns() const { return columns_.empty() ? plain_columns() : columns_; }
  // The server makes no Tables: there are no rows to wait for.
  bool is_plain() const { return plain_; }
  const std::string& trouble() const { return trouble_; }
  // Of the server, each once.
  std::vector<std::string> take_warnings() { return std::exchange(warnings_, {}); }
  // The server's tables have another order than that of names, as those of FlowSchemas: place_of then tells it.
  bool has_own_order() const { return own_order_ == true && !has_pages_; }
  // In the newest list that had it; empty: none had.
  std::optional<std::size_t> place_of(const ksr_object* object) const;
  void forget_gone(const ksr_snapshot* snapshot);

 private:
  using Clock = std::chrono::steady_clock;

  struct Kept {
    TableRow row;
    bool has_row = false;
    std::optional<std::size_t> place;
    // The version of the object when the row was asked for last, and whether the row has come since.
    std::string asked;
    bool has_come = false;
  };

  // A version of an object, with by_change.
  struct State {
    // It was asked for with the list, which has what objects are by then; and by itself.
    bool is_listed = false;
    bool is_asked = false;
    std::optional<TableRow> row;
  };

  // One request on its way, which the library keeps until its end.
  struct Call {
    WatchTables* owner;
    ksr_request* request = nullptr;
    std::vector<std::pair<std::string, std::string>> keys;
    Pages pages;
    // The state that is asked for; empty: the newest.
    std::string version;
    // By its name, with get.
    bool is_get = false;
  };

  static void on_response(ksr_request* request, const ksr_response* response, const ksr_error* error, void* user_data);
  static void on_destroy(void* user_data);

  // Rows of other columns are dropped.
  void take_columns(ServerTable& table);
  void note_order(const boost::json::array& rows);
  bool is_current(const ksr_object* object) const;
  // With the row of this very version.
  const Kept* kept_of_version(const ksr_object* object) const;
  void forget_other_states(const ksr_object* const* objects, std::size_t count);
  // Whether single rows are asked for rather than the list.
  bool is_few(std::size_t missing, std::size_t total) const;
  void begin_round();
  void ask_for_newest(const std::vector<const ksr_object*>& missing, std::size_t total);
  void ask_for_states(const std::vector<const ksr_object*>& missing, std::size_t total);
  void ask_for_last(const std::vector<const ksr_object*>& missing);
  void ask_for(const ksr_object* object, std::string version);
  // Of who may not list.
  void get(std::string name_space, std::string name);
  void ask_for_rows();
  void ask_for_all();
  void send(std::vector<std::pair<std::string, std::string>> keys, Pages pages, std::string version,
            bool is_get = false);
  // What a request that was refused asked for may be had in another way, or never.
  bool is_answered_by(const ksr_error* error, const Call& call);
  void take(const ksr_response* response, Call& call);
  void fail(const ksr_error* error);
  void fail(std::string_view what);
  void forget_unanswered();
  // A request could not be opened.
  void end_unsent(const ksr_error* error);

  ksr_client* const client_;
  const WatchQuery query_;
  std::vector<TableColumn> columns_;
  std::string definitions_;
  // In this round, and in the last.
  bool columns_changed_ = false;
  bool columns_changed_before_ = false;
  std::unordered_map<std::string, Kept> rows_;     // by uid
  std::unordered_map<std::string, State> states_;  // of what prepare() was given last, by uid and version
  std::size_t under_way_ = 0;
  bool answered_ = false;
  // Of the last round, and of this one: something was not answered. It is asked for again.
  bool failed_ = false;
  bool round_failed_ = false;
  // Rows are missing, and will be asked for at next_.
  bool postponed_ = false;
  bool closing_ = false;
  bool plain_ = false;
  // Of one object that may be watched by its name, but not listed.
  bool may_list_ = true;
  bool asks_again_ = false;
  std::string trouble_;
  std::set<std::string> warned_;
  std::vector<std::string> warnings_;
  // Empty: no list that tells it has come yet.
  std::optional<bool> own_order_;
  // A list was longer than a page. The server puts the rows of each page in order by themselves.
  bool has_pages_ = false;
  Clock::time_point next_{};
  Clock::time_point begun_{};
};

}  // namespace ksr::commands
