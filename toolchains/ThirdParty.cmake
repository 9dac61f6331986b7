# SPDX-License-Identifier: Apache-2.0
# The two libraries that lib/ links, under one name each whatever the target:
#   wattproof::secp256k1    signatures (with the recovery module)
#   wattproof::mbedcrypto   hashes, AEAD, random generator
# With an operating system they are Debian's packages, of the host or of the cross architecture. For a bare machine both
# are compiled from Debian's source packages, which toolchains/fetch_sources.sh unpacks: there the tables are small and
# mbedTLS is cut down to toolchains/mbedtls_config.h. WATTPROOF_BUNDLED_CRYPTO forces that second form anywhere, so that
# a host can test exactly what the microcontroller runs.
include_guard(GLOBAL)

option(WATTPROOF_BUNDLED_CRYPTO "Compile libsecp256k1 and mbedTLS from Debian's source packages" OFF)
option(WATTPROOF_PLUG_TLS "Plug images: TLS with a pre-shared key between plug and broker" OFF)
option(WATTPROOF_COMPACT_CRYPTO "Bundled cryptography without libsecp256k1's generator table and SHA-256, and AES one way: 42 kB less" OFF)
set(WATTPROOF_SOURCE_CACHE ${CMAKE_CURRENT_LIST_DIR}/../.cache/src CACHE PATH "Where fetch_sources.sh unpacked")

set(_wattproof_toolchains ${CMAKE_CURRENT_LIST_DIR})

# The newest unpacked version of a source package; stops with the command that fetches it.
function(_wattproof_source_dir package result)
  file(GLOB candidates LIST_DIRECTORIES true ${WATTPROOF_SOURCE_CACHE}/${package}-[0-9]*)
  list(FILTER candidates EXCLUDE REGEX "\\.(dsc|xz|gz|bz2|asc)$")
  list(SORT candidates COMPARE NATURAL ORDER DESCENDING)
  if(NOT candidates)
    message(FATAL_ERROR "no ${package} sources in ${WATTPROOF_SOURCE_CACHE}: run toolchains/fetch_sources.sh")
  endif()
  list(GET candidates 0 newest)
  set(${result} ${newest} PARENT_SCOPE)
endfunction()

# Only the one translation unit and its tables. Window 4 and precision 2 make 68 kB of what is 1.15 MB by default, for
# 25 % more instructions in a recovery and 56 % more in a signature (Cortex-M4, -Os).
function(_wattproof_bundle_secp256k1)
  _wattproof_source_dir(libsecp256k1 source)
  set(parts ${source}/src/secp256k1.c ${source}/src/precomputed_ecmult_gen.c)
  if(WATTPROOF_COMPACT_CRYPTO)
    set(parts ${_wattproof_toolchains}/compact_crypto/secp256k1_compact.c)
  endif()
  add_library(wattproof_secp256k1 STATIC ${parts} ${source}/src/precomputed_ecmult.c)
  if(WATTPROOF_COMPACT_CRYPTO)
    target_include_directories(wattproof_secp256k1 PRIVATE ${source})
    target_link_libraries(wattproof_secp256k1 PRIVATE wattproof_mbedcrypto)
  endif()
  target_include_directories(wattproof_secp256k1 SYSTEM PUBLIC $<BUILD_INTERFACE:${source}/include>)
  target_compile_definitions(wattproof_secp256k1 PRIVATE
    ENABLE_MODULE_RECOVERY=1 USE_EXTERNAL_DEFAULT_CALLBACKS=1 ECMULT_WINDOW_SIZE=4 ECMULT_GEN_PREC_BITS=2)
  target_compile_options(wattproof_secp256k1 PRIVATE -w -ffunction-sections -fdata-sections)
endfunction()

function(_wattproof_bundle_mbedcrypto)
  _wattproof_source_dir(mbedtls source)
  set(parts)
  foreach(part aes chacha20 chachapoly constant_time ctr_drbg platform_util poly1305 sha256)
    list(APPEND parts ${source}/library/${part}.c)
  endforeach()
  if(WATTPROOF_PLUG_TLS)
    foreach(part cipher cipher_wrap md memory_buffer_alloc platform ssl_ciphersuites ssl_cli ssl_msg ssl_tls)
      list(APPEND parts ${source}/library/${part}.c)
    endforeach()
  endif()
  if(WATTPROOF_COMPACT_CRYPTO)
    list(APPEND parts ${_wattproof_toolchains}/compact_crypto/aes_one_way.c)
  endif()
  add_library(wattproof_mbedcrypto STATIC ${parts})
  target_compile_definitions(wattproof_mbedcrypto PUBLIC $<$<BOOL:${WATTPROOF_COMPACT_CRYPTO}>:MBEDTLS_AES_DECRYPT_ALT>
    $<$<BOOL:${WATTPROOF_PLUG_TLS}>:WATTPROOF_PLUG_TLS>)
  target_include_directories(wattproof_mbedcrypto SYSTEM PUBLIC
    $<BUILD_INTERFACE:${source}/include> $<BUILD_INTERFACE:${_wattproof_toolchains}>)
  target_compile_definitions(wattproof_mbedcrypto PUBLIC MBEDTLS_CONFIG_FILE="mbedtls_config.h")
  target_compile_options(wattproof_mbedcrypto PRIVATE -w -ffunction-sections -fdata-sections)
endfunction()

# One of Debian's packages: static where it ships one, so that a device binary needs no further library.
function(_wattproof_find_package target header archive package)
  find_path(${target}_INCLUDE_DIR ${header})
  find_library(${target}_LIBRARY NAMES lib${archive}.a ${archive})
  if(NOT ${target}_INCLUDE_DIR OR NOT ${target}_LIBRARY)
    message(FATAL_ERROR "${header} or lib${archive} not found: install ${package}")
  endif()
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE $<BUILD_INTERFACE:${${target}_INCLUDE_DIR}>)
  target_link_libraries(${target} INTERFACE ${${target}_LIBRARY})
endfunction()

if(WATTPROOF_BUNDLED_CRYPTO OR CMAKE_SYSTEM_NAME STREQUAL "Generic")
  _wattproof_bundle_secp256k1()
  _wattproof_bundle_mbedcrypto()
else()
  _wattproof_find_package(wattproof_secp256k1 secp256k1_recovery.h secp256k1 libsecp256k1-dev)
  _wattproof_find_package(wattproof_mbedcrypto mbedtls/ctr_drbg.h mbedcrypto libmbedtls-dev)
endif()
add_library(wattproof::secp256k1 ALIAS wattproof_secp256k1)
add_library(wattproof::mbedcrypto ALIAS wattproof_mbedcrypto)
