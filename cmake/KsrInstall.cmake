# What `cmake --install` puts down: the header, the library, ksr.pc and the CMake package.
include(CMakePackageConfigHelpers)

install(TARGETS ksr EXPORT ksr-targets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  PUBLIC_HEADER DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")

configure_file("${CMAKE_SOURCE_DIR}/pkgconfig/ksr.pc.in" "${CMAKE_BINARY_DIR}/ksr.pc" @ONLY)
install(FILES "${CMAKE_BINARY_DIR}/ksr.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/ksr")
install(EXPORT ksr-targets NAMESPACE ksr:: DESTINATION "${package_dir}")
configure_package_config_file("${CMAKE_SOURCE_DIR}/cmake/ksr-config.cmake.in" "${CMAKE_BINARY_DIR}/ksr-config.cmake"
  INSTALL_DESTINATION "${package_dir}")
# Below 1.0 a minor version may add what the ABI promises to keep from then on.
write_basic_package_version_file("${CMAKE_BINARY_DIR}/ksr-config-version.cmake" COMPATIBILITY SameMajorVersion)
install(FILES "${CMAKE_BINARY_DIR}/ksr-config.cmake" "${CMAKE_BINARY_DIR}/ksr-config-version.cmake"
  DESTINATION "${package_dir}")
