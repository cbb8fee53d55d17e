// Functions for their unwind tables: with and without a frame pointer, with large and with variable
// frames, saved and aligned vector registers. `make.sh` compiles them.
#include <stddef.h>

__attribute__((noipa)) void keep(void *p) { (void)p; }

int leaf(int n) { return n * 3; }

int small(int n) {
  keep(&n);
  return n;
}

int pushes(int a, int b, int c, int d) {
  keep(&a);
  int sum = a;
  for (int i = 0; i < b; i++) {
    keep(&sum);
    sum += b * c - d;
  }
  keep(&b);
  return sum + c + d;
}

void large(void) {
  char room[600000];
  keep(room);
  keep(room + 1);
}

void enormous(void) {
  char room[3000000];
  keep(room);
  keep(room + 1);
}

void variable(size_t n) {
  char *room = __builtin_alloca(n);
  keep(room);
  keep(&room);
}

void variable_and_large(size_t n) {
  char fixed[50000];
  char *room = __builtin_alloca(n);
  keep(room);
  keep(fixed);
}

double vectors(double a, double b) {
  register double c asm("xmm6") = a * b;
  register double d asm("xmm15") = a + b;
  __asm__ volatile("" : "+x"(c), "+x"(d));
  keep(&a);
  __asm__ volatile("" : "+x"(c), "+x"(d));
  return c + d;
}

void aligned(void) {
  _Alignas(64) char room[256];
  keep(room);
  keep(room + 64);
}

__attribute__((force_align_arg_pointer)) void realigned(size_t n) {
  _Alignas(128) char room[256];
  keep(room);
  keep(__builtin_alloca(n));
}
