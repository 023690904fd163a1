# What `cmake --install` puts down: the library (component libksr0); the headers, ksr.pc, the CMake package, ksr.supp for
# valgrind, ksr(3) and ksr-config(5) (component libksr-dev); CONFIGURATION.md.
include(CMakePackageConfigHelpers)

install(TARGETS ksr EXPORT ksr-targets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT libksr0 NAMELINK_COMPONENT libksr-dev
  PUBLIC_HEADER DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT libksr-dev)
install(FILES "${CMAKE_SOURCE_DIR}/abi/ksr.supp" DESTINATION "${CMAKE_INSTALL_DATADIR}/ksr" COMPONENT libksr-dev)
install(FILES "${CMAKE_SOURCE_DIR}/man/ksr.3" DESTINATION "${CMAKE_INSTALL_MANDIR}/man3" COMPONENT libksr-dev)

# ksr-config(5) is made from CONFIGURATION.md and has the date of ksr(3). The library depends on it, so that it is there
# to be installed whenever the library is.
set(configuration "${CMAKE_SOURCE_DIR}/CONFIGURATION.md")
set(config_page "${CMAKE_BINARY_DIR}/man/ksr-config.5")
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/man")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/man/ksr.3")
file(STRINGS "${CMAKE_SOURCE_DIR}/man/ksr.3" page_date REGEX "^\\.TH ")
string(REGEX MATCH "[0-9]+-[0-9]+-[0-9]+" page_date "${page_date}")
add_custom_command(OUTPUT "${config_page}"
  COMMAND sh "${CMAKE_SOURCE_DIR}/man/configuration-to-man" "${configuration}" "${page_date}" ${PROJECT_VERSION} "${config_page}"
  DEPENDS "${configuration}" "${CMAKE_SOURCE_DIR}/man/configuration-to-man" "${CMAKE_SOURCE_DIR}/man/ksr.3"
  COMMENT "Making ksr-config(5) from CONFIGURATION.md" VERBATIM)
add_custom_target(ksr_config_page DEPENDS "${config_page}")
add_dependencies(ksr ksr_config_page)
install(FILES "${config_page}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man5" COMPONENT libksr-dev)
# Without a package's name in its path; the packages have it in theirs (cmake/packages/build).
install(FILES "${configuration}" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT documentation)

# Written at install time, when the prefix is known for certain: `cmake --install --prefix` may choose another one. It
# requires no other package: only a shared library is installed, and the headers include nothing but those of C and C++.
set(pc_in "${CMAKE_SOURCE_DIR}/pkgconfig/ksr.pc.in")
install(CODE "
  set(PROJECT_DESCRIPTION \"${PROJECT_DESCRIPTION}\")
  set(PROJECT_VERSION \"${PROJECT_VERSION}\")
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
