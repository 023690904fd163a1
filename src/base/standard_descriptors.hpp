// `StandardDescriptorsReserved` keeps descriptors of the library off 0, 1 and 2, which a host that has closed its
// standard streams goes on reading and writing; used around every call that opens one. Any thread.
#pragma once

namespace ksr {

// While one exists, those of 0, 1 and 2 that the host has closed are held: reading them meets the end, writing them
// fails, as before. They are closed again with the last one, unless the host has put a file of its own there. Without
// descriptors left it does nothing.
class StandardDescriptorsReserved {
 public:
  StandardDescriptorsReserved() noexcept;
  ~StandardDescriptorsReserved();
  StandardDescriptorsReserved(const StandardDescriptorsReserved&) = delete;
  StandardDescriptorsReserved& operator=(const StandardDescriptorsReserved&) = delete;
};

}  // namespace ksr
