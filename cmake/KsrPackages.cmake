# What `cpack` makes: libksr0 (the library), libksr-dev (what builds against it) and, with KSR_BUILD_WATCH, ksr-watch.
# cmake/packages/make does it all for Debian, with Debian's directories.
include(KsrWatch)

set(packages libksr0 libksr-dev)
if(KSR_BUILD_WATCH)
  list(APPEND packages ksr-watch)
endif()

# Each package says who may do what with it, and what has changed.
set(about "${CMAKE_CURRENT_LIST_DIR}/packages")
set(texts "${CMAKE_BINARY_DIR}/package-texts")
file(MAKE_DIRECTORY "${texts}")
set(release 1)
foreach(text IN ITEMS "${about}/changelog changelog.Debian.gz" "${CMAKE_SOURCE_DIR}/CHANGELOG.md changelog.gz")
  separate_arguments(text)
  list(GET text 0 from)
  list(GET text 1 to)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${from}")
  execute_process(COMMAND gzip -9nc "${from}" OUTPUT_FILE "${texts}/${to}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
foreach(package IN LISTS packages)
  install(FILES "${about}/copyright" "${texts}/changelog.gz" "${texts}/changelog.Debian.gz"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${package}" COMPONENT ${package} EXCLUDE_FROM_ALL)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME libksr)
set(CPACK_PACKAGE_VENDOR libksr)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "live view of Kubernetes resources")
set(CPACK_PACKAGE_CONTACT "libksr authors <libksr@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_COMPONENTS_ALL ${packages})
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
foreach(package IN LISTS packages)
  string(TOUPPER ${package} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package})
  set(CPACK_DEBIAN_${upper}_PACKAGE_PRIORITY optional)
endforeach()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${release})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${CMAKE_BINARY_DIR}/abi")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_LIBKSR0_PACKAGE_SECTION libs)
# Programs that were built with one version run with every later one of the same SONAME.
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_COMPONENT_LIBKSR0_DESCRIPTION
  "libksr lists a resource of a Kubernetes API server, watches it, keeps every object in a cache and hands immutable
snapshots, with the changes since the last one, to the program that embeds it. This package holds the shared library.")
# Without a CA of its own a stream trusts those of the system.
set(CPACK_DEBIAN_LIBKSR0_PACKAGE_RECOMMENDS ca-certificates)

set(CPACK_DEBIAN_LIBKSR-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBKSR-DEV_PACKAGE_SHLIBDEPS OFF)
set(dev_depends "libksr0 (= ${PROJECT_VERSION}-${release}), zlib1g-dev")
if(KSR_OPENSSL STREQUAL "dynamic")
  string(APPEND dev_depends ", libssl-dev (>= 3.0)")
endif()
set(CPACK_DEBIAN_LIBKSR-DEV_PACKAGE_DEPENDS "${dev_depends}")
set(CPACK_COMPONENT_LIBKSR-DEV_DESCRIPTION
  "What programs are built against: the header ksr.h, the link to the library, ksr.pc for pkg-config, a CMake package
and the manual page ksr(3).")

set(CPACK_DEBIAN_KSR-WATCH_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_KSR-WATCH_PACKAGE_DEPENDS "libksr0 (>= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_KSR-WATCH_DESCRIPTION
  "ksr-watch shows a resource of a Kubernetes API server as a table that is always current, as JSON, or as one line for
each change.")
include(CPack)
