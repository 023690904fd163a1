# yaml-cpp 0.7, which reads kubeconfigs and manifests, as one hidden static archive: the target ksr_yaml. Debian ships its
# archive without -fPIC, so it is built here from Debian's source package, with patches (yaml-cpp/patches, the reason at the
# head of each) that make it refuse what go-yaml refuses. An installed one takes documents that are cut off.
set(KSR_YAML_CPP "source" CACHE STRING "source: patch yaml-cpp and build it into the library. system: link the installed one, without the patches")
set_property(CACHE KSR_YAML_CPP PROPERTY STRINGS source system)
set(KSR_YAML_CPP_SOURCE_DIR "" CACHE PATH "An unpacked yaml-cpp 0.7 to build, instead of Debian's source package")

if(KSR_YAML_CPP STREQUAL "system")
  find_package(yaml-cpp 0.7 REQUIRED)
  add_library(ksr_yaml INTERFACE)
  target_link_libraries(ksr_yaml INTERFACE yaml-cpp)
  return()
elseif(NOT KSR_YAML_CPP STREQUAL "source")
  message(FATAL_ERROR "KSR_YAML_CPP is \"${KSR_YAML_CPP}\"; it takes source or system")
endif()

include(KsrPatchedSource)
ksr_patched_source(ksr_yaml_source NAME yaml-cpp-0.7.0 PACKAGE yaml-cpp UNPACKED "yaml-cpp-0.7.0+dfsg"
  GIVEN "${KSR_YAML_CPP_SOURCE_DIR}" PATCHES "${CMAKE_CURRENT_LIST_DIR}/yaml-cpp/patches" HOLDS src/scanscalar.cpp)
file(GLOB ksr_yaml_files "${ksr_yaml_source}/src/*.cpp")
# Its static objects are not destroyed in exit(), like all others in the library (src/transport/exit_guard.cpp).
add_library(ksr_yaml STATIC ${ksr_yaml_files})
target_include_directories(ksr_yaml SYSTEM PUBLIC "${ksr_yaml_source}/include")
target_compile_options(ksr_yaml PRIVATE ${KSR_THIRD_PARTY_OPTIONS})
if(NOT KSR_SANITIZE)
  target_compile_options(ksr_yaml PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-Os>)
endif()
# Its files take longer to read their headers than to compile.
set_target_properties(ksr_yaml PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
