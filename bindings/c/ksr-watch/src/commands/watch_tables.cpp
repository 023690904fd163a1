#include "commands/watch_tables.hpp"

#include <algorithm>
#include <functional>

#include "base/field_selector.hpp"
#include "base/text.hpp"
#include "commands/answer_object.hpp"
#include "commands/json_text.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

// Up to so many rows are asked for one by one; more of them with the list.
constexpr std::size_t kFew = 8;
constexpr std::size_t kMany = 64;
constexpr std::size_t kMuchMore = 50;
// A row of a list costs so much less than one that is asked for by itself.
constexpr std::size_t kListedFor = 8;
// So many states that have passed wait to be asked for, kMany at a time.
constexpr std::size_t kMostPassed = 512;
constexpr const char* kPage = "500";
constexpr const char* kTimeout = "20s";
// Between two rounds: a busy cluster must not be asked all the time.
constexpr std::chrono::milliseconds kRest{200};
// With by_change there is a request for each change, whether they come together or not.
constexpr std::chrono::milliseconds kRestOfChanges{50};
constexpr std::chrono::seconds kRestAfterFailure{2};
// Times since, in cells such as "3 (5m ago)", get old, and columns change; all rows of a view that is small enough are
// asked for again and again, else one, for the columns.
constexpr std::chrono::seconds kRefresh{10};
constexpr std::size_t kSmallView = 500;
constexpr std::int32_t kForbidden = 403;
constexpr std::int32_t kNotFound = 404;
constexpr std::int32_t kGone = 410;

// Neither has a space.
std::string state_key(std::string_view uid, std::string_view version) {
  return std::string(uid) + " " + std::string(version);
}

}  // namespace

std::string field_of(const ksr_object* object, ksr_field field) {
  std::size_t size = 0;
  const char* text = ksr_object_field(object, field, &size);
  return {text, size};
}

namespace {

// What the server computes for each request, such as metrics, has neither versions nor states that can be asked for.
bool is_computed(const ksr_object* object) {
  return field_of(object, KSR_FIELD_RESOURCE_VERSION).empty();
}

std::string version_of(const ksr_object* object) {
  if (!is_computed(object)) return field_of(object, KSR_FIELD_RESOURCE_VERSION);
  return "#" + std::to_string(std::hash<std::string>()(field_of(object, KSR_FIELD_JSON)));
}

std::string state_key(const ksr_object* object) {
  return state_key(field_of(object, KSR_FIELD_UID), version_of(object));
}

}  // namespace

WatchTables::~WatchTables() {
  closing_ = true;
  ksr_client_close(client_);
}

bool WatchTables::dispatch() {
  ksr_client_dispatch(client_);
  return std::exchange(answered_, false);
}

const WatchTables::Kept* WatchTables::kept_of_version(const ksr_object* object) const {
  const auto found = rows_.find(field_of(object, KSR_FIELD_UID));
  if (found == rows_.end() || !found->second.has_row) return nullptr;
  const bool is_of_it = found->second.row.resource_version == version_of(object);
  return is_of_it ? &found->second : nullptr;
}

bool WatchTables::is_current(const ksr_object* object) const {
  if (kept_of_version(object) != nullptr) return true;
  if (query_.by_change) {
    const auto state = states_.find(state_key(object));
    if (state == states_.end()) return false;
    return state->second.is_asked || state->second.row || (state->second.is_listed && is_computed(object));
  }
  const auto found = rows_.find(field_of(object, KSR_FIELD_UID));
  return found != rows_.end() && found->second.asked == version_of(object);
}

bool WatchTables::is_few(std::size_t missing, std::size_t total) const {
  // Only a list has places.
  if (!query_.is_limited && total <= kSmallView && !has_pages_ && own_order_.value_or(true)) return false;
  // Of a large view little is on the screen.
  if (missing <= kMany && total > missing * kMuchMore) return true;
  return missing <= kFew && (!columns_.empty() || query_.is_limited);
}

void WatchTables::begin_round() {
  begun_ = Clock::now();
  round_failed_ = false;
  trouble_.clear();
  columns_changed_before_ = std::exchange(columns_changed_, false);
}

void WatchTables::refresh(const ksr_object* shown, std::size_t total) {
  if (plain_ || columns_.empty() || under_way_ > 0 || shown == nullptr) return;
  if (Clock::now() < next_ + kRefresh) return;
  begin_round();
  if (total > kSmallView) return ask_for(shown, "");
  may_list_ ? ask_for_all() : ask_for_rows();
}

bool WatchTables::prepare(const ksr_object* const* objects, std::size_t count, std::size_t total) {
  postponed_ = false;
  if (plain_) return true;
  if (query_.by_change) forget_other_states(objects, count);
  std::vector<const ksr_object*> missing;
  std::copy_if(objects, objects + count, std::back_inserter(missing),
               [this](const ksr_object* object) { return !is_current(object); });
  if (missing.empty()) return under_way_ == 0;
  if (under_way_ > 0) return failed_;
  if (Clock::now() < next_) {
    postponed_ = true;
    return failed_;
  }
  begin_round();
  query_.by_change ? ask_for_states(missing, total) : ask_for_newest(missing, total);
  return failed_;
}

bool WatchTables::has_rows(const ksr_snapshot* snapshot) const {
  if (under_way_ > 0) return false;
  for (std::size_t i = 0; i < ksr_snapshot_count(snapshot); ++i) {
    if (!is_current(ksr_snapshot_at(snapshot, i))) return false;
  }
  return true;
}

int WatchTables::due_ms() const {
  if (!postponed_ || under_way_ > 0) return -1;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next_ - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count() + 1, 0));
}

void WatchTables::forget_other_states(const ksr_object* const* objects, std::size_t count) {
  if (states_.empty()) return;
  std::set<std::string> wanted;
  for (std::size_t i = 0; i < count; ++i) wanted.insert(state_key(objects[i]));
  for (auto state = states_.begin(); state != states_.end();) {
    state = wanted.count(state->first) == 0 ? states_.erase(state) : std::next(state);
  }
}

void WatchTables::ask_for_newest(const std::vector<const ksr_object*>& missing, std::size_t total) {
  // Also of what the answer will not have, since it is gone by then.
  for (const ksr_object* object : missing) {
    Kept& kept = rows_[field_of(object, KSR_FIELD_UID)];
    kept.asked = version_of(object);
    kept.has_come = false;
  }
  if (may_list_ && !is_few(missing.size(), total)) return ask_for_all();
  for (const ksr_object* object : missing) ask_for(object, "");
}

// Of many changes the list has those that are the last of their objects. The others are asked for one by one, but not
// all of a storm of changes, which must not become one of requests.
void WatchTables::ask_for_states(const std::vector<const ksr_object*>& missing, std::size_t total) {
  if (!may_list_) return ask_for_last(missing);
  const bool were_listed = std::any_of(missing.begin(), missing.end(), [this](const ksr_object* object) {
    return states_[state_key(object)].is_listed;
  });
  const bool is_first = columns_.empty() && (!query_.is_limited || missing.size() > kFew);
  const bool is_much_of_all = missing.size() > kMany && total <= missing.size() * kListedFor;
  if (!were_listed && (is_first || is_much_of_all || is_computed(missing.front()))) {
    for (const ksr_object* object : missing) states_[state_key(object)].is_listed = true;
    return ask_for_all();
  }
  for (std::size_t i = 0; i < missing.size(); ++i) {
    State& state = states_[state_key(missing[i])];
    state.is_asked = i < kMany || i >= kMostPassed;
    if (i < kMany) ask_for(missing[i], field_of(missing[i], KSR_FIELD_RESOURCE_VERSION));
  }
}

// A get has what an object is by then: the states before cannot be had.
void WatchTables::ask_for_last(const std::vector<const ksr_object*>& missing) {
  std::set<std::string> namespaces;
  for (auto object = missing.rbegin(); object != missing.rend(); ++object) {
    states_[state_key(*object)].is_asked = true;
    if (namespaces.insert(field_of(*object, KSR_FIELD_NAMESPACE)).second) ask_for(*object, "");
  }
}

// As a list, since who may list and watch need not be allowed to get. A server has the states of some minutes; also
// that of an object that it has deleted since.
void WatchTables::ask_for(const ksr_object* object, std::string version) {
  if (!may_list_) {
    return get(field_of(object, KSR_FIELD_NAMESPACE), field_of(object, KSR_FIELD_NAME));
  }
  const std::string selector = name_selector(field_of(object, KSR_FIELD_NAME));
  send({{"namespace", field_of(object, KSR_FIELD_NAMESPACE)},
        {"label_selector", query_.label_selector},
        {"field_selector", query_.field_selector.empty() ? selector : query_.field_selector + "," + selector},
        {"query.resourceVersion", version},
        {"query.resourceVersionMatch", version.empty() ? "" : "Exact"}},
       Pages(query_.resource), version);
}

void WatchTables::get(std::string name_space, std::string name) {
  send({{"namespace", std::move(name_space)}, {"name", std::move(name)}}, Pages(query_.resource), "", true);
}

// An object that was deleted and made again has several.
void WatchTables::ask_for_rows() {
  std::set<std::string> namespaces;
  for (const auto& [uid, kept] : rows_) {
    if (kept.has_row && namespaces.insert(kept.row.name_space).second) get(kept.row.name_space, kept.row.name);
  }
}

void WatchTables::ask_for_all() {
  const std::vector<std::string> all{""};
  for (const std::string& name_space : query_.namespaces.empty() ? all : query_.namespaces) {
    send({{"namespace", name_space},
          {"label_selector", query_.label_selector},
          {"field_selector", query_.field_selector},
          {"query.limit", kPage}},
         Pages(query_.resource), "");
  }
}

void WatchTables::send(std::vector<std::pair<std::string, std::string>> keys, Pages pages, std::string version,
                       bool is_get) {
  ksr_params* params = nullptr;
  if (ksr_params_new(&params) != KSR_OK) return end_unsent(nullptr);
  auto call = std::make_unique<Call>(Call{this, nullptr, keys, std::move(pages), std::move(version), is_get});
  for (const auto& [key, value] : {std::pair("verb", is_get ? "get" : "list"), std::pair("accept", "table"),
                                   std::pair("timeout", kTimeout), std::pair("max_body", kMaxAnswer)}) {
    keys.emplace_back(key, value);
  }
  keys.emplace_back("resource", query_.resource);
  ksr_error* error = nullptr;
  ksr_status status = KSR_OK;
  for (const auto& [key, value] : keys) {
    if (status == KSR_OK && !value.empty()) status = ksr_params_set(params, key.c_str(), value.c_str(), &error);
  }
  if (status == KSR_OK) {
    ksr_params_on_response(params, on_response);
    ++under_way_;
    // Freed by on_destroy, which also a failing call has called when it returns.
    Call* const opened = call.release();
    ksr_request* request = nullptr;
    status = ksr_request_open(client_, params, opened, on_destroy, &request, &error);
    if (status == KSR_OK) opened->request = request;
  }
  if (status != KSR_OK) end_unsent(error);
  ksr_error_free(error);
  ksr_params_free(params);
}

// Also where others of the round are under way: what they bring is asked for again.
void WatchTables::end_unsent(const ksr_error* error) {
  fail(error);
  failed_ = true;
  forget_unanswered();
  next_ = Clock::now() + kRestAfterFailure;
}

void WatchTables::on_response(ksr_request*, const ksr_response* response, const ksr_error* error, void* user_data) {
  Call& call = *static_cast<Call*>(user_data);
  if (response != nullptr) {
    call.owner->take(response, call);
  } else if (!call.owner->is_answered_by(error, call)) {
    call.owner->fail(error);
  }
  ksr_request_close_async(call.request);
}

bool WatchTables::is_answered_by(const ksr_error* error, const Call& call) {
  const std::int32_t status = ksr_error_http_status(error);
  if (status == kForbidden && !call.is_get && query_.is_one) {
    may_list_ = false;
    asks_again_ = true;
    return true;
  }
  return (status == kGone && !call.version.empty()) || (status == kNotFound && call.is_get);
}

void WatchTables::on_destroy(void* user_data) {
  const std::unique_ptr<Call> call(static_cast<Call*>(user_data));
  WatchTables& owner = *call->owner;
  if (--owner.under_way_ > 0 || owner.closing_) return;
  owner.answered_ = true;
  owner.failed_ = owner.round_failed_;
  if (std::exchange(owner.asks_again_, false) || owner.failed_) owner.forget_unanswered();
  // As long as the last round took: what is slow is asked less often.
  const auto took = Clock::now() - owner.begun_;
  const Clock::duration rest = owner.query_.by_change ? kRestOfChanges : kRest;
  owner.next_ = Clock::now() + std::max<Clock::duration>(owner.failed_ ? kRestAfterFailure : rest, took);
}

void WatchTables::forget_unanswered() {
  for (auto& [uid, kept] : rows_) {
    if (!kept.has_row || kept.row.resource_version != kept.asked) kept.asked.clear();
  }
  for (auto& [key, state] : states_) {
    if (!state.row) state.is_listed = state.is_asked = false;
  }
}

void WatchTables::take_columns(ServerTable& table) {
  // A page without rows may have no columns.
  if (table.columns.empty() || table.definitions == definitions_) return;
  const bool is_first = columns_.empty();
  columns_ = std::move(table.columns);
  definitions_ = std::move(table.definitions);
  if (is_first) return;
  // Servers behind one address that are not of one release: nothing is to wait for them to agree.
  if (columns_changed_before_) fail("the server's columns change from answer to answer");
  columns_changed_ = true;
  for (auto& [uid, kept] : rows_) {
    // What is not there yet is still under way, or gone.
    if (kept.has_come) kept.asked.clear();
    kept.row = {};
    kept.has_row = kept.has_come = false;
  }
  for (auto& [key, state] : states_) {
    if (state.row) state.is_asked = false;
    state.is_listed = false;
    state.row.reset();
  }
}

void WatchTables::note_order(const json::array& rows) {
  std::string last;
  for (const json::value& row : rows) {
    const std::string name_space = text_at(row, {"object", "metadata", "namespace"});
    std::string key = name_space + "/" + text_at(row, {"object", "metadata", "name"});
    if (key < last) own_order_ = true;
    last = std::move(key);
  }
  // Of several namespaces each may have a single row for ever.
  if ((rows.size() > 1 || query_.namespaces.size() > 1) && !own_order_) own_order_ = false;
}

void WatchTables::take(const ksr_response* response, Call& call) {
  std::size_t size = 0;
  const auto* body = static_cast<const char*>(ksr_response_body(response, &size));
  const std::variant<json::value, Failure> read = read_object({body, size}, "list of " + query_.resource);
  for (std::size_t i = 0; i < ksr_response_warning_count(response); ++i) {
    const char* text = ksr_response_warning(response, i, &size);
    std::string warning = one_line({text, size}, 2'000);
    if (warned_.insert(warning).second) warnings_.push_back(std::move(warning));
  }
  if (const Failure* failure = std::get_if<Failure>(&read)) return fail(line_of(*failure));
  const json::value& answer = std::get<json::value>(read);
  if (!is_table(answer)) {
    plain_ = true;
    return;
  }
  ServerTable table = read_table(answer);
  take_columns(table);
  const Expected<std::string> more = call.pages.token_after(answer);
  const bool is_list =
      std::any_of(call.keys.begin(), call.keys.end(), [](const auto& key) { return key.first == "query.limit"; });
  if (is_list && more && !more->empty()) has_pages_ = true;
  if (is_list && !has_pages_) note_order(array_at(answer, {"rows"}));
  std::size_t place = 0;
  for (TableRow& row : table.rows) {
    if (!call.version.empty()) {
      const auto state = states_.find(state_key(row.uid, row.resource_version));
      if (state != states_.end()) state->second.row = std::move(row);
      continue;
    }
    Kept& kept = rows_[row.uid];
    if (is_list) kept.place = place++;
    kept.row = std::move(row);
    kept.has_row = true;
    kept.has_come = true;
  }
  if (!more) return fail(more.error().message);
  if (more->empty() || closing_) return;
  auto keys = call.keys;
  keys.erase(std::remove_if(keys.begin(), keys.end(), [](const auto& key) { return key.first == "query.continue"; }),
             keys.end());
  keys.emplace_back("query.continue", *more);
  send(std::move(keys), std::move(call.pages), call.version);
}

void WatchTables::fail(const ksr_error* error) {
  std::size_t size = 0;
  const char* text = ksr_error_message(error, &size);
  fail({text, size});
}

void WatchTables::fail(std::string_view what) {
  trouble_ = one_line(what, 500);
  round_failed_ = true;
}

const TableRow* WatchTables::row_of(const ksr_object* object) const {
  if (const Kept* kept = kept_of_version(object)) return &kept->row;
  if (query_.by_change && !is_computed(object)) {
    const auto state = states_.find(state_key(object));
    return state == states_.end() || !state->second.row ? nullptr : &*state->second.row;
  }
  const auto found = rows_.find(field_of(object, KSR_FIELD_UID));
  if (found == rows_.end() || !found->second.has_row) return nullptr;
  // What was asked for when the object had this version is of that or of a later one.
  return query_.by_change || found->second.asked == version_of(object) ? &found->second.row : nullptr;
}

const TableRow* WatchTables::last_row_of(const ksr_object* object) const {
  const auto found = rows_.find(field_of(object, KSR_FIELD_UID));
  return found == rows_.end() || !found->second.has_row ? nullptr : &found->second.row;
}

std::optional<std::size_t> WatchTables::place_of(const ksr_object* object) const {
  const auto found = rows_.find(field_of(object, KSR_FIELD_UID));
  return found == rows_.end() ? std::nullopt : found->second.place;
}

void WatchTables::forget_gone(const ksr_snapshot* snapshot) {
  if (rows_.size() < 2 * ksr_snapshot_count(snapshot) + 100) return;
  for (auto row = rows_.begin(); row != rows_.end();) {
    row = ksr_snapshot_find_uid(snapshot, row->first.c_str()) == nullptr ? rows_.erase(row) : std::next(row);
  }
}

}  // namespace ksr::commands
