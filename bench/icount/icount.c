// SPDX-License-Identifier: Apache-2.0
// A QEMU plugin that counts the instructions between two symbols. Debian's QEMU 7.2 runs plugins but ships no header for
// them, so the part of interface version 1 that is used here is declared below.
//   -plugin icount.so,out=FILE,begin=0xADDRESS,end=0xADDRESS
// The file gets one line for each passage from `begin` to `end`: its instruction count.
// A last line `total N` counts the whole run.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { inline_add_u64 = 0, callback_no_registers = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int, void *, uint64_t);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *), int, void *);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);

EXPORT int qemu_plugin_version = 1;

static FILE *out;
static uint64_t begin_address, end_address;
static uint64_t total, total_at_begin;
static int inside;

static void at_begin(unsigned cpu, void *data) {
  (void)cpu, (void)data;
  if (inside) return;  // the outermost passage counts
  inside = 1;
  total_at_begin = total;
}

static void at_end(unsigned cpu, void *data) {
  (void)cpu, (void)data;
  if (!inside) return;
  inside = 0;
  fprintf(out, "%" PRIu64 "\n", total - total_at_begin);
}

// The addition to `total` is registered after the marker's callback, so a marker does not count itself: a passage is
// the instructions from `begin` up to, not including, `end`.
static void on_translation(plugin_id id, struct qemu_plugin_tb *block) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); ++i) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    const uint64_t address = qemu_plugin_insn_vaddr(instruction);
    if (address == begin_address) {
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, at_begin, callback_no_registers, NULL);
    } else if (address == end_address) {
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, at_end, callback_no_registers, NULL);
    }
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, inline_add_u64, &total, 1);
  }
}

static void at_exit(plugin_id id, void *data) {
  (void)id, (void)data;
  fprintf(out, "total %" PRIu64 "\n", total);
  fclose(out);
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (strncmp(argv[i], "out=", 4) == 0) out = fopen(argv[i] + 4, "w");
    if (strncmp(argv[i], "begin=", 6) == 0) begin_address = strtoull(argv[i] + 6, NULL, 0);
    if (strncmp(argv[i], "end=", 4) == 0) end_address = strtoull(argv[i] + 4, NULL, 0);
  }
  if (out == NULL) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, at_exit, NULL);
  return 0;
}
