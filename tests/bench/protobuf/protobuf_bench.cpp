// How fast lists and watches in protobuf become items, compared with the same pods in JSON (pod.pb is the pod of
// bench/json/sample.hpp, encoded by tests/protobuf/objects). Best of several rounds; only the ratios within one run are
// meaningful.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "bench/json/sample.hpp"
#include "json/watch_reader.hpp"
#include "protobuf/list_reader.hpp"
#include "protobuf/watch_reader.hpp"
#include "protobuf/wire_reader.hpp"

namespace {

using namespace ksr;
using json::Item;

struct Counter : json::ListObserver, json::WatchObserver {
  std::size_t objects = 0;
  std::size_t bytes = 0;
  void take(const Item& item) {
    ++objects;
    bytes += item.text_size();
  }
  void on_item(const Item& item) override { take(item); }
  void on_event(json::EventType, const Item& item) override { take(item); }
  void on_bookmark(std::string_view, bool) override {}
  void on_error_event(const json::ApiStatus&) override {}
  void on_unknown_event(std::string_view) override {}
  void on_bad_item(const Error& error) override { std::printf("%s\n", error.message.c_str()); }
  void on_bad_event(const Error& error, json::BadEvent) override { std::printf("%s\n", error.message.c_str()); }
};

// Of this thread, so that other load on the machine counts less.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void require(bool fine) {
  if (!fine) std::abort();
}

const char* only = "";

void measure(const char* what, std::size_t bytes, std::size_t objects, const std::function<void()>& work) {
  if (std::strstr(what, only) == nullptr) return;
  double best = 1e9;
  for (int round = 0; round < 15; ++round) {
    const double begin = cpu_seconds();
    work();
    best = std::min(best, cpu_seconds() - begin);
  }
  std::printf("%-34s %8.0f MB/s  %6.3f us/object\n", what, static_cast<double>(bytes) / best / 1e6,
              best / static_cast<double>(objects) * 1e6);
}

std::string varint(std::size_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  return bytes + static_cast<char>(value);
}

std::string bytes_field(char tag, const std::string& bytes) {
  return tag + varint(bytes.size()) + bytes;
}

std::string big_endian(std::size_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

// The pod's number is in its name, its uid and its version.
std::string pod(const std::string& first, int number) {
  const std::string n = std::to_string(1000000 + number);
  std::string pod = first;
  for (std::size_t at = pod.find("1000000"); at != std::string::npos; at = pod.find("1000000", at + 1)) {
    pod.replace(at, n.size(), n);
  }
  return pod;
}

std::string list_of(const std::string& items) {
  const std::string raw = bytes_field(0x0a, bytes_field(0x12, "1")) + items;
  return std::string(protobuf::kMagic) + bytes_field(0x0a, bytes_field(0x0a, "v1") + bytes_field(0x12, "PodList")) +
         bytes_field(0x12, raw) + std::string("\x1a\0\x22\0", 4);
}

template <class Reader>
void feed_all(Reader& reader, const std::string& bytes, std::size_t chunk) {
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    require(reader.feed(std::string_view(bytes).substr(at, chunk)).has_value());
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Part of the names of the cases to measure, for a profiler.
  if (argc > 1) only = argv[1];
  constexpr int kObjects = 5000;
  std::ifstream file(KSR_POD_FILE, std::ios::binary);
  const std::string first(std::istreambuf_iterator<char>(file), {});
  std::string json_watch;
  std::string watch;
  std::string items;
  std::vector<std::string> messages;
  for (int i = 0; i < kObjects; ++i) {
    json_watch += R"({"type":"MODIFIED","object":)" + bench::pod(i, true) + "}\n";
    const std::string object = pod(first, i);
    messages.push_back(bytes_field(0x0a, "MODIFIED") + bytes_field(0x12, bytes_field(0x0a, object)));
    watch += big_endian(messages.back().size()) + messages.back();
    protobuf::Envelope envelope;
    require(protobuf::read_envelope(object, envelope) == protobuf::EnvelopeOutcome::done);
    items += bytes_field(0x12, std::string(envelope.raw));
  }
  const std::string list = list_of(items);
  std::printf("%d pods, %zu bytes of JSON and %zu of protobuf each\n", kObjects, json_watch.size() / kObjects,
              watch.size() / kObjects);

  measure("json, WatchReader, 64 KiB buffers", json_watch.size(), kObjects, [&] {
    Counter counter;
    json::WatchReader reader({}, counter);
    feed_all(reader, json_watch, 65536);
    require(counter.objects == kObjects);
  });
  for (const bool keep : {false, true}) {
    json::ReaderOptions options;
    options.keep_managed_fields = keep;
    measure(keep ? "WatchReader, managedFields kept" : "WatchReader, 64 KiB buffers", watch.size(), kObjects, [&] {
      Counter counter;
      protobuf::WatchReader reader(options, protobuf::Framing::lengths, counter);
      feed_all(reader, watch, 65536);
      require(counter.objects == kObjects);
    });
  }
  measure("WatchReader, messages", watch.size(), kObjects, [&] {
    Counter counter;
    protobuf::WatchReader reader({}, protobuf::Framing::messages, counter);
    for (const std::string& message : messages) require(reader.feed(message) && reader.end_message());
    require(counter.objects == kObjects);
  });
  for (const std::size_t chunk : {std::size_t{65536}, std::size_t{1400}}) {
    measure(chunk == 1400 ? "ListReader, 1.4 KB buffers" : "ListReader, 64 KiB buffers", list.size(), kObjects, [&] {
      Counter counter;
      protobuf::ListReader reader({}, counter);
      feed_all(reader, list, chunk);
      require(reader.finish().has_value() && counter.objects == kObjects);
    });
  }
}
