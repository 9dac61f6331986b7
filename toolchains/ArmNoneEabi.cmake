# SPDX-License-Identifier: Apache-2.0
# What every Cortex-M target shares. A toolchain file sets WATTPROOF_CPU and includes this one.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
# A probe program cannot be linked before there is a memory map.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)

# Soft float everywhere: lib/ has none, and an image without FPU code saves no FPU registers on an interrupt.
set(CMAKE_C_FLAGS_INIT "-mcpu=${WATTPROOF_CPU} -mthumb -mfloat-abi=soft")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}")
