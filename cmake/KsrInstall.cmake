# What `cmake --install` puts down: the library (component libksr0), and the header, ksr.pc, the CMake package,
# ksr.supp for valgrind and ksr(3) (component libksr-dev).
include(CMakePackageConfigHelpers)

install(TARGETS ksr EXPORT ksr-targets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT libksr0 NAMELINK_COMPONENT libksr-dev
  PUBLIC_HEADER DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT libksr-dev)
install(FILES "${CMAKE_SOURCE_DIR}/abi/ksr.supp" DESTINATION "${CMAKE_INSTALL_DATADIR}/ksr" COMPONENT libksr-dev)
install(FILES "${CMAKE_SOURCE_DIR}/man/ksr.3" DESTINATION "${CMAKE_INSTALL_MANDIR}/man3" COMPONENT libksr-dev)

# Written at install time, when the prefix is known for certain: `cmake --install --prefix` may choose another one.
# The shared libraries that the library needs; not OpenSSL where it is inside.
set(pc_requires "libssl >= 3.0, libcrypto >= 3.0, zlib")
if(KSR_OPENSSL STREQUAL "static")
  set(pc_requires "zlib")
endif()
set(pc_in "${CMAKE_SOURCE_DIR}/pkgconfig/ksr.pc.in")
install(CODE "
  set(PROJECT_DESCRIPTION \"${PROJECT_DESCRIPTION}\")
  set(PROJECT_VERSION \"${PROJECT_VERSION}\")
  set(pc_requires \"${pc_requires}\")
  cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_PREFIX NORMALIZE OUTPUT_VARIABLE prefix)
  cmake_path(APPEND prefix \"${CMAKE_INSTALL_LIBDIR}\" OUTPUT_VARIABLE libdir)
  cmake_path(APPEND prefix \"${CMAKE_INSTALL_INCLUDEDIR}\" OUTPUT_VARIABLE includedir)
  configure_file(\"${pc_in}\" \"\$ENV{DESTDIR}\${libdir}/pkgconfig/ksr.pc\" @ONLY)
  message(STATUS \"Installing: \$ENV{DESTDIR}\${libdir}/pkgconfig/ksr.pc\")
" COMPONENT libksr-dev)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/ksr")
install(EXPORT ksr-targets NAMESPACE ksr:: DESTINATION "${package_dir}" COMPONENT libksr-dev)
configure_package_config_file("${CMAKE_SOURCE_DIR}/cmake/ksr-config.cmake.in" "${CMAKE_BINARY_DIR}/ksr-config.cmake"
  INSTALL_DESTINATION "${package_dir}")
# Below 1.0 a minor version may add what the ABI promises to keep from then on.
write_basic_package_version_file("${CMAKE_BINARY_DIR}/ksr-config-version.cmake" COMPATIBILITY SameMajorVersion)
install(FILES "${CMAKE_BINARY_DIR}/ksr-config.cmake" "${CMAKE_BINARY_DIR}/ksr-config-version.cmake"
  DESTINATION "${package_dir}" COMPONENT libksr-dev)
