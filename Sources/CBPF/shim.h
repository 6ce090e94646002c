#pragma once
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stddef.h>
#include <stdint.h>

// libbpf's low-level calls, with the structures of options filled in here: Swift imports neither the macro that
// sets their sizes nor their unions. Each returns a descriptor or 0, and a negative error number on failure.

/// The answer of BPF_OBJ_GET_INFO_BY_FD for a link.
struct cbpf_link {
  uint32_t type, id, program_id, ifindex;
};
/// The answer of BPF_OBJ_GET_INFO_BY_FD for a map.
struct cbpf_map {
  uint32_t type, id, key_size, value_size, max_entries, flags;
  char name[16];
};
/// The answer of BPF_OBJ_GET_INFO_BY_FD for a program.
struct cbpf_program {
  uint32_t type, id, instructions, verified_instructions;
  uint64_t load_time, run_time_ns, run_count;
  uint8_t tag[8];
  char name[16];
};
/// What runs in BPF_PROG_TEST_RUN, and what comes out.
struct cbpf_test {
  uint32_t data_in_bytes, data_out_bytes, context_in_bytes, context_out_bytes;
  uint32_t repeat, flags, batch;
  uint32_t return_value, nanoseconds;
};
static inline void cbpf_be_quiet(void) { libbpf_set_print(NULL); }

static inline int cbpf_map_create(uint32_t type, const char *name, uint32_t key_size, uint32_t value_size,
                                  uint32_t max_entries, uint32_t flags, int inner) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
  if (inner >= 0) options.inner_map_fd = (uint32_t)inner;
  return bpf_map_create((enum bpf_map_type)type, name, key_size, value_size, max_entries, &options);
}

static inline int cbpf_map_info(int fd, struct cbpf_map *out) {
  struct bpf_map_info info = {0};
  uint32_t length = sizeof info;
  int code = bpf_obj_get_info_by_fd(fd, &info, &length);
  if (code < 0) return code;
  *out = (struct cbpf_map){info.type, info.id, info.key_size, info.value_size, info.max_entries, info.map_flags, {0}};
  __builtin_memcpy(out->name, info.name, sizeof out->name - 1);
  return 0;
}

static inline int cbpf_program_load(uint32_t type, uint32_t attach_type, const char *name, const char *license,
                                    const void *instructions, size_t count, uint32_t flags, char *log,
                                    uint32_t log_bytes) {
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = (enum bpf_attach_type)attach_type,
              .prog_flags = flags, .log_buf = log, .log_size = log_bytes, .log_level = log ? 1 : 0);
  return bpf_prog_load((enum bpf_prog_type)type, name, license, (const struct bpf_insn *)instructions, count,
                       &options);
}

static inline int cbpf_program_info(int fd, struct cbpf_program *out) {
  struct bpf_prog_info info = {0};
  uint32_t length = sizeof info;
  int code = bpf_obj_get_info_by_fd(fd, &info, &length);
  if (code < 0) return code;
  *out = (struct cbpf_program){
      info.type,      info.id,          info.xlated_prog_len / 8, info.verified_insns,
      info.load_time, info.run_time_ns, info.run_cnt,             {0},
      {0}};
  __builtin_memcpy(out->tag, info.tag, sizeof out->tag);
  __builtin_memcpy(out->name, info.name, sizeof out->name - 1);
  return 0;
}

static inline int cbpf_test_run(int fd, struct cbpf_test *test, const void *data_in, void *data_out,
                                const void *context_in, void *context_out) {
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = data_in, .data_out = data_out,
              .data_size_in = test->data_in_bytes, .data_size_out = test->data_out_bytes,
              .ctx_in = context_in, .ctx_out = context_out, .ctx_size_in = test->context_in_bytes,
              .ctx_size_out = test->context_out_bytes, .repeat = (int)test->repeat, .flags = test->flags,
              .batch_size = test->batch);
  int code = bpf_prog_test_run_opts(fd, &options);
  test->return_value = options.retval;
  test->nanoseconds = options.duration;
  test->data_out_bytes = options.data_size_out;
  test->context_out_bytes = options.ctx_size_out;
  return code;
}

static inline size_t cbpf_skb_context_bytes(void) { return sizeof(struct __sk_buff); }

/// The bytes of a `__sk_buff` with the fields that BPF_PROG_TEST_RUN accepts; their number.
static inline size_t cbpf_skb_context(uint8_t *out, size_t capacity, uint32_t ifindex, uint32_t mark,
                                      uint32_t gso_size, uint32_t gso_segs) {
  struct __sk_buff context = {0};
  context.ifindex = ifindex;
  context.mark = mark;
  context.gso_size = gso_size;
  context.gso_segs = gso_segs;
  if (capacity >= sizeof context) __builtin_memcpy(out, &context, sizeof context);
  return sizeof context;
}

static inline int cbpf_xdp_link(int program, int ifindex, uint32_t mode) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = mode);
  return bpf_link_create(program, ifindex, BPF_XDP, &options);
}

static inline int cbpf_link_update(int link, int program) { return bpf_link_update(link, program, NULL); }

static inline int cbpf_link_info(int fd, struct cbpf_link *out) {
  struct bpf_link_info info = {0};
  uint32_t length = sizeof info;
  int code = bpf_obj_get_info_by_fd(fd, &info, &length);
  if (code < 0) return code;
  *out = (struct cbpf_link){info.type, info.id, info.prog_id, info.type == BPF_LINK_TYPE_XDP ? info.xdp.ifindex : 0};
  return 0;
}

static inline int cbpf_tc_create_hook(int ifindex) {
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
              .attach_point = (enum bpf_tc_attach_point)(BPF_TC_INGRESS | BPF_TC_EGRESS));
  return bpf_tc_hook_create(&hook);
}

static inline int cbpf_tc_attach(int ifindex, int egress, int program, uint32_t handle, uint32_t priority) {
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .flags = BPF_TC_F_REPLACE, .handle = handle,
              .priority = priority);
  return bpf_tc_attach(&hook, &options);
}

static inline int cbpf_tc_detach(int ifindex, int egress, uint32_t handle, uint32_t priority) {
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = handle, .priority = priority);
  return bpf_tc_detach(&hook, &options);
}

static inline int cbpf_tc_query(int ifindex, int egress, uint32_t handle, uint32_t priority, uint32_t *program) {
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = handle, .priority = priority);
  int code = bpf_tc_query(&hook, &options);
  *program = options.prog_id;
  return code;
}

static inline void cbpf_atomic_add(void *number, unsigned int amount) {
  __atomic_fetch_add((unsigned int *)number, amount, __ATOMIC_RELAXED);
}
