// A library that calls back. FRAME, above 127, is the size of its frames and changes no
// instruction's length; PADDING moves the inner function. The order of functions is that of this
// file.
#include <stddef.h>

#ifdef _WIN32
// Where the order is not kept, sections are sorted by what follows the dollar.
#define LATER(name) __attribute__((section(".text$" name)))
#else
#define LATER(name)
#endif

typedef void call(void *data);

void library_inner(call *back, void *data);

__attribute__((noinline)) void library_outer(call *back, void *data, int depth) {
    volatile char buffer[FRAME + 64];
    buffer[0] = 1;
    if (depth > 0)
        library_outer(back, data, depth - 1);
    library_inner(back, data);
    buffer[FRAME - 1] = 2;
}

#if PADDING
LATER("y") // Hidden, so that no table of the library grows by it.
__attribute__((used)) static void library_padding(void) {
    __asm__(".skip 260, 0x90");
}
#endif

LATER("z") __attribute__((noinline)) void library_inner(call *back, void *data) {
    volatile char buffer[FRAME];
    buffer[0] = 1;
    back(data);
    buffer[FRAME - 1] = 2;
}
