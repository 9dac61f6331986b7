# SPDX-License-Identifier: Apache-2.0
# Installs the library of a build tree into a fresh prefix and builds the consumer against it: by find_package, then by pkg-config.
# Usage: cmake -D BUILD=... -D CONSUMER=... -D WORK=... -D VERSION=... -D CC=... -D CXX=... [-D TOOLCHAIN=... -D PKG_CONFIG=...
#        -D EMULATOR=...] -P package_test.cmake
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY OUTPUT_VARIABLE output)
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect_ok program)
  run(${EMULATOR} ${program})
  if(NOT output STREQUAL "consumer: ok\n")
    message(FATAL_ERROR "${program} said: ${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD}/lib --prefix ${WORK}/prefix)
set(configure ${CMAKE_COMMAND} -G Ninja -S ${CONSUMER} -D CMAKE_PREFIX_PATH=${WORK}/prefix)
if(TOOLCHAIN)
  list(APPEND configure --toolchain ${TOOLCHAIN})
endif()

run(${configure} -B ${WORK}/by-cmake -D WATTPROOF_WANTED=${VERSION})
run(${CMAKE_COMMAND} --build ${WORK}/by-cmake)
expect_ok(${WORK}/by-cmake/consumer)
expect_ok(${WORK}/by-cmake/consumer_c)

# The next major version is another interface, and must not be satisfied by this one.
execute_process(COMMAND ${configure} -B ${WORK}/too-new -D WATTPROOF_WANTED=99 RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
if(status EQUAL 0)
  message(FATAL_ERROR "find_package(wattproof 99) was satisfied by ${VERSION}")
endif()

file(GLOB_RECURSE description ${WORK}/prefix/wattproof.pc)
cmake_path(GET description PARENT_PATH folder)
set(ENV{PKG_CONFIG_PATH} ${folder})
run(${PKG_CONFIG} --cflags --libs --static wattproof)
separate_arguments(flags UNIX_COMMAND "${output}")
run(${CXX} -std=c++20 ${CONSUMER}/consumer.cpp -o ${WORK}/by-pkg-config ${flags})
expect_ok(${WORK}/by-pkg-config)

# What the library uses of C++ needs no C++ library: a C compiler links it.
run(${CC} -std=c99 ${CONSUMER}/consumer_c.c -o ${WORK}/by-c-compiler ${flags})
expect_ok(${WORK}/by-c-compiler)
