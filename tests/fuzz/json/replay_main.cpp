// Runs the fuzzed function on the files of a corpus, on their prefixes, and with single bytes changed.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void replay(const Bytes& bytes, std::mt19937& random) {
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  if (bytes.size() < 3) return;
  for (int round = 0; round < 300; ++round) {
    Bytes changed = bytes;
    for (unsigned changes = random() % 4; changes > 0; --changes) {
      changed[random() % changed.size()] =
          random() % 2 == 0 ? static_cast<std::uint8_t>(random()) : changed[random() % changed.size()];
    }
    changed[0] = static_cast<std::uint8_t>(random());
    changed[1] = static_cast<std::uint8_t>(random());
    if (round % 5 == 0) changed.resize(2 + random() % (changed.size() - 1));
    LLVMFuzzerTestOneInput(changed.data(), changed.size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::mt19937 random(20261124);
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      replay(read(entry.path()), random);
      ++files;
    }
  }
  std::printf("%zu files replayed\n", files);
  return files > 0 ? 0 : 1;
}
