// Frames of every kind that C compilers lay out. Compiled several times, each time to a table of
// another name.
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <malloc.h>
#else
#include <alloca.h>
#endif
#if defined(_WIN32) || defined(__APPLE__)
// Elsewhere `qsort_r` and `qsort_s` take the arguments in another order.
#define qsort_r qsort_here
static __attribute__((noinline)) void qsort_r(void *base, size_t count, size_t size,
                                              int (*compare)(const void *, const void *, void *),
                                              void *argument) {
    char *items = base, other[16];
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0; j--) {
            char *a = items + (j - 1) * size, *b = items + j * size;
            if (compare(a, b, argument) <= 0)
                break;
            memcpy(other, a, size);
            memcpy(a, b, size);
            memcpy(b, other, size);
        }
}
#endif

// Back into Rust.
typedef void call(void *data);

#define KIND static __attribute__((noinline)) void

// So that the compiler must have the memory, and the code after the call.
static inline void use(volatile char *memory, size_t size) {
    memory[0] = 1;
    memory[size - 1] = 2;
}

KIND plain(call *back, void *data, size_t size) {
    volatile char buffer[40];
    use(buffer, sizeof buffer);
    back(data);
    buffer[1] = (char)size;
}

KIND large(call *back, void *data, size_t size) {
    volatile char buffer[9000];
    use(buffer, sizeof buffer);
    back(data);
    buffer[1] = (char)size;
}

// Ends in a jump where the compiler optimises.
KIND tail(call *back, void *data, size_t size) {
    (void)size;
    back(data);
}

KIND with_alloca(call *back, void *data, size_t size) {
    volatile char *memory = alloca(size);
    use(memory, size);
    back(data);
    use(memory, size);
}

KIND alloca_in_a_loop(call *back, void *data, size_t size) {
    volatile char *memory = NULL;
    for (size_t i = 0; i < 3; i++) {
        memory = alloca(size + 100 * i);
        use(memory, size);
        if (i != 1)
            back(data);
    }
    use(memory, size);
}

KIND variable_length(call *back, void *data, size_t size) {
    volatile char array[size];
    use(array, size);
    back(data);
    use(array, size);
}

KIND aligned_32(call *back, void *data, size_t size) {
    volatile char __attribute__((aligned(32))) buffer[96];
    use(buffer, sizeof buffer);
    back(data);
    buffer[1] = (char)size;
}

KIND aligned_64_variable_length(call *back, void *data, size_t size) {
    volatile char __attribute__((aligned(64))) buffer[64];
    volatile char array[size];
    use(array, size);
    use(buffer, sizeof buffer);
    back(data);
    use(array, size);
    buffer[1] = (char)size;
}

KIND aligned_4096(call *back, void *data, size_t size) {
    volatile char __attribute__((aligned(4096))) buffer[128];
    use(buffer, sizeof buffer);
    back(data);
    buffer[1] = (char)size;
}

static volatile long sink;

// More values across the calls than there are registers for.
KIND aligned_with_registers(call *back, void *data, size_t size) {
    volatile char __attribute__((aligned(128))) buffer[256];
    long a = sink, b = sink + 1, c = sink + 2, d = sink + 3, e = sink + 4, f = sink + 5;
    volatile char *memory = alloca(size);
    use(buffer, sizeof buffer);
    use(memory, size);
    back(data);
    sink = a ^ b;
    back(data);
    sink = c ^ d;
    back(data);
    sink = a + b + c + d + e + f;
    use(memory, size);
    buffer[1] = 0;
}

__attribute__((force_align_arg_pointer)) KIND realigned(call *back, void *data, size_t size) {
    volatile char buffer[24];
    use(buffer, sizeof buffer);
    back(data);
    buffer[1] = (char)size;
}

static __attribute__((noinline)) double sum(call *back, void *data, int count, ...) {
    va_list arguments;
    double total = 0;
    va_start(arguments, count);
    for (int i = 0; i < count; i++) {
        total += i % 2 ? va_arg(arguments, double) : va_arg(arguments, long);
        if (i == count / 2)
            back(data);
    }
    va_end(arguments);
    return total;
}

KIND variable_arguments(call *back, void *data, size_t size) {
    double total = sum(back, data, 2, 1L, 2.0);
    total += sum(back, data, 12, 1L, 2.0, 3L, 4.0, 5L, 6.0, 7L, 8.0, 9L, 10.0, (long)size, 12.0);
    sink = (long)total;
}

static __attribute__((noinline)) long many(long a, long b, long c, long d, long e, long f, long g,
                                           long h, long i, call *back, void *data) {
    sink = a + b + c + d;
    back(data);
    return e + f + g + h + i;
}

typedef long many_arguments(long, long, long, long, long, long, long, long, long, call *, void *);
static many_arguments *volatile pointer = many;

KIND through_a_pointer(call *back, void *data, size_t size) {
    long first = pointer(1, 2, 3, 4, 5, 6, 7, 8, (long)size, back, data);
    sink = first + pointer(9, 8, 7, 6, 5, 4, 3, 2, first, back, data);
}

struct big {
    char bytes[200];
    call *back;
    void *data;
};

static __attribute__((noinline)) struct big by_value(struct big argument) {
    argument.back(argument.data);
    argument.bytes[7]++;
    return argument;
}

KIND structures(call *back, void *data, size_t size) {
    struct big big = {{(char)size}, back, data};
    big = by_value(by_value(big));
    sink = big.bytes[7];
}

// A frame on some ways through the function only.
KIND shrink_wrapped(call *back, void *data, size_t size) {
    if (size % 3 == 0) {
        back(data);
        return;
    }
    volatile char buffer[500];
    use(buffer, sizeof buffer);
    if (size % 3 == 1)
        back(data);
    back(data);
    use(buffer, sizeof buffer);
}

struct comparison {
    call *back;
    void *data;
    int left;
};

static int compare(const void *a, const void *b, void *argument) {
    struct comparison *comparison = argument;
    if (comparison->left-- > 0)
        comparison->back(comparison->data);
    return *(const int *)a - *(const int *)b;
}

KIND sorting(call *back, void *data, size_t size) {
    int numbers[8];
    struct comparison comparison = {back, data, 2};
    for (int i = 0; i < 8; i++)
        numbers[i] = (int)(size * (i + 3) % 7);
    qsort_r(numbers, 8, sizeof(int), compare, &comparison);
    sink = numbers[0];
}

static __attribute__((noinline)) void down(call *back, void *data, size_t size, int depth) {
    volatile char array[size % 200 + 16 * (size_t)depth + 1];
    use(array, sizeof array);
    if (depth == 0)
        back(data);
    else
        down(back, data, size, depth - 1);
    use(array, sizeof array);
}

KIND recursion(call *back, void *data, size_t size) {
    down(back, data, size, (int)(size % 7));
}

typedef void kind(call *back, void *data, size_t size);

#define KINDS 17

kind *const TABLE[KINDS] = {
    plain,        large,           tail,         with_alloca,
    alloca_in_a_loop, variable_length, aligned_32, aligned_64_variable_length,
    aligned_4096, aligned_with_registers, realigned, variable_arguments,
    through_a_pointer, structures, shrink_wrapped, sorting,
    recursion,
};

// Two kinds of stacks in the memory of which an earlier one is still to be read, where nothing was
// written since. Both have the same inner frames, at the same addresses.

static __attribute__((noinline)) void leaf(call *back, void *data) {
    volatile char buffer[32];
    use(buffer, sizeof buffer);
    back(data);
    buffer[1] = 3;
}

static inline void keep_unwritten(char *memory) {
    __asm__ volatile("" : : "r"(memory) : "memory");
}

static __attribute__((noinline)) void unwritten(call *back, void *data, size_t size) {
    char *memory = alloca(size);
    keep_unwritten(memory);
    leaf(back, data);
    keep_unwritten(memory);
}

static __attribute__((noinline)) void deeper(call *back, void *data) {
    volatile char buffer[512];
    use(buffer, sizeof buffer);
    unwritten(back, data, 64);
    buffer[1] = 3;
}

static volatile size_t sixty_four = 64;

static __attribute__((noinline)) void rounded(call *back, void *data) {
    volatile char __attribute__((aligned(256))) buffer[64];
    volatile char *memory = alloca(sixty_four);
    use(buffer, sizeof buffer);
    use(memory, 64);
    leaf(back, data);
    use(memory, 64);
    buffer[1] = 3;
}

static __attribute__((noinline)) void around_rounded(call *back, void *data) {
    char memory[256];
    keep_unwritten(memory);
    rounded(back, data);
    keep_unwritten(memory);
}

#define FROM(bytes)                                                                                \
    static __attribute__((noinline)) void from_##bytes(call *back, void *data) {                   \
        volatile char buffer[bytes];                                                               \
        use(buffer, sizeof buffer);                                                                \
        around_rounded(back, data);                                                                \
        buffer[1] = 3;                                                                             \
    }
FROM(24)
FROM(40)
FROM(56)
FROM(88)
FROM(120)
FROM(152)

#define NAME_OF(table) table##_over_remains
#define NAME(table) NAME_OF(table)

void NAME(TABLE)(call *back, void *data) {
    // Of one size, the inner frames lie where they did when called through `deeper`.
    for (size_t size = 64; size < 1024; size += 16) {
        deeper(back, data);
        unwritten(back, data, size);
    }
    // The frame is aligned to one address from several.
    void (*const from[])(call *, void *) = {from_24, from_40, from_56, from_88, from_120, from_152};
    for (int i = 0; i < 36; i++) {
        from[i % 6](back, data);
        from[i / 6](back, data);
    }
}
