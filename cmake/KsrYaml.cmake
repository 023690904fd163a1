# yaml-cpp 0.7, which reads kubeconfigs, as one hidden static archive: the target ksr_yaml. Debian ships its archive without
# -fPIC, so it is built here from Debian's source package.
set(KSR_YAML_CPP "source" CACHE STRING "source: build yaml-cpp into the library. system: link the installed one")
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

set(ksr_yaml_source "${KSR_YAML_CPP_SOURCE_DIR}")
if(NOT ksr_yaml_source)
  set(ksr_yaml_unpacked "yaml-cpp-0.7.0+dfsg")
  set(ksr_yaml_source "${KSR_DEPS_DIR}/${ksr_yaml_unpacked}")
  file(MAKE_DIRECTORY "${KSR_DEPS_DIR}")
  file(LOCK "${KSR_DEPS_DIR}/yaml-cpp.lock" TIMEOUT 600)
  if(NOT EXISTS "${ksr_yaml_source}")
    message(STATUS "Fetching the source package of yaml-cpp")
    execute_process(
      COMMAND sh "${CMAKE_CURRENT_LIST_DIR}/fetch-debian-source" yaml-cpp "${ksr_yaml_unpacked}" "${KSR_DEPS_DIR}"
      RESULT_VARIABLE ksr_yaml_code OUTPUT_VARIABLE ksr_yaml_output ERROR_VARIABLE ksr_yaml_output)
    if(NOT ksr_yaml_code EQUAL 0)
      message(FATAL_ERROR "fetching Debian's source package yaml-cpp failed (${ksr_yaml_code}):\n${ksr_yaml_output}")
    endif()
  endif()
  file(LOCK "${KSR_DEPS_DIR}/yaml-cpp.lock" RELEASE)
endif()

file(GLOB ksr_yaml_files "${ksr_yaml_source}/src/*.cpp")
if(NOT ksr_yaml_files)
  message(FATAL_ERROR "yaml-cpp: ${ksr_yaml_source} holds no src/*.cpp")
endif()
# Its static objects are not destroyed in exit(), like all others in the library (src/transport/exit_guard.cpp).
add_library(ksr_yaml STATIC ${ksr_yaml_files})
target_include_directories(ksr_yaml SYSTEM PUBLIC "${ksr_yaml_source}/include")
target_compile_options(ksr_yaml PRIVATE ${KSR_THIRD_PARTY_OPTIONS})
# Its files take longer to read their headers than to compile.
set_target_properties(ksr_yaml PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
