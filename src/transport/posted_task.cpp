#include "transport/posted_task.hpp"

#include <algorithm>

#include "base/mutex.hpp"

namespace ksr::transport {
namespace {

constexpr std::size_t kPieceSize = 128;
constexpr std::size_t kPieces = 256;

struct Reserve {
  Mutex reserve_mutex;
  // A piece belongs to the task it was given to.
  alignas(std::max_align_t) unsigned char memory[kPieces * kPieceSize];
  bool taken[kPieces] KSR_GUARDED_BY(reserve_mutex) = {};
};

// Constant-initialised and without a destructor: usable while the process exits, too.
Reserve reserve;

}  // namespace

void* take_from_reserve(std::size_t size) noexcept {
  if (size > kPieceSize) return nullptr;
  const MutexLock lock(reserve.reserve_mutex);
  bool* const free = std::find(std::begin(reserve.taken), std::end(reserve.taken), false);
  if (free == std::end(reserve.taken)) return nullptr;
  *free = true;
  return reserve.memory + static_cast<std::size_t>(free - reserve.taken) * kPieceSize;
}

bool give_back_to_reserve(void* memory) noexcept {
  auto* const bytes = static_cast<unsigned char*>(memory);
  const std::less<const unsigned char*> before;
  if (before(bytes, reserve.memory) || !before(bytes, reserve.memory + sizeof reserve.memory)) return false;
  const MutexLock lock(reserve.reserve_mutex);
  reserve.taken[static_cast<std::size_t>(bytes - reserve.memory) / kPieceSize] = false;
  return true;
}

}  // namespace ksr::transport
