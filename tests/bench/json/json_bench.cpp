// How fast lists and watches are read, compared with its bounds: copying the same bytes, reading each of them once, and
// a SAX parser without handlers. Best of several rounds; only the ratios within one run are meaningful.
#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "bench/json/sample.hpp"
#include "json/json_pointer.hpp"
#include "json/list_reader.hpp"
#include "json/watch_reader.hpp"

namespace {

using namespace ksr::json;

struct NullHandler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  using Code = boost::system::error_code;
  using Text = boost::json::string_view;
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(Text, std::size_t, Code&) { return true; }
  bool on_key(Text, std::size_t, Code&) { return true; }
  bool on_string_part(Text, std::size_t, Code&) { return true; }
  bool on_string(Text, std::size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t, Text, Code&) { return true; }
  bool on_uint64(std::uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

struct Counter : ListObserver, WatchObserver {
  std::size_t objects = 0;
  std::size_t bytes = 0;
  std::vector<char> kept = std::vector<char>(1 << 20);
  bool copy = false;
  void take(const Item& item) {
    ++objects;
    bytes += item.text_size();
    if (!copy) return;
    char* to = kept.data();
    for (const std::string_view piece : item.text) {
      std::memcpy(to, piece.data(), piece.size());
      to += piece.size();
    }
  }
  void on_item(const Item& item) override { take(item); }
  void on_event(EventType, const Item& item) override { take(item); }
  void on_bookmark(std::string_view, bool) override {}
  void on_error_event(const ApiStatus&) override {}
  void on_unknown_event(std::string_view) override {}
  void on_bad_item(const ksr::Error& error) override { std::printf("%s\n", error.message.c_str()); }
  void on_bad_event(const ksr::Error& error, ksr::json::BadEvent) override {
    std::printf("%s\n", error.message.c_str());
  }
};

// Of this thread, so that other load on the machine counts less.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double memcpy_speed = 0;
const char* only = "";

void measure(const char* what, std::size_t bytes, std::size_t objects, const std::function<void()>& work) {
  if (std::strstr(what, only) == nullptr) return;
  double best = 1e9;
  for (int round = 0; round < 15; ++round) {
    const double begin = cpu_seconds();
    work();
    best = std::min(best, cpu_seconds() - begin);
  }
  const double speed = static_cast<double>(bytes) / best / 1e6;
  if (memcpy_speed == 0) memcpy_speed = speed;
  std::printf("%-34s %8.0f MB/s  %6.3f us/object  %5.1f %% of memcpy\n", what, speed,
              best / static_cast<double>(objects) * 1e6, 100 * speed / memcpy_speed);
}

void require(bool fine) {
  if (!fine) std::abort();
}

template <class Reader>
void feed_all(Reader& reader, const std::string& text, std::size_t chunk) {
  for (std::size_t at = 0; at < text.size(); at += chunk) {
    require(reader.feed(std::string_view(text).substr(at, chunk)).has_value());
  }
}

void read_list(const std::string& text, std::size_t chunk, std::size_t objects, bool copy = false) {
  Counter counter;
  counter.copy = copy;
  ListReader reader({}, counter);
  feed_all(reader, text, chunk);
  require(reader.finish().has_value() && counter.objects == objects);
}

void read_watch(const std::string& text, std::size_t chunk, std::size_t objects) {
  Counter counter;
  WatchReader reader({}, counter);
  feed_all(reader, text, chunk);
  require(reader.at_boundary() && counter.objects == objects);
}

}  // namespace

int main(int argc, char** argv) {
  // Part of the names of the cases to measure, for a profiler.
  if (argc > 1) only = argv[1];
  constexpr int kObjects = 5000;
  std::string list = R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[)";
  std::string watch;
  std::vector<std::string> events;
  for (int i = 0; i < kObjects; ++i) {
    list += (i > 0 ? "," : "") + ksr::bench::pod(i, false);
    events.push_back(R"({"type":"MODIFIED","object":)" + ksr::bench::pod(i, true) + "}\n");
    watch += events.back();
  }
  list += "]}\n";
  std::printf("%d pods, %zu bytes each\n", kObjects, list.size() / kObjects);

  std::string copy(list.size(), '\0');
  measure("memcpy", list.size(), kObjects, [&] { std::memcpy(copy.data(), list.data(), list.size()); });
  measure("strlen", list.size(), kObjects, [&] { require(std::strlen(list.c_str()) == list.size()); });
  measure("Boost.JSON SAX, null handler", list.size(), kObjects, [&] {
    boost::json::basic_parser<NullHandler> parser{boost::json::parse_options()};
    boost::system::error_code error;
    parser.write_some(false, list.data(), list.size(), error);
    require(!error);
  });
  measure("ListReader, one buffer", list.size(), kObjects, [&] { read_list(list, list.size(), kObjects); });
  measure("ListReader, 64 KiB buffers", list.size(), kObjects, [&] { read_list(list, 65536, kObjects); });
  measure("ListReader, 64 KiB, text copied", list.size(), kObjects, [&] { read_list(list, 65536, kObjects, true); });
  measure("ListReader, 1.4 KB buffers", list.size(), kObjects, [&] { read_list(list, 1400, kObjects); });
  measure("WatchReader, 64 KiB buffers", watch.size(), kObjects, [&] { read_watch(watch, 65536, kObjects); });
  measure("WatchReader, an event a buffer", watch.size(), kObjects, [&] {
    Counter counter;
    WatchReader reader({}, counter);
    for (const std::string& event : events) require(reader.feed(event).has_value());
    require(counter.objects == kObjects);
  });
  measure("find_pointer /status/phase", watch.size(), kObjects, [&] {
    for (const std::string& event : events) {
      require(find_pointer(std::string_view(event), "/object/status/phase") == "\"Running\"");
    }
  });
}
